// SPDX-License-Identifier: MIT
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use tutorial::{fail_of_panic, opaque, run_tests};

#[no_mangle]
pub extern "C" fn _start() -> ! {
    run_tests(&[
        ("arithmetic", arithmetic),
        ("floating point", floating_point),
    ])
}

fn arithmetic() {
    assert_eq!(opaque(6) * 7, 42);
}

fn floating_point() {
    assert_eq!(opaque(1.5) * 4.0, 6.0);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    fail_of_panic(info)
}
