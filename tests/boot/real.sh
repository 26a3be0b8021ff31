#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Kernels that others wrote, as Debian ships them: Xen, which is for Multiboot 1
# and 2, and Linux, which is for PVH.  scripts/real-kernels gets them.
. "$(dirname "$0")/../lib.sh"

for file in xen xen.gz vmlinux vmlinuz; do
	if [ ! -e "$ROOT/build/real/$file" ]; then
		skip "real kernels" "no build/real/$file; scripts/real-kernels gets it"
		done_testing
	fi
	ln -s "$ROOT/build/real/$file" $file
done

# An initial RAM disk for Linux.  Its one program gives the machine's verdict,
# from user mode.
cat >init.c <<'EOT'
static const char text[] = "hello from user mode\n";

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}
void _start(void)
{
	call(1, 1, (long)text, sizeof(text) - 1);	/* write */
	call(16, 1, 0x5409, 1);				/* ioctl: until it is sent */
	call(172, 3, 0, 0);				/* iopl */
	__asm__ volatile("outb %0, %1" : : "a"((char)0x10), "Nd"((short)0xf4));
	for (;;)
		;
}
EOT
try "a first program: builds" 0 gcc -O2 -ffreestanding -nostdlib -static -no-pie -s -o init init.c

# cpio_file NAME MODE [FILE]: an entry of the archive, in the format "newc".
cpio_file() {
	local size=0 field
	[ $# -lt 3 ] || size=$(stat -c %s "$3")
	printf 070701
	for field in 0 $((0$2)) 0 0 1 0 "$size" 0 0 0 0 $((${#1} + 1)) 0; do
		printf %08X "$field"
	done
	printf '%s\0' "$1"
	head -c $((-(110 + ${#1} + 1) & 3)) /dev/zero
	[ $# -lt 3 ] || cat "$3"
	head -c $((-size & 3)) /dev/zero
}
{
	cpio_file init 100755 init
	cpio_file 'TRAILER!!!' 0
} >initrd

# usable FILE: MiB that it says are usable RAM, in lines of Linux or Xen.
usable() {
	local total=0 from to
	while read -r from to; do
		total=$((total + 0x$to - 0x$from + 1))
	done < <(sed -nE 's/^.*(BIOS-e820: \[mem 0x|\(XEN\)  \[)([0-9a-f]+)(-0x|, )([0-9a-f]+)\].*usable.*/\2 \4/p' "$1")
	echo $((total >> 20))
}

# ---- Linux -------------------------------------------------------------------

try "inspect Linux" 0 "$MKBOOTIMG" inspect vmlinux
has "offers PVH" out pvh

try "Linux by PVH" 122 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" --protocol pvh --memory 256M \
	-c "console=ttyS0 panic=-1" vmlinux
has "boots until it has no root" out "Kernel panic - not syncing: VFS: Unable to mount root fs"
has "gets its command line" out "] Command line: console=ttyS0 panic=-1"
has "gets the memory map" out "BIOS-e820: [mem 0x0000000000100000-0x000000000f"
check "all of it" test "$(usable out)" -eq 255
has "gets ACPI's tables" out "] ACPI: RSDP 0x"

boots "Linux by PVH, with an initial RAM disk" vmlinux --protocol pvh --memory 256M \
	-c "console=ttyS0 panic=-1" -m initrd
has "user mode" out "hello from user mode"

# ---- Xen ---------------------------------------------------------------------

try "inspect Xen" 0 "$MKBOOTIMG" inspect xen
has "offers Multiboot 1" out multiboot1
has "offers Multiboot 2" out multiboot2

for protocol in multiboot1 multiboot2; do
	try "Xen by $protocol" 122 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" --protocol $protocol \
		-c "console=com1 com1=115200,8n1" xen
	has "$protocol: misses its module" out "dom0 kernel not specified"
	has "$protocol: its real-mode code reaches the BIOS" out "(XEN)  Found 1 EDD information structures"
	has "$protocol: the loader's name" out "(XEN) Bootloader: mkbootimg"
	has "$protocol: the command line" out "(XEN) Command line: console=com1 com1=115200,8n1"

	# Its own real-mode code would have it ask the BIOS for the memory map.  Of
	# a module's string it drops the first word, the file's name.
	boots "$protocol: Xen and Linux" xen --protocol $protocol --memory 512M \
		-c "console=com1 com1=115200,8n1 loglvl=all no-real-mode" \
		-m vmlinuz="vmlinuz earlyprintk=xen,keep panic=-1" -m initrd
	has "$protocol: a memory map" out "(XEN) Multiboot-e820 RAM map:"
	check "$protocol: all of it" test "$(usable out)" -eq 511
	has "$protocol: the first module" out "(XEN)  Dom0 kernel: 64-bit"
	has "$protocol: its string" out "] Command line: earlyprintk=xen,keep panic=-1"
	has "$protocol: the second module" out "Run /init as init process"
	if [ $protocol = multiboot2 ]; then
		check "$protocol: Xen is moved" grep -q "load base address: 0x[1-9a-f]" out
	fi
	boots "$protocol: as it comes, and compressed again" xen.gz --protocol $protocol --memory 512M --compress auto \
		-c "console=com1 com1=115200,8n1 no-real-mode" \
		-m vmlinuz="vmlinuz earlyprintk=xen,keep panic=-1" -m initrd
	has "$protocol: and its initial RAM disk" out "Run /init as init process"
done

done_testing
