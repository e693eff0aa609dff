/* libmime/fuzzy.h - searching for words, as people remember and spell them */
#ifndef MIME_FUZZY_H
#define MIME_FUZZY_H

#include <stdbool.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libmime/mime.h"

struct mime_fuzzy;

/*
 * The words of a UTF-8 text are looked for; -1 if it isn't.  language: the one
 * whose stems are known, see stem_open(); NULL: none.  At most 32 words count.
 */
int mime_fuzzy_new(struct slice text, const char *dir, const char *language,
    struct arena *a, struct mime_fuzzy **f_r);
/* Forgets what was found: a new message. */
void mime_fuzzy_begin(struct mime_fuzzy *f);
/* Looks at valid UTF-8, at a header field's value, or at a whole message as
 * mime_needle_in_msg() does. */
void mime_fuzzy_text(struct mime_fuzzy *f, struct slice text);
void mime_fuzzy_value(struct mime_fuzzy *f, struct slice value);
void mime_fuzzy_msg(struct mime_fuzzy *f, const struct mime_msg *m,
    struct slice raw, bool headers);
/* 1 to 100, how well all that was looked at fits; 0: a word is missing. */
unsigned mime_fuzzy_score(const struct mime_fuzzy *f);

#endif
