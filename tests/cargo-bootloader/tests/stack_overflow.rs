// SPDX-License-Identifier: MIT
//
// A stack that overflows hits the guard page, and the handler, on a stack of its own,
// sees where.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use core::ptr::addr_of;
use tutorial::{exit, fail_of_panic, opaque, serial_println, ExitCode};

// kernel-stack-address and kernel-stack-size in Cargo.toml
const GUARD_PAGE: u64 = 0x7000_0000_0000;
const STACK_END: u64 = GUARD_PAGE + 41 * 4096;

const PAGE_FAULT: usize = 14;

#[repr(C, align(16))]
struct Stack([u8; 16384]);

#[repr(C, packed)]
struct TaskState {
    reserved: u32,
    rsp: [u64; 3],
    reserved2: u64,
    interrupt_stacks: [u64; 7],
    reserved3: [u16; 5],
    io_map: u16,
}

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

static mut HANDLERS_STACK: Stack = Stack([0; 16384]);
static mut TASK_STATE: TaskState = TaskState {
    reserved: 0,
    rsp: [0; 3],
    reserved2: 0,
    interrupt_stacks: [0; 7],
    reserved3: [0; 5],
    io_map: 104,
};
// Null, code as the loader has it, data, and a TSS of two words.
static mut GDT: [u64; 5] = [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0, 0];
static mut IDT: [[u64; 2]; 16] = [[0; 2]; 16];

global_asm!(
    ".global page_fault",
    "page_fault:",
    "mov rdi, cr2",
    "jmp on_page_fault",
);

extern "C" {
    fn page_fault();
}

#[no_mangle]
extern "C" fn on_page_fault(address: u64) -> ! {
    assert!(
        (GUARD_PAGE..GUARD_PAGE + 4096).contains(&address),
        "a page fault at {address:#x}"
    );
    serial_println!("stack_overflow: passed");
    exit(ExitCode::Success)
}

unsafe fn install_handler() {
    let state = addr_of!(TASK_STATE) as u64;
    TASK_STATE.interrupt_stacks[0] = addr_of!(HANDLERS_STACK) as u64 + 16384 - 8;
    GDT[3] = 103 | (state & 0xff_ffff) << 16 | 0x89 << 40 | (state >> 24 & 0xff) << 56;
    GDT[4] = state >> 32;
    let handler = page_fault as *const () as u64;
    IDT[PAGE_FAULT] = [
        handler & 0xffff | 0x08 << 16 | 1 << 32 | 0x8e << 40 | (handler >> 16 & 0xffff) << 48,
        handler >> 32,
    ];
    let gdt = Pointer {
        limit: 5 * 8 - 1,
        base: addr_of!(GDT) as u64,
    };
    let idt = Pointer {
        limit: 16 * 16 - 1,
        base: addr_of!(IDT) as u64,
    };
    asm!("lgdt [{}]", "lidt [{}]", "ltr {:x}", in(reg) &gdt, in(reg) &idt, in(reg) 0x18);
}

#[allow(unconditional_recursion)]
fn overflow(depth: u64) -> u64 {
    opaque(overflow(depth + 1)) + depth
}

#[no_mangle]
pub extern "C" fn _start() -> ! {
    let local = 0u8;
    assert!((STACK_END - 4096..STACK_END).contains(&(addr_of!(local) as u64)));
    unsafe { install_handler() };
    overflow(0);
    serial_println!("the stack has no end");
    exit(ExitCode::Failed)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    fail_of_panic(info)
}
