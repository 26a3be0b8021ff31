#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A native kernel that faults before it has an IDT of its own is told of, by the
# loader's handlers.
. "$(dirname "$0")/../lib.sh"

while IFS='|' read -r fault exception cr2; do
	try "$fault: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "$fault" "$KERNELS/faults.elf"
	has "$fault: came to it" out "fault: $fault"
	has_not "$fault: did not get past it" out "no fault"
	has "$fault: the guest says which" out "exception $exception"
	has "$fault: and the address" out "CR2 $cr2"
	check "$fault: the runner says so" grep -q \
		"the kernel crashed: .*\((vector ${exception%% *}\|exception ${exception%% *} (IRQ\|int 0x80\)" err
done <<'EOT'
invalid opcode|6 |0x0
breakpoint|3 |0x0
divide|0 |0x0
page fault|14 |0x123456789abc
general protection|13 |0x0
stack overflow|14 |0xfffffe0000000f
no code|14 |0x123456789000
timer|8 (IRQ 0, timer)|0x0
serial interrupt|12 (IRQ 4, COM1)|0x0
software interrupt|13 |0x0
EOT

try "registers: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "timer" "$KERNELS/faults.elf"
has "registers: the first" out "RAX 0xa1 RBX 0xb2 "
has "registers: the last" out "R15 0xf5 "

# The report itself must not fault where the kernel took the screen away.
try "no identity map: 122" 122 "$MKBOOTIMG" run --headless --timeout 30 -c "no screen" "$KERNELS/faults-high.elf"
has "no identity map: told" out "exception 6 (invalid opcode)"
has "no identity map: all of it" out "CR3 0x"

# On the screen, and, in an emulator that we do not run, on port 0xe9.
try "an image" 0 "$MKBOOTIMG" build -o fault.img -c "invalid opcode" "$KERNELS/faults.elf"
monitor_until "CR3 0x" | timeout 60 qemu-system-x86_64 -drive file=fault.img,format=raw -display none \
	-net none -debugcon file:e9 -serial file:com1 -monitor stdio >/dev/null 2>err
has "on the screen" screen "exception 6 (invalid opcode), error code 0x0, RIP 0x"
has "on port 0xe9" e9 "exception 6 (invalid opcode), error code 0x0, RIP 0x"
has "on COM1" com1 "exception 6 (invalid opcode), error code 0x0, RIP 0x"

done_testing
