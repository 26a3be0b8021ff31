/* SPDX-License-Identifier: MIT
 *
 * Writes the words of the test kernel "data" to standard output.
 */
#include <stdio.h>

#include "data_words.h"

int main(void)
{
	for (uint64_t i = 0; i < DATA_BYTES / 8; i++) {
		uint64_t word = data_word(i);

		if (fwrite(&word, sizeof(word), 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) != 0;
}
