// SPDX-License-Identifier: MIT
//
// What the program and the tests share: COM1, the port that ends the machine, and
// running tests one after the other.
#![no_std]

use core::arch::asm;
use core::fmt::{self, Write};
use core::panic::PanicInfo;

#[derive(Clone, Copy)]
#[repr(u8)]
pub enum ExitCode {
    Success = 0x10,
    Failed = 0x11,
}

fn out8(port: u16, value: u8) {
    unsafe { asm!("out dx, al", in("dx") port, in("al") value) };
}

pub fn exit(code: ExitCode) -> ! {
    out8(0xf4, code as u8);
    halt()
}

pub fn halt() -> ! {
    loop {
        unsafe { asm!("hlt") };
    }
}

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| out8(0x3f8, byte));
        Ok(())
    }
}

#[doc(hidden)]
pub fn print(arguments: fmt::Arguments) {
    Serial.write_fmt(arguments).unwrap();
}

#[macro_export]
macro_rules! serial_println {
    ($($arguments:tt)*) => {{
        $crate::print(format_args!($($arguments)*));
        $crate::print(format_args!("\n"));
    }};
}

/// Run tests, which panic if they fail, and end with success.
pub fn run_tests(tests: &[(&str, fn())]) -> ! {
    for (name, test) in tests {
        test();
        serial_println!("{name}: passed");
    }
    exit(ExitCode::Success)
}

/// A value that the compiler cannot reason about.
pub fn opaque<T: Copy>(value: T) -> T {
    unsafe { core::ptr::read_volatile(&value) }
}

pub fn fail_of_panic(info: &PanicInfo) -> ! {
    serial_println!("a panic: {info}");
    exit(ExitCode::Failed)
}

// What the C library would have for this target; rustc calls them.
#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _);
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") byte as u8);
    to
}

// The core library, as it comes, was compiled to unwind, and names this.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
