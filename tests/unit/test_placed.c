/* SPDX-License-Identifier: MIT
 *
 * placed_make(), placed_load(): where a kernel goes, and that a position-independent
 * one is right there when it is in memory.
 */
#include "kernel/placed.h"

#include <stdio.h>
#include <stdlib.h>

#include "bootabi.h"
#include "elf_maker.h"
#include "fake_loader.h"
#include "plan_check.h"
#include "protocol/protocol.h"
#include "unit.h"

#define NAME "k.elf"
#define MIB UINT64_C(0x100000)
#define PAGE ((uint64_t)PAGE_SIZE)
#define BASE UINT64_C(0x200000)	/* the default */
#define HIGH UINT64_C(0xffffffff80000000)

/* ---- Files --------------------------------------------------------------- */

/* Two segments, a page apart, and in the second one the dynamic section.  From
 * the first one's address: */
#define TEXT 0
#define DATA 0x2000
#define DYNAMIC 0x2400
#define PIE_END 0x3000
/* In the file: */
#define OFFSET 0x1000

struct pie_spec {
	bool is_32;
	uint16_t type;
	uint64_t linked;	/* address of the first segment */
	uint64_t align;
	uint64_t text_phys;	/* p_paddr - p_vaddr */
	uint64_t data_phys;
	uint64_t data_moved;	/* the second segment's distance, if not DATA */
};

/* Numbers that are relocated, by place: the first and last bytes that may be,
 * odd places, and both segments. */
static const uint64_t places[] = { TEXT, TEXT + 0x101, 0xff8, DATA, DATA + 9, DATA + 0x3f8 };
#define ADDEND(i) (0x1230 + 0x11 * (i))

static uint64_t place_of(const struct pie_spec *pie, size_t i)
{
	uint64_t moved = pie->data_moved != 0 ? pie->data_moved - DATA : 0;

	return pie->linked + places[i] + (places[i] >= DATA ? moved : 0);
}

static void put_relocations(unsigned char *bytes, const struct pie_spec *pie, uint64_t dynamic)
{
	struct elf_relative relatives[COUNT(places)];

	for (size_t i = 0; i < COUNT(places); i++) {
		relatives[i] = (struct elf_relative){ place_of(pie, i), pie->linked + ADDEND(i) };
		if (pie->is_32)
			elf_edit(bytes, OFFSET + places[i], 4, pie->linked + ADDEND(i));
	}
	elf_put_dynamic(bytes, pie->is_32, OFFSET + DYNAMIC, dynamic, relatives, COUNT(places));
}

/* The caller frees. */
static unsigned char *make_pie(const struct pie_spec *pie, size_t *size)
{
	uint64_t data = pie->linked + (pie->data_moved != 0 ? pie->data_moved : DATA);
	uint64_t dynamic = data + DYNAMIC - DATA, dynamic_size = ELF_DYNAMIC_SIZE(COUNT(places));
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = OFFSET, .p_vaddr = pie->linked,
		  .p_paddr = pie->linked + pie->text_phys, .p_filesz = 0x1000, .p_memsz = 0x1000,
		  .p_align = pie->align },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = OFFSET + DATA, .p_vaddr = data,
		  .p_paddr = data + pie->data_phys, .p_filesz = 0x800, .p_memsz = PIE_END - DATA,
		  .p_align = pie->align },
		{ .p_type = PT_DYNAMIC, .p_offset = OFFSET + DYNAMIC, .p_vaddr = dynamic,
		  .p_filesz = dynamic_size, .p_memsz = dynamic_size },
		{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W },
	};
	const struct elf_spec spec = { .is_32 = pie->is_32, .type = pie->type, .phdrs = phdrs,
				       .count = COUNT(phdrs), .entry = pie->linked + 0x40,
				       .size = OFFSET + PIE_END };
	unsigned char *bytes = elf_make(&spec, size);

	put_relocations(bytes, pie, dynamic);
	return bytes;
}

/* A file and its kernel. */
struct guest {
	struct pie_spec pie;
	unsigned char *bytes;
	size_t size;
	struct kernel kernel;
};

static struct guest open_pie(const struct pie_spec *pie)
{
	struct guest guest = { .pie = *pie };
	struct error err = { 0 };

	if (guest.pie.type == 0)
		guest.pie.type = ET_DYN;
	guest.bytes = make_pie(&guest.pie, &guest.size);
	assert_accepted(kernel_parse(&guest.kernel, guest.bytes, guest.size, NAME, &err), &err, "parse");
	return guest;
}

static void close_pie(struct guest *guest)
{
	kernel_free(&guest->kernel);
	free(guest->bytes);
}

static struct plan_options options_for(const uint64_t *base)
{
	return (struct plan_options){ .cmdline = "", .kernel_name = NAME, .kernel_base = base };
}

/* ---- Where --------------------------------------------------------------- */

/* All addresses move, by the same distance. */
static void check_moved(const struct guest *guest, const struct placed *placed, uint64_t slide)
{
	const struct kernel *kernel = &guest->kernel;

	CHECK(placed->slide == slide, "linked at 0x%llx: moved by 0x%llx, not 0x%llx",
	      (unsigned long long)guest->pie.linked, (unsigned long long)placed->slide,
	      (unsigned long long)slide);
	assert_int_equal(placed->entry, kernel->entry + slide);
	assert_int_equal(placed->segment_count, kernel->segment_count);
	for (size_t i = 0; i < kernel->segment_count; i++) {
		struct segment moved = kernel->segments[i];

		moved.vaddr += slide;
		moved.paddr += slide;
		assert_memory_equal(&placed->segments[i], &moved, sizeof(moved));
	}
}

static void check_place(const struct pie_spec *pie, const uint64_t *base, uint64_t slide)
{
	struct guest guest = open_pie(pie);
	struct plan_options options = options_for(base);
	struct placed placed;
	struct error err = { 0 };

	assert_accepted(placed_make(&placed, &guest.kernel, &options, false, NAME, &err), &err, "place");
	check_moved(&guest, &placed, slide);
	assert_int_equal(placed.relocation_count, guest.pie.type == ET_DYN ? COUNT(places) : 0);
	for (size_t i = 0; i < placed.relocation_count; i++)
		CHECK(i == 0 || placed.relocations[i - 1].address < placed.relocations[i].address,
		      "relocation %zu: not sorted", i);
	placed_free(&placed);
	assert_null(placed.segments);
	close_pie(&guest);
}

/* Linked below 1 MiB, most often at 0, they go to 2 MiB; others stay. */
TEST(default_places)
{
	static const struct {
		uint16_t type;
		uint64_t linked;
		uint64_t slide;
	} cases[] = {
		{ ET_DYN, 0, BASE },
		{ ET_DYN, 0x10, BASE },
		{ ET_DYN, 0x1000, BASE - 0x1000 },
		{ ET_DYN, 0xff010, BASE - 0xff000 },
		{ ET_DYN, MIB, 0 },
		{ ET_DYN, BASE, 0 },
		{ ET_DYN, 0x40000000, 0 },
		{ ET_EXEC, 0x1000, 0 },
		{ ET_EXEC, MIB, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pie_spec pie = { .type = cases[i].type, .linked = cases[i].linked };

		check_place(&pie, NULL, cases[i].slide);
		pie.is_32 = true;
		check_place(&pie, NULL, cases[i].slide);
	}
	check_place(&(struct pie_spec){ .linked = HIGH }, NULL, 0);
}

/* The page of the lowest address goes there. */
TEST(kernel_base)
{
	static const struct {
		uint64_t linked;
		uint64_t base;
		uint64_t slide;
	} cases[] = {
		{ 0, MIB, MIB },
		{ 0, 0x1000, 0x1000 },
		{ 0, HIGH, HIGH },
		{ 0x10, 16 * MIB, 16 * MIB },
		{ 0x123456, 16 * MIB, 16 * MIB - 0x123000 },
		{ 16 * MIB, 2 * MIB, 0 - 14 * MIB },
		{ HIGH, 2 * MIB, 2 * MIB - HIGH },
		{ 2 * MIB, 2 * MIB, 0 },
		/* The last addresses of all. */
		{ 0, 0 - (uint64_t)PIE_END, 0 - (uint64_t)PIE_END },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_place(&(struct pie_spec){ .linked = cases[i].linked }, &cases[i].base, cases[i].slide);
}

static void refuse_place(const struct pie_spec *pie, uint64_t base, const char *says,
			 const char *hints)
{
	struct guest guest = open_pie(pie);
	struct plan_options options = options_for(&base);
	struct placed placed;
	struct error err = { 0 };
	int result = placed_make(&placed, &guest.kernel, &options, false, NAME, &err);

	if (result == 0)
		placed_free(&placed);
	assert_refused(result, &err, ERROR_USAGE, says, says);
	CHECK(strstr(err.hint, hints) != NULL, "'%s' lacks '%s'", err.hint, hints);
	assert_null(placed.segments);
	assert_null(placed.relocations);
	close_pie(&guest);
}

TEST(refuses_base_of_fixed_kernels)
{
	refuse_place(&(struct pie_spec){ .type = ET_EXEC, .linked = MIB }, 0x300000,
		     "'k.elf' is linked at fixed addresses: it cannot be moved to --kernel-base 0x300000",
		     "-static-pie");
}

TEST(refuses_misaligned_base)
{
	struct pie_spec pie = { .align = BASE };

	refuse_place(&pie, 0x300000,
		     "--kernel-base 0x300000 does not keep the alignment of segment 0 (0x0-0x1000) of "
		     "'k.elf', 0x200000", "");
	refuse_place(&pie, 0x3ff000, "--kernel-base 0x3ff000 does not keep the alignment of", "");
	pie.linked = 0x1000;
	refuse_place(&pie, 0x400000, "--kernel-base 0x400000 does not keep the alignment of", "");
	pie.linked = 0;
	const uint64_t good = 0x400000;
	check_place(&pie, &good, good);
	/* What is no alignment asks for none. */
	const uint64_t odd = 0x301000;
	for (pie.align = 0; pie.align <= 1; pie.align++)
		check_place(&pie, &odd, odd);
}

/* What is at a multiple of p_align as linked still is when moved, by whatever
 * base that is accepted. */
static void check_alignment(uint64_t linked, uint64_t align, const uint64_t *base)
{
	struct guest guest = open_pie(&(struct pie_spec){ .linked = linked, .align = align });
	struct plan_options options = options_for(base);
	struct placed placed;
	struct error err = { 0 };

	if (placed_make(&placed, &guest.kernel, &options, false, NAME, &err) == 0) {
		CHECK(placed.slide % align == 0, "linked at 0x%llx, aligned to 0x%llx: moved by 0x%llx",
		      (unsigned long long)linked, (unsigned long long)align,
		      (unsigned long long)placed.slide);
		placed_free(&placed);
	} else {
		CHECK(base != NULL, "linked at 0x%llx: %s", (unsigned long long)linked, err.text);
	}
	close_pie(&guest);
}

TEST(default_place_keeps_alignment)
{
	check_alignment(0, 0x1000, NULL);
	check_alignment(0, 0x200000, NULL);
	check_alignment(0x1000, 0x200000, NULL);
	check_alignment(0, 0x400000, NULL);
	check_alignment(0xff000, 0x40000000, NULL);
}

TEST(kernel_base_keeps_alignment)
{
	static const uint64_t bases[] = { 0x400000, 0x401000, 0x5ff000, 0x800000 };

	for (size_t i = 0; i < COUNT(bases); i++) {
		check_alignment(0, 0x200000, &bases[i]);
		check_alignment(0x1000, 0x200000, &bases[i]);
		check_alignment(0x3ff000, 0x200000, &bases[i]);
	}
	/* One that fits. */
	const uint64_t base = 0x401000;
	check_place(&(struct pie_spec){ .linked = 0x1000, .align = 0x200000 }, &base, 0x400000);
}

/* Whichever segment does not fit any more. */
TEST(refuses_base_that_wraps_around)
{
	static const uint64_t bases[] = {
		0 - UINT64_C(0x1000),	/* the second one would be at 0x1000 */
		0 - UINT64_C(0x2000),	/* at 0 */
		0 - (uint64_t)PIE_END + PAGE,	/* it would begin at the last page, and not end there */
	};

	for (size_t i = 0; i < COUNT(bases); i++)
		refuse_place(&(struct pie_spec){ .linked = 0 }, bases[i],
			     "wraps around the end of the address space", "lower --kernel-base");
}

/* ---- ELF headers that are loaded along ----------------------------------- */

struct header_case {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t offset;
	uint64_t memsz;
	bool physical;		/* which of the two counts */
	size_t dirty;		/* a place in the file that is not 0, if not 0 */
	uint64_t left_out;	/* bytes */
};

static void check_headers(const struct header_case *c, size_t index)
{
	const Elf64_Phdr phdrs[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = c->offset, .p_vaddr = c->vaddr,
		  .p_paddr = c->paddr, .p_filesz = c->memsz, .p_memsz = c->memsz },
		/* Behind it in any case. */
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = UINT64_MAX, .p_paddr = 64 * MIB,
		  .p_memsz = 1 },
	};
	const struct elf_spec spec = { .phdrs = phdrs, .count = COUNT(phdrs), .size = 0x3000 };
	const struct plan_options options = options_for(NULL);
	struct kernel kernel;
	struct placed placed;
	struct error err = { 0 };
	size_t size, headers = elf_headers_size(&spec);
	unsigned char *bytes = elf_make(&spec, &size);

	memset(bytes + headers, 0, size - headers);
	bytes[c->dirty] |= c->dirty != 0;
	assert_accepted(kernel_parse(&kernel, bytes, size, NAME, &err), &err, "parse");
	int result = placed_make(&placed, &kernel, &options, c->physical, NAME, &err);
	assert_accepted(result, &err, "place");
	bool all = c->left_out == c->memsz;
	const struct segment *segment = &placed.segments[0];
	CHECK(placed.segment_count == (all ? 1 : 2), "case %zu: %zu segments", index,
	      placed.segment_count);
	CHECK(all || (segment->vaddr == c->vaddr + c->left_out &&
		      segment->paddr == c->paddr + c->left_out &&
		      segment->offset == c->offset + c->left_out && segment->index == 0 &&
		      segment->filesz == c->memsz - c->left_out && segment->memsz == segment->filesz),
	      "case %zu: from 0x%llx on", index, (unsigned long long)segment->vaddr);
	assert_int_equal(segment[all ? 0 : 1].paddr, 64 * MIB);
	placed_free(&placed);
	kernel_free(&kernel);
	free(bytes);
}

/* They are where nothing can be: in the first page, or below 1 MiB. */
TEST(leaves_headers_out)
{
	static const struct header_case cases[] = {
		{ 0, 0, 0, 0x1800, false, 0, 0x1000 },
		{ 0, 0, 0, 0x1800, true, 0, 0x1000 },
		{ 0x800, 0x800, 0, 0x1800, false, 0, 0x800 },
		{ 0xff000, 0xff000, 0, 0x1800, false, 0, 0x1000 },
		{ 0xff800, 0xff800, 0, 0x1800, true, 0, 0x800 },
		{ 0xfe000, 0xfe000, 0, 0x2800, true, 0, 0x2000 },
		/* All of it. */
		{ 0, 0, 0, 0x100, false, 0, 0x100 },
		{ 0xff000, 0xff000, 0, 0x1000, true, 0, 0x1000 },
		/* Only the addresses that count. */
		{ HIGH, 0, 0, 0x1800, true, 0, 0x1000 },
		{ HIGH, 0, 0, 0x1800, false, 0, 0 },
		{ 0, MIB, 0, 0x1800, true, 0, 0 },
		{ 0, MIB, 0, 0x1800, false, 0, 0x1000 },
		/* What else is there must stay; behind it does not matter. */
		{ 0, 0, 0, 0x1800, false, 0xfff, 0 },
		{ 0, 0, 0, 0x1800, false, 0x1000, 0x1000 },
		{ 0xff000, 0xff000, 0, 0x1800, false, 0x100, 0 },
		{ 0, 0, 0x1000, 0x1800, false, 0, 0 },
		/* Where memory is, headers may be. */
		{ 0x1000, 0x1000, 0, 0x1800, true, 0, 0 },
		{ 0x9f000, 0x9f000, 0, 0x1800, true, 0, 0 },
		{ MIB, MIB, 0, 0x1800, false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_headers(&cases[i], i);
}

/* ---- In memory ----------------------------------------------------------- */

typedef int plan_function(const struct kernel *kernel, const struct plan_options *options,
			  const char *name, struct plan *plan, struct error *err);

static struct plan plan_pie(const struct guest *guest, plan_function *plan_with,
			    const uint64_t *base)
{
	struct plan_options options = options_for(base);
	struct error err = { 0 };
	struct plan plan;

	assert_accepted(plan_with(&guest->kernel, &options, NAME, &plan, &err), &err, "plan");
	plan_check_patches(&plan);
	assert_int_equal(plan.patch_count, COUNT(places));
	return plan;
}

/* The plan is one for the kernel linked at where it goes. */
static void check_native(struct guest *guest, const struct plan *plan, const uint64_t *base,
			 uint64_t slide)
{
	struct plan_options options = options_for(base);
	struct kernel moved = guest->kernel;
	struct segment segments[2];

	assert_int_equal(moved.segment_count, COUNT(segments));
	moved.segments = segments;
	moved.entry += slide;
	for (size_t i = 0; i < COUNT(segments); i++) {
		segments[i] = guest->kernel.segments[i];
		segments[i].vaddr += slide;
		segments[i].paddr += slide;
	}
	plan_check(&moved, &options, plan);
}

/* A number at an address of a loaded kernel: through its maps, if it has any. */
static uint64_t read_number(const struct plan *plan, const struct fake_machine *machine,
			    uint64_t address, bool is_32)
{
	for (size_t i = 0; i < plan->map_count; i++) {
		const struct plan_map *map = &plan->maps[i];

		if (address - map->virt < map->length) {
			address = machine->pieces[map->block].start + map->offset + (address - map->virt);
			break;
		}
	}
	return is_32 ? fake_u32(machine, address) : fake_u64(machine, address);
}

/* Every number is that of where the kernel lies, every other byte the file's. */
static void check_loaded(const struct guest *guest, const struct plan *plan, uint64_t slide)
{
	const struct fake_file file = { guest->bytes, guest->size };
	const struct pie_spec *pie = &guest->pie;
	struct fake_machine machine;

	fake_load(&machine, plan, &file, 1, 0x9d000);
	for (size_t i = 0; i < COUNT(places); i++) {
		uint64_t wanted = pie->linked + ADDEND(i) + slide;
		uint64_t found = read_number(plan, &machine, place_of(pie, i) + slide, pie->is_32);

		CHECK(found == (pie->is_32 ? (uint32_t)wanted : wanted), "place %zu: 0x%llx, not 0x%llx", i,
		      (unsigned long long)found, (unsigned long long)wanted);
	}
	/* Right behind a number, and right before another. */
	uint64_t width = pie->is_32 ? 4 : 8, at = place_of(pie, 3) + width + slide;
	uint64_t between = read_number(plan, &machine, at, pie->is_32) & 0xff;
	assert_int_equal(between, guest->bytes[OFFSET + DATA + width]);
	fake_free(&machine);
}

static void check_native_pie(const struct pie_spec *pie, const uint64_t *base, uint64_t slide)
{
	struct guest guest = open_pie(pie);
	struct plan plan = plan_pie(&guest, native_plan, base);

	assert_int_equal(plan.slide, slide);
	check_native(&guest, &plan, base, slide);
	check_loaded(&guest, &plan, slide);
	plan_free(&plan);
	close_pie(&guest);
}

TEST(native_kernels_are_relocated)
{
	static const uint64_t bases[] = { BASE, 0x10000000, UINT64_C(0x7f0000000000), HIGH,
					  0 - (uint64_t)PIE_END };

	check_native_pie(&(struct pie_spec){ .linked = 0 }, NULL, BASE);
	check_native_pie(&(struct pie_spec){ .linked = HIGH }, NULL, 0);
	for (size_t i = 0; i < COUNT(bases); i++)
		check_native_pie(&(struct pie_spec){ .linked = 0 }, &bases[i], bases[i]);
	check_native_pie(&(struct pie_spec){ .linked = HIGH }, &bases[1], bases[1] - HIGH);
}

/* Segments far apart are blocks of their own. */
TEST(native_kernels_of_two_blocks_are_relocated)
{
	const struct pie_spec pie = { .linked = 0, .data_moved = 0x100000 };

	check_native_pie(&pie, NULL, BASE);
}

/* Blocks that want an address come first, so blocks are not in the order of the
 * segments; the writer of the image searches patches by block all the same. */
TEST(patches_are_sorted_by_block)
{
	const struct pie_spec pie = {
		.linked = 0x40000000,
		.data_moved = 0x100000,
		.text_phys = UINT64_C(0x200000000),	/* cannot be meant */
	};

	check_native_pie(&pie, NULL, 0);
}

static void check_flat_pie(const struct pie_spec *pie, const uint64_t *base, uint64_t slide)
{
	struct guest guest = open_pie(pie);
	struct plan plan = plan_pie(&guest, multiboot1_plan, base);

	assert_int_equal(plan.slide, slide);
	assert_int_equal(plan.entry, guest.kernel.entry + slide);
	assert_int_equal(plan.blocks[0].phys, (pie->linked + slide) / PAGE * PAGE);
	check_loaded(&guest, &plan, slide);
	plan_free(&plan);
	close_pie(&guest);
}

TEST(flat_kernels_are_relocated)
{
	const uint64_t base = 0x12345000;

	check_flat_pie(&(struct pie_spec){ .is_32 = true }, NULL, BASE);
	check_flat_pie(&(struct pie_spec){ .is_32 = true }, &base, base);
	check_flat_pie(&(struct pie_spec){ .is_32 = true, .linked = 0x400000 }, NULL, 0);
	check_flat_pie(&(struct pie_spec){ .is_32 = true, .linked = 0x400000 }, &base, base - 0x400000);
	check_flat_pie(&(struct pie_spec){ .is_32 = true, .data_moved = 0x100000 }, NULL, BASE);
}

/* Of a segment that is loaded by itself, only its own numbers. */
TEST(loads_one_segment)
{
	struct guest guest = open_pie(&(struct pie_spec){ .linked = 0 });
	struct plan_options options = options_for(NULL);
	struct plan plan = { 0 };
	struct placed placed;
	struct error err = { 0 };

	assert_accepted(placed_make(&placed, &guest.kernel, &options, false, NAME, &err), &err, "place");
	placed_load(&placed, &placed.segments[1], &plan, 7, 0x5000);
	assert_int_equal(plan.extent_count, 1);
	assert_int_equal(plan.extents[0].block, 7);
	assert_int_equal(plan.extents[0].offset, 0x5000);
	assert_int_equal(plan.extents[0].length, 0x800);
	assert_int_equal(plan.patch_count, 3);
	assert_int_equal(plan.patches[0].block, 7);
	assert_int_equal(plan.patches[0].offset, 0x5000);
	assert_int_equal(plan.patches[0].width, 8);
	assert_int_equal(plan.patches[0].value, BASE + ADDEND(3));
	assert_int_equal(plan.patches[2].offset, 0x53f8);
	plan_free(&plan);

	/* .bss alone has nothing to load. */
	placed.segments[1].filesz = 0;
	placed_load(&placed, &placed.segments[1], &plan, 0, 0);
	assert_int_equal(plan.extent_count, 0);
	assert_int_equal(plan.patch_count, 0);
	placed_free(&placed);
	plan_free(&plan);
	close_pie(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_places),
		cmocka_unit_test(kernel_base),
		cmocka_unit_test(refuses_base_of_fixed_kernels),
		cmocka_unit_test(refuses_misaligned_base),
		cmocka_unit_test(default_place_keeps_alignment),
		cmocka_unit_test(kernel_base_keeps_alignment),
		cmocka_unit_test(refuses_base_that_wraps_around),
		cmocka_unit_test(leaves_headers_out),
		cmocka_unit_test(native_kernels_are_relocated),
		cmocka_unit_test(native_kernels_of_two_blocks_are_relocated),
		cmocka_unit_test(patches_are_sorted_by_block),
		cmocka_unit_test(flat_kernels_are_relocated),
		cmocka_unit_test(loads_one_segment),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
