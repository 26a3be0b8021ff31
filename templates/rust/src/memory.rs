//! What the compiler calls by itself, to copy a structure, say.  A target with an operating
//! system leaves these to its C library, which a kernel does not have.

use core::arch::asm;

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
        options(nostack, preserves_flags));
    to
}

#[no_mangle]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        return memcpy(to, from, count);
    }
    // The end first, which the beginning would overwrite.
    asm!("std", "rep movsb", "cld", inout("rcx") count => _,
        inout("rdi") to.wrapping_add(count).wrapping_sub(1) => _,
        inout("rsi") from.wrapping_add(count).wrapping_sub(1) => _, options(nostack));
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
    asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") value as u8,
        options(nostack, preserves_flags));
    to
}

#[no_mangle]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    for i in 0..count {
        let (l, r) = (*left.add(i), *right.add(i));
        if l != r {
            return l as i32 - r as i32;
        }
    }
    0
}

#[no_mangle]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    memcmp(left, right, count)
}

/// Nothing unwinds, but the core library, as it comes, names this.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
