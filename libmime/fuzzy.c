/*
 * libmime/fuzzy.c - are words like these in a message, and how well do they fit?
 *
 * A text is taken word by word, without regard to case and accents.  A word
 * fits one that is looked for if it is the same, has the same stem, contains it,
 * or differs in a letter or two; all that are looked for must be there.
 */
#include "config.h"

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "libbase/text.h"
#include "libmime/fuzzy.h"
#include "libmime/mime-int.h"
#include "libmime/source.h"
#include "libmime/stem.h"

enum {
	LETTERS_MAX = 48,	/* of a word; longer ones are cut */
	WORDS_MAX = 32		/* that are looked for */
};

enum {	/* how well a word fits, in percent */
	FIT_SAME = 100, FIT_STEM = 85, FIT_PREFIX = 70, FIT_WITHIN = 50,
	FIT_ONE_OFF = 55, FIT_TWO_OFF = 35
};

struct word {
	uint32_t c[LETTERS_MAX];
	size_t n;
};

struct wanted {
	struct word w;
	struct slice stem;	/* absent: it has none */
	unsigned fit;		/* the best so far */
	unsigned hits;
};

struct mime_fuzzy {
	struct wanted *v;
	size_t n;
	struct stem *stem;	/* NULL: none of words */
};

/* ---- words ------------------------------------------------------------- */

static bool
is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c | 32) - 'a' < 26 || c - '0' < 10;
	return uc_is_property(c, UC_PROPERTY_ALPHABETIC) ||
	    uc_is_general_category(c, UC_DECIMAL_DIGIT_NUMBER);
}

/* Appends a letter without its case and marks. */
static void
add_letter(struct word *w, uint32_t c)
{
	uint32_t parts[18];
	size_t n = sizeof(parts) / sizeof(parts[0]);

	if (c < 0x80) {
		if (w->n < LETTERS_MAX)
			w->c[w->n++] = c - 'A' < 26 ? c + 32 : c;
		return;
	}
	if (u32_normalize(UNINORM_NFKD, &c, 1, parts, &n) != parts)
		return;
	for (size_t i = 0; i < n && w->n < LETTERS_MAX; i++)
		if (!uc_is_general_category(parts[i], UC_MARK))
			w->c[w->n++] = uc_tolower(parts[i]);
}

/* The next word of a text; false: there is none.  *text goes past it. */
static bool
next_word(struct slice *text, struct word *w)
{
	const uint8_t *p = (const uint8_t *)text->p;
	size_t left = text->n;

	w->n = 0;
	while (left > 0) {
		ucs4_t c = *p;
		int len = c < 0x80 ? 1 : u8_mbtouc(&c, p, left);

		if (is_letter(c))
			add_letter(w, c);
		else if (w->n > 0 && !(c >= 0x80 &&
		    uc_is_general_category(c, UC_MARK)))
			break;
		p += len;
		left -= (size_t)len;
	}
	*text = slice_make((const char *)p, left);
	return w->n > 0;
}

static struct slice
stem_of(struct stem *st, const struct word *w, uint8_t *buf, size_t cap)
{
	size_t n = cap;

	if (st == NULL || u32_to_u8(w->c, w->n, buf, &n) != buf)
		return slice_make(NULL, 0);
	return stem_word(st, slice_make((const char *)buf, n));
}

/* ---- how well a word fits ---------------------------------------------- */

/* How many letters are wrong, missing, too many or exchanged; more than max:
 * max + 1. */
static unsigned
distance(const struct word *a, const struct word *b, unsigned max)
{
	unsigned row[3][LETTERS_MAX + 1];
	unsigned *two = row[0], *one = row[1], *now = row[2];

	if ((a->n > b->n ? a->n - b->n : b->n - a->n) > max)
		return max + 1;
	for (size_t k = 0; k <= b->n; k++)
		one[k] = (unsigned)k;
	for (size_t i = 1; i <= a->n; i++) {
		unsigned least = now[0] = (unsigned)i, *t;

		for (size_t k = 1; k <= b->n; k++) {
			unsigned d = one[k - 1] + (a->c[i - 1] != b->c[k - 1]);

			if (one[k] + 1 < d)
				d = one[k] + 1;
			if (now[k - 1] + 1 < d)
				d = now[k - 1] + 1;
			if (i > 1 && k > 1 && a->c[i - 1] == b->c[k - 2] &&
			    a->c[i - 2] == b->c[k - 1] && two[k - 2] + 1 < d)
				d = two[k - 2] + 1;
			now[k] = d;
			least = d < least ? d : least;
		}
		if (least > max)
			return max + 1;
		t = two;
		two = one;
		one = now;
		now = t;
	}
	return one[b->n] > max ? max + 1 : one[b->n];
}

static unsigned
contains(const struct word *w, const struct word *part)
{
	size_t size = part->n * sizeof(part->c[0]);

	if (part->n >= w->n)
		return 0;
	if (memcmp(w->c, part->c, size) == 0)
		return FIT_PREFIX;
	if (part->n < 4 && part->c[0] < 0x80)
		return 0;
	for (size_t i = 1; i + part->n <= w->n; i++)
		if (memcmp(w->c + i, part->c, size) == 0)
			return FIT_WITHIN;
	return 0;
}

/* A misspelled word has its first letter right, most often. */
static unsigned
misspelled(const struct word *a, const struct word *b)
{
	unsigned max = b->n >= 9 ? 2 : b->n >= 4 ? 1 : 0;
	unsigned d;

	if (max == 0 || a->c[0] != b->c[0])
		return 0;
	d = distance(a, b, max);
	return d > max ? 0 : d == 1 ? FIT_ONE_OFF : FIT_TWO_OFF;
}

static unsigned
fit(const struct mime_fuzzy *f, const struct wanted *n, const struct word *w)
{
	uint8_t buf[LETTERS_MAX * 4];
	unsigned best, other;

	if (w->n == n->w.n &&
	    memcmp(w->c, n->w.c, w->n * sizeof(w->c[0])) == 0)
		return FIT_SAME;
	if (n->stem.n > 0 && w->c[0] == n->w.c[0] && slice_eq(n->stem,
	    stem_of(f->stem, w, buf, sizeof(buf))))
		return FIT_STEM;
	best = contains(w, &n->w);
	other = misspelled(w, &n->w);
	return other > best ? other : best;
}

/* ---- texts ------------------------------------------------------------- */

static void
free_stem(void *p)
{
	struct stem *s = p;

	stem_close(&s);
}

int
mime_fuzzy_new(struct slice text, const char *dir, const char *language,
    struct arena *a, struct mime_fuzzy **f_r)
{
	struct mime_fuzzy *f = arena_alloc(a, sizeof(*f));
	uint8_t buf[LETTERS_MAX * 4];
	struct word w;

	if (!utf8_valid(text))
		return -1;
	if ((f->stem = stem_open(dir, language)) != NULL)
		arena_defer(a, free_stem, f->stem);
	f->v = arena_calloc(a, WORDS_MAX, sizeof(*f->v));
	while (f->n < WORDS_MAX && next_word(&text, &w)) {
		struct wanted *n = &f->v[f->n++];

		n->w = w;
		n->stem = arena_slice(a, stem_of(f->stem, &w, buf,
		    sizeof(buf)));
	}
	*f_r = f;
	return 0;
}

void
mime_fuzzy_begin(struct mime_fuzzy *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].fit = f->v[i].hits = 0;
}

unsigned
mime_fuzzy_score(const struct mime_fuzzy *f)
{
	unsigned fits = 0, hits = 0, often;

	if (f->n == 0)
		return 100;	/* nothing is in everything */
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].fit == 0)
			return 0;
		fits += f->v[i].fit;
		hits += f->v[i].hits;
	}
	/* Four fifths by how well they fit, the rest by how often they come. */
	hits /= (unsigned)f->n;
	often = hits >= 10 ? 20 : hits * 2;
	return fits / (unsigned)f->n * 4 / 5 + often;
}

void
mime_fuzzy_text(struct mime_fuzzy *f, struct slice text)
{
	struct word w;

	while (next_word(&text, &w))
		for (size_t i = 0; i < f->n; i++) {
			unsigned k = fit(f, &f->v[i], &w);

			f->v[i].hits += k > 0;
			if (k > f->v[i].fit)
				f->v[i].fit = k;
		}
}

void
mime_fuzzy_value(struct mime_fuzzy *f, struct slice value)
{
	struct arena *a = arena_new(0);

	mime_fuzzy_text(f, mime_text(a, value));
	arena_free(&a);
}

/* ---- messages ---------------------------------------------------------- */

/* Up to the last blank, that no word is cut; all, if there is none for long. */
static size_t
whole_words(struct slice s)
{
	size_t n = s.n;

	while (n > 0 && (unsigned char)s.p[n - 1] > ' ')
		n--;
	return n > 0 || s.n < 4096 ? n : s.n;
}

static void
add_body(struct mime_fuzzy *f, const struct mime_part *p, struct slice raw)
{
	struct mime_source src;
	struct buf text;

	if (p->kind != MIME_LEAF || (!mime_is(p->type, "text") &&
	    !mime_is(p->type, "message")))
		return;
	buf_init(&text, SIZE_MAX / 2);
	mime_source_open(&src, p, raw);
	while (mime_source_next(&src, &text) == 1) {
		struct slice s = buf_slice(&text);

		s.n = src.ended ? s.n : whole_words(s);
		mime_fuzzy_text(f, s);
		buf_consume(&text, s.n);
	}
	mime_fuzzy_text(f, buf_slice(&text));
	mime_source_close(&src);
	buf_release(&text);
}

static void
add_header(struct mime_fuzzy *f, const struct mime_part *p, struct slice raw)
{
	struct mime_fields it;
	struct mime_field field;

	mime_fields_init(&it, mime_part_header(p, raw));
	while (mime_fields_next(&it, &field) == 1)
		mime_fuzzy_value(f, field.value);
}

void
mime_fuzzy_msg(struct mime_fuzzy *f, const struct mime_msg *m,
    struct slice raw, bool headers)
{
	for (const struct mime_part *p = m->root; p != NULL;
	    p = mime_part_next(p)) {
		/* The header of an attached message is body text. */
		if (headers || (p->env != NULL && p->parent != NULL))
			add_header(f, p, raw);
		add_body(f, p, raw);
	}
}
