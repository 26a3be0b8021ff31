#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The table in tests/README.md names tests: they must exist.
. "$(dirname "$0")/../lib.sh"

# Rows of the table: | promise | `file` "check", ... |
grep '^| .* | `' "$ROOT/tests/README.md" >rows
check "the table has rows" test "$(wc -l <rows)" -ge 20
while IFS= read -r row; do
	promise=$(printf '%s' "$row" | cut -d'|' -f2 | sed 's/^ *//; s/ *$//')
	rest=$(printf '%s' "$row" | cut -d'|' -f3)
	# Pairs of a file and a text in it.
	printf '%s' "$rest" | grep -oE '`[^`]+`( "[^"]+")?' >pairs
	missing=
	[ -s pairs ] || missing="no test"
	while IFS= read -r pair; do
		file=$(printf '%s' "$pair" | cut -d'`' -f2)
		text=$(printf '%s' "$pair" | sed -n 's/^[^"]*"\(.*\)"$/\1/p')
		if [ ! -f "$ROOT/tests/$file" ]; then
			missing="$missing no file tests/$file;"
		elif [ -n "$text" ] && ! grep -qF -- "$text" "$ROOT/tests/$file"; then
			missing="$missing no '$text' in tests/$file;"
		fi
	done <pairs
	if [ -z "$missing" ]; then pass "$promise"; else fail "$promise:$missing"; fi
done <rows

# So does SECURITY.md.
grep -oE '`tests/[^`]+`' "$ROOT/SECURITY.md" | tr -d '`' | sort -u >named
check "SECURITY.md names tests" test "$(wc -l <named)" -ge 5
while IFS= read -r file; do
	check "SECURITY.md: $file" test -f "$ROOT/$file"
done <named

# And every script is run by make check.
for script in "$ROOT"/tests/cli/*.sh "$ROOT"/tests/boot/*.sh; do
	check "${script##*/} is executable" test -x "$script"
done

done_testing
