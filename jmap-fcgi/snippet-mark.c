/* jmap-fcgi/snippet-mark.c - marks what was found in a text (RFC 8621 5) */
#include "config.h"

#include "jmap-fcgi/email-text.h"
#include "libbase/xalloc.h"

enum {
	WINDOW = 8192,		/* looked at together */
	OVERLAP = 4096,		/* more than any term, as it may be written */
	BEFORE = 60,		/* octets, about, that are shown before one */
	CLUSTER_MAX = 16	/* characters that fold together */
};

/* A piece of text, folded. */
struct window {
	struct slice text;
	struct buf key;
	uint32_t *from, *to;	/* by octet of key: where it is from in text */
	bool *on;		/* by octet of text: it is marked */
	struct arena *a;
};

static size_t
char_len(struct slice s, size_t at)
{
	unsigned char c = (unsigned char)s.p[at];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n < s.n - at ? n : s.n - at;
}

static bool
fold(struct window *w, size_t from, size_t to, struct slice *s_r)
{
	return utf8_fold(slice_make(w->text.p + from, to - from), w->a,
	    s_r) == 0;
}

/* The end of the characters from at which only fold together, such as a letter
 * and its marks; *key_r: what they fold to. */
static size_t
cluster(struct window *w, size_t at, struct slice *key_r)
{
	size_t end = at + char_len(w->text, at), next;
	struct slice one, both;

	*key_r = slice_make(NULL, 0);
	fold(w, at, end, key_r);
	for (int i = 0; i < CLUSTER_MAX && end < w->text.n; i++) {
		next = end + char_len(w->text, end);
		if (!fold(w, end, next, &one) || !fold(w, at, next, &both))
			break;
		if (both.n == key_r->n + one.n &&
		    slice_starts(both, *key_r) &&
		    (one.n == 0 || memcmp(both.p + key_r->n, one.p, one.n) == 0))
			break;
		*key_r = both;
		end = next;
	}
	return end;
}

static void
put_key(struct window *w, struct slice key, size_t from, size_t to,
    size_t *cap)
{
	size_t cap2 = *cap;

	w->from = arena_grow(w->a, w->from, cap, w->key.n + key.n + 1,
	    sizeof(*w->from));
	w->to = arena_grow(w->a, w->to, &cap2, w->key.n + key.n + 1,
	    sizeof(*w->to));
	for (size_t i = 0; i < key.n; i++) {
		w->from[w->key.n + i] = (uint32_t)from;
		w->to[w->key.n + i] = (uint32_t)to;
	}
	buf_add_slice(&w->key, key);
}

static void
window_init(struct window *w, struct slice text)
{
	size_t end, cap = 0;

	memset(w, 0, sizeof(*w));
	w->text = text;
	w->a = arena_new(0);
	w->on = arena_calloc(w->a, text.n + 1, sizeof(*w->on));
	buf_init(&w->key, SIZE_MAX / 2);
	for (size_t at = 0; at < text.n; at = end) {
		struct slice key;

		/* Nothing joins a character that US-ASCII follows. */
		end = at + 1;
		if ((unsigned char)text.p[at] < 0x80 && (end == text.n ||
		    (unsigned char)text.p[end] < 0x80)) {
			char c = text.p[at];

			c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
			put_key(w, slice_make(&c, 1), at, end, &cap);
			continue;
		}
		end = cluster(w, at, &key);
		put_key(w, key, at, end, &cap);
	}
}

static void
window_release(struct window *w)
{
	buf_release(&w->key);
	arena_free(&w->a);
}

/* Marks all findings; where the first one is, or text.n. */
static size_t
mark(struct window *w, const struct text_term *const *term, size_t n)
{
	size_t first = w->text.n;

	for (size_t i = 0; i < n; i++) {
		struct slice k = term[i]->key;
		const char *at = w->key.p, *end = at + w->key.n;

		while (at != NULL && (size_t)(end - at) >= k.n &&
		    (at = memmem(at, (size_t)(end - at), k.p, k.n)) != NULL) {
			size_t from = w->from[at - w->key.p];
			size_t to = w->to[at - w->key.p + (ptrdiff_t)k.n - 1];

			memset(w->on + from, 1, to - from);
			first = from < first ? from : first;
			at += k.n;
		}
	}
	return first;
}

/* ---- as HTML ----------------------------------------------------------- */

static bool
is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* One character, or a run of blanks as one, from *at; moves *at. */
static struct slice
piece(const struct window *w, size_t *at)
{
	struct slice s = slice_make(w->text.p + *at, char_len(w->text, *at));

	if (is_blank(s.p[0])) {
		while (*at < w->text.n && is_blank(w->text.p[*at]))
			++*at;
		return SLICE_LIT(" ");
	}
	*at += s.n;
	if (s.n > 1)
		return s;
	switch (s.p[0]) {
	case '&':
		return SLICE_LIT("&amp;");
	case '<':
		return SLICE_LIT("&lt;");
	case '>':
		return SLICE_LIT("&gt;");
	default:
		return s;
	}
}

#define ON SLICE_LIT("<mark>")
#define OFF SLICE_LIT("</mark>")
#define MORE SLICE_LIT("...")

/* From at until the end, or until max octets are full; more: the text goes on
 * behind the window. */
static void
put_html(const struct window *w, size_t at, size_t max, bool more,
    struct buf *out)
{
	bool open = false;

	while (at < w->text.n) {
		size_t next = at, need;
		struct slice s = piece(w, &next);
		bool on = memchr(w->on + at, 1, next - at) != NULL;

		need = s.n + MORE.n + (on != open ? on ? ON.n : OFF.n : 0) +
		    (on ? OFF.n : 0);
		if (max > 0 && out->n + need > max) {
			more = true;
			break;
		}
		if (on != open)
			buf_add_slice(out, on ? ON : OFF);
		open = on;
		buf_add_slice(out, s);
		at = next;
	}
	if (open)
		buf_add_slice(out, OFF);
	if (more)
		buf_add_slice(out, MORE);
}

/* Where a preview begins that shows what is found at first: at a word.  What is
 * before it has to leave room, also as HTML. */
static size_t
begin(const struct window *w, size_t first)
{
	size_t at = first, n = 0;

	while (at > 0 && n < BEFORE)
		n += strchr("<>&", w->text.p[--at]) != NULL ? 5 : 1;
	if (at == 0)
		return 0;
	for (size_t i = at; i < first; i++)
		if (is_blank(w->text.p[i]))
			return i + 1;
	while (((unsigned char)w->text.p[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static bool
any_in(const struct text_term *const *term, size_t n, struct slice text)
{
	for (size_t i = 0; i < n; i++)
		if (mime_needle_in(term[i]->needle, text))
			return true;
	return false;
}

static int
mark_window(const struct text_term *const *term, size_t n, struct slice text,
    size_t max, size_t before, bool more, struct buf *out)
{
	struct window w;
	size_t first, at = 0;

	if (!any_in(term, n, text))
		return 0;
	window_init(&w, text);
	first = mark(&w, term, n);
	if (first < text.n) {
		if (max > 0) {
			at = begin(&w, first);
			if (before + at > 0)
				buf_add_slice(out, MORE);
		}
		put_html(&w, at, max, more, out);
	}
	window_release(&w);
	return first < text.n;
}

int
snippet_mark(const struct text_term *const *term, size_t n,
    struct slice text, size_t max, struct buf *out)
{
	size_t at = 0, len;

	if (n == 0)
		return 0;
	if (max == 0)
		return mark_window(term, n, text, 0, 0, false, out);
	while (at < text.n) {
		struct slice s = slice_make(text.p + at, text.n - at);

		len = utf8_cut(s, WINDOW + OVERLAP);
		if (mark_window(term, n, slice_make(s.p, len), max, at,
		    len < s.n, out) == 1)
			return 1;
		at += len < s.n ? utf8_cut(s, WINDOW) : len;
	}
	return 0;
}
