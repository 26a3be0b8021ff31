# SPDX-License-Identifier: MIT
#
# Makes the parts of the test kernel "segments": with -v what=asm its data, with
# -v what=ld its linker script, whose program headers are in no order.

function address(i) { return 4 * 1048576 + i * 131072 + (i % 7) * 3 * 8 }

BEGIN {
	n = 120
	if (what == "asm") {
		for (i = 0; i < n; i++) {
			printf "section .part%d progbits alloc write\npart%d:\n", i, i
			printf "\ttimes %d dq %d\npart%d_data_end:\n", 100 + i * 3, i, i
			if (i % 2) printf "section .bss%d nobits alloc write\n\tresq %d\n", i, 600 + i
			printf "part%d_end:\n", i
		}
		print "section .rodata\nglobal places\nplaces:"
		for (i = 0; i < n; i++)
			printf "\tdq part%d, part%d_data_end, part%d_end\n", i, i, i
		print "section .note.GNU-stack noalloc noexec nowrite progbits"
	} else {
		print "ENTRY(_start)\nPHDRS\n{"
		for (i = 0; i < n; i++) printf "\tp%d PT_LOAD FLAGS(6);\n", (i * 37) % n
		print "\ttext PT_LOAD FLAGS(5);\n\trodata PT_LOAD FLAGS(4);\n\tstack PT_GNU_STACK FLAGS(6);\n}\nSECTIONS\n{"
		print "\t. = 0x200000;\n\t.text : { *(.text .text.*) } :text"
		print "\t. = ALIGN(4096);\n\t.rodata : { *(.rodata .rodata.*) } :rodata"
		for (i = 0; i < n; i++) {
			printf "\t. = %d;\n\t.part%d : { *(.part%d) } :p%d\n", address(i), i, i, i
			if (i % 2) printf "\t.bss%d : { *(.bss%d) } :p%d\n", i, i, i
		}
		print "\t/DISCARD/ : { *(.comment .note .note.* .eh_frame .bss .data) }\n}"
	}
}
