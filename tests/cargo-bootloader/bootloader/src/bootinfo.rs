// SPDX-License-Identifier: MIT
//
// What the loader tells the kernel.  Which members there are depends on the features.

use core::ops::Deref;

const REGIONS: usize = 64;

#[derive(Debug)]
#[repr(C)]
pub struct BootInfo {
    pub memory_map: MemoryMap,
    #[cfg(feature = "recursive_page_table")]
    pub recursive_page_table_addr: u64,
    #[cfg(feature = "map_physical_memory")]
    pub physical_memory_offset: u64,
    tls_template: TlsTemplate,
    _non_exhaustive: u8,
}

impl BootInfo {
    pub fn tls_template(&self) -> Option<TlsTemplate> {
        Some(self.tls_template).filter(|template| template.mem_size > 0)
    }
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TlsTemplate {
    pub start_addr: u64,
    pub file_size: u64,
    pub mem_size: u64,
}

#[repr(C)]
pub struct MemoryMap {
    regions: [MemoryRegion; REGIONS],
    count: u64,
}

impl Deref for MemoryMap {
    type Target = [MemoryRegion];

    fn deref(&self) -> &[MemoryRegion] {
        &self.regions[..self.count as usize]
    }
}

impl core::fmt::Debug for MemoryMap {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryRegion {
    pub range: FrameRange,
    pub region_type: MemoryRegionType,
}

/// Frames of 4 KiB; the end is not in it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FrameRange {
    pub start_frame_number: u64,
    pub end_frame_number: u64,
}

impl FrameRange {
    pub fn start_addr(&self) -> u64 {
        self.start_frame_number * 4096
    }

    pub fn end_addr(&self) -> u64 {
        self.end_frame_number * 4096
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub enum MemoryRegionType {
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
    Package,
    #[doc(hidden)]
    NonExhaustive,
}
