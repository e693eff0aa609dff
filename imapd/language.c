/* imapd/language.c - texts for people in the client's language (RFC 5255 3) */
#include "config.h"

#include "imapd/language.h"

const struct language languages[] = {
	{ "i-default", NULL, NULL },
	{ "en", NULL, NULL },
	{ "de", language_de, &language_de_n },
	{ "fr", language_fr, &language_fr_n }
};
const size_t languages_n = sizeof(languages) / sizeof(languages[0]);

static const struct language *now = &languages[0];

void
language_reset(void)
{
	now = &languages[0];
}

bool
language_negotiated(void)
{
	return now != &languages[0];
}

void
language_use(const struct language *l)
{
	now = l;
}

/* Without its last subtag, and a single letter or digit before that. */
static struct slice
shorten(struct slice range)
{
	size_t n = range.n;

	while (n > 0 && range.p[n - 1] != '-')
		n--;
	n -= n > 0;
	if (n >= 2 && range.p[n - 2] == '-')
		n -= 2;
	return slice_make(range.p, n);
}

const struct language *
language_lookup(struct slice range)
{
	for (; range.n > 0; range = shorten(range))
		for (size_t i = 0; i < languages_n; i++)
			if (slice_ieq(range, slice_str(languages[i].tag)))
				return &languages[i];
	return NULL;
}

const char *
language_text(const char *english)
{
	size_t lo = 0, hi = now->row != NULL ? *now->n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = strcmp(now->row[mid].english, english);

		if (d == 0)
			return now->row[mid].text;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return english;
}
