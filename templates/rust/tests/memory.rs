//! The memory map is sorted, and there is memory to work with.
#![no_std]
#![no_main]

use kernel::entry;
use kernel::machine::{finish, Verdict};
use kernel::mkbootimg::{Info, MemoryKind};

entry!(main);

fn main(info: &'static Info) {
    let mut end = 0;
    let mut usable = 0;
    for region in info.memory_map() {
        assert!(region.start >= end);
        end = region.start + region.size;
        if region.kind == MemoryKind::USABLE {
            usable += region.size;
        }
    }
    assert!(usable >= 1024 * 1024);
    finish(Verdict::Success)
}
