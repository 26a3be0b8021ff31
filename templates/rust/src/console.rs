//! Text on the screen (VGA, 80 columns, 25 rows) and on the first serial port.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::machine::{in8, out8};

#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::console::print(format_args!($($argument)*)) };
}

#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($argument:tt)*) => { $crate::print!("{}\n", format_args!($($argument)*)) };
}

pub fn setup() {
    serial_setup();
    screen_clear();
}

/// For `print!` and `println!`.
pub fn print(text: fmt::Arguments) {
    let _ = fmt::write(&mut Console, text);
}

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                serial_put(b'\r');
            }
            serial_put(byte);
            screen_put(byte);
        }
        Ok(())
    }
}

// ---- Serial port -----------------------------------------------------------

const COM1: u16 = 0x3f8;

fn serial_setup() {
    let values = [
        (1, 0x00), // no interrupts
        (3, 0x80), // the next two are the divisor
        (0, 0x01), // 115,200 baud
        (1, 0x00),
        (3, 0x03), // 8 bits, no parity, 1 stop bit
        (2, 0x07), // empty the buffers
    ];
    for (register, value) in values {
        unsafe { out8(COM1 + register, value) };
    }
}

fn serial_put(byte: u8) {
    // Wait until it can take a byte, but not for ever: there may be no port.
    for _ in 0..100_000 {
        if unsafe { in8(COM1 + 5) } & 0x20 != 0 {
            break;
        }
    }
    unsafe { out8(COM1, byte) };
}

// ---- Screen ----------------------------------------------------------------

const COLUMNS: usize = 80;
const ROWS: usize = 25;
const COLOUR: u16 = 0x0f00; // white on black

/// Of the next character.
static POSITION: AtomicUsize = AtomicUsize::new(0);

fn screen_read(position: usize) -> u16 {
    assert!(position < ROWS * COLUMNS);
    unsafe { (0xb8000 as *const u16).add(position).read_volatile() }
}

fn screen_write(position: usize, cell: u16) {
    assert!(position < ROWS * COLUMNS);
    unsafe { (0xb8000 as *mut u16).add(position).write_volatile(cell) };
}

fn screen_clear() {
    for position in 0..ROWS * COLUMNS {
        screen_write(position, COLOUR | b' ' as u16);
    }
}

fn screen_scroll() {
    for position in 0..(ROWS - 1) * COLUMNS {
        screen_write(position, screen_read(position + COLUMNS));
    }
    for position in (ROWS - 1) * COLUMNS..ROWS * COLUMNS {
        screen_write(position, COLOUR | b' ' as u16);
    }
}

fn screen_put(byte: u8) {
    let mut position = POSITION.load(Ordering::Relaxed);
    if byte == b'\n' {
        position += COLUMNS - position % COLUMNS;
    } else {
        screen_write(position, COLOUR | byte as u16);
        position += 1;
    }
    if position == ROWS * COLUMNS {
        screen_scroll();
        position -= COLUMNS;
    }
    POSITION.store(position, Ordering::Relaxed);
}
