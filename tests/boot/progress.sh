#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# How far loading is: said when it lasts, and only then; and the kernel's screen is as
# if nothing had been said.
. "$(dirname "$0")/../lib.sh"

head -c 3000000 /dev/urandom >module
for kernel in ends state32-mb1; do
	"$MKBOOTIMG" build -q -c "for ever" -m module -o $kernel.img "$KERNELS/$kernel.elf" || exit 1
done
"$MKBOOTIMG" build -q -c "for ever" -o small.img "$KERNELS/ends.elf" || exit 1

# machine IMAGE BYTES-A-SECOND [QEMU-ARG...]
machine() {
	local image=$1 speed=$2
	shift 2
	timeout -s KILL "$SECONDS_MAX" qemu-system-x86_64 -nodefaults -vga std -display none -net none \
		-drive "file=$image,format=raw,if=none,id=disk,throttling.bps-total=$speed" \
		-device ahci,id=ahci -device ide-hd,bus=ahci.0,drive=disk -monitor stdio "$@" >/dev/null 2>err
}

# until_entered: commands for the monitor: when the kernel has said something on COM1,
# what is on the screen goes to ./screen.bin.
until_entered() {
	for _ in $(seq $((10 * SECONDS_MAX))); do
		grep -qF "ending by" com1 2>/dev/null && break
		sleep 0.1
	done
	printf 'pmemsave 0xb8000 4000 "screen.bin"\nquit\n'
}

LINE="Loading kernel... "
rm -f com1
until_entered | machine ends.img 1000000 -serial file:com1
mv com1 slow.com1
mv screen.bin slow.bin
has "a slow disk: said on COM1" slow.com1 "$LINE"
tr '\r' '\n' <slow.com1 | sed -n "s/^$LINE\([ 1-9][0-9]\) %\$/\1/p" >numbers
check "and again and again" test "$(wc -l <numbers)" -ge 3
check "always more" sort -C -n -u numbers
check "nothing else is said" test "$(tr -d '\r' <slow.com1 | sed "s/\(${LINE}[ 1-9][0-9] %\)*//" | head -n 2)" = \
	"$(printf '\nending by: for ever')"

until_entered | machine small.img 1000000000 -serial file:com1
has_not "loaded at once: nothing is said" com1 "$LINE"
check "the screen is the same" cmp screen.bin slow.bin

# 32-bit protocols too.
monitor_until "$LINE" | machine state32-mb1.img 1000000 -serial file:com1
has "a slow disk: on the screen" screen "$LINE"

# What the runner prints is the kernel's.
cat >slow-qemu <<'EOF'
#!/usr/bin/env bash
exec qemu-system-x86_64 "${@/#file=/throttling.bps-total=1000000,file=}"
EOF
chmod +x slow-qemu
"$MKBOOTIMG" build -q -c success -m module -o success.img "$KERNELS/ends.elf"
try "a slow disk, run" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" --qemu ./slow-qemu success.img
check "nothing on standard output but the kernel's" test "$(cat out)" = "ending by: success"

done_testing
