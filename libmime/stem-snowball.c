/* libmime/stem-snowball.c - the module stem.so: libstemmer */
#include "config.h"

#include <libstemmer.h>

#include "libmime/stem.h"

static void *
stem_new(const char *language)
{
	return sb_stemmer_new(language, "UTF_8");
}

static void
stem_delete(void *p)
{
	sb_stemmer_delete(p);
}

static const char *
stem(void *p, const char *word, size_t n, size_t *n_r)
{
	const sb_symbol *s = sb_stemmer_stem(p, (const sb_symbol *)word,
	    (int)n);

	*n_r = s != NULL ? (size_t)sb_stemmer_length(p) : 0;
	return (const char *)s;
}

extern const struct stem_module culver_stem_module;
__attribute__((visibility("default")))
const struct stem_module culver_stem_module = {
	STEM_MODULE_VERSION, sizeof(struct stem_module), stem_new, stem_delete,
	stem
};
