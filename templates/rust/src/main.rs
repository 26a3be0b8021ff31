//! The kernel.
#![no_std]
#![no_main]

use kernel::machine::{finish, Verdict};
use kernel::mkbootimg::{Info, MemoryKind, MemoryRegion};
use kernel::{entry, println};

entry!(main);

fn main(info: &'static Info) {
    println!("Hello World!");
    println!("{} KiB of memory are free.", usable_memory(info) / 1024);

    // "make run" asks for this where there is no window to close.
    if info.command_line() == b"exit" {
        finish(Verdict::Success);
    }
}

fn usable_memory(info: &Info) -> u64 {
    let is_usable = |region: &&MemoryRegion| region.kind == MemoryKind::USABLE;
    let usable = info.memory_map().iter().filter(is_usable);
    usable.map(|region| region.size).sum()
}
