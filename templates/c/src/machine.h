/*
 * What the machine does: ports, and its end.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Stop for good. */
_Noreturn static inline void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* End the machine, with a verdict: mkbootimg has a device at this port that takes it.
 * A real PC has none, and just stops. */
_Noreturn static inline void finish(bool success)
{
	out8(0xf4, success ? 0x10 : 0x11);
	halt();
}

#endif
