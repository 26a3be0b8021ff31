#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Memory: that of build and inspect does not grow with the kernel, nor with a module
# or an image; mapped pages of files count.  And the disk: an image takes no more of
# it than the kernel, whose zeros are holes.
. "$(dirname "$0")/../lib.sh"

MOST_KIB=16384

# make_kernel FILE MIB: with so much to load, none of it zeros.
make_kernel() {
	head -c "$2M" /dev/zero | tr '\0' 'x' >payload
	cat >kernel.asm <<-'EOF'
	global _start
	section .text
	_start:	jmp _start
	section .data align=4096
	incbin "payload"
	section .note.GNU-stack noalloc noexec nowrite progbits
	EOF
	nasm -w+all -f elf64 -o kernel.o kernel.asm && ld -o "$1" kernel.o
	rm -f kernel.o
}

# takes_little NAME COMMAND...: a command succeeds with little memory.  It is the
# kernel's own account of the most that it had at any time.
takes_little() {
	local name=$1
	shift
	python3 - "$@" >out 2>err <<-'EOF'
	import resource, subprocess, sys
	status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
	print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	EOF
	read -r status kib <out
	# AddressSanitizer has a memory of its own.
	if [ "$status" = 0 ] && { [ "$kib" -le $MOST_KIB ] || [ -n "${SANITIZE:-}" ]; }; then
		pass "$name"
	else
		echo "status $status, $kib KiB" >>err
		fail "$name" err
	fi
}

check "a large kernel" make_kernel large.elf 80
takes_little "build" "$MKBOOTIMG" build -o large.img large.elf
takes_little "inspect an image" "$MKBOOTIMG" inspect large.img
check "whose checksums were verified" grep -q ' ok' <("$MKBOOTIMG" inspect large.img)
takes_little "a module" "$MKBOOTIMG" build -o module.img -m large.elf "$KERNELS/ends.elf"
takes_little "a size" "$MKBOOTIMG" build -o sized.img --size 8G "$KERNELS/ends.elf"
takes_little "inspect it" "$MKBOOTIMG" inspect sized.img

# 64 KiB, and no more than half as much again: loader, boot table, whole blocks.
head -c 64K /dev/urandom >payload
cat >small.asm <<'EOF'
global _start
section .text
_start:	jmp _start
	incbin "payload", 0, 65536 - 2
section .note.GNU-stack noalloc noexec nowrite progbits
EOF
try "a small kernel" 0 sh -c "nasm -w+all -f elf64 -o small.o small.asm && ld -n -o small.elf small.o"
try "its image" 0 "$MKBOOTIMG" build -o small.img small.elf
stat -c '%b * %B = %s' small.img >blocks
if [ $(($(stat -c '%b * %B' small.img))) -le $((96 * 1024)) ]; then
	pass "takes 96 KiB of the disk at most"
else
	fail "takes 96 KiB of the disk at most" blocks
fi

# 64 MiB of zeros in the file, which are nothing in the image.
cat >zeros.asm <<'EOF'
global _start
section .text
_start:	jmp _start
section .data align=4096
	times 16 << 20 dd 0
	db 1
section .note.GNU-stack noalloc noexec nowrite progbits
EOF
try "a kernel of zeros" 0 sh -c "nasm -w+all -f elf64 -o zeros.o zeros.asm && ld -o zeros.elf zeros.o"
takes_little "its image" "$MKBOOTIMG" build -o zeros.img zeros.elf
stat -c '%b * %B = %s' zeros.img >blocks
if [ $(($(stat -c '%b * %B' zeros.img))) -le $((64 * 1024)) ]; then
	pass "has holes for them"
else
	fail "has holes for them" blocks
fi

done_testing
