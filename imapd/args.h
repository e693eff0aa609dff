/* imapd/args.h - taking a command's arguments out of the tree */
#ifndef IMAPD_ARGS_H
#define IMAPD_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "imapd/parse.h"
#include "imapd/seqset.h"

/*
 * A cursor over the members of a command or list.  Each take function moves
 * past the next argument and returns true, or leaves it and returns false with
 * err set to what was expected there (unless err was set already).
 */
struct imap_args {
	const struct imap_arg *next;
	struct arena *a;
	const char *err;
	bool utf8;	/* mailbox names are UTF-8, not modified UTF-7 */
};

/* What was expected in place of the next argument; returns false. */
bool imap_args_expected(struct imap_args *v, const char *what);
/* Nothing may be left. */
bool imap_args_end(struct imap_args *v);
bool imap_args_atom(struct imap_args *v, struct slice *s_r, const char *what);
/* string: quoted or literal; astring: an atom too. */
bool imap_args_string(struct imap_args *v, struct slice *s_r,
    const char *what);
bool imap_args_astring(struct imap_args *v, struct slice *s_r,
    const char *what);
/* NIL is {NULL, 0}. */
bool imap_args_nstring(struct imap_args *v, struct slice *s_r,
    const char *what);
/* A mailbox name, as UTF-8 in NFC, from modified UTF-7 (RFC 3501 5.1.3) or from
 * UTF-8 (RFC 9051 5.1).  *raw_r (may be NULL): in UTF-8, as it was written. */
bool imap_args_name(struct imap_args *v, struct slice *s_r,
    struct slice *raw_r);
bool imap_args_mailbox(struct imap_args *v, struct slice *s_r);
/* The reference and a pattern of LIST, likewise; wildcards are kept.  {NULL, 0}:
 * it isn't UTF-7 or UTF-8, no name matches it. */
bool imap_args_reference(struct imap_args *v, struct slice *s_r);
bool imap_args_pattern(struct imap_args *v, struct slice *s_r);
bool imap_args_number(struct imap_args *v, uint32_t *n_r, const char *what);
/* number64 of RFC 9051, mod-sequence-valzer of RFC 7162: 63 bits. */
bool imap_args_number64(struct imap_args *v, uint64_t *n_r, const char *what);
/* "1:500" or "-1:-100" (RFC 9394 partial-range). */
struct imap_partial {
	bool given, from_end;
	uint32_t from, to;	/* counted from 1 or from the end; from <= to */
	struct slice text;	/* as it was written */
};
bool imap_args_partial(struct imap_args *v, struct imap_partial *p_r);
/* Of n results those that it means, [*from_r, *to_r). */
void imap_partial_range(const struct imap_partial *p, size_t n, size_t *from_r,
    size_t *to_r);
/* A parenthesized list; its members. */
bool imap_args_list(struct imap_args *v, struct imap_args *in_r,
    const char *what);
/* star: what "*" stands for. */
bool imap_args_seqset(struct imap_args *v, uint32_t star,
    struct seqset *set_r);
/* Is the next one this word, whatever its case?  Then takes it. */
bool imap_args_word(struct imap_args *v, const char *word);

#endif
