// SPDX-License-Identifier: MIT
//
// mkbootimg.rs: mkbootimg.h for Rust.  What a kernel that was booted by the "native"
// protocol gets:
//
//     #[no_mangle]
//     pub extern "C" fn _start(info: &'static Info) -> ! { ... }
//
// Copy it to your sources, "mod mkbootimg;".  It needs core alone, from Rust 1.59 on.
//
// What the fields mean is said in mkbootimg.h and mkbootimg-protocol(7).  The layout is
// frozen: later versions only add fields at the end and raise version and size.  Ask
// Info::is_valid() first: whoever else may have entered the kernel gave something else.

use core::slice;

/// The bytes "MIBTINFO".
pub const INFO_MAGIC: u64 = 0x4f46_4e49_5442_494d;
pub const INFO_VERSION: u32 = 1;

/// A kind of memory.  One that a kernel does not know is to be treated as reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct MemoryKind(pub u32);

impl MemoryKind {
    /// Free RAM.
    pub const USABLE: MemoryKind = MemoryKind(1);
    /// Stack, page tables, GDT, IDT, and what `Info` tells.
    pub const LOADER_RECLAIMABLE: MemoryKind = MemoryKind(2);
    pub const KERNEL: MemoryKind = MemoryKind(3);
    pub const MODULES: MemoryKind = MemoryKind(4);
    pub const FRAMEBUFFER: MemoryKind = MemoryKind(5);
    pub const ACPI_RECLAIMABLE: MemoryKind = MemoryKind(6);
    pub const ACPI_NVS: MemoryKind = MemoryKind(7);
    pub const RESERVED: MemoryKind = MemoryKind(8);
    pub const BAD: MemoryKind = MemoryKind(9);
}

/// One region of physical memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryRegion {
    /// Physical address.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    pub kind: MemoryKind,
    reserved: u32,
}

pub const SEGMENT_EXECUTE: u32 = 1;
pub const SEGMENT_WRITE: u32 = 2;
pub const SEGMENT_READ: u32 = 4;

/// One run of kernel pages, as it is mapped.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Segment {
    pub virtual_start: u64,
    pub physical_start: u64,
    /// Bytes, whole pages.
    pub size: u64,
    /// `SEGMENT_*`
    pub flags: u32,
    reserved: u32,
}

/// One file that was given along with the kernel.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Module {
    start: *const u8,
    pub physical_start: u64,
    size: u64,
    name: *const u8,
}

/// What a framebuffer's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct FramebufferKind(pub u8);

impl FramebufferKind {
    pub const NONE: FramebufferKind = FramebufferKind(0);
    /// VGA text: a character and an attribute byte per cell.
    pub const TEXT: FramebufferKind = FramebufferKind(1);
    /// Pixels of `bits_per_pixel`, in whole bytes, lowest first.
    pub const RGB: FramebufferKind = FramebufferKind(2);
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Framebuffer {
    pub physical_address: u64,
    /// Pixels, or characters.
    pub width: u32,
    pub height: u32,
    /// Bytes from one line to the next.
    pub pitch: u32,
    pub kind: FramebufferKind,
    /// Or per character cell.
    pub bits_per_pixel: u8,
    pub red_position: u8,
    pub red_size: u8,
    pub green_position: u8,
    pub green_size: u8,
    pub blue_position: u8,
    pub blue_size: u8,
    reserved: u32,
}

#[derive(Debug)]
#[repr(C)]
pub struct Info {
    pub magic: u64,
    pub version: u32,
    /// Bytes in this structure.
    pub size: u32,
    memory_map: *const MemoryRegion,
    memory_map_count: u64,
    command_line: *const u8,
    command_line_length: u64,
    modules: *const Module,
    module_count: u64,
    kernel_segments: *const Segment,
    kernel_segment_count: u64,
    pub kernel_virtual_start: u64,
    pub kernel_virtual_end: u64,
    pub kernel_physical_start: u64,
    pub kernel_physical_end: u64,
    /// The page below is not mapped.
    pub stack_virtual_start: u64,
    pub stack_virtual_end: u64,
    pub stack_physical_start: u64,
    pub stack_physical_end: u64,
    /// Physical address `p`, below `physical_memory_size`, is mapped at that + `p`.
    pub physical_memory_offset: u64,
    pub physical_memory_size: u64,
    /// Physical address of the ACPI RSDP, 0 if none was found.
    pub rsdp: u64,
    pub tsc_loader_start: u64,
    pub tsc_hand_off: u64,
    pub framebuffer: Framebuffer,
    /// BIOS drive number.
    pub boot_drive: u32,
    reserved: u32,
}

/// What is there may be empty, and then its address is null.
unsafe fn items<T>(start: *const T, count: u64) -> &'static [T] {
    if count == 0 {
        &[]
    } else {
        slice::from_raw_parts(start, count as usize)
    }
}

impl Info {
    /// Is this what mkbootimg gives?  Only then the others may be asked.
    pub fn is_valid(&self) -> bool {
        self.magic == INFO_MAGIC
    }

    /// Sorted by start; regions never overlap; what none covers is not memory.
    pub fn memory_map(&self) -> &'static [MemoryRegion] {
        unsafe { items(self.memory_map, self.memory_map_count) }
    }

    /// Without the NUL behind it.
    pub fn command_line(&self) -> &'static [u8] {
        unsafe { items(self.command_line, self.command_line_length) }
    }

    /// In the order given.
    pub fn modules(&self) -> &'static [Module] {
        unsafe { items(self.modules, self.module_count) }
    }

    /// Sorted by `virtual_start`.
    pub fn kernel_segments(&self) -> &'static [Segment] {
        unsafe { items(self.kernel_segments, self.kernel_segment_count) }
    }
}

impl Module {
    pub fn bytes(&self) -> &'static [u8] {
        unsafe { items(self.start, self.size) }
    }

    /// Without the NUL behind it.
    pub fn name(&self) -> &'static [u8] {
        let mut length = 0;
        while unsafe { *self.name.add(length) } != 0 {
            length += 1;
        }
        unsafe { items(self.name, length as u64) }
    }
}
