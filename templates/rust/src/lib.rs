//! What the kernel and its tests share.
#![no_std]

pub mod console;
pub mod machine;
pub mod mkbootimg;

#[cfg(not(target_os = "none"))]
mod memory;

use core::panic::PanicInfo;

use machine::{finish, halt, Verdict};
use mkbootimg::Info;

/// `entry!(main);` has `fn main(info: &'static Info)` called first.
///
/// mkbootimg enters `_start` in 64-bit long mode, with a stack and the address of what it
/// tells as the first argument: all that Rust needs.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[no_mangle]
        pub extern "C" fn _start(info: &'static $crate::mkbootimg::Info) -> ! {
            $crate::start(info, $main)
        }
    };
}

/// For `entry!`.
pub fn start(info: &'static Info, main: fn(&'static Info)) -> ! {
    console::setup();
    assert!(info.is_valid(), "this is not mkbootimg's information");
    main(info);
    halt()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    println!("{info}");
    finish(Verdict::Failure)
}
