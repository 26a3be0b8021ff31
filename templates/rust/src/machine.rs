//! What the machine does: ports, and its end.

use core::arch::asm;

/// # Safety
///
/// What it does is the device's business.
pub unsafe fn out8(port: u16, value: u8) {
    asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags));
}

/// # Safety
///
/// What it does is the device's business.
pub unsafe fn in8(port: u16) -> u8 {
    let value: u8;
    asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags));
    value
}

/// Stop for good.
pub fn halt() -> ! {
    loop {
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

#[derive(Clone, Copy)]
pub enum Verdict {
    Success = 0x10,
    Failure = 0x11,
}

/// End the machine, with a verdict: mkbootimg has a device at this port that takes it.  A
/// real PC has none, and just stops.
pub fn finish(verdict: Verdict) -> ! {
    unsafe { out8(0xf4, verdict as u8) };
    halt()
}
