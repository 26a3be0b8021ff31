#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The loader gets along with firmware that is not as it should be, or says that it
# cannot: the rows of firmware/table, as many at a time as there are processors.
# From outside come, for "make firmware":
#	TABLE		if set, print a table instead of TAP
#	ROWS		only rows whose names match this extended regular expression
#	BOOTLOADER	a directory with the sources of another loader, as installed
#	DEADLINE	seconds that a row may take: who needs more hangs
. "$(dirname "$0")/../lib.sh"

DEADLINE=${DEADLINE:-$SECONDS_MAX}
AT_ONCE=$(nproc)
BOOTLOADER=${BOOTLOADER:+$(cd "$ROOT" && cd "$BOOTLOADER" && pwd)}
STATUS_OUT_OF_PLACE=171		# give_up in rom.inc

# documented SENTENCE: the manual has it; its values begin with a digit.
documented() {
	local code=${1%%:*}
	sentence=${1#*: }
	grep -qF ".It Sy \"$code: ${sentence%%[0-9]*}" "$ROOT/man/mkbootimg.1"
}

# judge STATUS: say what came of a run.
judge() {
	local said
	said=$(tr -d '\r' <err | sed -n 's/.*mkbootimg \(E[0-9][0-9]: .*\)/\1/p' | head -n 1)
	case $1 in
	0)
		echo "boots"
		;;
	124 | 137)
		echo "HANGS: no verdict in $DEADLINE s"
		;;
	120)
		echo "HANGS: halted for good"
		;;
	"$STATUS_OUT_OF_PLACE")
		echo "the fault cannot be made here"
		;;
	*)
		if [ "$1" -eq 126 ] && [ -n "$said" ]; then
			documented "$said" || said="not in the manual: $said"
			echo "$said"
		elif grep -aq FAILED out; then
			tr -d '\r' <out | grep -am 1 FAILED
		else
			echo "exit status $1: $(grep -am 1 . err)"
		fi
		;;
	esac
}

# row NUMBER ROMS DISK KERNEL OPTIONS QEMU-ARGUMENTS: run one, in a directory of
# its own; ./verdict is what came of it.
row() {
	local i=0 part words roms services=() options arguments=()
	mkdir "$1" && cd "$1" || exit
	IFS=+ read -ra roms <<<"$2"
	for part in "${roms[@]}"; do
		read -ra words <<<"$part"
		[ ${#words[@]} -gt 0 ] || continue
		services+=("${words[0]}")
		rom "rom$i" $((0xe0 + i)) "${words[@]}" 2>err || {
			echo "no such ROM: ${words[*]}" >verdict
			exit
		}
		arguments+=(-option-rom "rom$i" -chardev "file,id=struck$i,path=struck$i"
			-device "isa-debugcon,iobase=$((0xe0 + i)),chardev=struck$i")
		i=$((i + 1))
	done
	eval "options=($5) arguments+=($6)"
	# KVM has no A20 gate.
	timeout -s KILL $((DEADLINE + 30)) "$MKBOOTIMG" run --headless --accel tcg --timeout "$DEADLINE" \
		--disk "$3" ${BOOTLOADER:+--bootloader "$BOOTLOADER"} "${options[@]}" "$KERNELS/$4.elf" \
		"${arguments[@]}" >out 2>err </dev/null &
	machine=$!
	trap 'kill $machine 2>/dev/null' TERM
	wait $machine
	judge $? >judged
	for i in "${!services[@]}"; do
		[ -s "struck$i" ] || echo ", but the fault of ${services[i]} never came" >>judged
	done
	mv judged verdict
}

# trim TEXT: without blanks at its ends.
trim() {
	local text=${1#"${1%%[![:blank:]]*}"}
	printf '%s' "${text%"${text##*[![:blank:]]}"}"
}

# The table: a name for each run, and what to do.
names=() wanted=() runs=()
while IFS='|' read -r name roms disks kernels arguments verdict; do
	name=$(trim "$name")
	verdict=$(trim "$verdict")
	[ -n "$name" ] && [ "${name:0:1}" != "#" ] || continue
	options=${kernels#"${kernels%% -*}"}
	for disk in $disks; do
		for kernel in ${kernels%% -*}; do
			[[ -z ${ROWS:-} || "$name" =~ $ROWS ]] || continue
			names+=("$name, $disk, $kernel")
			wanted+=("$verdict")
			runs+=("$roms|$disk|$kernel|$options|$arguments")
		done
	done
done <"$ROOT/tests/firmware/table"

# report: tell of the runs that have ended, in order.
reported=0
report() {
	local verdict
	while [ -e "$reported/verdict" ]; do
		verdict=$(tr -d '\n' <"$reported/verdict")
		report_one "${names[reported]}" "${wanted[reported]}" "$verdict"
		reported=$((reported + 1))
	done
}

# report_one NAME WANTED VERDICT
report_one() {
	local result=PASS but=
	if [ "${3%%:*}" != "$2" ]; then
		result=FAIL
		but=", should be: $2"
	fi
	if [ -n "${TABLE:-}" ]; then
		count=$((count + 1))
		[ $result = PASS ] || failures=$((failures + 1))
		printf '%-70s %s  %s\n' "$1" $result "$3$but"
	elif [ $result = PASS ]; then
		pass "$1: $3"
	else
		fail "$1: $3$but" "$reported/err" "$reported/out"
	fi
}

trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
for i in "${!names[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$AT_ONCE" ]; do
		wait -n
		report
	done
	IFS='|' read -r roms disk kernel options arguments <<<"${runs[i]}"
	row "$i" "$roms" "$disk" "$kernel" "$options" "$arguments" &
done
wait
report
if [ "$reported" -ne "${#names[@]}" ] || [ "$reported" -eq 0 ]; then
	fail "$reported of ${#names[@]} rows were run"
fi

if [ -n "${TABLE:-}" ]; then
	# shellcheck disable=SC2034 # lib.sh looks at it
	finished=1
	echo "$count rows, $((count - failures)) as they should be"
	[ "$failures" -eq 0 ]
	exit
fi
done_testing
