/* SPDX-License-Identifier: MIT
 *
 * qemu_arguments() and qemu_quote(): what the user says replaces what we would
 * have said, and reaches QEMU as it was.
 */
#include "run/qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "unit.h"

#define MOST_USER 5

/* Arguments from string literals.  The tool takes them as execv() does, without
 * const, and does not write to them. */
#define ARGUMENTS(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })
#define NO_USER ((char *const *)(const char *const[]){ NULL })

static struct qemu_machine machine_for(char *const *user)
{
	return (struct qemu_machine){
		.program = "qemu",
		.image = "disk.img",
		.format = "raw",
		.disk = "ide",
		.memory = 64 << 20,
		.display = "our-display",
		.qmp_fd = -1,
		.runner_fd = -1,
		.debug_console = "file,path=/dev/fd/1",
		.user = user,
	};
}

static size_t count_of(char *const *arguments)
{
	size_t count = 0;

	while (arguments[count] != NULL)
		count++;
	return count;
}

/* Arguments that hold a text. */
static size_t count_with(char *const *arguments, const char *text)
{
	size_t count = 0;

	for (; *arguments != NULL; arguments++)
		count += strstr(*arguments, text) != NULL;
	return count;
}

/* Is there an option directly followed by this value? */
static bool has_pair(char *const *arguments, const char *option, const char *value)
{
	for (; arguments[0] != NULL && arguments[1] != NULL; arguments++) {
		if (strcmp(arguments[0], option) == 0 && strcmp(arguments[1], value) == 0)
			return true;
	}
	return false;
}

static char **default_arguments(void)
{
	struct qemu_machine machine = machine_for(NO_USER);

	return qemu_arguments(&machine);
}

/* ---- What we say --------------------------------------------------------- */

TEST(defaults)
{
	char **arguments = default_arguments();

	assert_string_equal(arguments[0], "qemu");
	assert_true(has_pair(arguments, "-m", "64M"));
	assert_true(has_pair(arguments, "-chardev", "stdio,id=mkbootimg-serial"));
	assert_true(has_pair(arguments, "-serial", "chardev:mkbootimg-serial"));
	assert_true(has_pair(arguments, "-chardev", "file,path=/dev/fd/1,id=mkbootimg-debug"));
	assert_true(has_pair(arguments, "-display", "our-display"));
	assert_int_equal(count_with(arguments, "isa-debug-exit,iobase=0xf4"), 1);
	assert_int_equal(count_with(arguments, "iobase=0xe9"), 1);
	qemu_free(arguments);
}

/* Without a runner there is nobody to start the machine or to look at it. */
TEST(control_only_with_a_runner)
{
	char **arguments = default_arguments();

	assert_int_equal(count_with(arguments, "qmp"), 0);
	assert_int_equal(count_with(arguments, "runner"), 0);
	assert_int_equal(count_with(arguments, "-S"), 0);
	assert_int_equal(count_with(arguments, "-no-shutdown"), 0);
	qemu_free(arguments);
}

TEST(control_sockets)
{
	struct qemu_machine machine = machine_for(NO_USER);

	machine.qmp_fd = 0;
	machine.runner_fd = 123;
	char **arguments = qemu_arguments(&machine);
	assert_true(has_pair(arguments, "-chardev", "socket,id=mkbootimg-qmp,fd=0"));
	assert_true(has_pair(arguments, "-chardev", "file,id=mkbootimg-runner,path=/dev/fd/123"));
	assert_int_equal(count_with(arguments, "iobase=0xea,readback=0xea,chardev=mkbootimg-runner"), 1);
	assert_int_equal(count_with(arguments, "-no-shutdown"), 1);
	qemu_free(arguments);
}

/* The machine outlives the guest's last word only if it is to. */
TEST(exit_that_leaves_the_machine)
{
	struct qemu_machine machine = machine_for(NO_USER);

	machine.exit_fd = 12;
	char **arguments = qemu_arguments(&machine);
	assert_int_equal(count_with(arguments, "isa-debug-exit"), 0);
	assert_true(has_pair(arguments, "-chardev", "socket,id=mkbootimg-exit,fd=12"));
	assert_int_equal(count_with(arguments, "isa-serial,iobase=0xf4,"), 1);
	qemu_free(arguments);

	machine = machine_for(ARGUMENTS("-device", "isa-debug-exit,iobase=0xf4"));
	machine.exit_fd = 12;
	arguments = qemu_arguments(&machine);
	assert_int_equal(count_with(arguments, "isa-debug-exit"), 1);
	assert_int_equal(count_with(arguments, "mkbootimg-exit"), 0);
	qemu_free(arguments);
}

TEST(serial_file)
{
	struct qemu_machine machine = machine_for(NO_USER);

	machine.serial = "a,b.txt";
	char **arguments = qemu_arguments(&machine);
	assert_true(has_pair(arguments, "-chardev", "file,path=a,,b.txt,id=mkbootimg-serial"));
	assert_true(has_pair(arguments, "-serial", "chardev:mkbootimg-serial"));
	assert_true(has_pair(arguments, "-chardev", "file,path=/dev/fd/1,id=mkbootimg-debug"));
	assert_int_equal(count_with(arguments, "stdio"), 0);
	qemu_free(arguments);
}

/* Neither is said unless it was asked for. */
TEST(processors_and_accelerator)
{
	struct qemu_machine machine = machine_for(NO_USER);
	char **arguments = qemu_arguments(&machine);

	assert_int_equal(count_with(arguments, "-smp") + count_with(arguments, "-accel"), 0);
	qemu_free(arguments);

	machine.cpus = 255;
	machine.accel = "kvm";
	machine.accel_else = "tcg";
	arguments = qemu_arguments(&machine);
	assert_true(has_pair(arguments, "-smp", "255"));
	assert_true(has_pair(arguments, "-accel", "kvm"));
	/* The first one counts. */
	assert_true(has_pair(arguments, "kvm", "-accel"));
	assert_true(has_pair(arguments, "-accel", "tcg"));
	qemu_free(arguments);
}

/* Never less than what was asked for. */
TEST(memory_is_rounded_up)
{
	static const struct {
		uint64_t bytes;
		const char *says;
	} cases[] = {
		{ 1, "1M" },
		{ 64 << 20, "64M" },
		{ (64 << 20) + 1, "65M" },
		{ UINT64_C(1) << 40, "1048576M" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct qemu_machine machine = machine_for(NO_USER);

		machine.memory = cases[i].bytes;
		char **arguments = qemu_arguments(&machine);
		CHECK(has_pair(arguments, "-m", cases[i].says), "%s", cases[i].says);
		qemu_free(arguments);
	}
}

static void check_image(const char *image, const char *says)
{
	struct qemu_machine machine = machine_for(NO_USER);

	machine.image = image;
	char **arguments = qemu_arguments(&machine);
	CHECK(count_with(arguments, says) == 1, "'%s': no %s", image, says);
	qemu_free(arguments);
}

/* QEMU ends a value at a comma, unless it is doubled. */
TEST(commas_in_the_image_path)
{
	check_image("a.img", "file=a.img,format=raw");
	check_image("a,b.img", "file=a,,b.img,format=raw");
	check_image(",a,,b,", "file=,,a,,,,b,,,format=raw");
	check_image("100%s=\"x\"", "file=100%s=\"x\",format=raw");
	check_image("", "file=,format=raw");
}

/* QEMU takes what is before a colon for a protocol, unless a slash comes first. */
TEST(colons_in_the_image_path)
{
	check_image("nbd:1", "file=./nbd:1,");
	check_image(":", "file=./:,");
	check_image("a/b:c", "file=a/b:c,");
	check_image("/a:b", "file=/a:b,");
	check_image("./a:b", "file=./a:b,");
}

/* The guest must not change the file. */
TEST(image_is_not_written)
{
	char **arguments = default_arguments();

	assert_int_equal(count_with(arguments, "snapshot=on"), 1);
	qemu_free(arguments);
}

/* A copy that goes with us need not be copied once more. */
TEST(own_copy_is_written)
{
	struct qemu_machine machine = machine_for(NO_USER);

	machine.own_copy = true;
	char **arguments = qemu_arguments(&machine);
	assert_int_equal(count_with(arguments, "snapshot"), 0);
	qemu_free(arguments);
}

/* The last one counts, as for QEMU. */
TEST(who_counts_instructions)
{
	assert_int_equal(qemu_user_icount(NO_USER), -1);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "shift=0,sleep=off")), 0);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-smp", "1", "--icount", "7")), 7);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "3,align=off")), 3);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "auto")), -1);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "shift=auto")), -1);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "shift=10")), 10);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "shift=11")), -1);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount", "2", "-icount", "auto")), -1);
	assert_int_equal(qemu_user_icount(ARGUMENTS("-icount")), -1);
}

/* ---- Disks --------------------------------------------------------------- */

/* Without bootindex, SeaBIOS takes the disks in an order of its own. */
static void check_disk(const char *name)
{
	struct qemu_machine machine = machine_for(NO_USER);

	CHECK(qemu_disk_known(name), "'%s' is listed but not known", name);
	machine.disk = name;
	char **arguments = qemu_arguments(&machine);
	CHECK(count_with(arguments, "drive=mkbootimg,bootindex=0") == 1, "'%s': no bootindex", name);
	CHECK(count_with(arguments, "bus=mkbootimg-bus.0") == count_with(arguments, ",id=mkbootimg-bus"),
	      "'%s': a bus without its controller", name);
	qemu_free(arguments);
}

TEST(each_disk_has_a_bootindex)
{
	char names[] = QEMU_DISK_NAMES;
	char *rest = names;
	size_t count = 0;

	for (char *name; (name = strsep(&rest, ",")) != NULL; count++)
		check_disk(name + strspn(name, " "));
	assert_int_equal(count, 6);
}

TEST(unknown_disks)
{
	static const char *const names[] = { "", "ahc", "ahci ", "ahci, ide", "AHCI", "floppy" };

	for (size_t i = 0; i < COUNT(names); i++)
		CHECK(!qemu_disk_known(names[i]), "'%s' is known", names[i]);
}

/* ---- What the user says -------------------------------------------------- */

struct user_case {
	const char *user[MOST_USER];
	const char *ours[3];	/* what we would say, and now do not */
};

static void check_suppressed(const struct user_case *c, char *const *defaults)
{
	struct qemu_machine machine = machine_for((char *const *)c->user);
	char **arguments = qemu_arguments(&machine);

	for (size_t i = 0; i < COUNT(c->ours) && c->ours[i] != NULL; i++) {
		/* Else the test would still pass when our words change. */
		CHECK(count_with(defaults, c->ours[i]) > 0, "%s is not a default", c->ours[i]);
		CHECK(count_with(arguments, c->ours[i]) == 0, "%s %s does not replace %s", c->user[0],
		      c->user[1] != NULL ? c->user[1] : "", c->ours[i]);
	}
	qemu_free(arguments);
}

TEST(user_replaces_ours)
{
	static const struct user_case cases[] = {
		{ { "-serial", "null" }, { "chardev:mkbootimg-serial", "stdio,id=mkbootimg-serial" } },
		{ { "--serial", "null" }, { "chardev:mkbootimg-serial", "stdio,id=mkbootimg-serial" } },
		{ { "-debugcon", "null" }, { "iobase=0xe9", ",id=mkbootimg-debug" } },
		{ { "--debugcon", "null" }, { "iobase=0xe9", ",id=mkbootimg-debug" } },
		{ { "-device", "isa-debugcon,chardev=mine" }, { "iobase=0xe9", ",id=mkbootimg-debug" } },
		{ { "-display", "none" }, { "our-display" } },
		{ { "--display", "none" }, { "our-display" } },
		{ { "-nographic" }, { "our-display", "chardev:mkbootimg-serial", "stdio,id=mkbootimg-serial" } },
		{ { "--nographic" }, { "our-display", "chardev:mkbootimg-serial" } },
		{ { "-device", "isa-debug-exit" }, { "iobase=0xf4" } },
		{ { "-device", "isa-debug-exit,iobase=0x501,iosize=2" }, { "iobase=0xf4" } },
		{ { "-vnc", ":1", "-serial", "pty" }, { "chardev:mkbootimg-serial" } },
	};
	char **defaults = default_arguments();

	for (size_t i = 0; i < COUNT(cases); i++)
		check_suppressed(&cases[i], defaults);
	qemu_free(defaults);
}

/* These are not said by default. */
TEST(user_replaces_what_was_asked_for)
{
	static const struct user_case cases[] = {
		{ { "-serial", "null" }, { "serial.txt", "mkbootimg-serial" } },
		{ { "-smp", "2,cores=2" }, { "255" } },
		{ { "--smp", "2" }, { "255" } },
		{ { "-accel", "hvf" }, { "xen" } },
		{ { "-enable-kvm" }, { "xen", "-accel" } },
		{ { "-M", "q35,accel=kvm" }, { "xen", "-accel" } },
		{ { "-machine", "accel=kvm:tcg" }, { "xen", "-accel" } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct qemu_machine machine = machine_for((char *const *)cases[i].user);

		machine.serial = "serial.txt";
		machine.cpus = 255;
		machine.accel = "xen";
		char **arguments = qemu_arguments(&machine);
		for (size_t j = 0; j < COUNT(cases[i].ours) && cases[i].ours[j] != NULL; j++)
			CHECK(count_with(arguments, cases[i].ours[j]) == 0, "%s does not replace %s",
			      cases[i].user[0], cases[i].ours[j]);
		qemu_free(arguments);
	}
}

TEST(user_shows_the_screen)
{
	assert_false(qemu_user_shows(NO_USER));
	assert_false(qemu_user_shows(ARGUMENTS("-display", "none")));
	assert_false(qemu_user_shows(ARGUMENTS("-nographic")));
	assert_false(qemu_user_shows(ARGUMENTS("-display")));
	assert_false(qemu_user_shows(ARGUMENTS("-display", "gtk", "--display", "none")));
	assert_true(qemu_user_shows(ARGUMENTS("-display", "curses")));
	assert_true(qemu_user_shows(ARGUMENTS("--display", "gtk")));
	assert_true(qemu_user_shows(ARGUMENTS("-vnc", ":1")));
}

/* One thing replaced does not take away another. */
TEST(user_replaces_nothing_else)
{
	struct qemu_machine machine = machine_for(ARGUMENTS("-serial", "null"));
	char **arguments = qemu_arguments(&machine);

	assert_int_equal(count_with(arguments, "iobase=0xe9"), 1);
	assert_int_equal(count_with(arguments, "our-display"), 1);
	assert_int_equal(count_with(arguments, "iobase=0xf4"), 1);
	qemu_free(arguments);
}

/* What -nographic means in QEMU, which -nodefaults would take away. */
TEST(nographic_has_serial_and_monitor)
{
	struct qemu_machine machine = machine_for(ARGUMENTS("-nographic"));
	char **arguments = qemu_arguments(&machine);

	assert_true(has_pair(arguments, "-serial", "mon:stdio"));
	qemu_free(arguments);

	machine = machine_for(ARGUMENTS("-nographic", "-serial", "null"));
	arguments = qemu_arguments(&machine);
	assert_int_equal(count_with(arguments, "mon:stdio"), 0);
	qemu_free(arguments);
}

/* QEMU refuses a second user of its standard input. */
TEST(user_of_stdio_has_it_alone)
{
	struct qemu_machine machine = machine_for(ARGUMENTS("-monitor", "stdio"));
	char **arguments = qemu_arguments(&machine);

	assert_int_equal(count_with(arguments, "stdio"), 1);
	assert_true(has_pair(arguments, "-serial", "chardev:mkbootimg-serial"));
	qemu_free(arguments);
}

/* The last word is the user's, and nothing of it is a format. */
TEST(user_comes_last_and_unchanged)
{
	char *const *user = ARGUMENTS("-m", "1G", "%s%n%d", "", "a b", "x,y", "'\"\\", "-S");
	struct qemu_machine machine = machine_for(user);

	machine.qmp_fd = 7;
	machine.runner_fd = 8;
	char **arguments = qemu_arguments(&machine);
	size_t ours = count_of(arguments) - count_of(user);
	for (size_t i = 0; i <= count_of(user); i++) {
		if (user[i] != NULL)
			assert_string_equal(arguments[ours + i], user[i]);
		else
			assert_null(arguments[ours + i]);
	}
	qemu_free(arguments);
}

TEST(finds_options_of_the_user)
{
	char *const *user = ARGUMENTS("-serial", "-display=none", "--vnc", "debugcon", "---m", "");

	assert_true(qemu_user_has(user, "-serial"));
	assert_true(qemu_user_has(user, "-vnc"));
	assert_false(qemu_user_has(user, "-display"));
	assert_false(qemu_user_has(user, "-debugcon"));
	assert_false(qemu_user_has(user, "-m"));
	assert_false(qemu_user_has(NO_USER, "-serial"));
}

TEST(free_of_nothing)
{
	qemu_free(NULL);
}

/* ---- Quoting ------------------------------------------------------------- */

/* What a shell makes of a line: its words, each with a NUL behind it. */
static size_t words_of(const char *line, char *words, size_t size)
{
	char *command = NULL;

	assert_true(asprintf(&command, "printf '%%s\\0' %s", line) > 0);
	FILE *shell = popen(command, "r");
	assert_non_null(shell);
	size_t used = fread(words, 1, size, shell);
	assert_int_equal(pclose(shell), 0);
	free(command);
	return used;
}

TEST(quoted_words_survive_the_shell)
{
	char *const *arguments = ARGUMENTS(
		"qemu-system-x86_64", "-drive", "file=a,,b.img,format=raw", "", " ", "a b", "'", "''",
		"it's", "\"", "\\", "\\n", "a\nb", "\n", "\t", "$HOME", "${x}", "`id`", "$(id)", "*", "?",
		"[a-z]", "~", "~root", "#", "a#b", ";", "&", "|", "<", ">", "(", ")", "{a,b}", "!", "!!",
		"-n", "--", "=", "a=b", "%s", "\x01\x7f", "\xc3\xa9", "\xff", "a'b\"c\\d$e`f");
	char *line = qemu_quote(arguments);
	char words[1000];
	size_t used = words_of(line, words, sizeof(words)), at = 0;

	free(line);
	for (size_t i = 0; arguments[i] != NULL; i++) {
		CHECK(at < used, "word %zu is missing", i);
		CHECK(strcmp(words + at, arguments[i]) == 0, "'%s' became '%s'", arguments[i], words + at);
		at += strlen(words + at) + 1;
	}
	assert_int_equal(at, used);
}

TEST(every_byte_survives_the_shell)
{
	for (int byte = 1; byte < 256; byte++) {
		char text[] = { (char)byte, 'x', (char)byte, '\0' };
		char *line = qemu_quote(ARGUMENTS(text));
		char words[16];
		size_t used = words_of(line, words, sizeof(words));

		CHECK(used == sizeof(text) && memcmp(words, text, used) == 0, "byte 0x%02x", byte);
		free(line);
	}
}

/* It is read by people: no quotes where none are needed. */
TEST(plain_words_are_not_quoted)
{
	char *const *arguments = ARGUMENTS("qemu", "-drive", "file=a/b.img,if=none", "-m", "64M");
	char *line = qemu_quote(arguments);

	assert_string_equal(line, "qemu -drive file=a/b.img,if=none -m 64M");
	free(line);
}

/* As the first word, "name=value" would set a variable and run nothing. */
TEST(program_is_not_an_assignment)
{
	char *line = qemu_quote(ARGUMENTS("no=such/program")), *command = NULL;

	assert_true(asprintf(&command, "%s 2>/dev/null", line) > 0);
	int status = system(command);
	free(command);
	free(line);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 127);
}

TEST(nothing_is_an_empty_line)
{
	char *line = qemu_quote(NO_USER);

	assert_string_equal(line, "");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(control_only_with_a_runner),
		cmocka_unit_test(control_sockets),
		cmocka_unit_test(exit_that_leaves_the_machine),
		cmocka_unit_test(serial_file),
		cmocka_unit_test(processors_and_accelerator),
		cmocka_unit_test(memory_is_rounded_up),
		cmocka_unit_test(commas_in_the_image_path),
		cmocka_unit_test(colons_in_the_image_path),
		cmocka_unit_test(image_is_not_written),
		cmocka_unit_test(own_copy_is_written),
		cmocka_unit_test(who_counts_instructions),
		cmocka_unit_test(each_disk_has_a_bootindex),
		cmocka_unit_test(unknown_disks),
		cmocka_unit_test(user_replaces_ours),
		cmocka_unit_test(user_replaces_what_was_asked_for),
		cmocka_unit_test(user_shows_the_screen),
		cmocka_unit_test(user_replaces_nothing_else),
		cmocka_unit_test(nographic_has_serial_and_monitor),
		cmocka_unit_test(user_of_stdio_has_it_alone),
		cmocka_unit_test(user_comes_last_and_unchanged),
		cmocka_unit_test(finds_options_of_the_user),
		cmocka_unit_test(free_of_nothing),
		cmocka_unit_test(quoted_words_survive_the_shell),
		cmocka_unit_test(every_byte_survives_the_shell),
		cmocka_unit_test(plain_words_are_not_quoted),
		cmocka_unit_test(program_is_not_an_assignment),
		cmocka_unit_test(nothing_is_an_empty_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
