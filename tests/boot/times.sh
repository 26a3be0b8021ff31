#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# run -v: where the time went.  How long things take is not for a test to say, but
# the parts must be there, for every protocol, and add up; and of instructions there
# are as many as the kernel is large.
. "$(dirname "$0")/../lib.sh"

TOP="build|QEMU start|firmware|loader|hand-off|kernel|end|all"
LOADER="start|read|copy|unpack|clear|screen|tables"

# times FILE: the lines of that kind in what run says.
times() { sed -n '/^mkbootimg: run: where the time went:$/,$p' "$1" | sed -nE '/^ +[A-Za-z -]+ +[0-9.]+ ms/p'; }

# adds_up FILE: parts are in order, the loader's are the loader, and all is all.
adds_up() {
	times "$1" | awk -v top="$TOP" -v loader="$LOADER" '
	function name_of(line) { sub(/^ +/, "", line); sub(/ +[0-9.]+ ms.*/, "", line); return line }
	function ms_of(line) { match(line, /[0-9.]+ ms/); return substr(line, RSTART) + 0 }
	/^  [A-Za-z]/ { tops = tops (tops ? "|" : "") name_of($0) }
	/^    [a-z]/ { parts = parts (parts ? "|" : "") name_of($0); part_sum += ms_of($0); next }
	name_of($0) == "loader" { loader_ms = ms_of($0) }
	name_of($0) == "all" { all = ms_of($0); next }
	{ sum += ms_of($0) }
	function far(a, b) { return a - b > 0.06 || b - a > 0.06 }
	END {
		if (tops != top) { print "parts: " tops; bad = 1 }
		if (parts != loader) { print "of the loader: " parts; bad = 1 }
		if (far(part_sum, loader_ms)) { print "the loader: " loader_ms ", its parts " part_sum; bad = 1 }
		if (far(sum, all)) { print "all: " all ", the parts " sum; bad = 1 }
		exit bad
	}' >why
}

# instructions FILE PART
instructions() { times "$1" | awk -v part="$2" '$1 == part { print $(NF - 1) }'; }

for kernel in ends map-mb1 map-mb2 map-pvh bl09-none; do
	options=(-c success)
	[ $kernel = bl09-none ] && options=(--protocol bootloader-0.9)
	timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v --timeout 20 "${options[@]}" "$KERNELS/$kernel.elf" >out 2>err
	name="$kernel: the parts are there and add up"
	if adds_up err; then pass "$name"; else fail "$name" why err; fi
done

# An image is not built.
try "build" 0 "$MKBOOTIMG" build -c success -o k.img "$KERNELS/ends.elf"
try "run IMAGE" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v k.img
TOP=${TOP#build|}
if adds_up err; then pass "run IMAGE: all but build"; else fail "run IMAGE: all but build" why err; fi

try "without -v" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless k.img
has_not "without -v: not a word" err "the time"
try "as JSON" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v --json k.img
has_not "as JSON: nothing else" err "the time"

# Someone else's loader.
cat >sector.asm <<'EOF'
bits 16
	mov al, 0x10
	out 0xf4, al
	jmp $
	times 510 - ($ - $$) db 0
	dw 0xaa55
	times 2047 * 512 db 0
EOF
try "another loader" 0 nasm -w+all -f bin -o sector.img sector.asm
try "another loader boots" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v sector.img
times err | awk '{ print $1 }' | tr '\n' ' ' >parts
has "another loader: firmware, loader and kernel are one" parts "QEMU machine end all"

# Instructions: a copy of a MiB takes at least one for each vector of 16 bytes, and
# reading none for each byte.
head -c 1M /dev/urandom >payload
cat >kernel.asm <<'EOF'
global _start
section .text
_start:	mov al, 0x10
	out 0xf4, al
	jmp $
section .data align=4096
	incbin "payload"
section .note.GNU-stack noalloc noexec nowrite progbits
EOF
try "a kernel of 1 MiB" 0 sh -c "nasm -w+all -f elf64 -o kernel.o kernel.asm && ld -o kernel.elf kernel.o"
for run in 1 2; do
	try "instructions, run $run" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v kernel.elf \
		-icount shift=0,sleep=off
	cp err icount.$run
done
for part in firmware loader read copy tables; do
	counted=$(instructions icount.1 $part)
	check "instructions of $part" test "${counted:-0}" -gt 0
done
check "copy: one for 16 bytes, or more" test "$(instructions icount.1 copy)" -ge 65536
check "copy: and the same each time" test "$(instructions icount.1 copy)" = "$(instructions icount.2 copy)"
check "unpack: nothing to do" test "$(instructions icount.1 unpack)" = 0
check "read: less than one for a byte" test "$(instructions icount.1 read)" -lt 1048576
try "compressed" 0 timeout "$SECONDS_MAX" "$MKBOOTIMG" run --headless -v --compress lz4 kernel.elf \
	-icount shift=0,sleep=off
check "unpack: something to do" test "$(instructions err unpack)" -gt 1000
check "and hardly a copy" test "$(instructions err copy)" -lt 10000

done_testing
