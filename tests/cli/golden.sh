#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The bytes of an image: sector 0 and the boot table, as hexdumps that a review
# can read.  When they are meant to change: make rebase-golden, and raise
# BT_VERSION if an older loader or tool would misread them.
. "$(dirname "$0")/../lib.sh"

nasm -f bin -o golden.elf "$ROOT/tests/kernels/golden.asm"
try "builds" 0 "$MKBOOTIMG" build -c "a command line" golden.elf
empty "warns of nothing" err
boots "boots" golden.elf

"$MKBOOTIMG" inspect --json golden.img >golden.json
part() { # WHAT: offset and size of a range
	python3 -c '
import json, sys
for r in json.load(open("golden.json"))["ranges"]:
    if r["what"] == sys.argv[1]:
        print(r["offset"], r["size"])' "$1"
}
dump() {
	echo "# $3"
	hexdump -C -s "$1" -n "$2" golden.img
}
{
	dump 0 512 "sector 0"
	# shellcheck disable=SC2046
	dump $(part "boot table") "boot table"
} >new.hex

golden=$ROOT/tests/golden/native.hex
[ -z "${REBASE:-}" ] || cp new.hex "$golden"
if diff -u "$golden" new.hex >diff.out; then
	pass "as tests/golden/native.hex has it"
else
	fail "not as tests/golden/native.hex has it (make rebase-golden, if that is meant)" diff.out
fi

done_testing
