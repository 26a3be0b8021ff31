#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Modules: each protocol's kernel gets every file, whole, with its name, in
# order.
. "$(dirname "$0")/../lib.sh"

printf 'x' >one
head -c 4096 /dev/urandom >page
head -c 3000001 /dev/urandom >large
mkdir sub
head -c 5000 /dev/urandom >sub/below
cksum one page large sub/below >wanted
# NAMEs are as given, a file's own name is without its directory.
sed -i 's/ page$/ the second of them/; s/ large$/ a=b,"c" d/; s/ sub\/below$/ below/' wanted

for protocol in mb1 mb2 pvh plain native; do
	kernel=$KERNELS/modules-$protocol.elf
	boots "$protocol: four modules" "$kernel" -m one -m "page=the second of them" -m 'large=a=b,"c" d' -m sub/below
	check "$protocol: are what they were" cmp <(grep -v ^verdict: out) wanted
	boots "$protocol: none" "$kernel"
	check "$protocol: none: and none comes" cmp out <(echo "verdict: 0x10")
	many=()
	for i in $(seq 60); do many+=(-m "page=$i"); done
	boots "$protocol: sixty" "$kernel" "${many[@]}"
	check "$protocol: sixty are sixty" test "$(grep -vc ^verdict: out)" -eq 60
done

# In a small machine, more than half of its memory.
head -c 20000000 /dev/urandom >larger
cksum larger >wanted
for protocol in mb1 native; do
	boots "$protocol: 20 MB, 40 MiB of memory" "$KERNELS/modules-$protocol.elf" -m larger --memory 40M
	check "$protocol: 20 MB: are what they were" cmp <(grep -v ^verdict: out) wanted
done

done_testing
