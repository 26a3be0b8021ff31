#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# How a run ends: each way has its exit status and its words.
. "$(dirname "$0")/../lib.sh"

ends() {
	local name=$1 status=$2
	shift 2
	try "$name: $status" "$status" "$MKBOOTIMG" run --headless -c "$name" "$@" "$KERNELS/ends.elf"
}

ends "success" 0
empty "success is quiet" err
ends "code 11" 35
has "another code: the value" err "wrote 0x11"
ends "code 0" 1
ends "code 11" 0 --success-code 35
ends "success" 33 --success-code 35
ends "power off" 0
ends "triple fault" 122
has "a crash: says so" err "crashed"
has "a crash: where" err "  at 0x4"
ends "keyboard reset" 122
ends "reset port" 122
ends "halt" 120 --timeout 30
has "a halt: says so" err "halted"
ends "hang" 124 --timeout 1.5
has "a timeout: says so" err "timed out after 1.5 seconds"
ends "hang" 124 --timeout 1
check "a timeout of one second: says so" grep -qx "mkbootimg: run: timed out after 1 second" err

# What must fault does.
ends "guard page" 122
has "the page below the stack is not mapped" err "page not present) at 0xfffffe0000000fff"
ends "null" 122
has "page 0 is not mapped" err "page not present) at 0x8"
ends "write text" 122
ends "run data" 122

# The time asked is the time taken; generously, machines are slow here.
start=$(date +%s%N)
ends "hang" 124 --timeout 2
took=$((($(date +%s%N) - start) / 1000000))
check "a timeout of 2 s takes at least that" test "$took" -ge 2000
check "and not much more" test "$took" -lt 12000

# Both consoles arrive in order, in a pipe, a file, appended, and a socket.
ends "debug console" 0
has "COM1 and port 0xe9 in a file, in order" out "aAbBcCdDeE"
echo "before" >appended
"$MKBOOTIMG" run --headless -c "debug console" "$KERNELS/ends.elf" >>appended </dev/null
has "appending keeps what was there" appended "before"
has "appending, in order" appended "xXyYzZ"
{ "$MKBOOTIMG" run --headless -c "debug console" "$KERNELS/ends.elf" </dev/null; echo after; } >together
has "what comes later comes later" together "after"
has "and nothing is overwritten" together "aAbBcC"
"$MKBOOTIMG" run --headless -c "debug console" "$KERNELS/ends.elf" </dev/null | cat >piped
has "through a pipe, in order" piped "aAbBcCdDeE"
if command -v python3 >/dev/null; then
	python3 - "$MKBOOTIMG" "$KERNELS/ends.elf" >socketed <<-'EOF'
	import socket, subprocess, sys
	ours, theirs = socket.socketpair()
	p = subprocess.Popen([sys.argv[1], "run", "--headless", "-c", "debug console", sys.argv[2]],
	                     stdin=subprocess.DEVNULL, stdout=theirs)
	theirs.close()
	while data := ours.recv(4096):
	    sys.stdout.write(data.decode())
	sys.exit(p.wait())
	EOF
	has "through a socket, in order" socketed "aAbBcCdDeE"
else
	skip "through a socket, in order" "python3 is not installed"
fi

done_testing
