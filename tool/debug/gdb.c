/* SPDX-License-Identifier: MIT
 *
 * What GDB is told; see gdb.h.
 */
#include "debug/gdb.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"

char *gdb_quote(const char *word)
{
	char *quoted = malloc(2 * strlen(word) + 1), *next = quoted;

	if (quoted == NULL)
		abort();
	for (; *word != '\0'; word++) {
		/* Bytes of UTF-8 are plain. */
		if ((unsigned char)*word < 0x80 && !isalnum((unsigned char)*word) && strchr("/._-+", *word) == NULL)
			*next++ = '\\';
		*next++ = *word;
	}
	*next = '\0';
	return quoted;
}

char **gdb_arguments(const char *program, const char *directory)
{
	char **arguments = calloc(5, sizeof(char *));

	if (arguments == NULL)
		abort();
	arguments[0] = format_string("%s", program);
	arguments[1] = format_string("-q");
	arguments[2] = format_string("-x");
	arguments[3] = format_string("%s/" GDB_SCRIPT, directory);
	return arguments;
}

/* ---- Descriptions of the CPU ----------------------------------------------- */

enum feature { CORE, SSE, OTHER };

/* What the stub sends, in this order, little-endian.  The upper halves of
 * 64-bit registers get names of their own. */
static const struct {
	const char *name;	/* with %u where there are more of them */
	unsigned int first, count;
	unsigned int bits;
	const char *type;
	enum feature feature;
} registers[] = {
	{ "eax", 0, 1, 32, "int32", CORE },
	{ "eax_high", 0, 1, 32, "int32", OTHER },
	{ "ebx", 0, 1, 32, "int32", CORE },
	{ "ebx_high", 0, 1, 32, "int32", OTHER },
	{ "ecx", 0, 1, 32, "int32", CORE },
	{ "ecx_high", 0, 1, 32, "int32", OTHER },
	{ "edx", 0, 1, 32, "int32", CORE },
	{ "edx_high", 0, 1, 32, "int32", OTHER },
	{ "esi", 0, 1, 32, "int32", CORE },
	{ "esi_high", 0, 1, 32, "int32", OTHER },
	{ "edi", 0, 1, 32, "int32", CORE },
	{ "edi_high", 0, 1, 32, "int32", OTHER },
	{ "ebp", 0, 1, 32, "data_ptr", CORE },
	{ "ebp_high", 0, 1, 32, "int32", OTHER },
	{ "esp", 0, 1, 32, "data_ptr", CORE },
	{ "esp_high", 0, 1, 32, "int32", OTHER },
	{ "r%u", 8, 8, 64, "int64", OTHER },
	{ "eip", 0, 1, 32, "code_ptr", CORE },
	{ "eip_high", 0, 1, 32, "int32", OTHER },
	{ "eflags", 0, 1, 32, "i386_eflags", CORE },
	{ "cs", 0, 1, 32, "int32", CORE },
	{ "ss", 0, 1, 32, "int32", CORE },
	{ "ds", 0, 1, 32, "int32", CORE },
	{ "es", 0, 1, 32, "int32", CORE },
	{ "fs", 0, 1, 32, "int32", CORE },
	{ "gs", 0, 1, 32, "int32", CORE },
	{ "fs_base", 0, 1, 64, "int64", OTHER },
	{ "gs_base", 0, 1, 64, "int64", OTHER },
	{ "k_gs_base", 0, 1, 64, "int64", OTHER },
	{ "cr0", 0, 1, 64, "int64", OTHER },
	{ "cr2", 0, 1, 64, "int64", OTHER },
	{ "cr3", 0, 1, 64, "int64", OTHER },
	{ "cr4", 0, 1, 64, "int64", OTHER },
	{ "cr8", 0, 1, 64, "int64", OTHER },
	{ "efer", 0, 1, 64, "int64", OTHER },
	{ "st%u", 0, 8, 80, "i387_ext", CORE },
	{ "fctrl", 0, 1, 32, "int", CORE },
	{ "fstat", 0, 1, 32, "int", CORE },
	{ "ftag", 0, 1, 32, "int", CORE },
	{ "fiseg", 0, 1, 32, "int", CORE },
	{ "fioff", 0, 1, 32, "int", CORE },
	{ "foseg", 0, 1, 32, "int", CORE },
	{ "fooff", 0, 1, 32, "int", CORE },
	{ "fop", 0, 1, 32, "int", CORE },
	{ "xmm%u", 0, 8, 128, "vec128", SSE },
	{ "xmm%u", 8, 8, 128, "uint128", OTHER },
	{ "mxcsr", 0, 1, 32, "i386_mxcsr", SSE },
};

static void write_flags(FILE *out, const char *name, const char *const *bits, size_t count)
{
	fprintf(out, "<flags id=\"%s\" size=\"4\">\n", name);
	for (unsigned int i = 0; i < count; i++) {
		if (bits[i] != NULL)
			fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", bits[i], i, i);
	}
	fputs("</flags>\n", out);
}

/* The types that a feature's registers have; GDB knows the others. */
static void write_types(FILE *out, enum feature feature)
{
	static const char *const eflags[] = { "CF", NULL, "PF", NULL, "AF", NULL, "ZF", "SF", "TF", "IF", "DF", "OF",
					      [14] = "NT", [16] = "RF", "VM", "AC", "VIF", "VIP", "ID" };
	static const char *const mxcsr[] = { "IE", "DE", "ZE", "OE", "UE", "PE", "DAZ", "IM", "DM", "ZM", "OM", "UM", "PM",
					     [15] = "FZ" };

	if (feature == CORE)
		write_flags(out, "i386_eflags", eflags, sizeof(eflags) / sizeof(eflags[0]));
	if (feature != SSE)
		return;
	write_flags(out, "i386_mxcsr", mxcsr, sizeof(mxcsr) / sizeof(mxcsr[0]));
	fputs("<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"
	      "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n"
	      "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"
	      "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"
	      "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"
	      "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"
	      "<union id=\"vec128\">\n"
	      "<field name=\"v4_float\" type=\"v4f\"/>\n<field name=\"v2_double\" type=\"v2d\"/>\n"
	      "<field name=\"v16_int8\" type=\"v16i8\"/>\n<field name=\"v8_int16\" type=\"v8i16\"/>\n"
	      "<field name=\"v4_int32\" type=\"v4i32\"/>\n<field name=\"v2_int64\" type=\"v2i64\"/>\n"
	      "<field name=\"uint128\" type=\"uint128\"/>\n"
	      "</union>\n",
	      out);
}

static void write_registers(FILE *out, enum feature feature)
{
	unsigned int number = 0;

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		for (unsigned int j = 0; j < registers[i].count; j++, number++) {
			const char *end = strchr(registers[i].name, '%');

			if (registers[i].feature != feature)
				continue;
			fprintf(out, "<reg name=\"%.*s", end != NULL ? (int)(end - registers[i].name) : -1,
				registers[i].name);
			if (end != NULL)
				fprintf(out, "%u", registers[i].first + j);
			fprintf(out, "\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>\n", registers[i].bits,
				registers[i].type, number);
		}
	}
}

void gdb_write_description(FILE *out, int bits)
{
	static const char *const features[] = { [CORE] = "org.gnu.gdb.i386.core",
						[SSE] = "org.gnu.gdb.i386.sse",
						[OTHER] = "mkbootimg.other" };

	fprintf(out,
		"<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
		"<architecture>%s</architecture>\n<osabi>none</osabi>\n",
		bits == 16 ? "i8086" : "i386");
	for (enum feature feature = CORE; feature <= OTHER; feature++) {
		fprintf(out, "<feature name=\"%s\">\n", features[feature]);
		write_types(out, feature);
		write_registers(out, feature);
		fputs("</feature>\n", out);
	}
	fputs("</target>\n", out);
}

/* ---- Commands ---------------------------------------------------------------- */

/* Have GDB take the CPU for one of so many bits. */
static void write_mode(FILE *out, const struct gdb_setup *setup, const char *indent, int bits)
{
	if (bits == 64)
		fprintf(out, "%sunset tdesc filename\n", indent);
	else
		fprintf(out, "%sset tdesc filename %s/%s\n", indent, setup->directory,
			bits == 16 ? GDB_BITS16 : GDB_BITS32);
}

static void write_change(FILE *out, const struct gdb_setup *setup, int bits)
{
	fprintf(out, "    if $mkbootimg_bits != %d\n", bits);
	write_mode(out, setup, "      ", bits);
	fprintf(out, "      set $mkbootimg_bits = %d\n    end\n", bits);
}

/* Whenever the machine stops, look at the mode that it is in: EFER.LMA, CR0.PE. */
static void write_hook(FILE *out, const struct gdb_setup *setup)
{
	fprintf(out, "set $mkbootimg_bits = %d\ndefine hook-stop\n  if $_thread\n", setup->bits);
	fputs("   if $efer & 0x400\n", out);
	write_change(out, setup, 64);
	fputs("   else\n   if $cr0 & 1\n", out);
	write_change(out, setup, 32);
	fputs("   else\n", out);
	write_change(out, setup, 16);
	fputs("   end\n   end\n  end\nend\n", out);
}

static void write_symbols(FILE *out, const struct gdb_setup *setup)
{
	if (setup->kernel != NULL) {
		CLEANUP_FREE char *file = gdb_quote(setup->kernel);

		fprintf(out, "symbol-file ");
		if (setup->slide != 0)
			fprintf(out, "-o 0x%" PRIx64 " ", setup->slide);
		fprintf(out, "%s\n", file);
		if (setup->has_physical)
			fprintf(out, "add-symbol-file %s -o 0x%" PRIx64 "\n", file, setup->physical_slide);
	}
	if (setup->loader != NULL) {
		CLEANUP_FREE char *file = gdb_quote(setup->loader);

		fprintf(out, "add-symbol-file %s 0x%" PRIx64 "\n", file, setup->loader_address);
	}
}

void gdb_write_script(FILE *out, const struct gdb_setup *setup)
{
	bool described = setup->changes || setup->bits != 64;
	bool early = described && !setup->kernel_is_64;

	write_symbols(out, setup);
	if (described)
		/* One by one the stub numbers the registers differently; all at once it
		 * takes them apart wrongly unless the CPU runs 64-bit code, and control
		 * registers are among them. */
		fputs("set remote fetch-register-packet off\nset may-write-registers off\n", out);
	/* Without a program GDB warns as it connects; with one it may not change
	 * to code of another kind.  So it has one just meanwhile. */
	if (setup->kernel != NULL) {
		CLEANUP_FREE char *file = gdb_quote(setup->kernel);

		fprintf(out, "exec-file %s\n", file);
	}
	if (early)
		write_mode(out, setup, "", setup->bits);
	fprintf(out, "target remote %s\n", setup->connection);
	if (described && setup->kernel != NULL)
		fputs("exec-file\n", out);
	if (described && !early)
		write_mode(out, setup, "", setup->bits);
	if (described)
		write_hook(out, setup);
	if (setup->has_stop)
		fprintf(out, "hbreak *0x%" PRIx64 "\ncontinue\n", setup->stop);
}
