#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg run: QEMU's command line, its absence, signals, what is left behind.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" k.elf
run() { "$MKBOOTIMG" run --headless "$@"; }

# --dry-run prints what a shell takes.
try "--dry-run" 0 "$MKBOOTIMG" run --headless --dry-run -c success k.elf
has "exits through port 0xf4" out "isa-debug-exit,iobase=0xf4,iosize=0x04"
has "debug console at 0xe9" out "isa-debugcon,iobase=0xe9"
check "writes the image it names" test -s k.img
timeout 60 sh -c "$(cat out)" >shell.out 2>&1 </dev/null
check "a shell runs it" test $? -eq 33
has "and the kernel runs" shell.out "ending by: success"
mkdir "a dir, with 'quotes'"
cp k.elf "a dir, with 'quotes'/k;l.elf"
try "--dry-run with a strange path" 0 "$MKBOOTIMG" run --headless --dry-run -c success "a dir, with 'quotes'/k;l.elf"
timeout 60 sh -c "$(cat out)" >shell.out 2>&1 </dev/null
check "a shell runs it" test $? -eq 33
try "a strange path" 0 run -c success "a dir, with 'quotes'/k;l.elf"
try "an image with a strange path" 0 run "a dir, with 'quotes'/k;l.img"

# Options that become QEMU's.
try "options for the machine" 0 run --dry-run --cpus 4 --accel tcg --serial s.txt --screen --screenshot p.png k.elf
has "--cpus" out " -smp 4 "
has "--accel" out " -accel tcg "
has "--serial" out "file,path=s.txt,id=mkbootimg-serial"
check "no file yet" test ! -e s.txt -a ! -e p.png
try "--accel kvm" 0 run --dry-run --accel kvm k.elf
has "--accel kvm: that and nothing else" out " -accel kvm "
has_not "--accel kvm: no other" out "tcg"
try "--accel kvm, but the user says else" 0 run --dry-run --accel kvm k.elf -accel tcg
has_not "--accel kvm: not said" out "-accel kvm"
for wrong in 0 256 -1 1.5 x ""; do
	try "--cpus '$wrong'" 2 run --cpus "$wrong" k.elf
done
try "--accel fast" 2 run --accel fast k.elf
has "--accel fast: what there is" err "is none of auto, tcg, kvm"
try "--serial in no directory" 126 run --serial nowhere/s.txt k.elf
has "--serial in no directory: says so" err "cannot write 'nowhere/s.txt'"
if [ ! -w /dev/kvm ]; then
	try "no KVM" 126 run --accel kvm -c success k.elf
	has "no KVM: says so" err "cannot use KVM: '/dev/kvm': "
	has "no KVM: what to do" err "leave --accel out"
else
	pass "no KVM: there is"
fi
"$MKBOOTIMG" build -q -c success k.elf

# An image is never modified; a kernel's leaves nothing behind.
before=$(sha256sum k.img)
try "an image" 0 run k.img
check "is not modified" test "$(sha256sum k.img)" = "$before"
rm k.img
mkdir tmp
try "a kernel" 0 env TMPDIR="$PWD/tmp" "$MKBOOTIMG" run --headless -c success k.elf
check "leaves no image beside it" test ! -e k.img
check "nor a temporary file" test -z "$(ls -A tmp)"
try "an empty TMPDIR is none" 0 env TMPDIR= "$MKBOOTIMG" run --headless -c success k.elf
try "a TMPDIR that is not there" 126 env TMPDIR="$PWD/nowhere" "$MKBOOTIMG" run --headless -c success k.elf
has "a TMPDIR that is not there: says so" err "cannot create a temporary file in '$PWD/nowhere': No such file or directory"
has "a TMPDIR that is not there: what to do" err "environment variable TMPDIR"
try "-o keeps the image" 0 run -o kept.img -c success k.elf
check "where it was asked for" test -s kept.img

# The user's arguments win.
try "the user's -serial" 0 run -c success k.elf -serial file:serial.txt
has "takes COM1" serial.txt "ending by: success"
empty "so there is nothing on standard output" out
try "the tutorial's arguments" 0 run -c success k.elf -serial stdio -display none \
	-device isa-debug-exit,iobase=0xf4,iosize=0x04
has "work" out "ending by: success"
try "-nographic" 0 run -c success k.elf -nographic
has "shows COM1" out "ending by: success"
try "the user's -m" 0 run -c success k.elf -m 64
try "the user's -M" 0 run -c success k.elf -M q35

printf '#!/bin/sh\nexec sleep 100\n' >hung
chmod +x hung

# What goes wrong is said.
try "no QEMU" 126 run --qemu no-such-qemu k.elf
has "says what to install" err "apt install qemu-system-x86"
try "a QEMU that refuses" 126 run k.elf -device no-such-device
has "QEMU's words" err "no-such-device"
has "and ours" err "QEMU refused to start"
try "a program that is not QEMU" 126 run --qemu true k.elf
try "a question to QEMU" 0 run k.elf -device help
try "an option of ours behind the kernel" 126 run k.elf --timeout 3
has "what to do" err "give mkbootimg's options before it"
try "-daemonize" 2 run k.elf -daemonize
try "too little --memory" 126 run --memory 1M "$KERNELS/data.elf"
has "says how much" err "MiB of memory, more than --memory gives"
"$MKBOOTIMG" build -o a:b.img -c success k.elf
try "build options for an image" 2 run -c words a:b.img
try "an image named like a protocol" 0 run a:b.img
try "a user's chardev of a usual name" 0 run -c success k.elf -chardev null,id=serial -chardev null,id=qmp
DISPLAY=:97 try "a display that cannot be opened" 0 "$MKBOOTIMG" run -c success k.elf
has "is said" err "trying as with --headless"

# Descriptors, signals and variables as nobody should leave them.
try "closed standard input" 0 bash -c "exec '$MKBOOTIMG' run --headless -c success k.elf <&-"
try "closed standard output" 0 bash -c "exec '$MKBOOTIMG' run --headless -c success k.elf >&-"
ld -N -nostdlib -static --no-warn-rwx-segments -Ttext=0x400000 -o wx.elf "$KERNELS/ends.o"
"$MKBOOTIMG" build -q -o right.img wx.elf
try "closed standard input and error" 0 bash -c "exec '$MKBOOTIMG' build -o wx.img wx.elf <&- 2>&-"
check "messages do not go into the image" cmp right.img wx.img
try "SIGCHLD ignored" 0 bash -c "trap '' CHLD; exec '$MKBOOTIMG' run --headless -c success k.elf"
try "NASMENV is not in the way" 0 env NASMENV=-nonsense XDG_CACHE_HOME="$PWD/cold" "$MKBOOTIMG" build -o k2.img k.elf
try "a QEMU that never starts, with a timeout" 124 run --qemu ./hung --timeout 1 k.elf
has "a pvpanic device: crashed" <("$MKBOOTIMG" run --headless -c panic k.elf -device pvpanic 2>&1) "crashed"

try "a bad kernel" 126 run /dev/null
try "a missing kernel" 126 run nowhere.elf
has "says so" err "cannot open 'nowhere.elf'"
try "no display" 0 "$MKBOOTIMG" run -c success k.elf
has "is said once" err "no display"
printf '#!/bin/sh\necho "Available display backend types:"\necho none\n' >windowless
chmod +x windowless
DISPLAY=:97 try "a QEMU without windows" 0 "$MKBOOTIMG" run --dry-run --qemu ./windowless k.elf
has "is told to open none" out "-display none"
has "is said" err "this QEMU cannot open windows (Debian and Ubuntu: apt install qemu-system-gui)"
try "symbols that are not there" 126 run --symbols nowhere.elf -c success k.elf
has "symbols that are not there: says so" err "cannot open 'nowhere.elf'"
try "-q" 0 "$MKBOOTIMG" run -q -c success k.elf
empty "not even that" err

# hang NAME [ARG...]: run a kernel that hangs, until it does; QEMU is $qemu, we $pid.
hang() {
	local name=$1
	shift
	: >hang.out	# the last one's output is not this one's
	# Job control, or the shell makes its background jobs ignore SIGINT.
	set -m
	TMPDIR=$PWD/tmp "$MKBOOTIMG" run --headless -c hang "$@" >hang.out 2>hang.err </dev/null &
	pid=$!
	set +m
	for _ in $(seq 100); do
		grep -q "ending by: hang" hang.out && break
		sleep 0.1
	done
	qemu=$(pgrep -P $pid)
	check "$name: QEMU runs" test -n "$qemu"
}

# Signals: we die of them, QEMU with us, and nothing is left.
# interrupt NAME SIGNAL: QEMU runs as a child; afterwards it must be gone.
interrupt() {
	local name=$1 signal=$2 status
	hang "$name" k.elf
	kill -"$signal" $pid
	wait $pid 2>/dev/null
	status=$?
	check "$name: died of it" test $status -eq $((128 + $(kill -l "$signal")))
	for _ in $(seq 50); do
		kill -0 "$qemu" 2>/dev/null || break
		sleep 0.1
	done
	check "$name: QEMU is gone" test ! -e "/proc/$qemu"
	check "$name: no temporary file" test -z "$(ls -A tmp)"
}
interrupt "Ctrl-C" INT
interrupt "SIGTERM" TERM
interrupt "SIGHUP" HUP
interrupt "SIGKILL" KILL

# QEMU ends, and it is not the kernel's doing.
# ended NAME SENTENCE: we end, too, and say so.
ended() {
	local status
	wait $pid 2>/dev/null
	status=$?
	check "$1: 126" test $status -eq 126
	has "$1: says so" hang.err "mkbootimg: run: $2"
	check "$1: no temporary file" test -z "$(ls -A tmp)"
}
hang "QEMU crashes" k.elf
kill -SEGV "$qemu"
ended "QEMU crashes" "QEMU was killed by signal 11 (Segmentation fault)"
hang "QEMU is told to end" k.elf
kill -TERM "$qemu"
ended "QEMU is told to end" "QEMU ended the machine: host-signal"
printf '#!/bin/sh\nqemu-system-x86_64 "$@"\nexit 4\n' >wrapper
chmod +x wrapper
hang "a script that runs QEMU" --qemu ./wrapper k.elf
pkill -KILL -P "$qemu"
ended "a script that runs QEMU" "QEMU ended by itself with status 4"
# By its monitor: that the machine stands still for a while is no end.
mkfifo monitor.in monitor.out
hang "QEMU is closed" --timeout 100 k.elf -chardev pipe,id=monitor,path=monitor -mon chardev=monitor
printf 'stop\ncont\nquit\n' >monitor.in
ended "QEMU is closed" "QEMU was closed before the kernel had ended"

# A reader that goes away.
"$MKBOOTIMG" run --headless -c hang k.elf 2>/dev/null </dev/null | head -c 1 >/dev/null
check "a closed pipe ends it" test "${PIPESTATUS[0]}" -eq 141

done_testing
