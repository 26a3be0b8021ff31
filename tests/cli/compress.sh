#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# --compress, and kernels and modules that are gzip files: what becomes of them, and what
# is said.
. "$(dirname "$0")/../lib.sh"

# json FILE EXPRESSION: a Python expression over the document j.
json() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
# says NAME FILE EXPRESSION VALUE
says() {
	local got
	got=$(json "$2" "$3")
	if [ "$got" = "$4" ]; then pass "$1"; else fail "$1: $3 is '$got', not '$4'" "$2"; fi
}

# ---- --compress ----------------------------------------------------------------

cp "$KERNELS/packed-native.elf" k.elf
head -c 300000 /dev/urandom >random
for method in none auto lz4; do
	try "--compress $method" 0 "$MKBOOTIMG" build -v --compress $method -m random -o $method.img \
		--protocol multiboot2 "$KERNELS/modules-mb2.elf" -m k.elf
	mv out $method.txt
	try "$method: inspect" 0 "$MKBOOTIMG" inspect $method.img
	has "$method: everything is explained" out "explained, 0 not"
	has_not "$method: and right" out "wrong"
	check "$method: inspect says of extents what build -v does" \
		test -z "$(grep '^  extent' out | grep -vxFf $method.txt)"
	try "$method: inspect --json" 0 "$MKBOOTIMG" inspect --json $method.img
	mv out $method.json
	says "$method: a ratio" $method.json \
		'all(abs(e["ratio"] - e["stored"] / e["size"]) < 1e-9 for e in j["plan"]["extents"])' True
done
try "the default" 0 "$MKBOOTIMG" build --protocol multiboot2 -m random -m k.elf -o default.img "$KERNELS/modules-mb2.elf"
check "is none" cmp default.img none.img
says "none: all are raw" none.json '{e["method"] for e in j["plan"]["extents"]}' "{'raw'}"
says "lz4: all are compressed" lz4.json '{e["method"] for e in j["plan"]["extents"]}' "{'lz4'}"
says "lz4: what does not shrink hardly grows" lz4.json '[e["stored"] - 300000 for e in j["plan"]["extents"] if e["size"] == 300000]' "[40]"
says "auto: random bytes are raw" auto.json '[e["method"] for e in j["plan"]["extents"] if e["size"] == 300000]' "['raw']"
says "auto: what shrinks is compressed" auto.json '[e["method"] for e in j["plan"]["extents"] if e["size"] > 1500000]' "['lz4']"
has "auto: says so" auto.txt " is compressed: its samples shrink to "
has "auto: says why not" auto.txt " is not compressed: its samples shrink to 100."
check "a smaller image" test "$(stat -c %s auto.img)" -lt "$(stat -c %s none.img)"
check "that takes less of the disk" test "$(stat -c %b auto.img)" -lt "$(($(stat -c %b none.img) / 2))"
try "again" 0 "$MKBOOTIMG" build --compress auto --protocol multiboot2 -m random -m k.elf -o again.img "$KERNELS/modules-mb2.elf"
check "two builds are byte-equal" cmp auto.img again.img
try "another method" 2 "$MKBOOTIMG" build --compress zip -o x.img k.elf
has "is refused" err "--compress: 'zip' is none of none, auto, lz4"
try "with an image" 2 "$MKBOOTIMG" run --headless --compress lz4 none.img
has "it is too late" err "is an image already"

# ---- Kernels that are gzip files ---------------------------------------------------

mkdir plain packed
cp k.elf plain/k.elf
gzip -c k.elf >packed/k.elf
for directory in plain packed; do
	try "$directory: builds" 0 "$MKBOOTIMG" build -v -o $directory.img $directory/k.elf
	mv out $directory.txt
done
check "a packed kernel's image is the kernel's" cmp plain.img packed.img
has "build -v says that it was packed" packed.txt "the kernel is a gzip file: $(stat -c %s packed/k.elf) bytes, unpacked $(stat -c %s k.elf)"
has_not "and not of one that was not" plain.txt "gzip"
try "inspect" 0 "$MKBOOTIMG" inspect packed/k.elf
has "says so" out "the kernel is a gzip file"
try "inspect --json" 0 "$MKBOOTIMG" inspect --json packed/k.elf
mv out k.json
says "says so, too" k.json '[(u["module"], u["format"], u["packed_size"], u["size"]) for u in j["unpacked"]]' \
	"[(None, 'gzip', $(stat -c %s packed/k.elf), $(stat -c %s k.elf))]"
try "inspect --json of another" 0 "$MKBOOTIMG" inspect --json plain/k.elf
mv out k.json
says "has an empty list" k.json 'j["unpacked"]' "[]"
boots "it boots" packed/k.elf
gzip -c "$KERNELS/kludge-mb1.bin" >flat.gz
boots "a flat binary, packed" flat.gz

# bad NAME SENTENCE: kernel bad.gz is refused.
bad() {
	refuses "$1" "$2" bad.gz
	try "$1: run" 126 "$MKBOOTIMG" run --headless bad.gz
	try "$1: inspect" 1 "$MKBOOTIMG" inspect bad.gz
}
gzip -c k.elf >k.gz
head -c 100000 k.gz >bad.gz
bad "cut off" "'bad.gz' is truncated: its gzip data do not end"
(cat k.gz && echo more) >bad.gz
bad "with something behind" "'bad.gz' is a gzip file with 5 more bytes behind its end"
cp k.gz bad.gz
printf '\377\377\377\377' | dd of=bad.gz bs=1 seek=$(($(stat -c %s k.gz) - 8)) conv=notrunc status=none
bad "with a wrong checksum" "'bad.gz' is damaged: its gzip data cannot be unpacked (incorrect data check)"
gzip -c </dev/null >bad.gz
bad "of nothing" "'bad.gz' is a gzip file of nothing"
echo "no kernel" | gzip >bad.gz
bad "of something else" "'bad.gz' is not an ELF file"
head -c 540000000 /dev/zero | gzip -1 >bad.gz
bad "of more than there is of" "'bad.gz' is a gzip file that unpacks to more than 512 MiB"
rm -f bad.gz

# ---- What explains a crash ---------------------------------------------------------

gzip -c "$KERNELS/crash-native.elf" >crash.gz
explained() {
	try "$1" 122 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" "${@:2}"
	has "$1: names the function" err " third+0x"
	has "$1: and its line" err "kernels/crash.c:"
}
explained "a packed kernel" -c null crash.gz
try "its image" 0 "$MKBOOTIMG" build -c null -o crash.img crash.gz
mv crash.gz crash
explained "its image, the packed kernel beside it" crash.img
mv crash elsewhere.gz
explained "its image, and --symbols" --symbols elsewhere.gz crash.img

# ---- Modules that are gzip files -----------------------------------------------------

gzip -c "$KERNELS/ends.elf" >elf.gz
(head -c 514 /dev/zero && printf HdrS && head -c 9000 /dev/urandom) >linux
gzip -c linux >linux.gz
printf '0707010000' | gzip >initrd.gz
(gzip -c "$KERNELS/ends.elf" | head -c 1000) >short.gz
cp "$KERNELS/ends.elf" .
cksum ends.elf linux initrd.gz >wanted
try "modules: inspect" 0 "$MKBOOTIMG" inspect -m elf.gz -m linux.gz -m initrd.gz "$KERNELS/modules-mb1.elf"
has "modules: an ELF file is unpacked" out "module 'elf.gz' is a gzip file: $(stat -c %s elf.gz) bytes, unpacked $(stat -c %s ends.elf)"
has "modules: a Linux kernel is unpacked" out "module 'linux.gz' is a gzip file"
has_not "modules: an initial RAM disk is not" out "module 'initrd.gz'"
boots "modules: boots" "$KERNELS/modules-mb1.elf" -m elf.gz=ends.elf -m linux.gz=linux -m initrd.gz
check "modules: are what is meant" cmp <(grep -v ^verdict: out) wanted
refuses "a module that is cut off" "module: 'short.gz' is truncated: its gzip data do not end" \
	"$KERNELS/modules-mb1.elf" -m short.gz

done_testing
