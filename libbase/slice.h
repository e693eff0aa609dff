/* libbase/slice.h - borrowed bytes: a pointer and a length, never NUL-ended */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else.  {NULL, 0} is the absent value. */
struct slice {
	const char *p;
	size_t n;
};

#define SLICE_LIT(s) ((struct slice){ (s), sizeof(s) - 1 })

static inline struct slice
slice_str(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline struct slice
slice_make(const char *p, size_t n)
{
	return (struct slice){ p, n };
}

/* Byte order, shorter first where one is a prefix of the other. */
int slice_cmp(struct slice a, struct slice b);
bool slice_eq(struct slice a, struct slice b);
/* Equal without regard to the case of ASCII letters. */
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_istarts(struct slice s, struct slice prefix);
/* Without blanks (SP HTAB CR LF) at both ends. */
struct slice slice_trim(struct slice s);
/* The part before the next c, or all of it; it and the c are taken off *s. */
struct slice slice_cut(struct slice *s, char c);
bool slice_is_ascii(struct slice s);	/* no octet above 127 */
/* Decimal digits only, no sign, no blanks.  0 and *v_r, or -1 (empty, not a
 * digit, greater than max). */
int slice_uint(struct slice s, uint64_t max, uint64_t *v_r);

#endif
