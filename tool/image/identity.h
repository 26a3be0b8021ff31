/* SPDX-License-Identifier: MIT
 *
 * What qemu-img makes up at random when it writes an image, put right: the same disk
 * becomes the same file.  The identifier comes from the disk's contents.
 */
#ifndef MKBOOTIMG_IDENTITY_H
#define MKBOOTIMG_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Give the file in fd, of the format in the function's name, the identity id; name is
 * the file's, for messages, and a VMDK's own. */
typedef int identity_function(int fd, uint32_t id, const char *name, struct error *err);
identity_function identity_set_vdi;
identity_function identity_set_vhdx;
identity_function identity_set_vmdk;

/* The description that lies in a VMDK file, of which these are at least the first 512
 * bytes: where, as far as it is in them.  size is 0 if there is none. */
struct identity_text {
	size_t offset;
	size_t size;
};
struct identity_text identity_vmdk_text(const unsigned char *bytes, size_t size);

/* CRC-32C, which VHDX has. */
uint32_t identity_crc32c(const unsigned char *bytes, size_t size);

#endif
