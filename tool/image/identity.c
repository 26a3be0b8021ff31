/* SPDX-License-Identifier: MIT
 *
 * Identities of images; see identity.h.
 */
#include "image/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fileio.h"
#include "bootabi.h"

#define UUID_SIZE 16

/* A version 4 UUID, "random", of which the last four bytes are the disk's. */
static void make_uuid(unsigned char uuid[UUID_SIZE], uint32_t id)
{
	memcpy(uuid, "mkbootimg disk ", UUID_SIZE);
	uuid[7] = 0x40;		/* version 4, in the fields' little-endian order */
	uuid[8] = 0x80;
	put_le32(uuid + UUID_SIZE - 4, id);
}

static int read_part(int fd, unsigned char *bytes, size_t size, uint64_t offset, const char *name,
		     struct error *err)
{
	ssize_t got = file_read_at(fd, bytes, size, offset);

	if (got == (ssize_t)size)
		return 0;
	return error_set(err, ERROR_SYSTEM, got < 0 ? errno : 0, "cannot read '%s'%s", name,
			 got < 0 ? "" : " back: it is too short");
}

/* ---- VDI ------------------------------------------------------------------------- */

#define VDI_OFF_UUID 392
#define VDI_OFF_LAST_SNAPSHOT 408

int identity_set_vdi(int fd, uint32_t id, const char *name, struct error *err)
{
	unsigned char uuid[UUID_SIZE];

	make_uuid(uuid, id);
	if (file_write_at(fd, uuid, UUID_SIZE, VDI_OFF_UUID, name, err) != 0)
		return -1;
	return file_write_at(fd, uuid, UUID_SIZE, VDI_OFF_LAST_SNAPSHOT, name, err);
}

/* ---- VHDX ------------------------------------------------------------------------ */

/* Two headers, of which the one with the higher number counts. */
#define VHDX_HEADER_SIZE 4096
#define VHDX_HEADER_1 (UINT64_C(64) * 1024)
#define VHDX_HEADER_2 (UINT64_C(128) * 1024)
#define VHDX_OFF_CHECKSUM 4
#define VHDX_OFF_NUMBER 8
#define VHDX_OFF_FILE_GUID 16
#define VHDX_OFF_DATA_GUID 32
#define VHDX_OFF_LOG_GUID 48
#define VHDX_OFF_LOG_LENGTH 68
#define VHDX_OFF_LOG 72
#define VHDX_REGIONS (UINT64_C(192) * 1024)
#define VHDX_TABLE_SIZE (64 * 1024)
#define VHDX_MOST_ENTRIES 2047

/* GUIDs, as they lie in the file. */
static const unsigned char metadata_region[UUID_SIZE] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
							  0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
static const unsigned char disk_id_item[UUID_SIZE] = { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
						       0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46 };

uint32_t identity_crc32c(const unsigned char *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

static int write_header(int fd, unsigned char *header, uint64_t offset, uint64_t number,
			const unsigned char uuid[UUID_SIZE], const char *name, struct error *err)
{
	put_le64(header + VHDX_OFF_NUMBER, number);
	memcpy(header + VHDX_OFF_FILE_GUID, uuid, UUID_SIZE);
	memcpy(header + VHDX_OFF_DATA_GUID, uuid, UUID_SIZE);
	put_le32(header + VHDX_OFF_CHECKSUM, 0);
	put_le32(header + VHDX_OFF_CHECKSUM, identity_crc32c(header, VHDX_HEADER_SIZE));
	return file_write_at(fd, header, VHDX_HEADER_SIZE, offset, name, err);
}

/* A log that no header names any more is not read, but it differs each time. */
static int clear_log(int fd, const unsigned char *header, const char *name, struct error *err)
{
	static const unsigned char zeros[VHDX_HEADER_SIZE];
	uint64_t start = get_le64(header + VHDX_OFF_LOG);
	uint32_t length = get_le32(header + VHDX_OFF_LOG_LENGTH);

	for (uint32_t done = 0; done < length; done += VHDX_HEADER_SIZE) {
		if (file_write_at(fd, zeros, sizeof(zeros), start + done, name, err) != 0)
			return -1;
	}
	return file_dig_holes(fd, name, err);
}

/* Of a table of entries of 32 bytes, each with a GUID first: the offset of one's other
 * fields, or 0.  The count and where the entries begin differ. */
static size_t find_entry(const unsigned char *table, size_t count, size_t first,
			 const unsigned char guid[UUID_SIZE])
{
	for (size_t i = 0; i < count && i < VHDX_MOST_ENTRIES; i++) {
		if (memcmp(table + first + 32 * i, guid, UUID_SIZE) == 0)
			return first + 32 * i + UUID_SIZE;
	}
	return 0;
}

/* The disk's own identifier is among the metadata. */
static int set_disk_id(int fd, const unsigned char uuid[UUID_SIZE], const char *name, struct error *err)
{
	static unsigned char table[VHDX_TABLE_SIZE];

	if (read_part(fd, table, sizeof(table), VHDX_REGIONS, name, err) != 0)
		return -1;
	size_t entry = find_entry(table, get_le32(table + 8), 16, metadata_region);
	if (entry == 0)
		return error_set(err, ERROR_SYSTEM, 0, "cannot write '%s': qemu-img made something else", name);
	uint64_t metadata = get_le64(table + entry);
	if (read_part(fd, table, sizeof(table), metadata, name, err) != 0)
		return -1;
	entry = find_entry(table, get_le16(table + 10), 32, disk_id_item);
	if (entry == 0)
		return error_set(err, ERROR_SYSTEM, 0, "cannot write '%s': qemu-img made something else", name);
	return file_write_at(fd, uuid, UUID_SIZE, metadata + get_le32(table + entry), name, err);
}

int identity_set_vhdx(int fd, uint32_t id, const char *name, struct error *err)
{
	unsigned char first[VHDX_HEADER_SIZE], second[VHDX_HEADER_SIZE], uuid[UUID_SIZE];

	make_uuid(uuid, id);
	if (read_part(fd, first, sizeof(first), VHDX_HEADER_1, name, err) != 0 ||
	    read_part(fd, second, sizeof(second), VHDX_HEADER_2, name, err) != 0)
		return -1;
	bool first_counts = get_le64(first + VHDX_OFF_NUMBER) > get_le64(second + VHDX_OFF_NUMBER);
	unsigned char *current = first_counts ? first : second;
	if (!bytes_are_zero(current + VHDX_OFF_LOG_GUID, UUID_SIZE))
		return error_set(err, ERROR_SYSTEM, 0, "cannot write '%s': qemu-img left it unfinished", name);
	if (clear_log(fd, current, name, err) != 0 || set_disk_id(fd, uuid, name, err) != 0 ||
	    write_header(fd, first, VHDX_HEADER_1, first_counts ? 2 : 1, uuid, name, err) != 0)
		return -1;
	return write_header(fd, second, VHDX_HEADER_2, first_counts ? 1 : 2, uuid, name, err);
}

/* ---- VMDK ------------------------------------------------------------------------ */

#define VMDK_OFF_TEXT 28
#define VMDK_OFF_TEXT_SECTORS 36
#define VMDK_MOST_TEXT (64 * SECTOR_SIZE)

struct identity_text identity_vmdk_text(const unsigned char *bytes, size_t size)
{
	uint64_t sector = get_le64(bytes + VMDK_OFF_TEXT), sectors = get_le64(bytes + VMDK_OFF_TEXT_SECTORS);

	if (sector == 0 || sector >= size / SECTOR_SIZE)
		return (struct identity_text){ 0, 0 };
	size_t offset = (size_t)sector * SECTOR_SIZE, most = size - offset;

	return (struct identity_text){ offset, sectors < most / SECTOR_SIZE ? (size_t)sectors * SECTOR_SIZE : most };
}

/* The description with the disk's identity, and the file's name for its one extent. */
static void write_text(FILE *out, char *text, uint32_t id, const char *name)
{
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *quote = strncmp(line, "RW ", 3) == 0 ? strchr(line, '"') : NULL;

		if (strncmp(line, "CID=", 4) == 0)
			fprintf(out, "CID=%08" PRIx32 "\n", id);
		else if (quote != NULL)
			fprintf(out, "%.*s\"%s\"\n", (int)(quote - line), line, path_name(name));
		else
			fprintf(out, "%s\n", line);
	}
}

int identity_set_vmdk(int fd, uint32_t id, const char *name, struct error *err)
{
	unsigned char bytes[SECTOR_SIZE + VMDK_MOST_TEXT];
	char old[VMDK_MOST_TEXT + 1] = "", new[VMDK_MOST_TEXT + 1] = "";

	if (read_part(fd, bytes, sizeof(bytes), 0, name, err) != 0)
		return -1;
	struct identity_text text = identity_vmdk_text(bytes, sizeof(bytes));
	if (text.size == 0 || text.size > VMDK_MOST_TEXT)
		return error_set(err, ERROR_SYSTEM, 0, "cannot write '%s': qemu-img made something else", name);
	memcpy(old, bytes + text.offset, text.size);
	FILE *out = fmemopen(new, text.size, "w");
	if (out == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", name);
	write_text(out, old, id, name);
	if (fclose(out) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot write '%s'", name);
	return file_write_at(fd, new, text.size, text.offset, name, err);
}
