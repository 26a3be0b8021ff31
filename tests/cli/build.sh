#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg build: where the image goes, what is in it, what is said.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" k.elf

try "builds beside the kernel" 0 "$MKBOOTIMG" build k.elf
check "k.elf becomes k.img" test -s k.img
empty "says nothing" out
empty "warns of nothing" err
cp k.elf plain
try "a name without .elf" 0 "$MKBOOTIMG" build plain
check "gets .img behind it" cmp plain.img k.img
try "-o" 0 "$MKBOOTIMG" build -o other.img k.elf
check "two builds are byte-equal" cmp other.img k.img
mkdir sub && cp k.elf sub/renamed
try "elsewhere, under another name" 0 "$MKBOOTIMG" build -o sub/x "$PWD/sub/renamed"
check "no path or time reaches the image" cmp sub/x k.img

# The disk, as others see it.
check "whole cylinders of 16 x 63 sectors" test $(($(stat -c %s k.img) % 516096)) -eq 0
check "at least three" test "$(stat -c %s k.img)" -ge 1548288
check "less than 64 KiB that are not holes" test $(($(stat -c %b k.img) * 512)) -lt 65536
bytes() { od -An -v -tx1 -j "$1" -N "$2" k.img | tr -d ' \n'; }
check "boot signature" test "$(bytes 510 2)" = 55aa
check "one partition, active" test "$(bytes 446 1)$(bytes 462 48)" = "80$(printf '%096d' 0)"
check "the partition begins at 1 MiB" test "$(bytes 454 4)" = 00080000
check "CHS of its first sector: 2/0/33" test "$(bytes 447 3)" = 002102
check "CHS of its last sector: 2/15/63" test "$(bytes 451 3)" = 0f3f02
check "the time stamp's place is left alone" test "$(bytes 218 6)" = 000000000000
check "a disk signature" test "$(bytes 440 4)" != 00000000
try "another command line" 0 "$MKBOOTIMG" build -c words -o c.img k.elf
check "is another disk signature" test "$(od -An -tx4 -j 440 -N 4 c.img)" != "$(od -An -tx4 -j 440 -N 4 k.img)"
if command -v fdisk >/dev/null; then
	LC_ALL=C fdisk -l k.img >fdisk.out 2>&1
	has "fdisk sees the partition" fdisk.out "da Non-FS data"
else
	skip "fdisk sees the partition" "fdisk is not installed"
fi

try "--size" 0 "$MKBOOTIMG" build --size 64M -c success -o big.img k.elf
check "--size: at least that" test "$(stat -c %s big.img)" -ge $((64 << 20))
check "--size: the rest is a hole" test $(($(stat -c %b big.img) * 512)) -lt 65536
boots "--size: boots" big.img
rm -f big.img
try "--size of 3T is refused" 2 "$MKBOOTIMG" build --size 3T -o x.img k.elf
has "and why" err "less than 2 TiB"
check "and nothing is left" test ! -e x.img

try "-v prints the plan" 0 "$MKBOOTIMG" build -v k.elf
has "protocol" out "protocol native"
has "segments with their rights" out "r-x  at 0x400000"

# What the user ought to know.
ld -N -nostdlib -static --no-warn-rwx-segments -Ttext=0x400000 -o wx.elf "$KERNELS/ends.o"
try "writable and executable: builds" 0 "$MKBOOTIMG" build wx.elf
has "and warns" err "both writable and executable"
try "-q" 0 "$MKBOOTIMG" build -q wx.elf
empty "-q does not warn" err

# ---- For make --------------------------------------------------------------------

mkdir dep
cp k.elf dep/k.elf
echo "a disk" >'dep/a $disk #1'
printf '[build]\nmodule = a $disk #1\n' >dep/mkbootimg.conf
# Make itself says whether the names came through.
printf '%s\n' 'all: x\ y.img' 'include dep.d' 'x\ y.img: ; @printf "<%s>" $(foreach f,$^,"$f")' >dep/Makefile
try "--depfile" 0 env -C dep "$MKBOOTIMG" build --depfile dep.d -o "x y.img" k.elf
check "--depfile: the kernel, the module and mkbootimg.conf" \
	test "$(cat dep/dep.d)" = "$(printf '%s\n' 'x\ y.img: k.elf \' ' a\ $$disk\ \#1 \' ' mkbootimg.conf')"
rm "dep/x y.img"
try "--depfile: make reads it" 0 make -s -C dep
sed -i '/module/d' dep/mkbootimg.conf
try "--depfile, without" 0 env -C dep "$MKBOOTIMG" --no-config build --depfile dep.d k.elf
check "--depfile: only the kernel" test "$(cat dep/dep.d)" = "k.img: k.elf"
try "--depfile that cannot be written" 1 "$MKBOOTIMG" build --depfile nowhere/x.d -o x.img k.elf
has "--depfile that cannot be written: says so" err "cannot write 'nowhere/x.d'"
cp k.elf mine.elf
try "--depfile over the kernel" 2 "$MKBOOTIMG" build --depfile mine.elf -o mine.img mine.elf
has "--depfile over the kernel: says so" err "the output 'mine.elf' is the kernel itself"
check "--depfile over the kernel: nothing is written" sh -c 'cmp k.elf mine.elf && test ! -e mine.img'
try "--depfile over the image" 2 "$MKBOOTIMG" build --depfile ./mine.img -o mine.img mine.elf
has "--depfile over the image: says so" err "the output './mine.img' is the image itself"
check "--depfile over the image: that is whole" "$MKBOOTIMG" inspect mine.img
echo "depfile = x" >>dep/mkbootimg.conf
try "depfile in mkbootimg.conf" 2 env -C dep "$MKBOOTIMG" build k.elf
has "depfile in mkbootimg.conf: says so" err "'depfile' is for the command line only"

done_testing
