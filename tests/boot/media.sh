#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Broken media: flipped bits, sectors in the wrong place, images cut short, reads
# that fail.  Either the kernel boots, and finds itself whole, or there is a sentence
# that says what is wrong.  With LONG=1, many more bits.
. "$(dirname "$0")/../lib.sh"

SECTOR=512
BASE=$((2048 * SECTOR))		# the partition
"$MKBOOTIMG" build -q -o good.img "$KERNELS/segments.elf" || exit 1
le32() { od -An -tu4 -j "$1" -N 4 good.img | tr -d ' '; }
LOADER=2048
TABLE=$((LOADER + $(le32 $((BASE + 4)))))
KERNEL=$((LOADER + $(le32 $((TABLE * SECTOR + $(le32 $((TABLE * SECTOR + 40))) + 24)))))	# the first extent
boots "the good image boots" good.img

# ---- Flipped bits --------------------------------------------------------------

# flips PART COUNT: how they ended goes into the log.
flips() {
	local name="$2 flipped bits of $1"
	[ "$2" -ne 0 ] || name="every flipped bit of $1"
	if timeout -s KILL 3000 python3 "$ROOT/tests/flip.py" "$MKBOOTIMG" good.img "$1" "$2" >flips 2>&1; then
		pass "$name"
		sed 's/^/# /' flips
	else
		fail "$name" flips
	fi
}
if [ -n "${LONG:-}" ]; then
	flips loader 1700
	flips table 1600
	flips kernel 1700
	flips sector0 1000
else
	flips loader 70
	flips table 60
	flips kernel 70
	flips sector0 40
fi

# ---- Sectors in the wrong place --------------------------------------------------

# misplaced NAME CODE SECTOR OTHER [swapped]: the second one's bytes are the first's
# too, or both change places.
misplaced() {
	cp --sparse=always $good bad.img
	dd if=$good of=bad.img bs=$SECTOR skip="$4" seek="$3" count=1 conv=notrunc status=none
	[ "${5:-}" != swapped ] ||
		dd if=$good of=bad.img bs=$SECTOR skip="$3" seek="$4" count=1 conv=notrunc status=none
	try "$1" 126 "$MKBOOTIMG" run --headless --timeout 30 bad.img
	has "$1: says so" err "mkbootimg $2: "
}
good=good.img
misplaced "loader: swapped sectors" E02 $((LOADER + 2)) $((LOADER + 5)) swapped
misplaced "loader: a repeated sector" E02 $((LOADER + 3)) $((LOADER + 4))
misplaced "loader: a missing sector" E02 $((LOADER + 3)) 1
misplaced "table: swapped sectors" E12 $((TABLE + 1)) $((TABLE + 2)) swapped
misplaced "table: a repeated sector" E12 $((TABLE + 2)) $((TABLE + 3))
misplaced "table: a missing sector" E12 $((TABLE + 2)) 1
# That kernel's extents are short.
good=code.img
"$MKBOOTIMG" build -q -o code.img "$KERNELS/state-low.elf"
code=$("$MKBOOTIMG" inspect --json code.img |
	python3 -c 'import json, sys; print(max((r["size"], r["offset"] // 512) for r in json.load(sys.stdin)["ranges"] if r["what"].startswith("extent"))[1])')
misplaced "kernel: swapped sectors" E14 $((code + 1)) $((code + 3)) swapped
misplaced "kernel: a repeated sector" E14 $((code + 1)) $((code + 3))
misplaced "kernel: a missing sector" E14 $((code + 1)) 1

# ---- Images cut short --------------------------------------------------------------

# The firmware takes a disk of less than 1008 sectors for none at all.
for length in $((LOADER + 1)) $((LOADER + 5)) $TABLE $((TABLE + 1)) $((KERNEL - 1)) $KERNEL $((KERNEL + 3)); do
	head -c $((length * SECTOR)) good.img >short.img
	try "cut after $length sectors" 126 "$MKBOOTIMG" run --headless --timeout 30 short.img
	check "cut after $length sectors: says so" grep -qE "mkbootimg E(01|02|08|09|12|14): " err
done

# ---- Reads that fail ----------------------------------------------------------------

# A QEMU whose disk fails in a sector, always or once (blkdebug).
cat >failing-qemu <<'EOF'
#!/usr/bin/env bash
args=()
for arg in "$@"; do
	case $arg in
	file=*,format=raw,*)
		file=${arg#file=}
		arg="driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=${file%%,*}"
		arg+=",file.inject-error.0.event=read_aio,file.inject-error.0.errno=5"
		arg+=",file.inject-error.0.sector=$FAILING,file.inject-error.0.once=$ONCE,${file##*,format=raw,}"
		;;
	esac
	args+=("$arg")
done
exec qemu-system-x86_64 "${args[@]}"
EOF
chmod +x failing-qemu
"$MKBOOTIMG" build -q --compress lz4 -o packed.img "$KERNELS/packed-native.elf"
packed=$("$MKBOOTIMG" inspect --json packed.img |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["plan"]["extents"][0]["image_offset"] // 512)')
for disk in ahci ide virtio; do
	for place in good:loader:$((LOADER + 2)):E01 good:table:$((TABLE + 1)):E08 good:kernel:$((KERNEL + 9)):E08 \
		"packed:compressed kernel:$((packed + 300)):E08"; do
		IFS=: read -r image part FAILING code <<<"$place"
		export FAILING
		ONCE=off try "$disk, the $part cannot be read" 126 \
			"$MKBOOTIMG" run --headless --timeout 30 --disk $disk --qemu ./failing-qemu $image.img
		has "$disk, the $part cannot be read: says so" err "mkbootimg $code: "
		ONCE=on try "$disk, the $part can be read the second time" 0 \
			"$MKBOOTIMG" run --headless --timeout 30 --disk $disk --qemu ./failing-qemu $image.img
	done
done

# A disk of the user's that is to stop the machine then.
cat >stopping-qemu <<'EOF'
#!/usr/bin/env bash
exec ./failing-qemu "${@/#ide-hd,/ide-hd,rerror=stop,}"
EOF
chmod +x stopping-qemu
FAILING=$((KERNEL + 9)) ONCE=off try "a disk that stops the machine" 126 \
	"$MKBOOTIMG" run --headless --timeout 30 --disk ide --qemu ./stopping-qemu good.img
has "a disk that stops the machine: says so" err "QEMU stopped the machine: io-error"

done_testing
