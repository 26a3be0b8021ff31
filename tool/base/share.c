/* SPDX-License-Identifier: MIT
 *
 * Installed files; see share.h.
 */
#include "base/share.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fileio.h"

char *share_directory(const char *name, const char *what, struct error *err)
{
	static const char *const places[] = { "share/mkbootimg", "../share/mkbootimg" };
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0) {
		error_set(err, ERROR_SYSTEM, errno, "cannot find out where mkbootimg is installed");
		return NULL;
	}
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = format_string("%s/%s/%s", self, places[i], name);

		if (access(path, R_OK) == 0)
			return path;
		if (errno != ENOENT && errno != ENOTDIR) {
			error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", path);
			free(path);
			return NULL;
		}
		free(path);
	}
	error_set(err, ERROR_SYSTEM, 0, "cannot find %s: neither '%s/%s/%s' nor '%s/%s/%s' exists", what, self,
		  places[0], name, self, places[1], name);
	error_hint(err, "install mkbootimg with 'make install', or run 'make' first");
	return NULL;
}
