/* libbase/collation.h - comparators of texts (RFC 4790, RFC 5051) */
#ifndef BASE_COLLATION_H
#define BASE_COLLATION_H

#include "arena.h"
#include "buf.h"
#include "slice.h"

/* By how much of the world they serve. */
enum collation {
	COLLATION_UNICODE,	/* i;unicode-casemap */
	COLLATION_ASCII,	/* i;ascii-casemap */
	COLLATION_OCTET,	/* i;octet */
	COLLATION_NUMERIC,	/* i;ascii-numeric: of whole texts alone */
	COLLATION_N
};

/* As the IANA registry has it. */
const char *collation_name(enum collation c);
/* The one of that name, in any case of its letters; or -1. */
int collation_find(struct slice name);
/* Is there a substring operation?  If not, keys are for the order alone. */
bool collation_has_substring(enum collation c);

/*
 * The key of a text: keys compare as octets (slice_cmp) as their texts do by
 * the comparator, and a text is in another if its key is in the other's.
 * Octets that aren't well-formed UTF-8 are kept as they are.
 */
struct slice collation_key(enum collation c, struct slice s, struct arena *a);
/* Appends it.  With substrings, the keys of two texts one after the other are
 * the key of both.  -1: out refused. */
int collation_add(enum collation c, struct slice s, struct buf *out);

#endif
