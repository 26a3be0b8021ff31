#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a person expects of any program: a misspelt word is answered with the right one,
# someone at a terminal is told what to do next, and a script is told nothing.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" k.elf

# ---- Misspelt ------------------------------------------------------------------

# misspelt NAME HINT ARGUMENT...: is refused, and answered so on the second line.
misspelt() {
	local name=$1 hint=$2
	shift 2
	try "$name" 2 "$MKBOOTIMG" "$@"
	empty "$name: nothing on standard output" out
	check "$name: two lines" test "$(wc -l <err)" = 2
	has "$name: the hint" err "$hint"
}
misspelt "a command" "mkbootimg: biuld: did you mean 'mkbootimg build'?" biuld k.elf
misspelt "no command at all" "mkbootimg: frobnicate: 'mkbootimg --help' lists them" frobnicate
misspelt "help about it" "mkbootimg: help: did you mean 'mkbootimg inspect'?" help inspcet
misspelt "an option" "mkbootimg: build: did you mean '--protocol'?" build --protcol native k.elf
misspelt "an option with a value" "mkbootimg: build: did you mean '--protocol'?" build --protcol=native k.elf
misspelt "behind the kernel" "mkbootimg: build: did you mean '--verbose'?" build k.elf --verbsoe
misspelt "one like no other" "mkbootimg: build: 'mkbootimg build --help' lists the options" build --frobnicate
misspelt "one that comes before the command" "it comes before the command: 'mkbootimg --config ...'" build --config=x
misspelt "before the command" "mkbootimg: did you mean '--config'?" --cofnig x build k.elf
has "before the command: what" err "mkbootimg: there is no option '--cofnig'"

word() {
	try "$1" 2 "$MKBOOTIMG" "${@:3}"
	has "$1: what was meant" err "; did you mean '$2'?"
}
word "a protocol" multiboot2 build --protocol multibot2 k.elf
word "a format" qcow2 build -f qcow k.elf
word "a disk" virtio run --disk vritio k.elf
word "an accelerator" kvm run --accel=KVM k.elf
word "a feature" sse build --protocol bootloader-0.9 --features map_physical_memory,ssse k.elf
word "a language" rust new x --lang rusty
try "a word like no other" 2 "$MKBOOTIMG" build --protocol frobnicate k.elf
has_not "a word like no other: no guess" err "did you mean"
try "a value that looks like an option" 0 "$MKBOOTIMG" build --cmdline --protcol -o x.img k.elf
try "after --" 1 "$MKBOOTIMG" build -- --protcol
has "after --: a file" err "cannot open '--protcol'"
try "a name cut short" 0 "$MKBOOTIMG" build --verb --out x.img k.elf
try "QEMU's own options" 0 "$MKBOOTIMG" run --dry-run --headless k.elf --protcol

# ---- Terminals -----------------------------------------------------------------

# at_terminal COMMAND...: what it writes there is in ./screen.
at_terminal() {
	"$ROOT/tests/typist.py" "$@" </dev/null 2>&1 | tr -d '\r' >screen
}
try "in a script" 0 "$MKBOOTIMG" build -o k.img k.elf
empty "nothing is said" out
empty "of no next step either" err
if command -v python3 >/dev/null; then
	at_terminal "$MKBOOTIMG" build k.elf
	echo "mkbootimg: build: run 'mkbootimg run k.img' to boot it" >want
	check "build: the next step" cmp want screen
	at_terminal "$MKBOOTIMG" build -f qcow2 -o "a disk" k.elf
	has "build: the next step, quoted" screen "run 'mkbootimg run 'a disk'' to boot it"
	at_terminal "$MKBOOTIMG" build -q k.elf
	empty "build -q: nothing" screen
	at_terminal "$MKBOOTIMG" new project
	has "new: the next step" screen "run 'cd project && make run' to boot it"
	# Nothing is coloured, so there is nothing for NO_COLOR to switch off.
	at_terminal "$MKBOOTIMG" inspect k.elf
	check "no escape sequences" test "$(tr -dc '\033' <screen | wc -c)" = 0
else
	skip "terminals" "python3 is not installed"
fi

done_testing
