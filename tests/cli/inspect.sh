#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg inspect: plans and images, as text and JSON.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/state-high.elf" k.elf
"$MKBOOTIMG" build -c 'say "hello"' k.elf || exit 1

# json FILE EXPRESSION: a Python expression over the document j.
json() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
# says NAME FILE EXPRESSION VALUE
says() {
	local got
	got=$(json "$2" "$3")
	if [ "$got" = "$4" ]; then pass "$1"; else fail "$1: $3 is '$got', not '$4'" "$2"; fi
}

try "a kernel" 0 "$MKBOOTIMG" inspect k.elf
has "protocol and why" out "native because it is an x86-64 ELF64 file"
has "segments by their sections" out "segment 0 (.text, 0xffffffff80200000-"
has "entry symbol" out "entry symbol _start"
cp out kernel.txt
try "build -v" 0 "$MKBOOTIMG" build -v -o v.img k.elf
sed -i 's/, stored as raw: .*//' out
check "prints the same plan" test -z "$(sed -n '/^protocol/,/^needs/p' kernel.txt | grep -vxFf out)"

try "a kernel, --json" 0 "$MKBOOTIMG" inspect --json k.elf
cp out k.json
says "kind" k.json 'j["kind"]' kernel
says "entry" k.json 'j["plan"]["entry"]' 0xffffffff80200000
says "segments" k.json '[s["flags"] for s in j["segments"]]' "['r-x', 'r--', 'rw-']"
says "what is stored" k.json 'sum(e["size"] for e in j["plan"]["extents"]) < 20000' True
says "what is cleared" k.json 'sum(z["size"] for z in j["plan"]["zeros"]) >= 3 << 20' True
says "no warnings" k.json 'j["warnings"]' "[]"

try "an image" 0 "$MKBOOTIMG" inspect k.img
has "everything is explained" out "explained, 0 not"
has_not "and right" out "wrong"
has "the command line" out 'command line "say "hello""'
try "an image, --json" 0 "$MKBOOTIMG" inspect --json k.img
cp out i.json
says "kind" i.json 'j["kind"]' image
says "the command line" i.json 'j["plan"]["command_line"]' 'say "hello"'
says "checksums" i.json 'sorted({str(r["checksum"]) for r in j["ranges"]})' "['None', 'ok']"
nonzero=$(python3 -c 'print(sum(b != 0 for b in open("k.img", "rb").read()))')
says "bytes explained are the bytes that are not zero" i.json 'j["nonzero_explained"]' "$nonzero"
says "range by range" i.json 'sum(r["nonzero"] for r in j["ranges"])' "$nonzero"
says "nothing else" i.json 'j["nonzero_unexplained"]' 0
says "extents have their places" i.json 'all(e["image_offset"] % 4096 == 0 and e["checksum"] == "ok" for e in j["plan"]["extents"])' True
# What an extent's place in the image holds is what the file has for it.
check "an extent is the kernel's bytes" cmp -n 1000 \
	-i "$(json i.json 'j["plan"]["extents"][0]["image_offset"]'):$(json k.json 'int(j["segments"][0]["file_offset"], 16)')" k.img k.elf
if command -v jq >/dev/null; then
	check "jq reads it" jq -e '.plan.extents | length > 0' i.json
fi

# damage NAME OFFSET TEXT: a flipped bit is found and named.
damage() {
	cp --sparse=always k.img bad.img
	printf "\\$(printf %o $(($(od -An -tu1 -j "$2" -N 1 k.img) ^ 4)))" | dd of=bad.img bs=1 seek="$2" conv=notrunc status=none
	try "$1: status" 1 "$MKBOOTIMG" inspect bad.img
	has "$1: which" out "$3, checksum wrong"
	has "$1: said" err "will not boot"
	"$MKBOOTIMG" inspect --json bad.img >bad.json 2>/dev/null
	says "$1: JSON too" bad.json '[r["what"] for r in j["ranges"] if r["checksum"] == "wrong"][0]' "$3"
}
at() { json i.json "[r['offset'] for r in j['ranges'] if r['what'] == '$1'][0]"; }
damage "stage 2 damaged" $(($(at "stage 2") + 1000)) "stage 2"
damage "boot table damaged" $(($(at "boot table") + 100)) "boot table"
damage "payload damaged" $(($(at "extent 0") + 100)) "extent 0"
cp --sparse=always k.img odd.img
printf x | dd of=odd.img bs=1 seek=700000 conv=notrunc status=none
try "a byte that does not belong" 0 "$MKBOOTIMG" inspect odd.img
has "is seen" out "explained, 1 not"
head -c 1049000 k.img >short.img
try "a truncated image" 1 "$MKBOOTIMG" inspect short.img
has "is said" err "truncated"

echo "neither kernel nor image" >neither.txt
try "neither" 1 "$MKBOOTIMG" inspect neither.txt
has "is said" err "neither an ELF kernel nor an image of mkbootimg"
head -c 510 /dev/zero >foreign.img
printf '\125\252' >>foreign.img
try "someone else's image" 1 "$MKBOOTIMG" inspect foreign.img
has "is said" err "nor an image of mkbootimg"
try "nothing" 2 "$MKBOOTIMG" inspect
try "two files" 2 "$MKBOOTIMG" inspect k.elf k.img
has "is said" err "more than one file: 'k.elf' and 'k.img'"
try "options for planning, and an image" 2 "$MKBOOTIMG" inspect --stack-size 1M k.img
has "is said" err "'k.img' is an image already: options for planning are for kernels"
try "a bad kernel" 1 "$MKBOOTIMG" inspect "$KERNELS/ends.o"

# ---- Pictures ----------------------------------------------------------------------

# xml FILE: it is XML, has no script and loads nothing; its texts, a line each, are in
# ./texts.
xml() {
	python3 - "$1" >texts <<'END'
import sys
import xml.etree.ElementTree as tree

for element in tree.parse(sys.argv[1]).iter():
    kind = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
    assert kind in ("svg", "title", "style", "rect", "path", "text"), kind
    assert not any("href" in name or name.startswith("on") for name in element.attrib), element.attrib
    if kind == "style":
        assert "url" not in element.text and "import" not in element.text
    elif element.text and element.text.strip():
        print(element.text)
END
}
# draws NAME STATUS FILE [OPTION...]: inspect draws a picture of it, and prints nothing.
draws() {
	local name=$1 status=$2 file=$3
	shift 3
	rm -f picture.svg
	try "$name" "$status" "$MKBOOTIMG" inspect --svg picture.svg "$@" "$file"
	empty "$name: nothing is printed" out
	check "$name: XML" xml picture.svg
}

draws "a picture of a kernel" 0 k.elf -c 'say "hello"'
has "its extents" texts "extent 0, checksum ok"
has "its blocks" texts "block 0: kernel, "
has "what is cleared" texts ", cleared"
has "its maps, with their rights" texts "r-x  kernel: block 0 + 0x0"
has "where they are" texts "0xffffffff80200000, "
has "its command line" texts 'command line: say "hello"'
grep -v "k.elf" picture.svg >kernel.svg
draws "a picture of its image" 0 k.img
grep -v "k.img" picture.svg | diff - kernel.svg >differences
empty "is the same" differences
"$MKBOOTIMG" build -q --compress lz4 -o packed.img "$KERNELS/data.elf"
draws "a picture of compressed extents" 0 packed.img
has "says that" texts " (LZ4), checksum ok"
for kernel in modules-native state32-mb1 bl09-none; do
	options=()
	[[ $kernel != bl09* ]] || options=(--protocol bootloader-0.9)
	draws "a picture of $kernel" 0 "$KERNELS/$kernel.elf" "${options[@]}"
	"$MKBOOTIMG" inspect --json "${options[@]}" "$KERNELS/$kernel.elf" >plan.json
	for kind in extents blocks maps; do
		wanted=$(json plan.json "len(j['plan']['$kind'])")
		case $kind in
		extents) got=$(grep -c '^extent [0-9]*, checksum ok$' texts) ;;
		blocks) got=$(grep -c '^block [0-9]*: ' texts) ;;
		maps) got=$(grep -c '^[r-][w-][x-]  .*: block [0-9]* + 0x' texts) ;;
		esac
		check "$kernel: all $kind" test "$got" -eq "$wanted"
	done
done
"$MKBOOTIMG" inspect --svg picture.svg "$KERNELS/state32-mb1.elf"
xml picture.svg
has "a kernel without pages" texts "paging is off"
hostile=$'<script>&"\'\033[2J\xff]]>'
cp k.elf "$hostile"
draws "a hostile name" 0 "$hostile" -c '</text><script href="x">&amp;'
has "is a title" texts '<script>&"'
has "a hostile command line is text" texts '</text><script href="x">&amp;'
draws "a long command line" 0 k.elf -c "$(printf 'x%.0s' {1..4000})"
has "is cut" texts "xxx..."
cp --sparse=always k.img bad.img
printf '\0\0\0' | dd of=bad.img bs=1 seek=$(($(at "extent 0") + 100)) conv=notrunc status=none
draws "a damaged image" 1 bad.img
has "where it is damaged" texts "extent 0, checksum wrong"
has "which is seen" picture.svg '<rect class="wrong"'
cp --sparse=always k.img bad.img
printf '\0\0\0' | dd of=bad.img bs=1 seek=$(($(at "boot table") + 8)) conv=notrunc status=none
draws "an image without a plan" 1 bad.img
has "why it will not boot" texts "It will not boot:"
has "what there is of it" texts "boot table, checksum wrong"

cp k.elf before.elf
try "a picture over the kernel" 2 "$MKBOOTIMG" inspect --svg k.elf k.elf
has "is said" err "the output 'k.elf' is the kernel itself"
has "and what to do" err "name another file with --svg"
try "a picture over a module" 2 "$MKBOOTIMG" inspect --svg neither.txt -m neither.txt k.elf
has "is said" err "the output 'neither.txt' is a module itself"
try "a picture over the image" 2 "$MKBOOTIMG" inspect --svg k.img k.img
has "is said" err "the output 'k.img' is the image itself"
check "the kernel is as it was" cmp k.elf before.elf
try "a picture nowhere" 1 "$MKBOOTIMG" inspect --svg nowhere/k.svg k.elf
has "is said" err "nowhere"
try "JSON and a picture" 2 "$MKBOOTIMG" inspect --json --svg k.svg k.elf
has "is said" err "--json and --svg: one at a time"

# The one in docs is made by "make docs"; compilers differ in their kernels' sizes, and
# loaders have new ones, so numbers, and what is empty, do not count here.
cp "$ROOT/docs/layout.svg" theirs.svg
cp -r "$ROOT/example-kernel" example
try "the example kernel" 0 make -C example clean kernel.elf MKBOOTIMG_INCLUDE="$ROOT/include"
check "its picture" "$MKBOOTIMG" inspect --svg ours.svg example/kernel.elf
for file in theirs ours; do grep -v 'class="hole' $file.svg | sed -E 's/0x[0-9a-f]+|[0-9]+/N/g; s/N (bytes|KiB|MiB)/N units/g' >$file.text; done
diff theirs.text ours.text >differences
empty "docs/layout.svg is what make docs makes" differences

done_testing
