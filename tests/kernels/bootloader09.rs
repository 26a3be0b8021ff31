// SPDX-License-Identifier: MIT
//
// Test kernel of the bootloader crate 0.9 in its own language: reads BootInfo by a
// repr(C) definition, one for each set of features (--cfg recursive, map, sse), and
// looks whether what is in it makes sense.
#![no_std]
#![no_main]
#![allow(unknown_lints, unexpected_cfgs)]

use core::arch::{asm, global_asm};
use core::fmt::{self, Write};
use core::ptr::{addr_of, addr_of_mut};

// The host's code uses SSE, which is off but with the feature: note how it was, then
// turn it on.
global_asm!(
    ".globl _start",
    "_start:",
    "mov rsi, cr0",
    "mov rdx, cr4",
    "mov rax, cr4",
    "or eax, 0x600",
    "mov cr4, rax",
    "jmp kernel",
);

// What the core library wants of whoever links it.
global_asm!(
    ".globl memcpy, memset, memcmp, rust_eh_personality, _Unwind_Resume",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    "memcmp:",
    "xor eax, eax",
    "mov rcx, rdx",
    "cmp eax, eax",
    "repe cmpsb",
    "setne al",
    "ret",
    "rust_eh_personality:",
    "_Unwind_Resume:",
    "ud2",
);

const PAGE: u64 = 4096;

#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(dead_code)]
enum RegionType {
    Usable,
    InUse,
    Reserved,
    AcpiReclaimable,
    AcpiNvs,
    BadMemory,
    Kernel,
    KernelStack,
    PageTable,
    Bootloader,
    FrameZero,
    Empty,
    BootInfo,
}

#[repr(C)]
struct Region {
    start: u64,
    end: u64,
    kind: u32, // a RegionType, once that is known
}

#[repr(C)]
struct MemoryMap {
    entries: [Region; 64],
    next: u64,
}

#[repr(C)]
#[derive(PartialEq, Debug)]
struct TlsTemplate {
    start: u64,
    file_size: u64,
    memory_size: u64,
}

#[repr(C)]
struct BootInfo {
    memory_map: MemoryMap,
    #[cfg(recursive)]
    recursive_page_table_addr: u64,
    #[cfg(map)]
    physical_memory_offset: u64,
    tls: TlsTemplate,
    non_exhaustive: u8,
}

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            out8(0x3f8, byte);
        }
        Ok(())
    }
}

fn out8(port: u16, value: u8) {
    unsafe { asm!("out dx, al", in("dx") port, in("al") value) };
}

fn finish(code: u8) -> ! {
    loop {
        out8(0xf4, code);
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let _ = writeln!(Serial, "FAILED: {info}");
    finish(0x20)
}

// A variable of each kind.
static CONSTANT: [u64; 4] = [1, 2, 3, 4];
static mut DATA: u64 = 0x1122334455667788;
static mut BSS: [u64; 1000] = [0; 1000];

fn region_type(kind: u32) -> RegionType {
    assert!(kind <= RegionType::BootInfo as u32, "region of type {kind}");
    unsafe { core::mem::transmute(kind) }
}

fn check_memory_map(map: &MemoryMap) {
    let regions = &map.entries[..map.next as usize];
    let mut usable = 0;
    let mut last: Option<&Region> = None;

    for region in regions {
        let kind = region_type(region.kind);

        assert!(region.start < region.end, "an empty region");
        assert!(
            kind != RegionType::Empty && kind != RegionType::InUse,
            "{kind:?}"
        );
        if let Some(last) = last {
            assert!(last.end <= region.start, "not sorted");
            assert!(
                last.end < region.start || last.kind != region.kind,
                "not merged"
            );
        }
        if kind == RegionType::Usable {
            usable += region.end - region.start;
        }
        last = Some(region);
    }
    for region in &map.entries[map.next as usize..] {
        assert!(region.start == 0 && region.end == 0);
        assert_eq!(region_type(region.kind), RegionType::Empty);
    }
    assert_eq!(region_type(regions[0].kind), RegionType::FrameZero);
    for kind in [
        RegionType::Kernel,
        RegionType::KernelStack,
        RegionType::PageTable,
        RegionType::Bootloader,
        RegionType::BootInfo,
    ] {
        assert!(regions.iter().any(|r| r.kind == kind as u32), "no {kind:?}");
    }
    let _ = writeln!(Serial, "{} MiB are usable", usable * PAGE >> 20);
    assert!(usable * PAGE >> 20 >= 120 && usable * PAGE >> 20 <= 127);
}

#[cfg(recursive)]
fn check_recursive(info: &BootInfo) {
    let level4 = info.recursive_page_table_addr;
    let slot = level4 >> 39 & 511;
    let entry = unsafe { *((level4 + slot * 8) as *const u64) };
    let cr3: u64;

    assert_eq!(level4 >> 12 & 511, slot);
    unsafe { asm!("mov {}, cr3", out(reg) cr3) };
    assert_eq!(entry & !0xfff, cr3);
}

#[cfg(map)]
fn check_map(info: &BootInfo) {
    let offset = info.physical_memory_offset;
    let usable = info
        .memory_map
        .entries
        .iter()
        .rfind(|r| r.kind == RegionType::Usable as u32)
        .unwrap();

    // The last usable word keeps what is written there.
    assert_eq!(offset % 0x200000, 0);
    let last = (offset + usable.end * PAGE - 8) as *mut u64;
    unsafe {
        last.write_volatile(0x1234567);
        assert_eq!(last.read_volatile(), 0x1234567);
    }
}

#[no_mangle]
extern "C" fn kernel(info: &'static BootInfo, cr0: u64, cr4: u64) -> ! {
    let sse = cfg!(sse);

    assert_eq!(cr0, if sse { 0x80010013 } else { 0x80010011 });
    assert_eq!(cr4, if sse { 0x620 } else { 0x20 });
    unsafe {
        let bss = addr_of_mut!(BSS) as *mut u64;

        assert_eq!(addr_of!(DATA).read(), 0x1122334455667788);
        assert!((0..1000).all(|i| bss.add(i).read() == 0));
        bss.add(999).write(CONSTANT.iter().sum());
        assert_eq!(bss.add(999).read(), 10);
    }
    check_memory_map(&info.memory_map);
    #[cfg(recursive)]
    check_recursive(info);
    #[cfg(map)]
    check_map(info);
    assert_eq!(
        info.tls,
        TlsTemplate {
            start: 0,
            file_size: 0,
            memory_size: 0
        }
    );
    assert_eq!(info.non_exhaustive, 0);
    let third = 1.0f64 / CONSTANT[2] as f64;
    let _ = writeln!(Serial, "{third:.3}");
    let screen = 0xb8000 as *mut u16;
    for (i, byte) in b"hello from Rust".iter().enumerate() {
        unsafe { screen.add(i).write_volatile(0x1f00 | *byte as u16) };
    }
    let _ = writeln!(
        Serial,
        "BootInfo is as it should be, of {} bytes",
        core::mem::size_of::<BootInfo>()
    );
    finish(0x10)
}
