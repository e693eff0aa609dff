/*
 * t/fuzz/fuzz.h - what a fuzz harness is
 *
 * One function a parser, which asserts properties (bounds, round trips) and
 * not only that nothing crashes.  With --enable-fuzz it is linked with
 * libFuzzer; else with replay.c, which make check runs over
 * t/fuzz/corpus/NAME (an input of every bug that was found is in there) and
 * over mutations of it.
 */
#ifndef T_FUZZ_FUZZ_H
#define T_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() that NDEBUG doesn't drop. */
#define FUZZ_CHECK(x)           \
	do {                    \
		if (!(x))       \
			abort(); \
	} while (0)

#endif
