#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The matrix of machines (matrix.table): kernels that check themselves, on many
# kinds of disk, CPU and memory.  QEMU is run as others run it, not by mkbootimg.
# With TABLE=1 it prints a table instead of TAP.
. "$(dirname "$0")/../lib.sh"

TABLE_FILE=$ROOT/tests/boot/matrix.table
REFUSED="mkbootimg E03: the CPU cannot run 64-bit code (no long mode)"

rows() { grep "^[*${LONG:+-}] " "$TABLE_FILE" | cut -c 3-; }

# ---- A machine ---------------------------------------------------------------

# Debian's QEMU has another firmware in this one's place.
microvm_bios() {
	local file
	for file in /usr/share/seabios/bios-microvm.bin /usr/share/qemu/bios-microvm.bin; do
		if [ -e $file ] && grep -aq virtio-mmio $file; then
			echo $file
			return
		fi
	done
	return 1
}

# qemu_disk NAME: options that attach the drive "disk", into the array args.
qemu_disk() {
	local controller='' device bus=bus.0
	case $1 in
	ide)
		device=ide-hd
		# Of q35's own controllers none is for IDE.
		[ "$machine" != q35 ] || controller=piix3-ide
		;;
	ahci) controller=ahci device=ide-hd ;;
	virtio) device=virtio-blk-pci ;;
	virtio-old) device=virtio-blk-pci,disable-modern=on,disable-legacy=off ;;
	nvme) device=nvme,serial=boot ;;
	virtio-scsi) controller=virtio-scsi-pci device=scsi-hd ;;
	lsi) controller=lsi53c895a device=scsi-hd ;;
	esp) controller=am53c974 device=scsi-hd ;;
	megasas) controller=megasas device=scsi-hd ;;
	mptsas) controller=mptsas1068 device=scsi-hd ;;
	pvscsi) controller=pvscsi device=scsi-hd ;;
	uhci) controller=piix3-usb-uhci device=usb-storage ;;
	ohci) controller=pci-ohci device=usb-storage ;;
	ehci) controller=usb-ehci device=usb-storage ;;
	xhci) controller=qemu-xhci device=usb-storage ;;
	sd) controller=sdhci-pci device=sd-card bus=sd-bus ;;
	mmio) device=virtio-blk-device ;;
	mmio-scsi) controller=virtio-scsi-device device=scsi-hd ;;
	*) return 1 ;;
	esac
	# SeaBIOS knows the devices of virtio 1.0 there.
	[[ $1 != mmio* ]] || args+=(-global "virtio-mmio.force-legacy=false")
	[ -z "$controller" ] || args+=(-device "$controller,id=bus")
	[ "$1" = sd ] || device+=,bootindex=0
	args+=(-device "$device,drive=disk${controller:+,bus=$bus}")
}

# qemu_machine: all options, into args; or why not, into result.
qemu_machine() {
	local type=$machine,memory-backend=ram bios
	args=(-nodefaults -display none -no-reboot -cpu "$cpu" -smp "$cpus" -accel "$accel")
	# Memory that is not touched need not be there.
	args+=(-m "$memory" -object "memory-backend-ram,id=ram,size=$memory,reserve=off")
	if [ "$machine" = microvm ]; then
		if ! bios=$(microvm_bios); then
			result="skipped: no SeaBIOS for microvm here"
			return 1
		fi
		type+=,acpi=on
		args+=(-bios "$bios")
	else
		args+=(-vga std)
	fi
	# Without PCI, strict=on would leave no disk.
	args+=(-M "$type" -boot reboot-timeout=100)
	args+=(-drive "if=none,id=disk,format=raw,file=row.img,snapshot=on")
	if ! qemu_disk "$disk"; then
		result="matrix.table: what is disk '$disk'?"
		return 1
	fi
	args+=(-device "isa-debug-exit,iobase=0xf4,iosize=4" -serial file:com1
		-chardev "file,id=firmware,path=firmware" -device "isa-debugcon,iobase=0x402,chardev=firmware")
	# For kernels without a command line.
	if [ ${#words[@]} -gt 0 ]; then
		args+=(-fw_cfg "name=opt/test,string=${words[*]}")
	fi
}

# ---- A kernel ----------------------------------------------------------------

# Build row.img: what the kernel is told of the machine is also in words.
build_row() {
	local mib=${memory%[MG]} line=full
	words=()
	[[ $cpu == *,-nx ]] && words+=(nonx)
	[ "$machine" = microvm ] && words+=(noscreen)
	[[ $memory == *G ]] && mib=$((mib * 1024))
	line+=" ram=$mib ${words[*]}"
	[ "$machine" = isapc ] && line+=" noacpi"
	[ "$kernel" = state-low ] && line+=" phys=virt"
	case $kernel in
	bl09*)
		local set=${kernel#bl09-}
		[ "$kernel" = bl09heap ] && set=m
		"$MKBOOTIMG" build -q -o row.img --protocol bootloader-0.9 --features "$(features "$set")" \
			"$KERNELS/$kernel.elf"
		;;
	*)
		"$MKBOOTIMG" build -q -o row.img -c "$line" "$KERNELS/$kernel.elf"
		words=()
		;;
	esac
	[ "$disk" != sd ] || truncate -s 2M row.img	# a power of two
}

# ---- A row -------------------------------------------------------------------

kvm_is_usable() {
	if [ -z "${kvm:-}" ]; then
		kvm=no
		"$MKBOOTIMG" build -q -o kvm.img -c success "$KERNELS/ends.elf"
		"$MKBOOTIMG" run --dry-run --headless kvm.img | grep -q -- '-accel kvm' && kvm=yes
	fi
	[ $kvm = yes ]
}

# What COM1 said that explains most.
last_line() {
	{
		tr -d '\r' <com1 | grep -v '^verdict:' | tail -n 1
		grep '^exception ' com1
	} | tail -n 1 | cut -c 1-90
}

# run_row MACHINE DISK RAM CPU CPUS ACCEL KERNEL: how it went, into result: "boots",
# "refused", "skipped: ..." or what is wrong.
run_row() {
	local machine=$1 disk=$2 memory=$3 cpu=$4 cpus=$5 accel=$6 kernel=$7 status args words
	if [ "$accel" = kvm ] && ! kvm_is_usable; then
		result="skipped: no KVM that works"
		return
	fi
	: >com1
	: >firmware
	if ! build_row >out 2>err; then
		result="build: $(head -n 1 err)"
		return
	fi
	qemu_machine || return
	qemu-system-x86_64 "${args[@]}" >out 2>err </dev/null &
	ends_or_says $! com1
	status=$?
	if [[ $cpu == *,-lm || $cpu == pentium3 ]]; then
		result="not refused: $(last_line)"
		! grep -qF "$REFUSED" com1 || result=refused
	elif [ $status -eq $TIMED_OUT ]; then
		result="hang: not over after $SECONDS_MAX s; last: $(last_line)"
	elif [ $status -eq $SAID ]; then
		result="stopped: $(last_line)"
	elif [ $status -eq 33 ] && grep -qx 'verdict: 0x10' com1; then
		result=boots
	elif [ $status -eq 1 ] && [ ! -s com1 ] && [ ! -s firmware ]; then
		result="skipped: $(grep -v warning: err | head -n 1 | sed 's/^qemu-system-x86_64: //')"
	elif ! grep -q 'Booting from 0000:7c00' firmware; then
		result="the firmware does not boot it: $(tr -d '\0' <firmware | grep -v '^$' | tail -n 1)"
	elif [ $status -eq 0 ]; then
		result="the machine was reset; last: $(last_line)"
	else
		result="status $status; last: $(last_line)"
	fi
}

# ---- The table ---------------------------------------------------------------

# Which two values of two columns that ought to meet in some line do not.
missing_pairs() {
	grep '^[*-] ' "$TABLE_FILE" | grep -v ' kvm ' | cut -c 3- | awk '
	function impossible(a, b) {
		return a == "isapc" && b ~ /^(4|ahci|virtio|virtio-scsi|nvme|uhci|ehci|xhci|mmio)$/ ||
			a == "microvm" && b ~ /^(ide|ahci|virtio|virtio-scsi|nvme|uhci|ehci|xhci)$/ ||
			a ~ /^(pc|q35)$/ && b == "mmio" ||
			a ~ /^(16M|32M|64M)$/ && b == "data" ||		# too little
			a ~ /^(ide|uhci|ehci)$/ && b == "data" ||	# too slow
			a == "uhci" && b == "segments"
	}
	function meet(columns_a, columns_b,   i, j, a, b) {
		split(values[columns_a], a)
		split(values[columns_b], b)
		for (i in a)
			for (j in b)
				if (!((a[i], b[j]) in seen) && !impossible(a[i], b[j]))
					print a[i], "and", b[j]
	}
	{
		for (i = 1; i <= NF; i++)
			for (j = 1; j <= NF; j++)
				seen[$i, $j]
	}
	END {
		values["machine"] = "pc q35 isapc microvm"
		values["disk"] = "ide ahci virtio virtio-scsi nvme uhci ehci xhci mmio"
		values["memory"] = "16M 32M 64M 128M 1G 3G 4G 6G 12G"
		values["cpu"] = "qemu64 Nehalem EPYC max qemu64,-nx max,-pdpe1gb"
		values["cpus"] = "1 4"
		values["kernel"] = "state-low state-high segments data memory state32-mb1 state32-mb2 state32-pvh bl09-mrs"
		meet("machine", "disk"); meet("machine", "memory"); meet("machine", "cpu"); meet("machine", "cpus")
		meet("machine", "kernel"); meet("disk", "kernel"); meet("memory", "cpu"); meet("memory", "kernel")
		meet("cpu", "kernel"); meet("cpus", "kernel"); meet("cpus", "cpu")
	}'
}

if [ -n "${TABLE:-}" ]; then
	bad=0
	printf '%-8s %-12s %-5s %-14s %-4s %-6s %-12s %s\n' machine disk RAM CPU CPUs accel kernel verdict
	while read -r -a row; do
		run_row "${row[@]}"
		case $result in
		boots | refused | skipped:*) ;;
		*) bad=$((bad + 1)) ;;
		esac
		printf '%-8s %-12s %-5s %-14s %-4s %-6s %-12s %s\n' "${row[@]}" "$result"
	done < <(rows)
	# shellcheck disable=SC2034
	finished=1	# nothing is to be kept
	echo
	echo "$(rows | wc -l) machines, $bad of them not as they should be"
	exit $((bad > 0))
fi

missing_pairs >pairs
empty "the table: values that ought to meet do" pairs
while read -r -a row; do
	run_row "${row[@]}"
	name="${row[*]}"
	case $result in
	boots | refused) pass "$name: $result" ;;
	"skipped: no KVM"*) may_skip "$name" "${result#skipped: }" ;;
	skipped:*) skip "$name" "${result#skipped: }" ;;
	*)
		tail -n 20 firmware | tr -d '\0' >firmware.end
		fail "$name: $result" com1 err firmware.end
		;;
	esac
done < <(rows)

done_testing
