#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Images of each format: they boot, are no larger than need be, are the same for the
# same input, and appear whole or not at all.
. "$(dirname "$0")/../lib.sh"

if ! command -v qemu-img >/dev/null || ! command -v xorriso >/dev/null; then
	skip "formats" "qemu-img or xorriso is not installed"
	done_testing
fi

export TMPDIR=$PWD/tmp
mkdir tmp
cp "$KERNELS/ends.elf" k.elf
cp "$KERNELS/data.elf" data.elf
FOREIGN="qcow2 vmdk vdi vhdx"

# machine NAME [QEMU-OPTION...]: QEMU as others run it; the guest says success.
machine() {
	local name=$1
	shift
	try "$name" 33 timeout "$SECONDS_MAX" qemu-system-x86_64 -nodefaults -display none -no-reboot -m 256 \
		-boot reboot-timeout=100 -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 "$@"
}
# data FILE: bytes that a file takes on the disk.
data() { echo $(($(stat -c '%b * %B' "$1"))); }
# at_most NAME BYTES MOST
at_most() { check "$1 ($2 bytes, at most $3)" test "$2" -le "$3"; }

"$MKBOOTIMG" build -c success k.elf && "$MKBOOTIMG" build -c success data.elf

# ---- Disks of virtual machines --------------------------------------------------

for format in $FOREIGN; do
	for kernel in k data; do
		try "$format: $kernel" 0 "$MKBOOTIMG" build -f $format -c success $kernel.elf
		empty "$format: $kernel: says nothing" err
		machine "$format: $kernel boots" -drive "format=$format,file=$kernel.$format,snapshot=on"
		check "$format: $kernel: qemu-img finds no fault" \
			sh -c "qemu-img check -f $format $kernel.$format || [ \$? -eq 63 ]"
		check "$format: $kernel: the same disk" qemu-img compare -f $format -F raw $kernel.$format $kernel.img
	done
	try "$format: run boots it" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" k.$format
	has "$format: run boots it: the kernel" out "ending by: success"
	try "$format: inspect" 0 "$MKBOOTIMG" inspect k.$format
	has "$format: inspect: what it is" out "k.$format: $format, 1548288 bytes"
	has "$format: inspect: its sums" out "extent 0, checksum ok"
done
for kernel in k data; do
	at_most "qcow2: $kernel: little more than the data" "$(stat -c %s $kernel.qcow2)" $(($(data $kernel.img) * 12 / 10))
done
try "--size: a large disk" 0 "$MKBOOTIMG" build --size 3G -o large.img k.elf
for format in $FOREIGN iso; do
	try "--size: $format" 0 "$MKBOOTIMG" build --size 3G -f $format -o large.$format -c success k.elf
	at_most "--size: $format: what is empty takes no room" "$(data large.$format)" 600000
	rm -f large.$format
done

# ---- CDs ------------------------------------------------------------------------

for kernel in k data; do
	try "iso: $kernel" 0 "$MKBOOTIMG" build -f iso -c success $kernel.elf
	empty "iso: $kernel: says nothing" err
	machine "iso: $kernel from a CD on pc" -M pc -cdrom $kernel.iso -boot d
	machine "iso: $kernel from a CD on q35" -M q35 -cdrom $kernel.iso -boot d
	machine "iso: $kernel from a SCSI CD" -device virtio-scsi-pci -device scsi-cd,drive=cd \
		-drive "if=none,id=cd,media=cdrom,format=raw,file=$kernel.iso"
	machine "iso: $kernel as an IDE disk" -M pc -drive "format=raw,file=$kernel.iso,snapshot=on"
	machine "iso: $kernel as an AHCI disk" -M q35 -drive "format=raw,file=$kernel.iso,snapshot=on"
	machine "iso: $kernel as a stick" -device qemu-xhci -device usb-storage,drive=stick \
		-drive "if=none,id=stick,format=raw,file=$kernel.iso,snapshot=on"
done
boots "iso: run boots it as a disk" k.iso
boots "iso: run boots it as a CD" k.iso --disk cd
boots "iso: run builds one and boots it as a CD" k.elf -c success -o new.iso --disk cd
try "no other image is for a CD" 2 "$MKBOOTIMG" run --disk cd k.img
has "no other image is for a CD: why" err "'k.img' is no ISO image"
try "iso: inspect" 0 "$MKBOOTIMG" inspect k.iso
has "iso: inspect: what it is" out "k.iso: iso, "
has "iso: inspect: all of it is known" out " explained, 0 not"
xorriso -indev k.iso -osirrox on -extract /disk.img disk.img >xorriso.out 2>&1
check "iso: the file in it is the disk image" cmp disk.img k.img
rm -f disk.img
check "iso: whole cylinders" test $(($(stat -c %s k.iso) % 516096)) -eq 0
try "iso: fdisk reads the partition table" 0 fdisk -l k.iso
check "iso: fdisk reads the partition table: an active partition" grep -qE '^k.iso1 +\* +2184 ' out

# ---- The same input, the same bytes ------------------------------------------------

mkdir again other-tmp home
echo "-volid MINE -publisher ME" >home/.xorrisorc
for format in $FOREIGN iso; do
	try "$format: again" 0 env TZ=Asia/Tokyo HOME="$PWD/home" TMPDIR="$PWD/other-tmp" SOURCE_DATE_EPOCH=1234567890 sh -c \
		"umask 077; exec $MKBOOTIMG build -f $format -c success -o again/k.$format k.elf"
	check "$format: the same bytes" cmp again/k.$format k.$format
	check "$format: the umask's permissions" test "$(stat -c %a again/k.$format)" = 600
done
rmdir other-tmp
check "nothing is left in TMPDIR" test -z "$(ls -A tmp)"

# ---- Which format ----------------------------------------------------------------

for format in $FOREIGN iso; do
	"$MKBOOTIMG" build -c success -o again/k.$format k.elf
	check "-o k.$format says the format" cmp again/k.$format k.$format
done
"$MKBOOTIMG" build -c success -f raw -o again/k.qcow2 k.elf
check "-f counts more" cmp again/k.qcow2 k.img
"$MKBOOTIMG" build -c success -o again/k.bin k.elf
check "another extension: raw" cmp again/k.bin k.img
try "an unknown format" 2 "$MKBOOTIMG" build -f qcow k.elf
has "an unknown format: those that there are" err "--format: 'qcow' is none of raw, qcow2, vmdk, vdi, vhdx, iso"
boots "run builds and boots by the extension" k.elf -c success -o again/run.vdi
check "run builds and boots by the extension: it is a VDI" qemu-img info -f vdi again/run.vdi
cat >formats.conf <<-END
	[build]
	format = vdi
END
try "mkbootimg.conf: format" 0 "$MKBOOTIMG" --config formats.conf build -c success -o again/conf k.elf
check "mkbootimg.conf: format: it counts" cmp again/conf k.vdi
try "mkbootimg.conf: format: run does not mind" 0 "$MKBOOTIMG" --config formats.conf run --headless -c success k.elf

# ---- Other people's files ----------------------------------------------------------

# An image that takes bytes from other files is not for us.
echo secret >secret
qemu-img create -q -f qcow2 -b k.qcow2 -F qcow2 backed.qcow2
qemu-img create -q -f qcow2 -o data_file=secret,data_file_raw=on outside.qcow2 1M
qemu-img create -q -f vmdk -b k.vmdk -F vmdk backed.vmdk
# QEMU reads the description where it always is, not where the header says.
cp backed.vmdk moved.vmdk
printf '\177' | dd of=moved.vmdk bs=1 seek=28 conv=notrunc status=none
check "moved.vmdk is what it should be" sh -c 'qemu-img info moved.vmdk | grep -q "^backing file: k.vmdk"'
for other in backed.qcow2 outside.qcow2 backed.vmdk moved.vmdk; do
	why="'$other' is a ${other##*.} image that takes bytes from another file"
	try "run: $other" 126 "$MKBOOTIMG" run $other
	has "run: $other: why" err "$why"
	try "inspect: $other" 1 "$MKBOOTIMG" inspect $other
	has "inspect: $other: why" err "$why"
done
try "an image of another format is not planned" 2 "$MKBOOTIMG" run -c x k.qcow2
has "an image of another format is not planned: why" err "'k.qcow2' is an image already"
for format in $FOREIGN; do
	head -c 3000 k.$format >short.$format
	try "$format: one that is cut short" 126 "$MKBOOTIMG" run --headless --timeout 10 short.$format
	head -c 40 /dev/urandom | dd of=k.$format conv=notrunc bs=1 seek=88 status=none
	timeout -s KILL 60 "$MKBOOTIMG" inspect k.$format >out 2>err
	check "$format: one that is damaged ends with a status" test $? -le 1
done

# ---- What cannot be done -----------------------------------------------------------

# without PROGRAM: a PATH without it.
without() {
	rm -rf bin
	mkdir bin
	for program in nasm qemu-img xorriso; do
		[ $program = "$1" ] || ln -s "$(command -v $program)" bin/
	done
	echo "$PWD/bin"
}
echo "an old image" | tee old >k.out
for format in qcow2 iso; do
	program=qemu-img package=qemu-utils
	[ $format = qcow2 ] || program=xorriso package=xorriso
	try "$format without $program" 1 env PATH="$(without $program)" "$MKBOOTIMG" build -f $format -o k.out k.elf
	has "$format without $program: why" err "cannot write 'k.out': cannot run '$program': No such file or directory"
	has "$format without $program: what to do" err "apt install $package"
	check "$format without $program: the old image is intact" cmp k.out old
	printf '#!/bin/sh\necho "%s: no, thanks" >&2\nexit 3\n' $program >bin/$program
	[ $format = qcow2 ] || printf '#!/bin/sh\necho "%s : FAILURE : no, thanks" >&2\nexit 32\n' $program >bin/$program
	chmod +x bin/$program
	try "$format: $program fails" 1 env PATH="$PWD/bin:/bin:/usr/bin" "$MKBOOTIMG" build -f $format -o k.out k.elf
	has "$format: $program fails: its words" err "cannot write 'k.out': $program says: no, thanks"
	check "$format: $program fails: the old image is intact" cmp k.out old
done

# interrupted FORMAT PROGRAM: a program that does not end; then what a terminal sends.
interrupted() {
	rm -rf bin
	mkdir bin
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho >started\nexec sleep 60\n' >"bin/$2"
	chmod +x "bin/$2"
	rm -f started
	# (What a shell starts in the background ignores it.)
	PATH="$PWD/bin:$PATH" setsid env --default-signal=INT "$MKBOOTIMG" build -f "$1" -o k.out k.elf >out 2>err </dev/null &
	local pid=$!
	while [ ! -e started ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done
	kill -INT -- -$pid
	wait $pid
}
for format in qcow2 iso; do
	program=qemu-img
	[ $format = qcow2 ] || program=xorriso
	interrupted $format $program
	status=$?
	check "$format: Ctrl-C ends it ($status)" test $status -eq 130
	check "$format: Ctrl-C: the old image is intact" cmp k.out old
	check "$format: Ctrl-C: nothing is left" test -z "$(find tmp . -name '*mkbootimg*' -o -path './tmp/*')"
done

# A disk that is full.
if mkdir full && mount -t tmpfs -o size=100k none full 2>/dev/null; then
	for format in $FOREIGN iso; do
		try "$format: a full disk" 1 "$MKBOOTIMG" build -f $format -o full/data.$format data.elf
		has "$format: a full disk: why" err "cannot write 'full/data.$format'"
		has "$format: a full disk: the cause" err "No space left on device"
		check "$format: a full disk: nothing is left" test -z "$(ls -A full)"
	done
	umount full
else
	may_skip "a full disk" "no file system can be mounted"
fi
check "nothing is left in TMPDIR" test -z "$(ls -A tmp)"

done_testing
