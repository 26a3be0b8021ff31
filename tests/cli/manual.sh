#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The manuals: what they say of structures, formats, messages and options is
# what the code has, and their examples work.
. "$(dirname "$0")/../lib.sh"

PROGRAM=$ROOT/man/mkbootimg.1
PROTOCOL=$ROOT/man/mkbootimg-protocol.7
IMAGE=$ROOT/man/mkbootimg-image.5
CONFIG=$ROOT/man/mkbootimg.conf.5
PATH=$OUT:$PATH		# examples call mkbootimg by its name

# section FILE NAME: the lines of a section.
section() {
	awk -v name="$2" '/^\.Sh / { inside = substr($0, 5) == name; next } inside' "$1"
}

# same NAME HERE THERE: two files are the same; if not, the differences are
# shown: "<" is only in HERE, ">" only in THERE.
same() {
	if diff "$2" "$3" >differences && [ -s "$2" ]; then pass "$1"; else fail "$1" differences; fi
}

if command -v mandoc >/dev/null; then
	try "mandoc has no warning" 0 mandoc -Tlint -W warning "$ROOT"/man/*
else
	skip "mandoc has no warning" "mandoc is not installed"
fi

# ---- mkbootimg-protocol(7) and mkbootimg.h -----------------------------------

# Each row becomes an assertion about the header.
awk '
/^\.S[hs] /	{ type = "" }
/^\.Ss struct /	{ type = $3; sub(",", "", type); printf "SIZE(%s, %s)\n", type, $4 }
/^\.It [0-9]+ Ta [0-9]+ Ta [0-9]+ Ta Va / {
	printf "MEMBER(%s, %s, %s, %s)\n", type, $9, $2, $4
}
/^\.It [0-9]+ Ta Dv MKBOOTIMG_/ { printf "CONSTANT(%s, %s)\n", $5, $2 }
' "$PROTOCOL" >rows
cat >rows.c <<'END'
#include <mkbootimg.h>
#include <stddef.h>
#define SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), "size of " #type);
#define MEMBER(type, member, offset, bytes) \
	_Static_assert(offsetof(struct type, member) == (offset), "offset of " #type "." #member); \
	_Static_assert(sizeof(((struct type *)0)->member) == (bytes), "size of " #type "." #member);
#define CONSTANT(name, value) _Static_assert((name) == (value), #name);
#include "rows"
END
try "protocol(7): offsets, sizes and values are true" 0 \
	gcc -std=c11 -fsyntax-only -I. -I"$ROOT/include" rows.c

# And nothing is left out: the header without comments, its structures' members.
gcc -E -P -x c "$ROOT/include/mkbootimg.h" >header
awk '
$1 == "struct" && $3 == "{" { type = $2; next }
$1 == "};" { type = "" }
type != "" && /;$/ { member = $NF; gsub(/[*;]/, "", member); print type, member }
' header | sort >members
sed -nE 's/^MEMBER\(([a-z_]+), ([a-z_]+),.*/\1 \2/p' rows | sort >page_members
same "protocol(7): has every member" members page_members

{ cat header; gcc -E -dM -x c "$ROOT/include/mkbootimg.h"; } |
	grep -owE 'MKBOOTIMG_[A-Z0-9_]+' | grep -vx MKBOOTIMG_H | sort -u >constants
grep -owE 'MKBOOTIMG_[A-Z0-9_]+' "$PROTOCOL" | sort -u >page_constants
same "protocol(7): names every constant" constants page_constants

# The example, built and booted by the commands in the page.
# examples FILE N: the Nth literal block of EXAMPLES.
examples() {
	section "$1" EXAMPLES |
		awk -v n="$2" '/^\.Bd -literal/ { inside = ++block == n; next } /^\.Ed/ { inside = 0 } inside' |
		sed 's/\\-/-/g; s/\\&//g; s/\\e/\\/g'
}
mkdir example
examples "$PROTOCOL" 1 >example/kernel.c
examples "$PROTOCOL" 2 >commands
check "protocol(7): the example is there" grep -q "^mkbootimg run " commands
try "protocol(7): the example boots" 0 \
	env -C example C_INCLUDE_PATH="$ROOT/include" timeout "$SECONDS_MAX" bash -e ../commands
has "protocol(7): the example gets its command line" out "command line: hello"

# ---- mkbootimg-image(5) and bootabi.h ----------------------------------------

# NAME OFFSET SIZE.  The header has sizes as types in comments, where it has them.
offset='(S1|S2|BT|BLOCK|EXTENT|ZERO|MAP|FIXUP)_OFF_[A-Z0-9_]+'
while read -r _ name value rest; do
	size=-
	if [[ $rest =~ ^'/* '(([0-9]+) x )?u([0-9]+) ]]; then
		size=$((${BASH_REMATCH[2]:-1} * BASH_REMATCH[3] / 8))
	fi
	echo "$name $((value)) $size"
done < <(grep -E "^#define $offset" "$ROOT/include/bootabi.h") >offsets
while read -r _ value _ size _ _ _ _ name _; do
	grep -q "^$name .* -$" offsets && size=-
	echo "$name $((value)) $size"
done < <(grep -E "^\.It .* Ta .* Ta .* Ta Dv $offset Ta " "$IMAGE") >page_offsets
same "image(5): has every offset, in order" offsets page_offsets

# "32", and on the next line ".Pq Dv S1_MAX_SECTORS": so many.
awk '/^\.Pq Dv / { print $3, number }
     { number = ""; for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]/) number = $i }' "$IMAGE" |
	grep -vE "^$offset " >page_values
while read -r name _; do
	echo "$name $(awk -v name="$name" '$1 == "#define" && $2 == name { print $3 }' "$ROOT/include/bootabi.h")"
done <page_values >values
same "image(5): values are true" values page_values

# Enumerations: ".It 1 Ta Dv BT_PROTOCOL_NATIVE Ta".
enumeration='(BT_PROTOCOL|VIDEO)_[A-Z0-9]+'
sed -nE "s/^#define[[:space:]]+($enumeration)[[:space:]]+([0-9]+).*/\1 \3/p" "$ROOT/include/bootabi.h" >values
sed -nE "s/^\.It ([0-9]+) Ta Dv ($enumeration) Ta .*/\2 \1/p" "$IMAGE" >page_values
same "image(5): has every protocol and screen wish" values page_values

# ---- mkbootimg(1), DIAGNOSTICS, and the loader's messages --------------------

# Each message as an extended regular expression: a value in a sentence, which
# errors.inc has as 1 to 8 outside of the quotes, is a letter in the manual, and
# the list, 9, a word.
{
	grep -oE 'mkbootimg E0[12]: [^"]*' "$ROOT/bootloader/stage1.inc" | cut -d' ' -f2-
	awk -F'"' -v code=3 '/^error E_/ {
		text = ""
		for (i = 2; i <= NF; i++) {
			if (i % 2 == 0) {
				gsub(/[][().*+?^$|{}\\]/, "\\\\&", $i)
				text = text $i
			} else if ($i ~ /[1-8]/) {
				text = text "[a-z]"
			} else if ($i ~ /9/) {
				text = text " [a-z]+"
			}
		}
		printf "E%02d: %s\n", code++, text
	}' "$ROOT/bootloader/errors.inc"
} >messages
section "$PROGRAM" DIAGNOSTICS | sed -nE 's/^\.It Sy "(E[0-9]+: .*)"$/\1/p' >entries
while IFS= read -r message; do
	code=${message%%:*}
	grep "^$code:" entries >entry
	if grep -qxE -- "$message" entry; then
		pass "DIAGNOSTICS: $code"
	else
		fail "DIAGNOSTICS: $code: not '$message'" entry
	fi
done <messages
cut -d: -f1 messages >codes
cut -d: -f1 entries >page_codes
same "DIAGNOSTICS: these codes and no others, in order" codes page_codes

# ---- mkbootimg(1), DIAGNOSTICS, and the program's sentences ---------------------

# The sentences about the system, and all, of error_set(): a value becomes "x".
sentences() {
	perl -0777 -ne 'while (/error_set\([^;"]*?ERROR_('"$1"'),[^;"]*"([^"]*)"/g) { print "$2\n" }' "$ROOT"/tool/*.c "$ROOT"/tool/*/*.c |
		sed -E 's/%[-+ #0-9.*]*[a-z]*/x/g'"; s/'x'x/'x': x/" | grep -vxE 'x|x:x: x' | sort -u
}
sentences SYSTEM >system
sentences 'SYSTEM|INPUT|USAGE' >all
check "there are sentences" test "$(wc -l <system)" -ge 30
# Each entry as an extended regular expression.  error_set() may add a cause.
section "$PROGRAM" DIAGNOSTICS | sed -nE 's/^\.It Sy "(.*)"$/\1/p' | grep -v '^E[0-9]' |
	sed -E 's/[][()*+?^$|{}\\]/\\&/g; s/\.\.\./@/g; s/\./\\./g; s/: @$/(: .*)?/; '"s/'@'/'[^']*'/g; s/@/.*/g" >patterns
grep -vxE -f patterns system >missing
empty "DIAGNOSTICS: every sentence about the system" missing
: >stale
while IFS= read -r pattern; do
	grep -qxE -- "$pattern" all || echo "$pattern" >>stale
done <patterns
empty "DIAGNOSTICS: no other sentence" stale

# ---- docs/troubleshooting.md ----------------------------------------------------

check "troubleshooting.md is what make docs makes" eval \
	"'$ROOT/scripts/troubleshooting.py' '$ROOT/docs/troubleshooting.md' | diff '$ROOT/docs/troubleshooting.md' -"
check "it has every sentence of DIAGNOSTICS" test \
	"$(section "$PROGRAM" DIAGNOSTICS | grep -c '^\.It Sy')" -eq \
	"$(sed -n '/^## Sentences of the program/,/^## Kernels/p' "$ROOT/docs/troubleshooting.md" |
		sed -nE 's/^(### |Or )//p' | sed "s/\`, \`/\n/g" | wc -l)"
check "and refusals with what to do" test "$(grep -c '^| `.*` | .* |$' "$ROOT/docs/troubleshooting.md")" -ge 50

# ---- mkbootimg(1) and --help: options ----------------------------------------

# options CMD: "SHORT LONG" for each option that CMD --help lists; "-" if it has
# no short form.
options() {
	"$MKBOOTIMG" "$1" --help |
		sed -nE 's/^  -([^ ]), --([a-z-]+).*/\1 \2/p; s/^ {6}--([a-z-]+).*/- \1/p'
}

# described CMD: options in the manual's sections "Options of ... CMD ...", or "... all ...".
described() {
	awk -v cmd="$1" '
	/^\.S[hs] / {
		inside = 0
		if ($2 == "Options")
			for (i = 4; i <= NF; i++)
				if ($i == cmd || $i == cmd "," || $i == "all") inside = 1
	}
	inside && /^\.It Fl / {
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && sub(/^-/, "", $(i + 1))) print $(i + 1)
	}' "$PROGRAM"
}

# synopsis CMD: options in its SYNOPSIS, as "qv" or "-size", one word a line;
# "build-option" stands for all of build but its own, which are for no other command.
synopsis() {
	section "$PROGRAM" SYNOPSIS | awk -v cmd="$1" '
	/^\.Nm/	{ inside = 0 }
	/^\.Cm/	{ inside = $2 == cmd; next }
	inside {
		for (i = 1; i < NF; i++) {
			if ($i == "Fl") print $(i + 1)
			if ($i == "Ar" && $(i + 1) ~ /-option$/) print $(i + 1)
		}
	}'
}

# long_names CMD: the same as long names.
long_names() {
	local word i
	while read -r word; do
		case $word in
		*-option)
			awk -v title="Options of ${word%-option}" '/^\.S[hs] / { inside = substr($0, 5) == title }
				inside && /^\.It Fl / { for (i = 3; i <= NF; i++) if (sub(/^-/, "", $i)) print $i }' \
				"$PROGRAM" >own
			options "${word%-option}" | cut -d' ' -f2 | grep -vxF -f own
			;;
		-*) echo "${word#-}" ;;
		*)
			for ((i = 0; i < ${#word}; i++)); do
				options "$1" | awk -v letter="${word:i:1}" '
					$1 == letter { print $2; found = 1 }
					END { if (!found) print "-" letter " is no option" }'
			done
			;;
		esac
	done < <(synopsis "$1")
}

"$MKBOOTIMG" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' >commands
check "--help lists the commands" grep -qx build commands
section "$PROGRAM" SYNOPSIS | sed -n 's/^\.Cm //p' | sort -u >page_commands
sort -u commands >sorted_commands
same "SYNOPSIS: has every command" sorted_commands page_commands
while read -r command; do
	options "$command" | cut -d' ' -f2 | sort -u >help
	described "$command" | sort -u >manual
	same "$command: options of --help and of the manual" help manual
	# Those that all have, are once in the SYNOPSIS.
	grep -vxE 'help|usage|version' help >rest || echo none >rest
	{ long_names "$command" | grep -vxE 'help|usage|version' || echo none; } | sort -u >manual
	same "$command: options of --help and of the SYNOPSIS" rest manual

	# Each way to ask gives the same answer, on standard output only.
	"$MKBOOTIMG" "$command" --help >help
	for question in "$command -h" "$command -?" "help $command" "--no-config $command --help"; do
		# shellcheck disable=SC2086
		try "$question" 0 "$MKBOOTIMG" $question
		empty "$question: no error" err
		same "$question: as --help" help out
	done
	for question in "$command --version" "$command -V"; do
		# shellcheck disable=SC2086
		try "$question" 0 "$MKBOOTIMG" $question
		check "$question: the version" cmp out <("$MKBOOTIMG" --version)
	done
	try "$command --usage" 0 "$MKBOOTIMG" "$command" --usage
	has "$command --usage: what it is" out "Usage: mkbootimg $command "
done <commands
"$MKBOOTIMG" --help >help
for question in -h help "-?"; do
	try "$question" 0 "$MKBOOTIMG" "$question"
	same "$question: as --help" help out
done

# Those before the command, which "mkbootimg --help" lists.
"$MKBOOTIMG" --help | sed -nE 's/^ {6}--([a-z-]+).*/\1/p' | grep -vxE 'help|usage|version' | sort >help
awk '/^\.S[hs] / { inside = $0 == ".Ss Before the command" }
	inside && /^\.It Fl / { sub(/^-/, "", $3); print $3 }' "$PROGRAM" | sort >manual
same "before the command: options of --help and of the manual" help manual

# ---- mkbootimg.conf(5) -------------------------------------------------------

# Its files, and the README's, are accepted.
mkdir conf
echo "a disk" >conf/initrd.img
mkdir conf/build
cp conf/initrd.img conf/build
cp "$KERNELS/modules-native.elf" conf/kernel.elf
awk '/^\.Bd -literal/ { n++; inside = 1; next } /^\.Ed/ { inside = 0 } inside { print >"conf/" n ".conf" }' "$CONFIG"
sed -n '/^```ini$/,/^```$/p' "$ROOT/README.md" | grep -v '^```' >conf/readme.conf
for file in 1 2 readme; do
	check "mkbootimg.conf(5): file $file is there" grep -qF '[build]' conf/$file.conf
	try "mkbootimg.conf(5): file $file" 0 env -C conf "$MKBOOTIMG" --config $file.conf run --dry-run --headless kernel.elf
done

# The package's keys, of both tables, are those of the tool.
sed -nE '/ keys\[\] = \{/,/^};/s/^\t\{ "([a-z-]+)", CARGO_[A-Z]+ \},$/\1/p' \
	"$ROOT/tool/config/cargo.c" "$ROOT/tool/config/dependency.c" | sort >keys
section "$CONFIG" CARGO | sed -n 's/^\.It Cm //p' | sort >page_keys
same "mkbootimg.conf(5): has every key of the package" keys page_keys

# ---- Protocols ---------------------------------------------------------------

# As the tool names them when it does not know one; protocol(7)'s first table, and
# mkbootimg(1)'s list of what auto tries, have the same, and so has the tool's order.
"$MKBOOTIMG" inspect --protocol none kernel 2>&1 |
	sed -n 's/.* is none of auto, //p' | tr -d ' ' | tr ',' '\n' | sort >names
sed -nE 's/^\.It Cm ([a-z0-9.-]+) Ta .*/\1/p' "$PROTOCOL" | sort >page_names
same "protocol(7): has every protocol" names page_names
sed -nE 's/^[[:space:]]*\.name = "([a-z0-9]+)",$/\1/p' "$ROOT/tool/protocol/protocol.c" >order
awk '/^\.It Fl -protocol / { inside = 1 } inside && /^\.El/ { exit } inside && prev == ".It" && $1 == ".Cm" { print $2 }
	{ prev = $0 }' "$PROGRAM" >page_order
same "mkbootimg(1): auto tries the protocols in this order" order page_order

# ---- Formats -----------------------------------------------------------------

"$MKBOOTIMG" build -f none kernel 2>&1 | sed -n 's/.* is none of //p' | tr -d ' ' | tr ',' '\n' >names
awk '/^\.It Fl f , Fl -format/ { inside = 1; next } /^\.El/ { inside = 0 } inside && /^\.It Cm / { print $3 }' \
	"$PROGRAM" >page_names
same "mkbootimg(1): has every format, in order" names page_names

# ---- mkbootimg(1), EXAMPLES --------------------------------------------------

# They run as they stand.  Their files are here test kernels that end the machine by
# themselves, with success, and something to load along.
mkdir examples
cp "$KERNELS/modules-native.elf" examples/kernel.elf
cp "$KERNELS/modules-pvh.elf" examples/vmlinux
cp "$KERNELS/state32-all.elf" examples/multiboot.elf
echo "a disk" >examples/initrd.img
echo "a = b" >examples/config.txt
for n in 1 2 3 4; do examples "$PROGRAM" $n; done | grep '^mkbootimg ' >lines
check "EXAMPLES: there are some" test -s lines
while IFS= read -r line; do
	try "EXAMPLES: $line" 0 env -C examples timeout "$SECONDS_MAX" bash -c "$line"
	case $line in
	*settings*) has "EXAMPLES: $line: modules and their names" out " settings" ;;
	*vmlinux*) has "EXAMPLES: $line: its module" out " initrd.img" ;;
	*multiboot1*) has "EXAMPLES: $line: the protocol" out "entered by multiboot1" ;;
	esac
done <lines

done_testing
