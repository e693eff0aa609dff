/* jmap-fcgi/email-text.h - texts in Emails: conditions and snippets */
#ifndef JMAP_EMAIL_TEXT_H
#define JMAP_EMAIL_TEXT_H

#include "jmap-fcgi/email.h"
#include "libbase/text.h"

enum {
	TEXT_TERMS_MAX = 32,	/* words and phrases of a condition */
	TEXT_CONDITIONS_MAX = 50	/* of a filter */
};

struct text_term {
	struct slice key;	/* a word or phrase, folded */
	struct mime_needle *needle;
};
/* A condition on texts: all of its terms have to be there, in any order. */
struct email_text {
	enum {
		TEXT_ALL,	/* the fields that RFC 8621 names, and bodies */
		TEXT_BODY,
		TEXT_FIELD	/* header fields of one name; there has to be
				 * one, even without any terms */
	} where;
	struct slice field;
	struct text_term *term;
	size_t n;
};

/* The terms of s: words, and phrases in quotes.  JMAP_E_FILTER: too many or too
 * long. */
int email_text_parse(struct jmap_call *c, struct slice s,
    struct email_text *t);
/* 1, 0, or an enum store_rc; em is loaded as far as is needed. */
int email_text_match(struct jmap_call *c, struct email *em,
    const struct email_text *t);
/* em->mime and em->raw, of which the first fits the second. */
int email_text_raw(struct jmap_call *c, struct email *em);
/* Is text looked for in that part?  And the text, HTML without its markup. */
bool email_text_part(const struct mime_part *p);
struct slice email_text_of(const struct mime_part *p, struct slice raw,
    struct arena *a);
/* The filter's conditions on texts but for those below a NOT; at most max. */
size_t filter_texts(const struct query *q, const struct email_text **t,
    size_t max);

/* ---- snippets (snippet-mark.c) ----------------------------------------- */

/*
 * Appends text as HTML with what the terms find in <mark>; max 0: all of it,
 * else the neighborhood of the first finding in at most max octets.  text is
 * UTF-8.  0: nothing was found and appended; 1.
 */
int snippet_mark(const struct text_term *const *term, size_t n,
    struct slice text, size_t max, struct buf *out);

extern const struct jmap_arg snippet_get_args[];
int snippet_get(struct jmap_call *c);

#endif
