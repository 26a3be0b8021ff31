// SPDX-License-Identifier: MIT
#![no_std]

pub mod bootinfo;

pub use bootinfo::BootInfo;

/// Define the entry point, which calls a function of the kernel's: fn(&'static BootInfo) -> !
#[macro_export]
macro_rules! entry_point {
    ($kernel:path) => {
        #[no_mangle]
        pub extern "C" fn _start(boot_info: &'static $crate::bootinfo::BootInfo) -> ! {
            let kernel: fn(&'static $crate::bootinfo::BootInfo) -> ! = $kernel;
            kernel(boot_info)
        }
    };
}
