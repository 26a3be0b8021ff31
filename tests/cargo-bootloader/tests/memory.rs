// SPDX-License-Identifier: MIT
//
// The memory map, and physical memory through its map.
#![no_std]
#![no_main]

use bootloader::bootinfo::{MemoryRegion, MemoryRegionType};
use bootloader::{entry_point, BootInfo};
use core::arch::asm;
use core::panic::PanicInfo;
use tutorial::{exit, fail_of_panic, serial_println, ExitCode};

entry_point!(kernel_main);

fn kernel_main(boot_info: &'static BootInfo) -> ! {
    check_map(&boot_info.memory_map);
    serial_println!("memory map: passed");
    let offset = boot_info.physical_memory_offset;
    write_usable(&boot_info.memory_map, offset);
    serial_println!("usable memory: passed");
    assert_eq!(
        translate(boot_info as *const BootInfo as u64, offset),
        Some(frame_of(boot_info))
    );
    assert_eq!(translate(0xb8000, offset), Some(0xb8000));
    assert_eq!(translate(0, offset), None);
    serial_println!("page tables: passed");
    exit(ExitCode::Success)
}

fn check_map(map: &[MemoryRegion]) {
    for pair in map.windows(2) {
        assert!(pair[0].range.end_frame_number <= pair[1].range.start_frame_number);
    }
    assert_eq!(map[0].region_type, MemoryRegionType::FrameZero);
    // kernel-stack-size in Cargo.toml
    assert_eq!(frames(map, MemoryRegionType::KernelStack), 40);
    assert_eq!(frames(map, MemoryRegionType::BootInfo), 1);
    assert!(frames(map, MemoryRegionType::Usable) > 16 * 256);
}

fn frames(map: &[MemoryRegion], wanted: MemoryRegionType) -> u64 {
    map.iter()
        .filter(|region| region.region_type == wanted)
        .map(|region| region.range.end_frame_number - region.range.start_frame_number)
        .sum()
}

/// The first and last word of each usable region.
fn write_usable(map: &[MemoryRegion], offset: u64) {
    for region in map
        .iter()
        .filter(|region| region.region_type == MemoryRegionType::Usable)
    {
        for address in [region.range.start_addr(), region.range.end_addr() - 8] {
            let word = (offset + address) as *mut u64;
            unsafe {
                word.write_volatile(address ^ 0x5555);
                assert_eq!(word.read_volatile(), address ^ 0x5555);
            }
        }
    }
}

fn frame_of(boot_info: &BootInfo) -> u64 {
    let mut regions = boot_info.memory_map.iter();
    regions
        .find(|region| region.region_type == MemoryRegionType::BootInfo)
        .unwrap()
        .range
        .start_addr()
}

/// The physical address behind a virtual one, through the page tables.
fn translate(address: u64, offset: u64) -> Option<u64> {
    let mut table: u64;
    unsafe { asm!("mov {}, cr3", out(reg) table) };
    for level in (0..4).rev() {
        let shift = 12 + 9 * level;
        let index = address >> shift & 0x1ff;
        let entry = unsafe { *((offset + (table & !0xfff) + index * 8) as *const u64) };
        let base = entry & 0x000f_ffff_ffff_f000;
        if entry & 1 == 0 {
            return None;
        }
        if level == 0 || entry & 0x80 != 0 {
            return Some(base + (address & ((1 << shift) - 1)));
        }
        table = base;
    }
    None
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    fail_of_panic(info)
}
