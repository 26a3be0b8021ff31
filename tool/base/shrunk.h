/* SPDX-License-Identifier: MIT
 *
 * Files that are mapped into memory, and become shorter, or unreadable, while they
 * are read: the system has no other word for that than the signal SIGBUS.
 */
#ifndef MKBOOTIMG_SHRUNK_H
#define MKBOOTIMG_SHRUNK_H

/* From now on that ends the program with this status, after a sentence that names
 * the file.  command is kept. */
void shrunk_watch(const char *command, int status);

#endif
