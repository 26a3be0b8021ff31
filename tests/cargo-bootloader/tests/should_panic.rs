// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use tutorial::{exit, opaque, serial_println, ExitCode};

#[no_mangle]
pub extern "C" fn _start() -> ! {
    assert_eq!(opaque(0), 1);
    serial_println!("it did not panic");
    exit(ExitCode::Failed)
}

#[panic_handler]
fn panic(_info: &PanicInfo) -> ! {
    serial_println!("should_panic: passed");
    exit(ExitCode::Success)
}
