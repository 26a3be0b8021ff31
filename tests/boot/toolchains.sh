#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Kernels as people's compilers make them, without a linker script of ours.
. "$(dirname "$0")/../lib.sh"

cat >k.c <<'EOF'
static void out8(unsigned short port, unsigned char value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
void _start(void)
{
	for (const char *c = "hello from C\n"; *c; c++)
		out8(0x3f8, *c);
	out8(0xf4, 0x10);
	for (;;)
		;
}
EOF

try "gcc and GNU ld: builds" 0 gcc -ffreestanding -nostdlib -static -no-pie -o gcc.elf k.c
boots "gcc and GNU ld" gcc.elf
has "gcc and GNU ld: prints" out "hello from C"

try "clang and lld: builds" 0 clang -ffreestanding -nostdlib -static -no-pie -fuse-ld=lld -o lld.elf k.c
boots "clang and lld" lld.elf
has "clang and lld: prints" out "hello from C"

# With SSE: -O3 makes the compiler use it for a loop like this.
cat >sse.c <<'EOF'
float a[256], b[256];
void _start(void)
{
	float sum = 0;
	for (int i = 0; i < 256; i++)
		b[i] = a[i] * 3.0f + (float)i;
	for (int i = 0; i < 256; i++)
		sum += b[i];
	__asm__ volatile("outb %0, %1" : : "a"((char)(sum == 32640.0f ? 0x10 : 0x20)), "Nd"((short)0xf4));
	for (;;)
		;
}
EOF
try "floating point: builds" 0 gcc -O3 -ffreestanding -nostdlib -static -no-pie -o sse.elf sse.c
boots "floating point" sse.elf

cat >k.rs <<'EOF'
#![no_std]
#![no_main]
use core::arch::asm;

fn out8(port: u16, value: u8) {
    unsafe { asm!("out dx, al", in("dx") port, in("al") value) };
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    out8(0xf4, 0x20);
    loop {}
}

#[no_mangle]
pub extern "C" fn _start() -> ! {
    for byte in b"hello from Rust\n" {
        out8(0x3f8, *byte);
    }
    out8(0xf4, 0x10);
    loop {}
}
EOF
if command -v rustc >/dev/null; then
	try "rustc: builds" 0 rustc -C panic=abort -C relocation-model=static -C link-arg=-nostartfiles \
		-C link-arg=-static -C link-arg=-no-pie -o rust.elf k.rs
	boots "rustc" rust.elf
	has "rustc: prints" out "hello from Rust"
else
	skip "rustc" "rustc is not installed"
fi

done_testing
