#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds at the same time, to the same output and with the same cold cache: all
# succeed, and whoever looks meanwhile sees a whole image.
. "$(dirname "$0")/../lib.sh"

export TMPDIR=$PWD/tmp
mkdir here tmp
cp "$KERNELS/ends.elf" k.elf
# Two images, so that a mixture would show.
for letter in a b; do
	"$MKBOOTIMG" build -o $letter.img -c "$letter" k.elf || fail "image $letter"
done
check "two images" test "$(cmp a.img b.img | wc -l)" -eq 1
whole() { cmp -s "$1" a.img || cmp -s "$1" b.img; }

cp a.img here/k.img
# A reader copies the image in one open, and asks inspect.
cat >reader.sh <<'EOF2'
reads=0
while [ ! -e stop ]; do
	cp here/k.img "copy.$1" || echo "reader $1: there is no image"
	cmp -s "copy.$1" a.img || cmp -s "copy.$1" b.img || echo "reader $1: a torn image"
	"$MKBOOTIMG" inspect here/k.img >"inspect.$1" 2>&1 || { echo "reader $1: inspect:"; cat "inspect.$1"; }
	reads=$((reads + 1))
done
echo "reader $1: $reads times" >>reads
EOF2
export MKBOOTIMG
readers=()
for reader in 1 2; do
	bash reader.sh $reader >"torn.$reader" 2>&1 &
	readers+=($!)
done

for round in $(seq "${ROUNDS:-3}"); do
	export XDG_CACHE_HOME=$PWD/cache$round
	builders=()
	for builder in 1 2 3 4 5 6 7 8; do
		letter=$([ $((builder % 2)) -eq 0 ] && echo a || echo b)
		"$MKBOOTIMG" build -q -o here/k.img -c $letter k.elf >"said.$builder" 2>&1 </dev/null &
		builders+=($!)
	done
	failed=0
	for pid in "${builders[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	cat said.? >said
	check "round $round: all 8 succeed" test "$failed" -eq 0
	empty "round $round: they say nothing" said
	check "round $round: one whole image" whole here/k.img
	check "round $round: nothing else is there" test "$(ls -A here tmp)" = "$(printf 'here:\nk.img\n\ntmp:\n')"
	check "round $round: one loader is kept" test "$(ls -A "$XDG_CACHE_HOME/mkbootimg" | wc -l)" -eq 1
	try "round $round: with what is kept" 0 "$MKBOOTIMG" build -o after.img -c a k.elf
	check "round $round: the same image" cmp after.img a.img
done
touch stop
wait "${readers[@]}"
cat torn.1 torn.2 >torn
empty "readers saw whole images only" torn
check "they did read" test "$(wc -l <reads)" -eq 2
check "and often" awk '$3 < 3 { exit 1 }' reads

done_testing
