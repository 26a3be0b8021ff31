// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

include!("../src/port.rs");

#[no_mangle]
pub extern "C" fn _start() -> ! {
    assert!(core::hint::black_box(6) * 7 == 42);
    print("arithmetic: passed\n");
    end(0x11)
}
