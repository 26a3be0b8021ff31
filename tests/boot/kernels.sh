#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs/kernels.md: each kernel in it is built, and boots, by the commands there.
. "$(dirname "$0")/../lib.sh"

# Files are the blocks after a line that ends with their name, `FILE`:, and commands those of
# "sh"; they go to N.sh, in their order.
awk '
/`:$/	{ name = $0; sub(/`:$/, "", name); sub(/.*`/, "", name) }
/^```/	{
	if (inside) { inside = 0; name = ""; close(file); next }
	inside = 1
	file = $0 == "```sh" ? ++commands ".sh" : name
	next
}
inside	{ print >file }
' "$ROOT/docs/kernels.md"

number=0
while [ -e $((number += 1)).sh ]; do
	name=$(tail -n 1 $number.sh | sed 's/.* //')
	if [[ $(cat $number.sh) == rustc* ]] && ! command -v rustc >/dev/null; then
		skip "$name, Rust" "rustc is not installed"
		continue
	fi
	try "$name, $number" 0 env PATH="$OUT:$PATH" C_INCLUDE_PATH="$ROOT/include" \
		timeout $((2 * SECONDS_MAX)) bash -e $number.sh
	has "$name, $number: says hello" out "Hello from "
done
check "each protocol has one" test $number -eq 9

# The protocol is the one that the page says.
for protocol in multiboot1 multiboot2 pvh; do
	try "$protocol: inspect" 0 "$MKBOOTIMG" inspect $protocol.elf
	has "$protocol: it is" out "$protocol.elf: $protocol because"
done
try "without a header" 0 "$MKBOOTIMG" inspect plain.elf
has "it is multiboot1" out "plain.elf: multiboot1 because"

done_testing
