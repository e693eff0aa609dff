/* libmime/search.c - is a text in a message? */
#include "config.h"

#include "libbase/text.h"
#include "libmime/mime-int.h"
#include "libmime/source.h"

struct mime_needle {
	bool collated;		/* else folded */
	enum collation how;
	struct slice key;	/* what is looked for */
	struct slice octets;	/* the same where there is no UTF-8; or absent */
};

struct finder {
	const struct mime_needle *n;
	struct slice key;
	bool octets;
	struct buf window;	/* keys not yet searched, and an overlap */
	struct arena *a;
};

int
mime_needle_new(struct slice text, struct arena *a, struct mime_needle **n_r)
{
	struct mime_needle *n = arena_alloc(a, sizeof(*n));

	if (utf8_fold(text, a, &n->key) < 0)
		return -1;
	*n_r = n;
	return 0;
}

int
mime_needle_collated(struct slice text, enum collation c, struct arena *a,
    struct mime_needle **n_r)
{
	struct mime_needle *n = arena_alloc(a, sizeof(*n));

	if (!utf8_valid(text) || !collation_has_substring(c))
		return -1;
	n->collated = true;
	n->how = c;
	n->key = collation_key(c, text, a);
	n->octets = arena_slice(a, text);
	*n_r = n;
	return 0;
}

static bool
found(const struct finder *f)
{
	return f->key.n == 0 || (f->window.n >= f->key.n &&
	    memmem(f->window.p, f->window.n, f->key.p, f->key.n) != NULL);
}

/* Length of the US-ASCII run at the front. */
static size_t
ascii_run(struct slice s)
{
	size_t i = 0;

	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

static void
add_ascii(struct finder *f, const char *p, size_t n)
{
	char *to = buf_reserve(&f->window, n);

	if (to == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)p[i];

		to[i] = (char)(c - 'A' < 26 ? c + 32 : c);
	}
	f->window.n += n;
}

/*
 * Appends s folded.  Folding a text as a whole is slow, so only what is not
 * US-ASCII is passed on, with the character before it: a mark may join that.
 */
static void
add_folded(struct finder *f, struct slice s)
{
	while (s.n > 0) {
		size_t n = ascii_run(s), keep, end;
		struct slice hard, folded;

		keep = n > 0 && n < s.n ? n - 1 : n;
		if (keep > 0)
			add_ascii(f, s.p, keep);
		if (n == s.n)
			return;
		for (end = n; end < s.n && (unsigned char)s.p[end] >= 0x80; )
			end++;
		hard = slice_make(s.p + keep, end - keep);
		if (utf8_fold(hard, f->a, &folded) == 0)
			buf_add_slice(&f->window, folded);
		s.p += end;
		s.n -= end;
	}
}

static void
add(struct finder *f, struct slice s)
{
	if (f->octets)
		buf_add_slice(&f->window, s);
	else if (f->n->collated)
		collation_add(f->n->how, s, &f->window);
	else
		add_folded(f, s);
}

/* Forgets what has been searched but for what a match may begin in. */
static void
slide(struct finder *f)
{
	size_t keep = f->key.n > 0 ? f->key.n - 1 : 0;

	if (f->window.n > keep)
		buf_consume(&f->window, f->window.n - keep);
	arena_reset(f->a);
}

static void
finder_init(struct finder *f, const struct mime_needle *n, bool octets)
{
	f->n = n;
	f->key = octets ? n->octets : n->key;
	f->octets = octets;
	f->a = arena_new(0);
	buf_init(&f->window, SIZE_MAX / 2);
}

static void
finder_release(struct finder *f)
{
	buf_release(&f->window);
	arena_free(&f->a);
}

static bool
in_text(const struct mime_needle *n, struct slice text, bool octets)
{
	struct finder f;
	bool r;

	finder_init(&f, n, octets);
	add(&f, octets ? text : utf8_clean(f.a, text));
	r = found(&f);
	finder_release(&f);
	return r;
}

bool
mime_needle_in(const struct mime_needle *n, struct slice text)
{
	return n->key.n == 0 || in_text(n, text, false);
}

bool
mime_needle_in_value(const struct mime_needle *n, struct slice value)
{
	struct arena *a = arena_new(0);
	struct slice octets, text;
	bool r;

	if (n->collated) {
		text = mime_text_octets(a, value, &octets);
		r = mime_needle_in(n, text) ||
		    (octets.p != NULL && in_text(n, octets, true));
	} else {
		r = mime_needle_in(n, mime_text(a, value));
	}
	arena_free(&a);
	return r;
}

/* How much of text may be folded now: up to the last character that nothing
 * can join, or all if there is none. */
static size_t
safe_end(struct slice text)
{
	for (size_t i = text.n; i > text.n / 2; i--)
		if ((unsigned char)text.p[i - 1] <= ' ')
			return i - 1;
	return text.n;
}

/* One reading of a body, of its text or of its octets.  *problem_r: it isn't
 * all text. */
static bool
in_body(const struct mime_needle *n, const struct mime_part *p,
    struct slice raw, bool octets, bool *problem_r)
{
	struct mime_source src;
	struct finder f;
	struct buf text;
	bool r = false;

	finder_init(&f, n, octets);
	buf_init(&text, SIZE_MAX / 2);
	mime_source_open(&src, p, raw);
	while (!r && mime_source_next(&src, &text) == 1) {
		struct slice s = buf_slice(octets ? &src.octets : &text);

		if (!octets && !src.ended)
			s.n = safe_end(s);
		add(&f, s);
		buf_consume(&text, octets ? text.n : s.n);
		r = found(&f);
		slide(&f);
	}
	*problem_r = mime_charset_problem(src.cs);
	mime_source_close(&src);
	buf_release(&text);
	finder_release(&f);
	return r;
}

bool
mime_needle_in_body(const struct mime_needle *n, const struct mime_part *p,
    struct slice raw)
{
	bool problem;

	if (p->kind != MIME_LEAF || (!mime_is(p->type, "text") &&
	    !mime_is(p->type, "message")))
		return false;
	return n->key.n == 0 || in_body(n, p, raw, false, &problem) ||
	    (problem && n->collated && in_body(n, p, raw, true, &problem));
}

static bool
in_header(const struct mime_needle *n, const struct mime_part *p,
    struct slice raw)
{
	struct mime_fields it;
	struct mime_field f;

	mime_fields_init(&it, mime_part_header(p, raw));
	while (mime_fields_next(&it, &f) == 1)
		if (mime_needle_in(n, f.name) ||
		    mime_needle_in_value(n, f.value))
			return true;
	return false;
}

bool
mime_needle_in_msg(const struct mime_needle *n, const struct mime_msg *m,
    struct slice raw, bool headers)
{
	const struct mime_part *p;

	if (n->key.n == 0)
		return true;
	for (p = m->root; p != NULL; p = mime_part_next(p)) {
		/* The header of an attached message is body text. */
		if ((headers || (p->env != NULL && p->parent != NULL)) &&
		    in_header(n, p, raw))
			return true;
		if (mime_needle_in_body(n, p, raw))
			return true;
	}
	return false;
}
