/* imapd/match.h - LIST patterns (RFC 3501 6.3.8) */
#ifndef IMAPD_MATCH_H
#define IMAPD_MATCH_H

#include <stdbool.h>

#include "libbase/arena.h"
#include "libbase/slice.h"

struct match {
	struct slice pat;	/* wildcards side by side are one */
	size_t literals;	/* octets that aren't wildcards */
	bool *row;		/* scratch, pat.n + 1 */
};

/* The pattern is ref followed by pat, in UTF-8. */
void match_init(struct match *m, struct arena *a, struct slice ref,
    struct slice pat);
/* "*" is anything, "%" anything but "/".  Time is bounded by the product of
 * the lengths.  In a name that begins with INBOX those letters match in any
 * case. */
bool match_name(const struct match *m, struct slice name);

#endif
