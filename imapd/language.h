/* imapd/language.h - texts for people in the client's language (RFC 5255 3) */
#ifndef IMAPD_LANGUAGE_H
#define IMAPD_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "libbase/slice.h"

/*
 * The language belongs to the process, as the locale does: a process serves one
 * connection.  The English texts in the sources are the keys of the catalogues
 * (texts-de.c and so on); what a catalogue lacks is English.
 */

/* A row of a catalogue; rows are ordered by strcmp() of the English texts. */
struct language_row {
	const char *english, *text;
};

struct language {
	const char *tag;
	const struct language_row *row;	/* NULL: English */
	const size_t *n;
};

/* All of them, i-default first. */
extern const struct language languages[];
extern const size_t languages_n;

/* Back to i-default. */
void language_reset(void);
/* Is it another one?  Then texts may have UTF-8. */
bool language_negotiated(void);
/* Lookup by RFC 4647 3.4.  NULL: there is none for that range. */
const struct language *language_lookup(struct slice range);
void language_use(const struct language *l);
/* The text in the language. */
const char *language_text(const char *english)
    __attribute__((format_arg(1)));

extern const struct language_row language_de[], language_fr[];
extern const size_t language_de_n, language_fr_n;

#endif
