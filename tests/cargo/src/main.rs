// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

include!("port.rs");

#[no_mangle]
pub extern "C" fn _start() -> ! {
    print("the kernel runs\n");
    end(0x10)
}
