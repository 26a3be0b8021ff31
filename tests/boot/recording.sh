#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs/recording.txt: what it shows is what happens.
. "$(dirname "$0")/../lib.sh"

# Compilers and loaders differ in addresses, sizes and registers.
facts() {
	grep -vE '^  (0x[0-9a-f]* is not mapped|code:|R[A-Z0-9]{2} |R[89] |CS )|^R[A-Z0-9]* 0x|^CR3' "$1" |
		sed -E 's/0x[0-9a-f]+|[0-9]+/N/g'
}

PATH=$OUT:$PATH try "the commands" 0 "$ROOT/scripts/recording" "$ROOT/docs/recording.txt"
facts "$ROOT/docs/recording.txt" >wanted
facts out >got
check "there are commands and answers" grep -q "^ok N - " wanted
diff wanted got >differences
empty "print what the recording has" differences

done_testing
