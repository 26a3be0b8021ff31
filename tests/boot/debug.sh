#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg debug: GDB stops at the kernel's first instruction, knows its symbols
# and the CPU's mode; nothing is left behind.
. "$(dirname "$0")/../lib.sh"

if ! command -v gdb >/dev/null; then
	skip "debug" "gdb is not installed"
	done_testing
fi
mkdir tmp
export TMPDIR=$PWD/tmp

# script NAME COMMAND...: ./NAME is a GDB that also does these, without its user's
# settings.
script() {
	local name=$1 command
	shift
	{
		echo "#!/bin/sh"
		printf 'exec gdb -nx -batch "$@"'
		for command in "$@"; do printf " -ex '%s'" "$command"; done
		echo
	} >"$name"
	chmod +x "$name"
}

# debug NAME STATUS GDB ARG...: nothing is left behind, either.
debug() {
	local name=$1 status=$2 gdb=$3
	shift 3
	try "$name" "$status" timeout 60 "$MKBOOTIMG" debug --headless --gdb "./$gdb" "$@"
	gone "$name"
}

# gone NAME: no QEMU and no file is left.
gone() {
	check "$1: no file is left" test -z "$(ls -A tmp)"
	check "$1: no QEMU is left" test -z "$(pgrep -f "^qemu-system-x86_64.*$WORK/tmp" || :)"
}

# before NAME FILE TEXT OTHER: a file has a line with TEXT before one with OTHER.
before() {
	if awk -v a="$3" -v b="$4" 'index($0, a) && !found { found = 1 } index($0, b) { exit !found }
		END { if (!found) exit 1 }' "$2"; then pass "$1"; else fail "$1: '$3' before '$4'" "$2"; fi
}

# walks NAME FILE: third() was reached, with its callers and what they got.
walks() {
	has "$1: stops in the function" "$2" "third (what="
	has "$1: its line" "$2" "crash.c:$(grep -n -m 1 'find_word(what, "pointer")' "$ROOT/tests/kernels/crash.c" | cut -d : -f 1)"
	check "$1: backtrace: inlined" grep -q '^#1 .* in second (' "$2"
	check "$1: backtrace: caller" grep -q '^#2 .*first (' "$2"
	check "$1: backtrace: its caller" grep -q '^#3 .* in kernel (boot=' "$2"
	check "$1: arguments" grep -q '^what = 0x[0-9a-f]* ".*opcode"' "$2"
	check "$1: locals" grep -q '^none = {limit = 0, base = 0}' "$2"
	check "$1: steps into the next function" grep -q '^find_word (' "$2"
	has "$1: the kernel's output" "$2" "crash: "
}

walk=("x/i \$pc" "break third" "continue" "backtrace" "info args" "frame 3" "info locals" "frame 0" "step")

# ---- Each kind of kernel -----------------------------------------------------

script walk "${walk[@]}"
for kernel in native pie mb1 plain; do
	debug "$kernel" 0 walk -c "opcode" "$KERNELS/crash-$kernel.elf"
	entry=_start
	[ $kernel = plain ] && entry=kernel_start
	has "$kernel: a hardware breakpoint" out "Hardware assisted breakpoint 1 at 0x"
	check "$kernel: at its first instruction" grep -qE "^=> 0x[0-9a-f]+ <$entry>:" out
	before "$kernel: before the kernel ran" out "Breakpoint 1, " "crash: "
	walks "$kernel" out
done
debug "pie elsewhere" 0 walk -c "opcode" --kernel-base 0xffffffff80000000 "$KERNELS/crash-pie.elf"
check "pie elsewhere: at its first instruction" grep -qE "^=> 0xffffffff8[0-9a-f]+ <_start>:" out
walks "pie elsewhere" out

# GDB reads no gzip files: it gets what was in it.
gzip -c "$KERNELS/crash-native.elf" >packed.gz
debug "a packed kernel" 0 walk -c "opcode" packed.gz
walks "a packed kernel" out
"$MKBOOTIMG" build -q -c "opcode" -o packed.img packed.gz
mv packed.gz packed
debug "its image" 0 walk packed.img
walks "its image" out

# A strange path; an image with its kernel beside it.
mkdir "a dir, with 'quotes'"
cp "$KERNELS/crash-pie.elf" "a dir, with 'quotes'/k;l \$x.elf"
debug "a strange path" 0 walk -c "opcode" "a dir, with 'quotes'/k;l \$x.elf"
walks "a strange path" out
cp "$KERNELS/crash-native.elf" k.elf
"$MKBOOTIMG" build -q -c "opcode" k.elf
debug "an image" 0 walk k.img
walks "an image" out
debug "stripped" 0 walk -c "opcode" --symbols "$KERNELS/crash-native.elf" "$KERNELS/crash-stripped.elf"
walks "stripped, with symbols" out

# Registers of a CPU that runs 32-bit code, and of one that comes from there to
# 64-bit code.
script registers "print/x \$eax" "print/x \$cr0" "print/x \$efer" "print sizeof(\$esp)" \
	"stepi" "print/x \$eax" "print/x \$mxcsr" "x/i \$pc"
debug "32-bit registers" 0 registers "$KERNELS/crash-mb1.elf"
has "32-bit registers: EAX" out "\$1 = 0x2badb002"
has "32-bit registers: CR0" out "\$2 = 0x11"
has "32-bit registers: EFER" out "\$3 = 0x0"
has "32-bit registers: their size" out "\$4 = 4"
has "32-bit registers: EAX stays" out "\$5 = 0x2badb002"
has "32-bit registers: MXCSR" out "\$6 = 0x1f80"
has_not "32-bit registers: no complaint" err "packet"
printf '#!/bin/sh\ngdb -nx -batch "$@" -ex "set \\$eax = 1"\nexit 0\n' >writes
chmod +x writes
debug "32-bit registers cannot be written" 0 writes "$KERNELS/crash-mb1.elf"
has "32-bit registers cannot be written: says so" err "Writing to registers is not allowed"

# Kernels that the loader puts where it likes, and that run where no symbol is.
script here "x/i \$pc" "info symbol \$pc"
for n in 0 1 2; do
	debug "relocatable $n" 0 here "$KERNELS/reloc-$n.elf"
	has "relocatable $n: symbols move along" out "_start in section .text"
done
debug "at its physical address" 0 here "$KERNELS/high-mb1-physical.elf"
has "at its physical address: symbols" out "_start in section .text"
debug "32-bit code in ELF64" 0 here "$KERNELS/state32-mb1-64.elf"
has "32-bit code in ELF64: symbols" out "_start in section .text"
debug "flat binary" 0 here "$KERNELS/kludge-mb1.bin"
has "flat binary: stops" out "Breakpoint 1, "

# ---- How it ends -------------------------------------------------------------

script ends "continue" "backtrace"
debug "a triple fault" 0 ends -c "empty opcode" "$KERNELS/crash-native.elf"
has "a triple fault: stops" out "Program received signal SIGQUIT"
check "a triple fault: where" grep -q '^#0  third (' out
printf '#!/bin/sh\ngdb -nx -batch "$@" -ex continue\nexit 0\n' >exits
chmod +x exits
debug "port 0xf4" 0 exits -c "success" "$KERNELS/ends.elf"
has "port 0xf4: the kernel ran" out "ending by: success"
printf '#!/bin/sh\nexit 7\n' >seven
chmod +x seven
debug "GDB's exit status" 7 seven k.elf
try "no kernel" 2 "$MKBOOTIMG" debug
has "no kernel: says so" err "no kernel or image given"
debug "no GDB" 126 no-such-gdb k.elf
has "no GDB: says so" err "mkbootimg: debug: cannot run './no-such-gdb': No such file or directory"
has "no GDB: what to do" err "apt install gdb"
try "no QEMU" 126 "$MKBOOTIMG" debug --headless --qemu no-such-qemu k.elf
has "no QEMU: says so" err "cannot run 'no-such-qemu'"
gone "no QEMU"
debug "a bad option for QEMU" 126 walk k.elf -no-such-option
has "a bad option for QEMU: says so" err "QEMU refused to start"
for option in -s -S -gdb; do
	debug "$option" 2 walk k.elf $option
	has "$option: says so" err "QEMU's $option is not for debug"
done
debug "the loader fails" 126 walk -c "opcode" --video 4000x4000 k.elf
has "the loader fails: says why" err "the loader failed: "
# own LINE...: a loader that does this instead of loading.
own() {
	rm -rf own
	cp -r "$OUT/share/mkbootimg/bootloader" own
	printf '\t\t%s\n' "$@" >lines
	sed -i '/^main:/r lines' own/main.inc
}
own 'mov al, 0xfe' 'out 0x64, al' 'jmp $'
debug "a reset by the loader" 126 walk --bootloader own k.elf
has "a reset by the loader: says so" err "the machine was reset before the kernel was entered"
own 'mov al, 3' 'out 0xf4, al' 'jmp $'
debug "an end by the loader" 126 walk --bootloader own k.elf
has "an end by the loader: says so" err "QEMU ended with status 7 before the kernel was entered"
printf '#!/bin/sh\nqemu-system-x86_64 "$@"\nkill -SEGV $$\n' >crashes
chmod +x crashes
debug "QEMU crashes" 126 walk --qemu ./crashes --bootloader own k.elf
has "QEMU crashes: says so" err "QEMU was killed by signal 11"
debug "--serial" 0 walk --serial serial.txt -c "opcode" k.elf
has "--serial: the kernel's output" serial.txt "crash: "

# What mkbootimg.conf has for build counts, what it has for run does not.
printf '%s\n' '[build]' 'cmdline = opcode' '[run]' 'serial = none.txt' >mkbootimg.conf
debug "mkbootimg.conf" 0 walk k.elf
walks "mkbootimg.conf" out
check "mkbootimg.conf: nothing of [run]" test ! -e none.txt
debug "mkbootimg.conf, an image" 0 walk k.img
echo '[build' >mkbootimg.conf
debug "a bad mkbootimg.conf" 2 walk k.elf
has "a bad mkbootimg.conf: says so" err "mkbootimg.conf:1: the section's name has no end"
rm mkbootimg.conf

# Where its files go.
mkdir "with: colons"
TMPDIR="$PWD/with: colons" debug "a TMPDIR with colons, which GDB has for a port" 0 walk -c "opcode" k.elf
walks "a TMPDIR with colons" out
try "a TMPDIR that is not there" 126 env TMPDIR="$PWD/nowhere" "$MKBOOTIMG" debug --headless k.img
has "a TMPDIR that is not there: says so" err "cannot make a directory in '$PWD/nowhere': No such file or directory"

# A GDB that ends by a signal of ours does not leave the machine behind.
printf '#!/bin/sh\necho started >started\nexec sleep 100\n' >sleeps
chmod +x sleeps
for signal in TERM HUP; do
	rm -f started
	"$MKBOOTIMG" debug --headless --gdb ./sleeps k.elf >out 2>&1 &
	pid=$!
	for _ in $(seq 300); do [ -e started ] && break; sleep 0.1; done
	kill -$signal $pid
	wait $pid
	check "SIG$signal: dies of it" test $? -eq $((128 + $(kill -l $signal)))
	gone "SIG$signal"
done
rm -f started
"$MKBOOTIMG" debug --headless --gdb ./sleeps k.elf >out 2>&1 &
pid=$!
for _ in $(seq 300); do [ -e started ] && break; sleep 0.1; done
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 50); do pgrep -f "^qemu-system-x86_64.*$WORK/tmp" >/dev/null || break; sleep 0.1; done
check "SIGKILL: QEMU ends, too" test -z "$(pgrep -f "^qemu-system-x86_64.*$WORK/tmp" || :)"
rm -rf tmp/*

# ---- --wait --------------------------------------------------------------------

# waits NAME ARG...: start it, and give its GDB command line to a shell, with more
# commands; its output is in ./gdb.out.
waits() {
	local name=$1
	shift
	: >out	# not what the last one said
	timeout 120 "$MKBOOTIMG" debug --headless --wait "$@" >out 2>err </dev/null &
	pid=$!
	for _ in $(seq 300); do grep -q "^Ctrl-C here" out && break; sleep 0.1; done
	line=$(sed -n 's/^    \(gdb .*\)/\1/p' out)
	check "$name: prints a command line" test -n "$line"
	local command more=""
	for command in "${walk[@]}" kill; do more="$more -ex '$command'"; done
	(cd / && timeout 60 sh -c "$line -nx -batch $more") >gdb.out 2>&1 </dev/null
	wait $pid
	check "$name: ends with the machine" test $? -eq 0
	cat out >>gdb.out
	walks "$name" gdb.out
	gone "$name"
}
for kernel in native pie mb1; do
	waits "--wait, $kernel" -c "opcode" "$KERNELS/crash-$kernel.elf"
done
waits "--wait --port" --port $((20000 + $$ % 10000)) -c "opcode" "$KERNELS/crash-native.elf"
has "--wait --port: says so" out "localhost:"
TMPDIR="$PWD/a dir, with 'quotes'" waits "--wait, a strange directory" -c "opcode" "$KERNELS/crash-mb1.elf"
"$MKBOOTIMG" debug --headless --wait k.elf >out 2>&1 &
pid=$!
for _ in $(seq 300); do grep -q "^Ctrl-C here" out && break; sleep 0.1; done
kill -TERM $pid
wait $pid
check "--wait, ended by a signal: dies of it" test $? -eq 143
gone "--wait, ended by a signal"
for port in 0 65536 x ""; do
	try "--port '$port'" 2 "$MKBOOTIMG" debug --port "$port" k.elf
done

# ---- The loader ------------------------------------------------------------------

script stages "x/2i \$pc" "break s1_check" "continue" "x/i \$pc" "break main" "continue" "x/i \$pc" "stepi" "backtrace" \
	"print &take_lowest"
nasm -f elf32 -D PROTOCOL_NATIVE -I"$OUT/share/mkbootimg/bootloader/" -o loader.o \
	"$OUT/share/mkbootimg/bootloader/loader.asm"
variable=$(nm loader.o | sed -nE 's/^0*([0-9a-f]+) . take_lowest$/0x\1/p')
check "a variable of the loader's" test -n "$variable"
for kernel in native mb1; do
	debug "--loader, $kernel" 0 stages --loader "$KERNELS/crash-$kernel.elf"
	check "--loader, $kernel: stops at stage 1" grep -q '^Breakpoint 1, stage1 () at .*/stage1.inc:' out
	check "--loader, $kernel: 16-bit code" grep -qE '^   0x7c02 <stage1\+2>:[[:space:]]nop' out
	check "--loader, $kernel: and its lines" grep -q '^Breakpoint 2, s1_check () at .*/stage1.inc:' out
	check "--loader, $kernel: %si is 16 bits" grep -qE '^=> .*<s1_check>:[[:space:]]mov +\$0x7e00,%si' out
	check "--loader, $kernel: 64-bit code" grep -q '^Breakpoint 3, main () at .*/main.inc:' out
	check "--loader, $kernel: who called" grep -qE '^#1 +0x0+8[0-9a-f]{3} in main \(\) at ' out
	has "--loader, $kernel: variables" out "$variable"
done
debug "--loader of an image" 2 stages --loader k.img
has "--loader of an image: says so" err "the symbols of its loader are not known"

done_testing
