/* SPDX-License-Identifier: MIT
 *
 * The program as a whole: its commands, and the options before them.
 */
#ifndef MKBOOTIMG_TABLE_H
#define MKBOOTIMG_TABLE_H

#include <argp.h>
#include <stddef.h>

#include "command/command.h"

/* All commands; one without a name is the last. */
extern const struct command command_table[];

/* The command of that name.  NULL, and an error, if there is none. */
const struct command *command_find(const char *name, struct error *err);

/* What comes before the command, and which word is the command.  Its input is an int,
 * the command's index in argv. */
extern const struct argp main_argp;

/* Run a command; argv[0] is its name, or was.  Returns the exit status. */
int command_start(const struct command *command, int argc, char **argv, struct error *err);

#endif
