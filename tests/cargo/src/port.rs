// SPDX-License-Identifier: MIT
//
// COM1 and the port that ends the machine; included by each program.

use core::arch::asm;

pub fn out8(port: u16, value: u8) {
    unsafe { asm!("out dx, al", in("dx") port, in("al") value) };
}

pub fn print(text: &str) {
    for byte in text.bytes() {
        out8(0x3f8, byte);
    }
}

pub fn end(value: u8) -> ! {
    out8(0xf4, value);
    loop {}
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    print("a panic\n");
    end(0x20)
}

// The core library, as it comes, was compiled to unwind, and names this.
#[no_mangle]
extern "C" fn rust_eh_personality() {}
