/*
 * Text on the screen (VGA, 80 columns, 25 rows) and on the first serial port.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void console_setup(void);

void print(const char *text);
void print_number(uint64_t number);

#endif
