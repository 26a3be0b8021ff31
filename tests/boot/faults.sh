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
	has "$fault: the runner says so" err "the kernel crashed: exception $exception"
done <<'EOT'
invalid opcode|6 |0x0
breakpoint|3 |0x0
divide|0 |0x0
page fault|14 |0x123456789abc
general protection|13 |0x0
stack overflow|14 |0xfffffe0000000f
no code|14 |0x123456789000
EOT

done_testing
