/* libmime/stem.h - the stems of words, by a module that is loaded when needed */
#ifndef MIME_STEM_H
#define MIME_STEM_H

#include <stddef.h>

#include "libbase/slice.h"

struct stem;

/*
 * dir: where the module stem.so is.  NULL: the language isn't known or is
 * "none", or the module can't be loaded, which is logged once.
 */
struct stem *stem_open(const char *dir, const char *language);
void stem_close(struct stem **s);
/* Of a UTF-8 word in lower case; valid until the next call. */
struct slice stem_word(struct stem *s, struct slice word);

/*
 * The module: libstemmer has ten thousand relocations, which no session should
 * pay for that doesn't search so.
 */
enum { STEM_MODULE_VERSION = 1 };
struct stem_module {
	unsigned version;
	size_t size;		/* of this */
	/* NULL: there is no such language, or no memory. */
	void *(*open)(const char *language);
	void (*close)(void *p);
	/* NULL: no memory. */
	const char *(*word)(void *p, const char *word, size_t n, size_t *n_r);
};

#endif
