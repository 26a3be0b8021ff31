# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
#
# Sourced by every test script: TAP on stdout, a private directory, and checks
# that show the file they dislike.
#
# A script begins with ". tests/lib.sh" and ends with "done_testing".  It runs
# in a directory of its own ($PWD), which is kept when something failed.
# From outside come, with these defaults:
#	OUT		build directory (build)
#	MKBOOTIMG	the program, or what runs it (OUT/mkbootimg)
#	NO_SKIP		if set, a skipped check is a failed one

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=$(cd "$ROOT" && cd "${OUT:-build}" && pwd)
MKBOOTIMG=${MKBOOTIMG:-$OUT/mkbootimg}
KERNELS=$ROOT/build/tests/kernels
SECONDS_MAX=${SECONDS_MAX:-60}	# for one machine to end by itself

# A display of the user's must not matter, nor the make that runs us.
unset DISPLAY WAYLAND_DISPLAY MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C

count=0
failures=0
WORK=$(mktemp -d "${TMPDIR:-/tmp}/mkbootimg-test.XXXXXX") || exit 1
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$OUT/tests/cache}
mkdir -p "$XDG_CACHE_HOME"
cd "$WORK" || exit 1

cleanup() {
	if [ "$failures" -eq 0 ] && [ -n "${finished:-}" ]; then
		rm -rf "$WORK"
	else
		echo "# kept: $WORK"
	fi
}
trap cleanup EXIT

# pass NAME, fail NAME [FILE...]: report a check; the files say why.
pass() {
	count=$((count + 1))
	echo "ok $count - $1"
}
fail() {
	count=$((count + 1))
	failures=$((failures + 1))
	echo "not ok $count - $1"
	shift
	for file in "$@"; do
		echo "# $file:"
		head -c 4000 "$file" 2>/dev/null | tr -d '\r' | awk '{ print "#   " $0 }'
	done
}

# skip NAME REASON
skip() {
	if [ -n "${NO_SKIP:-}" ]; then
		fail "$1: skipped: $2"
		return
	fi
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# may_skip NAME REASON: likewise, of what is never required.
may_skip() {
	NO_SKIP='' skip "$@"
}

# try NAME STATUS COMMAND...: run it, with no input; its exit status must be
# exactly STATUS.  Its output is in ./out and ./err.
try() {
	local name=$1 want=$2 got
	shift 2
	if [ "$(type -t "$1")" = function ]; then
		"$@" >out 2>err </dev/null
	else
		timeout -s KILL 300 "$@" >out 2>err </dev/null
	fi
	got=$?
	if [ "$got" -eq "$want" ]; then
		pass "$name"
	else
		local words="$*"
		fail "$name: exit status $got instead of $want: ${words:0:300}" out err
	fi
}

# has NAME FILE TEXT: a file holds a text.
has() {
	if grep -qF -- "$3" "$2"; then pass "$1"; else fail "$1: no '$3'" "$2"; fi
}
has_not() {
	if grep -qF -- "$3" "$2"; then fail "$1: '$3'" "$2"; else pass "$1"; fi
}

# check NAME COMMAND...: the command succeeds.
check() {
	local name=$1
	shift
	if "$@" >check.out 2>&1; then pass "$name"; else fail "$name: $*" check.out; fi
}

# empty NAME FILE
empty() {
	if [ -s "$2" ]; then fail "$1" "$2"; else pass "$1"; fi
}

# refuses NAME SENTENCE KERNEL [OPTION...]: build fails and says just that (and
# maybe, on a second line, what to do); an image that was there stays as it was.
# REFUSAL is the status, 1 for a kernel that cannot be booted.
refuses() {
	local name=$1 sentence="mkbootimg: build: $2" kernel=$3
	shift 3
	echo "an old image" | tee old.img >k.img
	try "$name" "${REFUSAL:-1}" "$MKBOOTIMG" build -o k.img "$@" "$kernel"
	if [ "$(head -n 1 err)" = "$sentence" ]; then
		pass "$name: why"
	else
		echo "$sentence" >wanted
		fail "$name: why" wanted err
	fi
	check "$name: at most two lines" test "$(wc -l <err)" -le 2
	check "$name: the old image is intact" cmp k.img old.img
	check "$name: no temporary file" test -z "$(find . -name '.mkbootimg*')"
}

# boots NAME KERNEL [RUN-OPTION...] [-- QEMU-ARG...]: the guest says success.
boots() {
	local name=$1 kernel=$2 options=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	try "$name" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" "${options[@]}" "$kernel" "$@"
}

# ends_or_says PID FILE [TEXT]: wait until the process ends; or the file says TEXT,
# an error of the loader's or an exception, and that line is over; or $SECONDS_MAX
# are.  Then end it.  Returns its status if it ended by itself, SAID or TIMED_OUT.
TIMED_OUT=240 SAID=241
ends_or_says() {
	local pid=$1 file=$2 texts=(-e "mkbootimg E" -e "CR3 0x") end=$((SECONDS + SECONDS_MAX)) status=
	[ -z "${3:-}" ] || texts+=(-e "$3")
	while kill -0 "$pid" 2>/dev/null; do
		if grep -aqF "${texts[@]}" "$file" && [ -z "$(tail -c 1 "$file")" ]; then
			status=$SAID
		elif [ $SECONDS -ge $end ]; then
			status=$TIMED_OUT
		fi
		[ -z "$status" ] || break
		sleep 0.05
	done
	if [ -n "$status" ]; then
		kill "$pid" 2>/dev/null
		sleep 0.2
		kill -KILL "$pid" 2>/dev/null
	fi
	wait "$pid" 2>/dev/null
	return ${status:-$?}
}

# features SET: the names of bootloader 0.9's features, of these letters, as
# bl09-SET.elf has them.
features() {
	local list=
	[ "$1" = none ] && return
	[[ $1 == *m* ]] && list+=,map_physical_memory
	[[ $1 == *r* ]] && list+=,recursive_page_table
	[[ $1 == *s* ]] && list+=,sse
	[[ $1 == *v* ]] && list+=,vga_320x200
	echo "${list#,}"
}

# rom OUTPUT PORT SERVICE OPTION...: make an option ROM; its bytes must add up to 0.
rom() {
	local output=$1 port=$2 service=$3 option
	shift 3
	for option; do
		grep -q "^;.*\<${option%%=*}\>" "$ROOT/tests/firmware/$service.asm" || return
	done
	nasm -w+all -f bin -I"$ROOT/tests/firmware/" -DSTRUCK="$port" "${@/#/-D}" -o "$output" \
		"$ROOT/tests/firmware/$service.asm" || return
	printf '%b' "$(od -An -v -tu1 "$output" |
		awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "\\0%o", (256 - sum % 256) % 256 }')" >>"$output"
}

# monitor_until TEXT: commands for QEMU's monitor, on stdout: they look at the
# screen until TEXT is on it (or half a minute is over), then quit.  Leaves the
# characters in ./screen, a picture in ./screen.ppm.  For "| run ... -monitor stdio".
monitor_until() {
	: >screen
	for _ in $(seq 60); do
		sleep 0.4
		printf 'pmemsave 0xb8000 4000 "vga.bin"\n'
		sleep 0.1
		# Every other byte is a character.
		[ -s vga.bin ] && od -An -v -tu1 -w2 vga.bin |
			awk '{ printf "%c", $1; if (NR % 80 == 0) print "" }' >screen
		grep -qF -- "$1" screen && break
	done
	printf 'screendump "screen.ppm"\nquit\n'
	sleep 1
}

done_testing() {
	finished=1
	echo "1..$count"
	[ "$failures" -eq 0 ]
	exit
}
