#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the memory map calls usable is free: every byte of it can be written.
. "$(dirname "$0")/../lib.sh"

boots "32 MiB" "$KERNELS/memory.elf" --memory 32M
boots "128 MiB, q35" "$KERNELS/memory.elf" -- -M q35
boots "5 GiB" "$KERNELS/memory.elf" --memory 5G

done_testing
