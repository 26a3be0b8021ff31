/* SPDX-License-Identifier: MIT
 *
 * mkbootimg flash: write an image to a stick, and see that it is there.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/progress.h"
#include "command/build.h"
#include "command/command.h"
#include "flash/contents.h"
#include "flash/device.h"
#include "flash/flash.h"
#include "image/format.h"
#include "image/image.h"

enum {
	OPT_FORCE = 4000,
};

static const char doc[] =
	"Write IMAGE, a disk image, to DEVICE, a USB stick or the like, and compare.  What is on DEVICE "
	"is lost; it is shown, and you are asked.\v"
	"Exit status: 0; 1 if it could not be done; 2 usage.";

static const struct argp_option options_list[] = {
	{ "force", OPT_FORCE, NULL, 0, "Write to a disk that is not removable, a partition, or a part of something larger, too", 0 },
	{ "quiet", 'q', NULL, 0, "Print errors, and what must be asked, only", 0 },
	{ "yes", 'y', NULL, 0, "Do not ask", 0 },
	{ 0 },
};

struct arguments {
	const char *image;
	const char *device;
	bool force;
	bool quiet;
	bool yes;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPT_FORCE:
		arguments->force = true;
		return 0;
	case 'q':
		arguments->quiet = true;
		return 0;
	case 'y':
		arguments->yes = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->image == NULL)
			arguments->image = arg;
		else if (arguments->device == NULL)
			arguments->device = arg;
		else
			argp_error(state, "more than one device: '%s' and '%s'", arguments->device, arg);
		return 0;
	case ARGP_KEY_END:
		if (arguments->device == NULL)
			argp_error(state, arguments->image == NULL ? "no image and no device given" : "no device given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- The image ------------------------------------------------------------- */

/* One that will not boot is not worth a stick. */
static int check_sums(const struct file_view *file, const char *path, struct error *err)
{
	struct image image;
	struct error problem = { .class = ERROR_NONE };

	if (image_read(&image, file, true, err) != 0)
		return -1;
	if (!image.has_plan)
		problem = image.problem;
	for (size_t i = 0; i < image.range_count && problem.class == ERROR_NONE; i++) {
		if (image.ranges[i].check == IMAGE_WRONG)
			error_set(&problem, ERROR_INPUT, 0, "a checksum is wrong");
	}
	image_free(&image);
	if (problem.class == ERROR_NONE)
		return 0;
	*err = problem;
	error_wrap(err, "'%s' will not boot", path);
	return error_hint(err, "write the image anew with 'mkbootimg build'");
}

static int check_image(const struct file_view *file, const char *path, struct error *err)
{
	const struct image_format *format = format_detect(file->bytes, file->size);

	if (build_is_kernel(file->bytes, file->size)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is a kernel, not an image", path);
		return error_hint(err, "make one of it with 'mkbootimg build'");
	}
	if (format_is_foreign(format)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is a %s image, which only virtual machines read", path,
			  format->name);
		return error_hint(err, "make a raw one with 'mkbootimg build', or 'qemu-img convert -O raw'");
	}
	if (!image_is_bootable(file->bytes, file->size)) {
		error_set(err, ERROR_INPUT, 0, "'%s' is not a bootable disk image", path);
		return error_hint(err, "an image's first sector ends with the bytes 55 AA");
	}
	return image_is_ours(file->bytes, file->size) ? check_sums(file, path, err) : 0;
}

/* ---- The device ------------------------------------------------------------ */

static bool is_disk(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

/* Its number, if it is a block device. */
static int look_at_device(const struct arguments *arguments, dev_t *number, struct error *err)
{
	struct stat st;

	if (stat(arguments->device, &st) != 0)
		return error_set(err, ERROR_SYSTEM, errno, "cannot look at '%s'", arguments->device);
	*number = st.st_rdev;
	if (S_ISBLK(st.st_mode))
		return 0;
	error_set(err, ERROR_INPUT, 0, "'%s' is not a disk's device, but %s", arguments->device,
		  S_ISREG(st.st_mode) ? "a file" :
		  S_ISDIR(st.st_mode) ? "a directory" :
					"something else");
	if (S_ISREG(st.st_mode))
		return error_hint(err, "an image becomes a file by copying: cp '%s' '%s'", arguments->image,
				  arguments->device);
	return error_hint(err, "'lsblk -d' lists disks");
}

/* Open it for us alone: nobody can mount it meanwhile. */
static int open_device(const char *path, dev_t number, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		int errnum = errno;

		error_set(err, ERROR_SYSTEM, errnum, "cannot open '%s'", path);
		if (errnum == EACCES || errnum == EPERM)
			error_hint(err, "only root may write to disks: try it with sudo");
		if (errnum == EBUSY)
			error_hint(err, "it is in use: unmount what is on it");
		return -1;
	}
	if (fstat(fd, &st) != 0 || st.st_rdev != number)
		return error_set(err, ERROR_SYSTEM, 0, "cannot open '%s': it is another device now", path);
	int result = fd;
	fd = -1;
	return result;
}

/* ---- Asking ------------------------------------------------------------------ */

static void show(const struct arguments *arguments, const struct device *device,
		 const struct contents *contents, uint64_t size)
{
	fflush(stdout);
	print_escaped(stderr, arguments->device);
	fputs(": ", stderr);
	print_escaped(stderr, device->model[0] != '\0' ? device->model : "no name");
	fprintf(stderr, ", %s, %s\n", size_words(device->size).text,
		device->disk != NULL  ? "a partition" :
		device->loop	      ? "a file" :
		device->removable     ? "removable" :
					"NOT removable");
	for (size_t i = 0; i < contents->count; i++) {
		fputs("  ", stderr);
		print_escaped(stderr, contents->lines[i]);
		putc('\n', stderr);
	}
	if (contents->count == 0)
		fputs("  nothing on it that is known\n", stderr);
	print_escaped(stderr, arguments->image);
	fprintf(stderr, " (%s) is written over that, which is lost.\n", size_words(size).text);
}

static volatile sig_atomic_t stop;

/* Is the user for it? */
static bool ask(void)
{
	char *line = NULL;
	size_t size = 0;

	fputs("Go on? [y/N] ", stderr);
	ssize_t length = getline(&line, &size, stdin);
	bool yes = length > 0 && (strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0);
	if (length < 0)
		putc('\n', stderr);
	free(line);
	return yes && !stop;
}

/* ---- Interruptions ------------------------------------------------------------ */

/* The second one ends us at once. */
static void note_signal(int number)
{
	stop = number;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		/* nohup's stays. */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

/* In what state the device is left. */
static void tell_interrupted(const struct flash *flash)
{
	static const char *const words[] = {
		[FLASH_UNTOUCHED] = "nothing was written, it is as it was",
		[FLASH_PARTIAL] = "nothing on it can be used now, and it does not boot: flash it again",
		[FLASH_WRITTEN] = "the image was written, but not compared to its end",
		[FLASH_COMPARED] = "the image is on it, and was compared",
	};

	fputs("mkbootimg: flash: interrupted: '", stderr);
	print_escaped(stderr, flash->device_name);
	fprintf(stderr, "': %s\n", words[flash->state]);
}

/* ---- All of it ----------------------------------------------------------------- */

static void tell_done(const struct flash *flash)
{
	if (flash->written == 0 && flash->cleared == 0) {
		fputs("It was there already, nothing was written", stdout);
	} else {
		printf("%s written, ", size_words(flash->written).text);
		if (flash->cleared > 0)
			printf("%s cleared, ", size_words(flash->cleared).text);
		fputs("the rest was there", stdout);
	}
	printf("; all %s compared.\n", size_words(flash->size).text);
	puts("To boot it, choose it in the boot menu of the PC's firmware (often F12, F11, F8 or Esc).");
	puts("Legacy boot (CSM) must be on there, and Secure Boot off.");
}

/* Write and compare.  Returns the exit status. */
static int flash_device(const struct arguments *arguments, struct flash *flash, struct error *err)
{
	int status = flash_write(flash, err);

	if (status == 0)
		status = flash_compare(flash, err);
	if (flash->state >= FLASH_WRITTEN)
		flash_announce(flash);
	if (status == FLASH_STOPPED) {
		tell_interrupted(flash);
		return command_die(stop);
	}
	if (status == 0 && !arguments->quiet)
		tell_done(flash);
	return status == 0 ? STATUS_OK : STATUS_FAILURE;
}

/* With the device known and open: look, ask, and go on. */
static int flash_opened(const struct arguments *arguments, const struct device *device, int fd,
			const struct file_view *image, struct error *err)
{
	struct contents contents;
	struct flash flash = { .image = image->fd,
			       .image_name = arguments->image,
			       .device = fd,
			       .device_name = arguments->device,
			       .size = image->size,
			       .quiet = arguments->quiet,
			       .stop = &stop };

	bool go = contents_read(&contents, fd, arguments->device, err) == 0 &&
		  (arguments->force || contents_check(&contents, arguments->device, err) == 0);
	if (go && (!arguments->yes || !arguments->quiet))
		show(arguments, device, &contents, image->size);
	contents_free(&contents);
	if (!go)
		return STATUS_FAILURE;
	catch_signals();
	if (!arguments->yes && !ask()) {
		if (stop) {
			tell_interrupted(&flash);
			return command_die(stop);
		}
		error_set(err, ERROR_USAGE, 0, "nothing was written to '%s'", arguments->device);
		return STATUS_FAILURE;
	}
	return flash_device(arguments, &flash, err);
}

static int flash_image(const struct arguments *arguments, const struct file_view *image, struct error *err)
{
	struct device device = { 0 };
	dev_t number = 0;
	int status = STATUS_FAILURE;

	if (look_at_device(arguments, &number, err) != 0)
		return STATUS_FAILURE;
	if (device_read(&device, number, arguments->device, &device_system, err) == 0 &&
	    device_check(&device, arguments->device, image->size, arguments->force, err) == 0) {
		CLEANUP_CLOSE int fd = open_device(arguments->device, number, err);

		if (fd >= 0)
			status = flash_opened(arguments, &device, fd, image, err);
	}
	device_free(&device);
	return status;
}

const struct argp flash_command_argp = { .options = options_list,
				  .parser = parse,
				  .args_doc = "IMAGE DEVICE",
				  .doc = doc };

int command_flash(int argc, char **argv, struct error *err)
{
	struct arguments arguments = { 0 };
	struct file_view image;

	if (command_parse(argc, argv, &arguments, err) != 0)
		return STATUS_USAGE;
	if (is_disk(arguments.image)) {
		error_set(err, ERROR_USAGE, 0, "'%s' is a disk's device, not an image", arguments.image);
		error_hint(err, "the image comes first, then the device");
		return STATUS_USAGE;
	}
	if (!arguments.yes && !isatty(STDIN_FILENO)) {
		error_set(err, ERROR_USAGE, 0, "there is nobody to ask: standard input is not a terminal");
		error_hint(err, "with --yes nobody is asked");
		return STATUS_USAGE;
	}
	if (file_open(&image, arguments.image, err) != 0)
		return STATUS_FAILURE;
	int status = check_image(&image, arguments.image, err) == 0 ? flash_image(&arguments, &image, err) :
								       STATUS_FAILURE;
	file_close(&image);
	return status;
}
