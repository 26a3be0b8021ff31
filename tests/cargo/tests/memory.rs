// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

include!("../src/port.rs");

#[no_mangle]
pub extern "C" fn _start() -> ! {
    let numbers = core::hint::black_box([1u32, 2, 3, 4]);
    assert!(numbers.iter().sum::<u32>() == 10);
    print("memory: passed\n");
    end(0x11)
}
