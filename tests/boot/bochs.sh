#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Bochs: a BIOS, a disk and CPUs that are not QEMU's.  The same images boot.
#
# Bochs ends when a kernel asks it to, but has no status for that: the verdict is
# what the kernel says on COM1.
. "$(dirname "$0")/../lib.sh"

SHARE=/usr/share/bochs
SEABIOS=/usr/share/seabios/bios.bin
INTEL=corei7_sandy_bridge_2600k
OLD_INTEL=core2_penryn_t9600
AMD=ryzen

export SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy

# machine IMAGE [LINE...]: write ./bochsrc; the lines say what is not as usual.
machine() {
	local image=$1
	shift
	cat >bochsrc <<-END
		config_interface: textconfig
		display_library: sdl2
		romimage: file=$SHARE/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		pci: enabled=1, chipset=i440fx, slot1=pcivga
		cpu: model=$INTEL, ips=4000000, reset_on_triple_fault=0
		memory: guest=64, host=64
		boot: disk
		ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
		ata0-master: type=disk, path="$image", mode=volatile
		com1: enabled=1, mode=file, dev=com1
		port_e9_hack: enabled=1
		plugin_ctrl: speaker=0
		clock: sync=none
		panic: action=fatal
		error: action=report
		log: bochs.log
	END
	for line in "$@"; do
		sed -i "/^${line%%:*}:/d" bochsrc
		echo "$line" >>bochsrc
	done
}
# Lines for it.
cpu() { echo "cpu: model=$1, ips=4000000, reset_on_triple_fault=0"; }
memory() { echo "memory: guest=$1, host=$(($1 < 256 ? $1 : 256))"; }

# run_bochs [TEXT]: run it, until it ends or COM1 has said TEXT (ends_or_says).  What
# COM1 said is in ./out, without carriage returns, the end of what Bochs did in
# ./err.  Fails if neither happens in time.
run_bochs() {
	rm -f bochs.log
	: >com1
	bochs -q -f bochsrc "${commands[@]}" >bochs.out 2>&1 </dev/null &
	ends_or_says $! com1 "${1:-}"
	local status=$?
	tr -d '\r' <com1 >out
	{
		grep -a -A 1 'exiting with the following' bochs.out
		grep -a '^[0-9]*[ep]\[' bochs.log | tail -n 5
		grep -a 'RIP=' bochs.log | tail -n 1
	} >err 2>/dev/null
	[ $status -ne $TIMED_OUT ]
}

# image OPTION... KERNEL: build it into ./bochs.img.
image() {
	"$MKBOOTIMG" build -q -o bochs.img "$@" >out 2>err
}

# boots_bochs NAME "LINE;LINE" KERNEL [BUILD-OPTION...]: the kernel says success,
# and Bochs has met nothing that a CPU or a device would not like.
boots_bochs() {
	local name=$1 lines=() kernel=$3
	IFS=';' read -ra lines <<<"$2"
	shift 3
	if ! image "$@" "$KERNELS/$kernel.elf"; then
		fail "$name: build" out err
		return
	fi
	machine bochs.img "${lines[@]}"
	if ! run_bochs; then
		fail "$name: hang: not over after $SECONDS_MAX s" out err
	elif ! grep -qx 'verdict: 0x10' out; then
		fail "$name: no success" out err
	elif grep -a '^[0-9]*e\[' bochs.log >errors; then
		fail "$name: Bochs dislikes something" errors
	else
		pass "$name"
	fi
}

# says_bochs NAME "LINE;LINE" TEXT: what is in ./bochs.img ends by saying so.
says_bochs() {
	local lines=()
	IFS=';' read -ra lines <<<"$2"
	machine bochs.img "${lines[@]}"
	if run_bochs "$3" && grep -qF -- "$3" out; then pass "$1"; else fail "$1: no '$3'" out err; fi
}

# ---- Is it there? -----------------------------------------------------------

commands=()
if ! command -v bochs >/dev/null; then
	skip "Bochs" "bochs is not installed"
	done_testing
fi
# One with a debugger begins by asking what to do.
printf 'continue\nquit\n' >commands
if bochs --help 2>&1 | grep -q -- '-rc '; then
	commands=(-rc commands)
fi
for file in $SHARE/BIOS-bochs-latest /usr/share/vgabios/vgabios.bin; do
	if [ ! -e $file ]; then
		skip "Bochs" "there is no $file"
		done_testing
	fi
done
image -c "" "$KERNELS/state-high.elf"
machine bochs.img
run_bochs
if grep -qF "'sdl2' not available" bochs.out; then
	skip "Bochs" "it lacks its SDL plugin, which needs no screen (bochs-sdl)"
	done_testing
fi

# ---- CPUs ------------------------------------------------------------------

cpus=("$INTEL" "$OLD_INTEL" "$AMD")
if [ -n "${LONG:-}" ]; then
	cpus+=(bx_generic p4_prescott_celeron_336 athlon64_clawhammer turion64_tyler phenom_8650_toliman
		corei5_lynnfield_750 zambezi corei7_haswell_4770 corei7_skylake_x tigerlake)
fi
for cpu in "${cpus[@]}"; do
	boots_bochs "$cpu: entry state, native" "$(cpu $cpu)" state-high -c "ram=64"
	for protocol in mb1 mb2 pvh; do
		boots_bochs "$cpu: entry state, $protocol" "$(cpu $cpu)" state32-$protocol -c full
	done
done
# The kernel lies in what would be such a page.
boots_bochs "$AMD: pages of 1 GiB" "$(cpu $AMD)" state-far
boots_bochs "two CPUs" "cpu: model=$INTEL, count=2, ips=4000000, reset_on_triple_fault=0" state-high -c "ram=64"

no_long_mode=(core_duo_t2400_yonah)
[ -z "${LONG:-}" ] || no_long_mode+=(atom_n270 p4_willamette p3_katmai pentium)
for cpu in "${no_long_mode[@]}"; do
	says_bochs "$cpu: no long mode" "$(cpu $cpu)" "mkbootimg E03: the CPU cannot run 64-bit code (no long mode)"
done

# ---- Kernels ---------------------------------------------------------------

kernels=(state-low state-last segments pie-rela lowest-native)
if [ -n "${LONG:-}" ]; then
	kernels+=(data state-far state-middle state-physmap state-handoff lowest-mb1 lowest-pvh unordered-mb1 unordered-mb2
		unordered-pvh state32-plain state32-mb1-64 state32-mb2-64 state32-pvh-64 state32-pvh8 pie-relr
		map-native map-mb1 map-pvh low-mb2)
fi
for kernel in "${kernels[@]}"; do
	boots_bochs "$kernel" "$(memory 256)" "$kernel"
done

bl09=("none:$AMD" "mrs:$INTEL")
[ -z "${LONG:-}" ] || bl09+=("mrsv:$INTEL" "none:$OLD_INTEL" "high-mr:$AMD" "slot1-mr:$OLD_INTEL" "pie-ms:$INTEL"
	"mrs:athlon64_clawhammer" "mrs:tigerlake")
for pair in "${bl09[@]}"; do
	kernel=bl09-${pair%:*}
	boots_bochs "$kernel, ${pair#*:}" "$(cpu ${pair#*:})" $kernel --protocol bootloader-0.9 \
		--features "$(features ${kernel##*-})"
done

head -c 300000 /dev/urandom >noise
printf x >one
for protocol in native mb1; do
	boots_bochs "modules, $protocol" "" modules-$protocol -m noise="some noise" -m one
	has "modules, $protocol: whole, with its name" out "$(cksum <noise) some noise"
	has "modules, $protocol: and the other" out "$(cksum <one) one"
done

# It goes on after what ends a run in QEMU.
try "the example kernel: builds" 0 "$MKBOOTIMG" build -o bochs.img -c "one two exit" "$ROOT/example-kernel/kernel.elf"
says_bochs "the example kernel" "" "Command line: one two exit"
has "the example kernel: says hello" out "Hello World!"

# ---- CDs -------------------------------------------------------------------

if command -v xorriso >/dev/null; then
	boots_bochs "an ISO image from a CD" "ata0-master: type=cdrom, path=bochs.img, status=inserted;boot: cdrom" \
		state-high -f iso -c "ram=64"
	boots_bochs "an ISO image as a disk" "" state-high -f iso -c "ram=64"
else
	skip "an ISO image" "xorriso is not installed"
fi

# ---- Memory ----------------------------------------------------------------

boots_bochs "16 MiB" "$(memory 16)" state-high -c "ram=16"
boots_bochs "32 MiB: what is usable is" "$(memory 32)" memory
if [ -n "${LONG:-}" ]; then
	# Its BIOS leaves the fourth GiB to devices, and gives none for it elsewhere.
	for pair in 8:0 512:512 3072:3072 5120:4096; do
		boots_bochs "${pair%:*} MiB" "$(memory ${pair%:*})" state-high -c "ram=${pair#*:}"
	done
	boots_bochs "5 GiB: what is usable is" "$(memory 5120)" memory
	boots_bochs "5 GiB, bl09-mr" "$(memory 5120)" bl09-mr --protocol bootloader-0.9 --features "$(features mr)"
	boots_bochs "32 MiB, bl09heap" "$(memory 32)" bl09heap --protocol bootloader-0.9 --features "$(features m)"
	for protocol in mb1 mb2 pvh; do
		boots_bochs "5 GiB, $protocol" "$(memory 5120)" state32-$protocol -c full
	done
fi

# ---- Screen ----------------------------------------------------------------

boots_bochs "VBE, what a header asks for" "" video-mb1 -c "size=800x600x32"
boots_bochs "VBE, what --video does" "" video-native -c "size=640x480x32" --video 640x480x32
if [ -n "${LONG:-}" ]; then
	boots_bochs "VBE, Multiboot 2" "" video-mb2 -c "size=800x600x32"
	for size in 1024x768x32 800x600x24; do
		boots_bochs "VBE, $size" "" video-native -c "size=$size" --video $size
	done
	# There are no ACPI tables then, which others insist on.
	boots_bochs "without PCI" "pci: enabled=0" state32-mb1 -c full
fi
image --video 801x600 "$KERNELS/smallest.elf"
says_bochs "VBE, a mode that there is not" "" "mkbootimg E19: the screen has no mode 801x600 as asked for"

# ---- Exceptions ------------------------------------------------------------

# The last line of a report has CR3.
faults=("stack overflow|14 (page fault)|0xfffffe0000000f" "timer|8 (IRQ 0, timer)|0x0")
[ -z "${LONG:-}" ] || faults+=("invalid opcode|6 (invalid opcode)|0x0" "divide|0 (divide error)|0x0"
	"page fault|14 (page fault)|0x123456789abc" "general protection|13 (general protection)|0x0"
	"no code|14 (page fault)|0x123456789000" "serial interrupt|12 (IRQ 4, COM1)|0x0"
	"software interrupt|13 (general protection)|0x0")
for line in "${faults[@]}"; do
	IFS='|' read -r fault exception cr2 <<<"$line"
	image -c "$fault" "$KERNELS/faults.elf"
	says_bochs "$fault: a report" "" "CR3 0x"
	has "$fault: came to it" out "fault: $fault"
	has "$fault: which" out "exception $exception"
	has "$fault: CR2" out "CR2 $cr2"
done

# What must not pass for success.
image -c "triple fault" "$KERNELS/ends.elf"
machine bochs.img
check "a triple fault: Bochs ends" run_bochs
has "a triple fault: Bochs knows" err "3rd"
has_not "a triple fault: no verdict" out "verdict"

# ---- Firmware --------------------------------------------------------------

# An old BIOS, which has no ACPI tables; SeaBIOS on Bochs' machine.
bios=(legacy:state32-mb1 seabios:state-high)
[ -z "${LONG:-}" ] || bios+=(legacy:segments legacy:memory legacy:state32-plain
	seabios:state32-mb1 seabios:state32-mb2 seabios:state32-pvh seabios:memory)
for pair in "${bios[@]}"; do
	case $pair in
	legacy:*) file=$SHARE/BIOS-bochs-legacy ;;
	*) file=$SEABIOS ;;
	esac
	if [ -e $file ]; then
		boots_bochs "${file##*/}, ${pair#*:}" "romimage: file=$file;$(memory 32)" ${pair#*:}
	else
		skip "${file##*/}" "there is no $file"
	fi
done

done_testing
