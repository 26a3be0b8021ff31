#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Much data, many segments and the entry state, from every disk on both
# machines.
. "$(dirname "$0")/../lib.sh"

for machine in pc q35; do
	for disk in ide ahci virtio nvme usb; do
		for kernel in data segments state-high; do
			boots "$kernel from $disk on $machine" "$KERNELS/$kernel.elf" --disk $disk -- -M $machine
		done
	done
done

done_testing
