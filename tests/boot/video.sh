#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Linear framebuffers: a kernel gets the one that its header or --video asks
# for, can draw in it, and what it draws is on the screen.
. "$(dirname "$0")/../lib.sh"

for protocol in mb1 mb2; do
	kernel=$KERNELS/video-$protocol.elf
	boots "$protocol: what its header asks for" "$kernel" -c "size=800x600x32"
	has "$protocol: draws" out "drawn"
	boots "$protocol: --video instead" "$kernel" -c "size=1024x768x32" --video 1024x768x32
	boots "$protocol: --video text instead" "$kernel" -c "none" --video text
	boots "$protocol: without a screen" "$kernel" -c "none" -- -vga none
done
for protocol in plain native; do
	kernel=$KERNELS/video-$protocol.elf
	boots "$protocol: text, if nothing is asked for" "$kernel" -c "none"
	for size in 640x480x32 800x600x24 1024x768x32 1280x1024x32; do
		boots "$protocol: $size" "$kernel" -c "size=$size" --video $size
	done
	boots "$protocol: any depth" "$kernel" --video 800x600
	has "$protocol: any depth: the size" out "800x600x"
done

# What cannot be had: the user's wish is the loader's to refuse.
try "a mode that there is not" 126 "$MKBOOTIMG" run --headless --timeout 30 --video 1234x567x32 \
	"$KERNELS/video-native.elf"
try "no screen for a mode" 126 "$MKBOOTIMG" run --headless --timeout 30 --video 800x600x32 \
	"$KERNELS/video-native.elf" -vga none

# pixel X Y: the bytes of one in ./screen.ppm, which is 800 pixels wide.
pixel() {
	od -An -tu1 -j $((15 + 3 * ($1 + 800 * $2))) -N 3 screen.ppm | tr -s ' ' | sed 's/^ //'
}

# picture NAME KERNEL [RUN-OPTION...]: what is seen when it has drawn.
picture() {
	local name=$1 kernel=$2
	shift 2
	rm -f screen.ppm
	: >out
	{
		for _ in $(seq 150); do
			sleep 0.2
			grep -qF drawn out && break
		done
		printf 'screendump "screen.ppm"\nquit\n'
		sleep 1
	} | timeout 60 "$MKBOOTIMG" run --headless -c "wait" "$@" "$kernel" -monitor stdio >out 2>err
	check "$name: a picture of 800x600" test "$(head -c 15 screen.ppm | tr '\n' ' ')" = "P6 800 600 255 "
	check "$name: top left" test "$(pixel 0 0)" = "0 0 31"
	check "$name: in the middle" test "$(pixel 400 300)" = "144 44 143"
	check "$name: bottom right" test "$(pixel 799 599)" = "31 87 0"
}
picture "Multiboot 1" "$KERNELS/video-mb1.elf"
picture "Multiboot 2" "$KERNELS/video-mb2.elf"
picture "native" "$KERNELS/video-native.elf" --video 800x600x32

done_testing
