#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# How a kernel died is told: of what, where in its source, who called, what the
# page tables say, what is likely behind it.
. "$(dirname "$0")/../lib.sh"

# crash NAME KERNEL COMMAND-LINE [OPTION...]: it ends with 122.
crash() {
	local name=$1 kernel=$2 cmdline=$3
	shift 3
	try "$name: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "$cmdline" "$@" "$KERNELS/$kernel"
	has_not "$name: not survived" out "no crash"
}

# line TEXT: the line of the kernel's source with it.
line() {
	grep -n -m 1 -F -- "$1" "$ROOT/tests/kernels/crash.c" | cut -d : -f 1
}

# calls NAME TEXT: the three functions are in the backtrace, with their lines;
# third() is at the line with TEXT.
calls() {
	has "$1: third" err " third+0x"
	has "$1: its line" err "crash.c:$(line "$2"))"
	check "$1: second, inlined" grep -q " second (.*crash.c:[0-9]*), inlined" err
	check "$1: first" grep -q "by 0x[0-9a-f]* first+0x[0-9a-f]* (.*crash.c:[0-9]*)" err
	check "$1: kernel" grep -q "by 0x[0-9a-f]* kernel+0x[0-9a-f]* (.*crash.c:[0-9]*)" err
}

for idt in "" "empty "; do
	name=${idt:-loader\'s }idt
	crash "$name, pointer" crash-native.elf "${idt}pointer"
	calls "$name, pointer" "0x12345678000ull = 1"
	has "$name, pointer: what" err "page fault (vector 14: write, page not present) at 0x12345678000"
	has "$name, pointer: page tables" err "0x12345678000 is not mapped at level 4"
	crash "$name, division" crash-native.elf "${idt}division"
	calls "$name, division" "7 / zero"
	has "$name, division: what" err "divide error (vector 0)"
	has "$name, division: why" err "likely: a division by zero"
	crash "$name, data" crash-native.elf "${idt}data"
	has "$name, data: why" err "likely: a jump to data: the page is mapped, but not executable"
	has "$name, data: where to" err "counter+0x0"
	has "$name, data: from where" err " third+0x"
	crash "$name, stack" crash-native.elf "${idt}stack"
	has "$name, stack: why" err "likely: the stack is full: it has grown into its guard page"
	has "$name, stack: where" err " recurse"
	crash "$name, opcode" crash-native.elf "${idt}opcode"
	calls "$name, opcode" '"ud2"'
	has "$name, opcode: what" err "invalid opcode (vector 6)"
	has "$name, opcode: why" err "ud2"
	crash "$name, sse" crash-native.elf "${idt}sse"
	has "$name, sse: why" err "an SSE instruction, but CR4.OSFXSR is clear"
	crash "$name, read-only" crash-native.elf "${idt}read-only"
	has "$name, read-only: what" err "page is mapped but does not allow it) at 0x"
	has "$name, read-only: the symbol" err ", table+0x8"
	has "$name, read-only: why" err "likely: a write to memory that is read-only"
	has "$name, read-only: page tables" err "read-only"
	crash "$name, call" crash-native.elf "${idt}call"
	has "$name, call: why" err "likely: a call or jump through a null pointer"
	has "$name, call: from where" err " third+0x"
	crash "$name, null" crash-native.elf "${idt}null"
	has "$name, null: why" err "likely: a null pointer"
done

crash "both exceptions" crash-native.elf "empty pointer"
has "both exceptions: the chain" err "exceptions: page fault (vector 14: write, page not present), then "
has "both exceptions: to its end" err "double fault (vector 8), then a triple fault: the kernel has no IDT entry for it"

crash "position independent" crash-pie.elf "empty pointer"
calls "position independent" "0x12345678000ull = 1"
crash "position independent, elsewhere" crash-pie.elf "pointer" --kernel-base 0xffffffff80000000
calls "position independent, elsewhere" "0x12345678000ull = 1"

for kernel in crash-mb1.elf crash-plain.elf; do
	crash "$kernel" $kernel "opcode"
	calls "$kernel" '"ud2"'
	has "$kernel: what" err "invalid opcode (vector 6)"
	crash "$kernel, division" $kernel "division"
	calls "$kernel, division" "7 / zero"
done

crash "stripped" crash-stripped.elf "pointer"
has "stripped: what" err "page fault (vector 14: write, page not present) at 0x12345678000"
has "stripped: says so" err "(no symbols)"
crash "stripped, with the symbols of another file" crash-stripped.elf "pointer" --symbols "$KERNELS/crash-native.elf"
calls "stripped, with symbols" "0x12345678000ull = 1"

# An image finds the kernel beside it, if it is the same.
cp "$KERNELS/crash-native.elf" k.elf
try "an image" 0 "$MKBOOTIMG" build -q -c "pointer" k.elf
try "an image: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 k.img
calls "an image" "0x12345678000ull = 1"
cp "$KERNELS/ends.elf" k.elf
try "an image of another kernel: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 k.img
has "an image of another kernel: no symbols" err "(no symbols)"

# Other ends.
try "a reset" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "reset" "$KERNELS/crash-native.elf"
has "a reset: says so" err "the kernel reset the machine"
try "a halt" 120 "$MKBOOTIMG" run --headless --timeout 30 -c "halt" "$KERNELS/crash-native.elf"
has "a halt: where" err "third+0x"
try "a loop" 124 "$MKBOOTIMG" run --headless --timeout 1 -c "loop" "$KERNELS/crash-native.elf"
has "a loop: where" err "third+0x"
has "a loop: its line" err "crash.c:$(line "while (zero == 0)")"

# The log is QEMU's: where the user wants another one, it is left alone.
try "the user's log: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "empty pointer" \
	"$KERNELS/crash-native.elf" -d guest_errors
has_not "the user's log: nothing of ours in it" err "check_exception"
has "the user's log: what is known without one" err "triple fault or reset"
has "the user's log: where" err "third+0x"

# A kernel that is built anew while the old one runs: no wrong symbols.
cp "$KERNELS/crash-native.elf" new.elf
(sleep 1; cat "$KERNELS/ends.elf" >new.elf) &
try "built anew meanwhile: 124" 124 "$MKBOOTIMG" run --headless --timeout 3 -c "loop" new.elf
has "built anew meanwhile: no symbols" err "(no symbols)"
has_not "built anew meanwhile: nor those of the new one" err "ends.c"

# The same as data.
try "JSON" 122 "$MKBOOTIMG" run --headless --timeout 30 --json -c "empty read-only" "$KERNELS/crash-native.elf"
json() { python3 -c 'import json,sys; j=json.load(open("err")); print(eval(sys.argv[1]))' "$1"; }
says() {
	if [ "$(json "$2")" = "$3" ]; then pass "$1"; else fail "$1: $(json "$2")" err; fi
}
says "JSON: verdict" 'j["verdict"]' crashed
says "JSON: status" 'j["status"]' 122
says "JSON: vector" 'j["crash"]["exceptions"][0]["vector"]' 14
says "JSON: symbol" 'j["crash"]["object"]' table+0x8
says "JSON: functions" '" ".join(f["function"] for f in j["crash"]["backtrace"][:4])' "third second first kernel"
says "JSON: line" 'j["crash"]["backtrace"][0]["line"]' "$(line "table[2] = 1")"
says "JSON: CR2 is a register" 'j["crash"]["registers"]["CR2"].startswith("0x")' True
try "JSON of a success" 0 "$MKBOOTIMG" run --headless --timeout 30 --json -c "success" "$KERNELS/ends.elf"
says "JSON of a success: verdict" 'j["verdict"]' "ended by itself"

done_testing
