#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Files that lie about themselves (hostile.py): refused with a sentence, or taken,
# within a second and in little memory; and what they say reaches no terminal.
. "$(dirname "$0")/../lib.sh"

python3 "$ROOT/tests/hostile.py" >kernels || fail "the kernels"
# Bytes of its own that a command may have, in KiB; a sanitizer has more.
MEMORY=262144
nm "$MKBOOTIMG" | grep -q __asan_init && MEMORY=unlimited
SECONDS_EACH=${SECONDS_EACH:-5}	# a busy machine's second

# limited COMMAND...: the status is in $status.
limited() {
	(
		ulimit -d "$MEMORY"
		exec timeout -s KILL "$SECONDS_EACH" "$@" >out 2>err </dev/null
	)
	status=$?
}
# raw FILE...: bytes that a terminal would obey, or not understand.
raw() {
	LC_ALL=C grep -qE $'[\x01-\x08\x0b-\x1f\x7f\x80-\xff]' "$@"
}

while IFS=$'\t' read -r kernel said; do
	for command in build inspect; do
		options=()
		[ $command = build ] && options=(-o k.img)
		rm -f k.img
		limited "$MKBOOTIMG" $command "${options[@]}" "$kernel"
		wrong=
		raw out err && wrong="what it says holds control characters"
		case $status in
		0) [ "$said" = boots ] || [ "$said" = - ] || wrong="it is taken" ;;
		1)
			[ "$said" != boots ] || wrong="it is refused"
			[[ $(head -n 1 err) == "mkbootimg: $command: "*"'$kernel'"* ]] || wrong="it is not named"
			[[ $said == - || $said == boots ]] || grep -qF -- "$said" err || wrong="that is not the reason"
			[ "$(wc -l <err)" -le 2 ] || wrong="more than two lines"
			[ ! -e k.img ] || wrong="an image is there"
			;;
		*) wrong="status $status" ;;
		esac
		if [ -z "$wrong" ]; then pass "$command $kernel"; else fail "$command $kernel: $wrong" err out; fi
	done
done <kernels

# What is not a file of bytes, or has no end.
cp "$KERNELS/ends.elf" good.elf
truncate -s 100G sparse.elf
cp good.elf grown.elf && truncate -s 100G grown.elf
mkfifo fifo
# no NAME FILE SENTENCE [OPTION...]
no() {
	local name=$1 kernel=$2 sentence=$3 command
	shift 3
	for command in build inspect; do
		limited "$MKBOOTIMG" $command "$@" "$kernel"
		check "$command $name" test "$status" -eq 1
		has "$command $name: why" err "$sentence"
	done
}
no "a FIFO" fifo "'fifo' is not a regular file"
no "a directory" . "'.' is a directory"
no "/dev/zero" /dev/zero "'/dev/zero' is not a regular file"
no "/dev/stdin" /dev/stdin "is not a regular file"
no "100 GiB of zeros" sparse.elf "'sparse.elf'"
no "a module of 100 GiB" good.elf "module 'sparse.elf' is larger than 3 GiB" -m sparse.elf
no "a module from /dev/zero" good.elf "module: '/dev/zero' is not a regular file" -m /dev/zero
limited "$MKBOOTIMG" build -o k.img grown.elf
check "a kernel with 100 GiB behind it is taken" test "$status" -eq 0
"$MKBOOTIMG" build -o good.img good.elf
truncate -s 100G k.img
limited "$MKBOOTIMG" --no-config run --headless --dry-run k.img
check "a dry run of an image of 100 GiB" test "$status" -eq 0

# An image whose table names the same sectors 1500 times, as extents of one block.
cat >again.py <<'END'
import struct, zlib

SECTOR, RECORD, TIMES = 512, 80, 1500
image = bytearray(open("large.img", "rb").read())
stage2 = struct.unpack_from("<Q", image, 0x1AC)[0] * SECTOR
lba, size = struct.unpack_from("<II", image, stage2 + 4)
table = image[stage2 + lba * SECTOR:][:size]
extents, count = struct.unpack_from("<II", table, 40)
records = [table[at:at + RECORD] for at in range(extents, extents + count * RECORD, RECORD)]
table += bytes(-size % 16)
struct.pack_into("<II", table, 40, len(table), TIMES)
table += max(records, key=lambda record: struct.unpack_from("<Q", record, 32)) * TIMES
struct.pack_into("<II", table, 12, len(table), 0)
struct.pack_into("<I", table, 16, zlib.crc32(table))
struct.pack_into("<II", image, stage2 + 4, (len(image) - stage2) // SECTOR, len(table))
open("again.img", "wb").write(image + table + bytes(-len(table) % SECTOR))
END
head -c 32M /dev/urandom >large
"$MKBOOTIMG" build -m large -o large.img good.elf
python3 again.py
limited "$MKBOOTIMG" inspect --json again.img
check "an image of the same sectors again and again" test "$status" -eq 1
has "an image of the same sectors again and again: why" err "'again.img' will not boot: a checksum is wrong"
check "an image of the same sectors again and again: that is said" grep -q '"extent 1499"' out
rm large large.img again.img

# Names that come from outside: of files, modules, and in images.
name=$'a\e[31m\xc2\x9b2J\x9b\xe0\x82\x9b.elf'
cp good.elf "$name"
for command in "inspect" "build -v -o k.img"; do
	# shellcheck disable=SC2086
	limited "$MKBOOTIMG" $command -m "$name" -c "$name" "$name"
	check "$command a file of such a name" test "$status" -eq 0
	if raw out err; then fail "$command: nothing of it is printed raw" out err; else pass "$command: nothing of it is printed raw"; fi
done
limited "$MKBOOTIMG" inspect k.img
check "inspect an image with such a command line" test "$status" -eq 0
if raw out err; then fail "inspect: nothing of it is printed raw" out err; else pass "inspect: nothing of it is printed raw"; fi
limited "$MKBOOTIMG" build -c 'häßlich' -v -o k.img good.elf
has "UTF-8 is left as it is" out 'command line "häßlich"'

# Any bytes at all: the same ones each time.
cat >flips.py <<'END'
import random, sys
good = open("good.elf", "rb").read()
for seed in range(int(sys.argv[1])):
    r = random.Random(seed)
    b = bytearray(good)
    # In the headers, where it matters: the file's, the programs' and the sections'.
    shoff = int.from_bytes(good[40:48], "little")
    for _ in range(r.randint(1, 6)):
        at = r.choice([r.randrange(16, 64), r.randrange(64, 400), r.randrange(shoff, len(good)), r.randrange(len(good))])
        b[at] = r.choice([0, 1, 0x7f, 0x80, 0xff, r.randrange(256)])
    open(f"flip.{seed}", "wb").write(b)
END
flips=$([ -n "${LONG:-}" ] && echo 3000 || echo 150)
python3 flips.py "$flips"
: >bad
taken=0
for ((seed = 0; seed < flips; seed++)); do
	limited "$MKBOOTIMG" inspect "flip.$seed"
	[ "$status" -eq 0 ] && taken=$((taken + 1))
	[ "$status" -le 1 ] || echo "flip.$seed: status $status" >>bad
	raw out err && echo "flip.$seed: control characters" >>bad
done
empty "$flips kernels with wrong bytes: a sentence, or taken" bad
check "some of them are taken, some not" test "$taken" -gt 0 -a "$taken" -lt "$flips"

done_testing
