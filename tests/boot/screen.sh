#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a person sees: pictures of the real screen, taken through QEMU's monitor;
# and what run itself tells of the screen when the machine has ended.
. "$(dirname "$0")/../lib.sh"

# screen TEXT KERNEL [RUN-OPTION...]
screen() {
	local text=$1 kernel=$2
	shift 2
	monitor_until "$text" | timeout 60 "$MKBOOTIMG" run --headless "$@" "$kernel" -monitor stdio >out 2>err
}

screen "Hello World!" "$KERNELS/smallest.elf"
has "void _start(void) writes to 0xb8000" screen "Hello World!"
check "the picture is not empty" test -s screen.ppm

rm -f vga.bin
screen "loader, reclaimable" "$ROOT/example-kernel/kernel.elf" -c "some words"
has "the example kernel says Hello World" screen "Hello World!"
has "it shows its command line" screen "Command line: some words"
has "it shows the memory map" screen "usable"

# ---- What is told when it has ended ------------------------------------------

# tells STATUS COMMAND-LINE [RUN-OPTION...]: what is told is in ./told.
tells() {
	local status=$1 words=$2
	shift 2
	try "$words $*: $status" "$status" "$MKBOOTIMG" run --headless --timeout 30 -c "$words" "$@" "$KERNELS/screens.elf"
	sed -n '/on the screen:$/,/^mkbootimg: /p' err | sed '1d; $d' >told
}

printf 'first line\n\n\xe2\x95\x94\xe2\x95\x90\xe2\x95\x97 50 \xc2\xb0C \xcf\x80\n' >wanted
for _ in $(seq 21); do echo; done >>wanted
echo "last line" >>wanted
tells 120 "text"
check "what the kernel wrote is told, in UTF-8" cmp told wanted
has_not "on standard error" out "first line"
tells 120 "50 lines"
check "a screen of 50 lines" test "$(wc -l <told) $(tail -n 1 told)" = "50 line fifty"
tells 120 "scrolled"
check "one that was scrolled by hardware" test "$(cat told)" = "now at the top"
for words in "untouched" "nothing" "hidden"; do
	tells 120 "$words"
	has_not "$words: not told" err "on the screen"
done
tells 120 "text" -q
has_not "-q: not told" err "on the screen"
tells 122 "fault"
check "before a fault" test "$(grep . told)" = "before the fault"
try "the loader's own report is not told" 122 "$MKBOOTIMG" run --headless -c "null" "$KERNELS/ends.elf"
has_not "the loader's own report is not told: indeed" err "on the screen"

# Asked for, always, and after the guest's code, too: the first one counts.
for width in 8 32; do
	tells 35 "exit $width" --screen
	check "exit $width, --screen" cmp told wanted
done
tells 120 "untouched" --screen
has "--screen: the firmware's words" told "SeaBIOS"
tells 120 "nothing" --screen
has "--screen: nothing is there" err "the screen is empty"
try "--screen, in a graphics mode" 0 "$MKBOOTIMG" run --headless --screen --video 800x600 \
	-c "size=800x600x32" "$KERNELS/video-native.elf"
has "--screen: says so" err "not in text mode"
try "--screen, but the machine is gone" 35 "$MKBOOTIMG" run --headless --screen -c "code 11" \
	"$KERNELS/ends.elf" -device isa-debug-exit,iobase=0xf4
has "--screen: that is said" err "the machine ended with QEMU"

# Ctrl-C in a terminal reaches all; the screen is told all the same.
set -m
"$MKBOOTIMG" run --headless -c "text" "$KERNELS/screens.elf" >out 2>err </dev/null &
pid=$!
set +m
sleep 3
kill -INT -$pid
wait $pid 2>/dev/null
check "Ctrl-C: died of it" test $? -eq 130
has "Ctrl-C: the screen is told" err "last line"

# ---- Screenshots -------------------------------------------------------------

# png NAME FILE WIDTH HEIGHT: it is such a picture, and whole.
png() {
	check "$1: a PNG" test "$(head -c 16 "$2" | od -An -tx1 | tr -d ' \n')" = \
		89504e470d0a1a0a0000000d49484452
	check "$1: $3x$4" test "$(od -An -tu1 -j 16 -N 8 "$2" | tr -s ' ')" = \
		" 0 0 $(($3 / 256)) $(($3 % 256)) 0 0 $(($4 / 256)) $(($4 % 256))"
	check "$1: whole" test "$(tail -c 8 "$2" | od -An -tx1 | tr -d ' \n')" = 49454e44ae426082
	check "$1: nothing else is left" test -z "$(find . -name '.mkbootimg*')"
}

shot() {
	local name=$1 status=$2
	shift 2
	echo "an old picture" >shot.png
	try "$name" "$status" "$MKBOOTIMG" run --headless --screenshot shot.png "$@"
}
shot "a halt" 120 --timeout 30 -c "text" "$KERNELS/screens.elf"
png "a halt" shot.png 720 400
shot "a timeout" 124 --timeout 3 -c "hang" "$KERNELS/ends.elf"
png "a timeout" shot.png 720 400
shot "a crash" 122 -c "triple fault" "$KERNELS/ends.elf"
png "a crash" shot.png 720 400
shot "power off" 0 -c "power off" "$KERNELS/ends.elf"
png "power off" shot.png 720 400
shot "success" 0 --video 800x600x32 -c "size=800x600x32" "$KERNELS/video-native.elf"
png "success" shot.png 800 600
shot "a code" 35 -c "exit 32" "$KERNELS/screens.elf"
png "a code" shot.png 720 400

# What cannot be had is said once, and the old file stays.
shot "no screen at all" 35 -c "exit 8" "$KERNELS/screens.elf" -vga none
has "no screen at all: said" err "no screenshot in 'shot.png': QEMU says: "
has "no screen at all: the old picture stays" shot.png "an old picture"
shot "the machine is gone" 35 -c "code 11" "$KERNELS/ends.elf" -device isa-debug-exit,iobase=0xf4
has "the machine is gone: said" err "no screenshot in 'shot.png': the machine ended with QEMU"
has "the machine is gone: the old picture stays" shot.png "an old picture"
try "no place for it" 126 "$MKBOOTIMG" run --headless --screenshot nowhere/shot.png "$KERNELS/ends.elf"
has "no place for it: said" err "cannot write 'nowhere/shot.png'"

# ---- The machine's other options ---------------------------------------------

for n in 1 3 8; do
	boots "--cpus $n" "$KERNELS/screens.elf" --cpus $n -c cpus
	has "--cpus $n: seen" out "processors: $n"
done
boots "the user's -smp wins" "$KERNELS/screens.elf" --cpus 3 -c cpus -- -smp 2
has "the user's -smp wins: seen" out "processors: 2"
boots "--accel tcg" "$KERNELS/screens.elf" --accel tcg -c cpus
boots "the user's accelerator wins" "$KERNELS/screens.elf" --accel kvm -c cpus -- -machine accel=tcg
boots "--serial" "$KERNELS/ends.elf" --serial a,b.txt -c "debug console"
has "--serial: COM1 is in the file" a,b.txt "abcdefghij"
has "--serial: the debug console is not" out "ABCDEFGHIJ"
boots "--serial again" "$KERNELS/ends.elf" --serial a,b.txt -c "success"
has_not "--serial again: the file is begun anew" a,b.txt "debug console"
boots "the user's -serial wins" "$KERNELS/ends.elf" --serial c.txt -c "success" -- -serial file:d.txt
has "the user's -serial wins: there it is" d.txt "ending by: success"

done_testing
