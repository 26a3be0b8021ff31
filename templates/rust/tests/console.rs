//! What is printed is to be seen on the screen.
#![no_std]
#![no_main]

use kernel::machine::{finish, Verdict};
use kernel::mkbootimg::Info;
use kernel::{entry, print};

entry!(main);

fn main(_info: &'static Info) {
    let text = "Is anybody there?";
    print!("{text}");
    for (i, byte) in text.bytes().enumerate() {
        assert_eq!(on_screen(i), byte);
    }
    for _ in 0..30 {
        print!("\n");
    }
    assert_eq!(on_screen(0), b' ');
    finish(Verdict::Success)
}

/// Every other byte is a character.
fn on_screen(position: usize) -> u8 {
    unsafe { (0xb8000 as *const u8).add(2 * position).read_volatile() }
}
