#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Position-independent kernels: relocated by the tool, to any address.
. "$(dirname "$0")/../lib.sh"

for kind in rela relr lld-rela lld-relr; do
	kernel=$KERNELS/pie-$kind.elf
	boots "$kind" "$kernel"
	has "$kind: says so" out "every pointer is right"
	for base in 0x200000 0xc0000000 0x123456789000 0xffff900000000000 0xffffffff80000000; do
		boots "$kind, at $base" "$kernel" --kernel-base $base -c base=$base
		has "$kind, at $base: says so" out "every pointer is right"
	done
done

done_testing
