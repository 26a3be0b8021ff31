#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# flash: what it refuses, what it writes, and in what state it leaves a device when
# something ends it.  The devices are loop devices, so this wants root.
. "$(dirname "$0")/../lib.sh"

export TMPDIR=$PWD/tmp
mkdir tmp mnt
head -c 1M /dev/urandom >module
"$MKBOOTIMG" build -q --size 64M -m module -c success -o k.img "$KERNELS/ends.elf"
"$MKBOOTIMG" build -q -c success -o small.img "$KERNELS/ends.elf"
SIZE=$(stat -c %s k.img)

# refuses_to NAME STATUS SENTENCE ARGUMENT...: flash fails and says that.
refuses_to() {
	local name=$1 status=$2 sentence=$3
	shift 3
	try "$name" "$status" "$MKBOOTIMG" flash "$@"
	has "$name: why" err "mkbootimg: flash: $sentence"
}

# ---- What needs no device ----------------------------------------------------------

refuses_to "nobody to ask" 2 "there is nobody to ask" small.img /dev/null
try "no device" 2 "$MKBOOTIMG" flash small.img
try "too much" 2 "$MKBOOTIMG" flash --yes small.img /dev/null /dev/zero
echo "a file" >file
cp file file.before
refuses_to "a file is no device" 1 "'file' is not a disk's device, but a file" --yes small.img file
check "a file is no device: it is as it was" cmp file file.before
refuses_to "nor is a directory" 1 "'mnt' is not a disk's device, but a directory" --yes small.img mnt
refuses_to "nor is another device" 1 "'/dev/null' is not a disk's device" --yes small.img /dev/null
refuses_to "a device that is not there" 1 "cannot look at 'nix': No such file" --yes small.img nix
refuses_to "an image that is not there" 1 "cannot open 'nix': No such file" --yes nix /dev/null
refuses_to "a kernel" 1 "'$KERNELS/ends.elf' is a kernel, not an image" --yes "$KERNELS/ends.elf" /dev/null
refuses_to "no image at all" 1 "'module' is not a bootable disk image" --yes module /dev/null
cp small.img damaged.img
printf X | dd of=damaged.img bs=1 seek=1048700 conv=notrunc status=none
refuses_to "a damaged image" 1 "'damaged.img' will not boot: a checksum is wrong" --yes damaged.img /dev/null
if command -v qemu-img >/dev/null; then
	qemu-img convert -O qcow2 small.img small.qcow2
	refuses_to "a virtual machine's image" 1 "'small.qcow2' is a qcow2 image" --yes small.qcow2 /dev/null
else
	skip "a virtual machine's image" "qemu-img is not installed"
fi

# ---- Loop devices --------------------------------------------------------------------

LOOPS=()
loops_end() {
	umount mnt tiny 2>/dev/null
	[ -z "${LOOPS[*]}" ] || losetup -d "${LOOPS[@]}" 2>/dev/null
	cleanup
}
trap loops_end EXIT
# loop FILE [OPTION...]: attach a file; the device is in $DEVICE.
loop() {
	local file=$1
	shift
	DEVICE=$(losetup -f --show "$@" "$file") && LOOPS+=("$DEVICE")
}
truncate -s 100M disk
if ! loop disk 2>losetup.err || ! [ -w "$DEVICE" ]; then
	may_skip "flash to loop devices" "there are none, or they are root's: $(head -n 1 losetup.err)"
	done_testing
fi
STAT=/sys/class/block/${DEVICE##*/}/stat
# written_sectors: what the device has been told to write, ever.
written_sectors() { awk '{ print $7 }' "$STAT"; }
# on_device: the device holds the image.  no_table: its first sector is empty.
on_device() { cmp -n "$SIZE" k.img "$DEVICE"; }
no_table() { test "$(head -c 512 "$DEVICE" | tr -d '\0' | wc -c)" -eq 0; }
# With anything, but no image's first byte.
fill_disk() { { printf '\0'; head -c 70M /dev/urandom; } >"$DEVICE"; }

refuses_to "the device first" 2 "'$DEVICE' is a disk's device, not an image" --yes "$DEVICE" k.img
has "the device first: what to do" err "the image comes first"
before=$(written_sectors)
try "an empty device" 0 "$MKBOOTIMG" flash --yes k.img "$DEVICE"
check "an empty device: the image is on it" on_device
sectors=$(($(written_sectors) - before))
check "64 MiB with 1 MiB of data: about 1 MiB is written ($sectors sectors)" test "$sectors" -lt 2500
has "what the device is" err "$DEVICE: loop device of '$PWD/disk', 100.0 MiB, a file"
has "that what is on it is lost" err "k.img (64.5 MiB) is written over that, which is lost."
has "how to boot it" out "Legacy boot (CSM) must be on"
try "it boots" 33 timeout "$SECONDS_MAX" qemu-system-x86_64 -nodefaults -display none -no-reboot -serial stdio \
	-device isa-debug-exit,iobase=0xf4,iosize=4 -drive "format=raw,file=$DEVICE,snapshot=on"
has "it boots: the kernel" out "ending by: success"
try "run boots it, too" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" "$DEVICE"
has "run boots it: the kernel" out "ending by: success"
check "run boots it: the image is still on it" on_device
try "inspect shows what is on it" 0 "$MKBOOTIMG" inspect "$DEVICE"
has "inspect: as on the image" out "native"

before=$(written_sectors)
try "again" 0 "$MKBOOTIMG" flash --yes --quiet k.img "$DEVICE"
empty "again: quietly" out
empty "again: quietly, indeed" err
check "again: nothing is written" test "$(written_sectors)" -eq "$before"
try "again, aloud" 0 "$MKBOOTIMG" flash --yes k.img "$DEVICE"
has "again, aloud: nothing was written" out "It was there already, nothing was written; all 64.5 MiB compared."

fill_disk
cp --sparse=always "$DEVICE" filled
try "a device with something else on it" 0 "$MKBOOTIMG" flash --yes k.img "$DEVICE"
check "a device with something else on it: the image is on it" on_device
check "nothing behind the image is written" cmp -i "$SIZE" filled "$DEVICE"
rm filled

if command -v xorriso >/dev/null; then
	"$MKBOOTIMG" build -q -c success -o k.iso "$KERNELS/ends.elf"
	try "an ISO image" 0 "$MKBOOTIMG" flash --yes k.iso "$DEVICE"
	try "an ISO image: it boots" 33 timeout "$SECONDS_MAX" qemu-system-x86_64 -nodefaults -display none -no-reboot \
		-serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 -drive "format=raw,file=$DEVICE,snapshot=on"
else
	skip "an ISO image" "xorriso is not installed"
fi

# ---- What it refuses -------------------------------------------------------------------

mke2fs -q -F -L "my files" "$DEVICE" 2>mke2fs.err
if mount "$DEVICE" mnt 2>mount.err; then
	echo precious >mnt/precious
	refuses_to "mounted" 1 "'$DEVICE' is in use: ${DEVICE##*/} is mounted on '$PWD/mnt'" --yes k.img "$DEVICE"
	has "mounted: what to do" err "unmount it first"
	refuses_to "mounted, with --force" 1 "'$DEVICE' is in use" --yes --force k.img "$DEVICE"
	check "mounted: it is as it was" grep -qx precious mnt/precious
	umount mnt
else
	may_skip "mounted" "nothing can be mounted"
fi
# Someone has it for himself.
python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL); print("held", flush=True); sys.stdin.read()' \
	"$DEVICE" < <(sleep 60) >held &
holder=$!
while [ ! -s held ] && kill -0 $holder 2>/dev/null; do sleep 0.05; done
refuses_to "another program's" 1 "cannot open '$DEVICE': Device or resource busy" --yes k.img "$DEVICE"
kill $holder
wait $holder 2>/dev/null

mkswap "$DEVICE" >mkswap.out 2>&1
refuses_to "swap space" 1 "'$DEVICE' belongs to something else: swap" --yes k.img "$DEVICE"
try "swap space, with --force" 0 "$MKBOOTIMG" flash --yes --force k.img "$DEVICE"
check "swap space, with --force: the image is on it" on_device

truncate -s 10M small
loop small
refuses_to "too small" 1 "'$DEVICE' is too small: it has 10.0 MiB, the image 64.5 MiB" --yes k.img "$DEVICE"
refuses_to "too small, with --force" 1 "'$DEVICE' is too small" --yes --force k.img "$DEVICE"
losetup -d "$DEVICE"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -e "/sys/class/block/${DEVICE##*/}/loop/backing_file" ] || break
	sleep 0.1
done
refuses_to "without a medium" 1 "'$DEVICE' is empty: there is no medium in it" --yes k.img "$DEVICE"
truncate -s 100M protected
loop protected -r
refuses_to "write-protected" 1 "'$DEVICE' is write-protected" --yes --force k.img "$DEVICE"

# A partition.
truncate -s 100M partitioned
printf 'label: dos\nstart=2048, type=83, bootable\n' | sfdisk -q partitioned >sfdisk.out 2>&1
if loop partitioned -P && [ -b "${DEVICE}p1" ]; then
	refuses_to "a partition" 1 "'${DEVICE}p1' is a partition" --yes k.img "${DEVICE}p1"
	has "a partition: what to do" err "name the disk, $DEVICE"
	mke2fs -q -F -L "my files" "${DEVICE}p1" 2>mke2fs.err
	if mount "${DEVICE}p1" mnt 2>mount.err; then
		refuses_to "a mounted partition" 1 "'$DEVICE' is in use: ${DEVICE##*/}p1 is mounted" --yes k.img "$DEVICE"
		umount mnt
	fi
	try "a disk with a partition" 0 "$MKBOOTIMG" flash --yes k.img "$DEVICE"
	has "a disk with a partition: it is shown" err "  partition 1: ext2 'my files', 99.0 MiB"
	check "a disk with a partition: the image is on it" on_device
	try "a partition, with --force" 0 "$MKBOOTIMG" flash --yes --force small.img "${DEVICE}p1"
	check "a partition, with --force: the image is on it" cmp -n "$(stat -c %s small.img)" small.img "${DEVICE}p1"
else
	may_skip "a partition" "loop devices have none here"
fi

# ---- Asking ------------------------------------------------------------------------------

DEVICE=${LOOPS[0]}
mke2fs -q -F -L "my $(printf '\033')[files" "$DEVICE" 2>mke2fs.err
# answered STATUS ANSWER COMMAND...: a terminal, and somebody at it.
answered() {
	local want=$1 answer=$2
	shift 2
	: >out
	{
		# Ctrl-C would be nobody's before.
		for _ in $(seq 200); do
			grep -q "Go on" out && break
			sleep 0.05
		done
		printf '%b' "$answer"
	} | script -qefc "$(printf '%q ' "$@")" /dev/null >out 2>err
	[ "${PIPESTATUS[1]}" -eq "$want" ]
}
if command -v script >/dev/null; then
	cp "$DEVICE" before
	for answer in 'n\n' '\n' 'yellow\n' '\004'; do
		check "asked: $answer" answered 1 "$answer" "$MKBOOTIMG" flash k.img "$DEVICE"
		has "asked: $answer: nothing is written" out "nothing was written to '$DEVICE'"
	done
	check "asked: Ctrl-C" answered 130 '\003' "$MKBOOTIMG" flash k.img "$DEVICE"
	has "asked: Ctrl-C: it says so" out "interrupted: '$DEVICE': nothing was written, it is as it was"
	check "asked: it is as it was" cmp before "$DEVICE"
	has "asked: a label is text" out "  ext2 'my \\x1b[files'"
	check "asked: y" answered 0 'y\n' "$MKBOOTIMG" flash --quiet k.img "$DEVICE"
	check "asked: y: the image is on it" on_device
	rm before
else
	skip "asking" "script is not installed"
fi

# ---- Interrupted, and failing ----------------------------------------------------------------

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	skip "interrupted, and failing" "strace is not installed, or may not trace"
	done_testing
fi
# A leak checker cannot work under strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
# injected INJECTION [OPTION...]: flash, with what is to happen to a call.
injected() {
	local call=${1%%:*} injection=$1
	shift
	timeout -s KILL 60 strace -o trace -e "trace=$call" -e "inject=$injection" "$MKBOOTIMG" flash --yes "$@" k.img "$DEVICE"
}

for signal in INT TERM HUP; do
	fill_disk
	number=$(kill -l $signal)
	try "SIG$signal in the middle" $((128 + number)) env --default-signal=$signal bash -c \
		"$(declare -f injected); MKBOOTIMG=$MKBOOTIMG DEVICE=$DEVICE; injected pwrite64:signal=$signal:when=3"
	has "SIG$signal in the middle: told so" err \
		"interrupted: '$DEVICE': nothing on it can be used now, and it does not boot: flash it again"
	check "SIG$signal in the middle: no partition table" no_table
done
try "then it is flashed again" 0 "$MKBOOTIMG" flash --yes k.img "$DEVICE"
check "then it is flashed again: the image is on it" on_device
fill_disk
try "killed in the middle" 137 injected pwrite64:signal=KILL:when=3
check "killed in the middle: no partition table" no_table

try "it compares past the system's cache" 0 strace -o trace -e trace=fcntl,ioctl "$MKBOOTIMG" flash --yes k.img "$DEVICE"
has "it compares past the system's cache: the reads" trace "O_DIRECT"
has "it compares past the system's cache: what it has is dropped" trace "BLKFLSBUF"
# The last of such calls is before the comparison.
"$MKBOOTIMG" flash --yes -q k.img "$DEVICE"
try "a good run" 0 injected fadvise64:delay_exit=1
last=$(wc -l <trace)
try "SIGTERM while it compares" 143 injected "fadvise64:signal=TERM:when=$((last - 1))"
has "SIGTERM while it compares: told so" err "the image was written, but not compared to its end"
check "SIGTERM while it compares: the image is on it" on_device

for error in EIO ENOSPC; do
	fill_disk
	try "a write that fails with $error" 1 injected "pwrite64:error=$error:when=3"
	has "a write that fails with $error: why" err "mkbootimg: flash: cannot write to '$DEVICE' at byte "
	has "a write that fails with $error: what it means" err "nothing on it can be used now"
	check "a write that fails with $error: no partition table" no_table
done
fill_disk
try "a device that fails when it is waited for" 1 injected fdatasync:error=EIO:when=2
has "a device that fails when it is waited for: why" err "cannot write to '$DEVICE' at byte "
fill_disk
try "a device that keeps nothing" 1 injected pwrite64:retval=4096:when=1+
has "a device that keeps nothing: why" err "'$DEVICE' does not hold what was written to it, from byte 0"
try "an interrupted call is made again" 0 injected pwrite64:error=EINTR:when=2
check "an interrupted call is made again: the image is on it" on_device
number=$(strace -e trace=pread64 "$MKBOOTIMG" flash --yes -q k.img "$DEVICE" 2>&1 | grep -c '^pread64')
try "a device that cannot be read back" 1 injected "pread64:error=EIO:when=$number"
has "a device that cannot be read back: why" err "cannot read '$DEVICE' back at byte "

# A device that really fails: there is no room for it.
if mkdir tiny && mount -t tmpfs -o size=2m none tiny 2>/dev/null; then
	truncate -s 100M tiny/disk
	"$MKBOOTIMG" build -q -o data.img "$KERNELS/data.elf"
	loop tiny/disk
	refuses_to "a device that fails" 1 "cannot write to '$DEVICE' at byte " --yes data.img "$DEVICE"
	losetup -d "$DEVICE"
	umount tiny
else
	may_skip "a device that fails" "nothing can be mounted"
fi
# And one with a bad place.
DEVICE=${LOOPS[0]}
name=mkbootimg-test-$$
if printf '%s\n' "0 4000 linear $DEVICE 0" "4000 8 error" "4008 196000 linear $DEVICE 4008" |
	dmsetup create $name 2>dmsetup.err; then
	refuses_to "a disk with a bad place" 1 "cannot write to '/dev/mapper/$name' at byte " --yes --force k.img \
		"/dev/mapper/$name"
	dmsetup remove $name
else
	may_skip "a disk with a bad place" "no device-mapper"
fi

# ---- Progress -----------------------------------------------------------------------------------

if command -v script >/dev/null; then
	fill_disk
	check "progress" answered 0 'y\n' strace -o trace -e trace=fdatasync \
		-e inject=fdatasync:delay_exit=700000:when=1 "$MKBOOTIMG" flash k.img "$DEVICE"
	has "progress: a bar" out "writing ["
	has "progress: the time that is left" out " left"
	try "no progress where there is no terminal" 0 injected fdatasync:delay_exit=700000:when=1
	has_not "no progress where there is no terminal: no bar" err "writing ["
fi

done_testing
