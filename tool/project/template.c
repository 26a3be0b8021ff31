/* SPDX-License-Identifier: MIT
 *
 * Templates; see template.h.
 */
#include "project/template.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"

#define PLACEHOLDER "@NAME@"

/* Put the name where the placeholders are. */
static void fill_in(struct template_file *file, const char *name)
{
	size_t name_length = strlen(name), placeholder_length = strlen(PLACEHOLDER), count = 0;
	const unsigned char *from = file->bytes, *end = file->bytes + file->size, *place;

	for (const unsigned char *p = from;
	     (p = memmem(p, (size_t)(end - p), PLACEHOLDER, placeholder_length)) != NULL; p += placeholder_length)
		count++;
	if (count == 0)
		return;

	unsigned char *bytes = malloc(file->size + count * name_length), *to = bytes;
	if (bytes == NULL)
		abort();
	while ((place = memmem(from, (size_t)(end - from), PLACEHOLDER, placeholder_length)) != NULL) {
		to = mempcpy(to, from, (size_t)(place - from));
		to = mempcpy(to, name, name_length);
		from = place + placeholder_length;
	}
	to = mempcpy(to, from, (size_t)(end - from));
	free(file->bytes);
	file->bytes = bytes;
	file->size = (size_t)(to - bytes);
}

static int add_file(struct template *template, const char *path, const char *relative, const char *name,
		    struct error *err)
{
	struct template_file file = { 0 };

	if (file_read(path, &file.bytes, &file.size, err) != 0)
		return -1;
	file.path = format_string("%s", relative);
	fill_in(&file, name);
	template->files = reallocarray(template->files, template->count + 1, sizeof(file));
	if (template->files == NULL)
		abort();
	template->files[template->count++] = file;
	return 0;
}

static int by_name(const FTSENT **left, const FTSENT **right)
{
	return strcmp((*left)->fts_name, (*right)->fts_name);
}

int template_read(struct template *template, const char *directory, const char *name, struct error *err)
{
	char *roots[] = { (char *)(size_t)directory, NULL };
	FTSENT *entry;
	int result = 0;

	*template = (struct template){ 0 };
	/* Links lead to files that templates have in common. */
	FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (tree == NULL)
		return error_set(err, ERROR_SYSTEM, errno, "cannot read '%s'", directory);
	while (result == 0 && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_F)
			result = add_file(template, entry->fts_path, entry->fts_path + strlen(directory) + 1, name, err);
		else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP)
			result = error_set(err, ERROR_SYSTEM, entry->fts_errno, "cannot read '%s'", entry->fts_path);
	}
	fts_close(tree);
	return result;
}

void template_free(struct template *template)
{
	for (size_t i = 0; i < template->count; i++) {
		free(template->files[i].path);
		free(template->files[i].bytes);
	}
	free(template->files);
	*template = (struct template){ 0 };
}
