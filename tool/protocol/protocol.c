/* SPDX-License-Identifier: MIT
 *
 * The table of protocols; see protocol.h.
 */
#include "protocol/protocol.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bootabi.h"

/* In the order in which "auto" tries them: first those that a file asks for. */
static const struct protocol protocols[] = {
	{
		.name = "multiboot2",
		.number = BT_PROTOCOL_MULTIBOOT2,
		.loader_option = "PROTOCOL_MULTIBOOT2",
		.asked_for = "a Multiboot 2 header in its first 32 KiB",
		.detect = multiboot2_detect,
		.plan = multiboot2_plan,
	},
	{
		.name = "multiboot1",
		.number = BT_PROTOCOL_MULTIBOOT1,
		.loader_option = "PROTOCOL_MULTIBOOT1",
		.asked_for = "a Multiboot 1 header in its first 8 KiB",
		.detect = multiboot1_detect,
		.plan = multiboot1_plan,
	},
	{
		.name = "pvh",
		.number = BT_PROTOCOL_PVH,
		.loader_option = "PROTOCOL_PVH",
		.asked_for = "a Xen PHYS32_ENTRY note (PVH)",
		.detect = pvh_detect,
		.plan = pvh_plan,
	},
	/* Before native, for what it knows of kernels of the crate's later versions. */
	{
		.name = "bootloader-0.9",
		.number = BT_PROTOCOL_BOOTLOADER_09,
		.loader_option = "PROTOCOL_BOOTLOADER_09",
		.by_name = true,
		.detect = bootloader09_detect,
		.plan = bootloader09_plan,
	},
	{
		.name = "native",
		.number = BT_PROTOCOL_NATIVE,
		.loader_option = "PROTOCOL_NATIVE",
		.detect = native_detect,
		.plan = native_plan,
	},
	/* Without a header: entered as if there were one. */
	{
		.name = "multiboot1",
		.number = BT_PROTOCOL_MULTIBOOT1,
		.loader_option = "PROTOCOL_MULTIBOOT1",
		.detect = plain32_detect,
		.plan = multiboot1_plan,
	},
};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

static const struct protocol *none(const struct kernel *kernel, const char *name, struct error *err)
{
	if (kernel->is_elf) {
		error_set(err, ERROR_INPUT, 0,
			  "'%s' is an ELF%d file with %s code, and has no header that says how to enter it", name,
			  kernel->is_64 ? 64 : 32, kernel->is_64 ? "32-bit" : "x86-64");
		error_hint(err, "build it as ELF64 for x86-64 or as ELF32 for i386, or add a Multiboot header");
		return NULL;
	}
	error_set(err, ERROR_INPUT, 0, "'%s' is not an ELF file", name);
	error_hint(err, "give the linked kernel, not a flat binary or a disk image");
	return NULL;
}

static const struct protocol *find_automatic(const struct kernel *kernel, const char *name,
					     struct protocol_choice *choice, struct error *err)
{
	struct error wrong = { 0 };

	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct protocol *protocol = &protocols[i];
		struct protocol_reason reason;
		struct error problem;
		int found = protocol->detect(kernel, name, &reason, &problem);

		if (found < 0 && wrong.class == ERROR_NONE)
			wrong = problem;
		if (found <= 0 || protocol->by_name)
			continue;
		/* Whoever wrote a header wants it to be used. */
		if (protocol->asked_for == NULL && choice->protocol == NULL && wrong.class != ERROR_NONE)
			break;
		if (choice->protocol == NULL) {
			choice->protocol = protocol;
			choice->reason = reason;
		} else if (protocol->asked_for != NULL) {
			size_t used = strlen(choice->others);

			snprintf(choice->others + used, sizeof(choice->others) - used, "%s%s",
				 used > 0 ? ", " : "", protocol->name);
		}
	}
	if (choice->protocol != NULL)
		choice->problem = wrong;
	else if (wrong.class != ERROR_NONE)
		*err = wrong;
	else
		none(kernel, name, err);
	return choice->protocol;
}

static const struct protocol *find_named(const struct kernel *kernel, const char *wanted,
					 const char *name, struct protocol_choice *choice,
					 struct error *err)
{
	const char *lacks = NULL;

	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct protocol *protocol = &protocols[i];

		if (strcmp(protocol->name, wanted) != 0)
			continue;
		int found = protocol->detect(kernel, name, &choice->reason, err);
		if (found < 0)
			return NULL;
		choice->protocol = protocol;
		if (found > 0)
			return protocol;
		if (lacks == NULL)
			lacks = protocol->asked_for;
	}
	choice->protocol = NULL;
	if (lacks != NULL)
		error_set(err, ERROR_INPUT, 0, "'%s' cannot be booted by %s: it does not have %s", name, wanted, lacks);
	else if (!kernel->is_elf)
		none(kernel, name, err);
	else
		error_set(err, ERROR_INPUT, 0, "'%s' cannot be booted by %s: it is not an x86-64 ELF64 file", name,
			  wanted);
	return NULL;
}

const struct protocol *protocol_find(const struct kernel *kernel, const char *wanted,
				     const char *name, struct protocol_choice *choice,
				     struct error *err)
{
	*choice = (struct protocol_choice){0};
	if (wanted == NULL)
		return find_automatic(kernel, name, choice, err);
	choice->forced = true;
	return find_named(kernel, wanted, name, choice, err);
}

bool protocol_asked_for(const struct kernel *kernel)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		struct protocol_reason reason;
		struct error problem;

		if (protocols[i].asked_for != NULL &&
		    protocols[i].detect(kernel, "", &reason, &problem) != 0)
			return true;
	}
	return false;
}

bool protocol_exists(const char *wanted)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		if (strcmp(protocols[i].name, wanted) == 0)
			return true;
	}
	return false;
}

const struct protocol *protocol_by_number(uint32_t number)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		if (protocols[i].number == number)
			return &protocols[i];
	}
	return NULL;
}
