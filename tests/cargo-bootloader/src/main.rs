// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

use bootloader::{entry_point, BootInfo};
use core::panic::PanicInfo;
use tutorial::{exit, fail_of_panic, serial_println, ExitCode};

entry_point!(kernel_main);

fn kernel_main(boot_info: &'static BootInfo) -> ! {
    // (With the members that the features make.)
    serial_println!("{boot_info:#x?}");

    let screen = 0xb8000 as *mut u8;
    for (i, byte) in b"Hello World!".iter().enumerate() {
        unsafe {
            screen.add(i * 2).write_volatile(*byte);
            screen.add(i * 2 + 1).write_volatile(0x0b);
        }
    }
    exit(ExitCode::Success)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    fail_of_panic(info)
}
