/* libmime/html.c - what a reader sees of HTML (gumbo) */
#include "config.h"

#include <gumbo.h>
#include <setjmp.h>

#include "libbase/text.h"
#include "libmime/mime-int.h"

enum {
	BUDGET = 8 * 1024 * 1024,	/* octets that a parse may take */
	DEEP = 500			/* open elements, about */
};

/* Gumbo's memory: never freed before the end, and bounded.  HTML's rules allow
 * input that makes quadratically many nodes. */
struct pool {
	struct arena *a;
	size_t used;
	jmp_buf full;
};

static void *
pool_alloc(void *arg, size_t n)
{
	struct pool *p = arg;

	if (n > BUDGET || (p->used += n) > BUDGET)
		longjmp(p->full, 1);
	return arena_alloc(p->a, n);
}

static void
pool_free(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

/* ---- what is left out -------------------------------------------------- */

/* Behind the end tag of <name that began before p. */
static const char *
end_tag(const char *p, const char *end, struct slice name)
{
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		struct slice s = { p + 1, (size_t)(end - p - 1) };

		p++;
		if (s.n <= name.n || s.p[0] != '/' || !slice_istarts(
		    slice_make(s.p + 1, s.n - 1), name))
			continue;
		p = memchr(p, '>', (size_t)(end - p));
		return p != NULL ? p + 1 : end;
	}
	return end;
}

/* If markup at p ('<') is a style, a script or a comment: behind it. */
static const char *
skipped(const char *p, const char *end)
{
	static const char *const names[] = { "style", "script" };
	struct slice s = { p + 1, (size_t)(end - p - 1) };
	const char *q;

	if (slice_starts(s, SLICE_LIT("!--"))) {
		q = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
		return q != NULL ? q + 3 : end;
	}
	for (size_t i = 0; i < 2; i++) {
		struct slice name = slice_str(names[i]);

		if (slice_istarts(s, name) && s.n > name.n &&
		    (mime_blank(s.p[name.n]) || s.p[name.n] == '>'))
			return end_tag(p + 1, end, name);
	}
	return NULL;
}

/* The first max octets of html without them. */
static struct slice
content(struct slice html, size_t max, struct arena *a)
{
	const char *p = html.p, *end = html.p + html.n, *q, *to;
	size_t cap = max < html.n ? max : html.n, n = 0;
	char *out = arena_alloc(a, cap);

	while (p < end && n < cap) {
		q = memchr(p, '<', (size_t)(end - p));
		to = q == NULL ? end : q;
		if (q != NULL && (q = skipped(q, end)) == NULL) {
			q = to + 1;		/* another tag: keep its '<' */
			to++;
		}
		if ((size_t)(to - p) > cap - n)
			to = p + (cap - n);
		memcpy(out + n, p, (size_t)(to - p));
		n += (size_t)(to - p);
		p = q == NULL ? end : q;
	}
	return slice_make(out, utf8_cut(slice_make(out, n), n));
}

/* Elements that don't nest: without an end tag, or ended by the next. */
static bool
flat(struct slice s)
{
	static const char *const names[] = { "area", "base", "br", "col", "dd",
	    "dt", "hr", "img", "input", "li", "link", "meta", "option", "p",
	    "td", "th", "tr", "wbr" };
	size_t n = 0;

	while (n < s.n && mime_lower(s.p[n]) >= 'a' && mime_lower(s.p[n]) <= 'z')
		n++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mime_is(slice_make(s.p, n), names[i]))
			return true;
	return false;
}

/* Would so many elements be open that the parser, which looks through all of
 * them for each tag, takes too long? */
static bool
deep(struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t open = 0;

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		bool close = end - ++p > 0 && *p == '/';

		p += close;
		if (p == end || mime_lower(*p) < 'a' || mime_lower(*p) > 'z' ||
		    flat(slice_make(p, (size_t)(end - p))))
			continue;
		if (!close && ++open > DEEP)
			return true;
		open -= close && open > 0;
	}
	return false;
}

/* ---- the tree as text -------------------------------------------------- */

struct writer {
	struct buf out;
	unsigned lines;		/* line ends that are due */
	bool gap;
};

static void
write_text(struct writer *w, const char *s)
{
	for (; *s != '\0'; s++) {
		if (mime_blank(*s) || *s == '\f') {
			w->gap = true;
			continue;
		}
		if (w->out.n > 0 && w->lines > 0)
			buf_addc(&w->out, '\n');
		else if (w->out.n > 0 && w->gap)
			buf_addc(&w->out, ' ');
		w->lines = 0;
		w->gap = false;
		buf_addc(&w->out, *s);
	}
}

static bool
hidden(GumboTag t)
{
	switch (t) {
	case GUMBO_TAG_HEAD:
	case GUMBO_TAG_SCRIPT:
	case GUMBO_TAG_STYLE:
	case GUMBO_TAG_TITLE:
	case GUMBO_TAG_TEMPLATE:
	case GUMBO_TAG_IFRAME:
	case GUMBO_TAG_TEXTAREA:
	case GUMBO_TAG_SELECT:
		return true;
	default:
		return false;
	}
}

/* Does the text before and behind it stand on lines of its own? */
static bool
block(GumboTag t)
{
	switch (t) {
	case GUMBO_TAG_P:
	case GUMBO_TAG_DIV:
	case GUMBO_TAG_BR:
	case GUMBO_TAG_HR:
	case GUMBO_TAG_LI:
	case GUMBO_TAG_UL:
	case GUMBO_TAG_OL:
	case GUMBO_TAG_DL:
	case GUMBO_TAG_DT:
	case GUMBO_TAG_DD:
	case GUMBO_TAG_TABLE:
	case GUMBO_TAG_TR:
	case GUMBO_TAG_H1:
	case GUMBO_TAG_H2:
	case GUMBO_TAG_H3:
	case GUMBO_TAG_H4:
	case GUMBO_TAG_H5:
	case GUMBO_TAG_H6:
	case GUMBO_TAG_PRE:
	case GUMBO_TAG_BLOCKQUOTE:
	case GUMBO_TAG_SECTION:
	case GUMBO_TAG_ARTICLE:
	case GUMBO_TAG_HEADER:
	case GUMBO_TAG_FOOTER:
	case GUMBO_TAG_CENTER:
	case GUMBO_TAG_ADDRESS:
	case GUMBO_TAG_FORM:
		return true;
	default:
		return false;
	}
}

static void
edge(struct writer *w, const GumboNode *n)
{
	GumboTag t = n->v.element.tag;

	if (n->type != GUMBO_NODE_ELEMENT)
		return;
	if (block(t))
		w->lines = 1;
	else if (t == GUMBO_TAG_TD || t == GUMBO_TAG_TH)
		w->gap = true;
}

/* Its children, if they show. */
static const GumboVector *
children(const GumboNode *n)
{
	if (n->type == GUMBO_NODE_DOCUMENT)
		return &n->v.document.children;
	if (n->type != GUMBO_NODE_ELEMENT || hidden(n->v.element.tag))
		return NULL;
	return &n->v.element.children;
}

/* Without recursion: the tree may be deep. */
static void
write_tree(struct writer *w, const GumboNode *root)
{
	const GumboNode *n = root;

	for (;;) {
		const GumboVector *v = children(n);

		if (n->type == GUMBO_NODE_TEXT ||
		    n->type == GUMBO_NODE_WHITESPACE ||
		    n->type == GUMBO_NODE_CDATA)
			write_text(w, n->v.text.text);
		if (v != NULL) {
			edge(w, n);
			if (v->length > 0) {
				n = v->data[0];
				continue;
			}
		}
		while (n != root) {
			const GumboNode *up = n->parent;
			size_t i = n->index_within_parent + 1;

			edge(w, n);
			v = children(up);
			if (i < v->length) {
				n = v->data[i];
				break;
			}
			n = up;
		}
		if (n == root)
			return;
	}
}

/* Without a parser: what isn't between '<' and '>'. */
static void
strip_tags(struct writer *w, struct slice s, struct arena *a)
{
	char *text = arena_alloc(a, s.n + 1);
	size_t n = 0;
	bool tag = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			tag = true;
		if (!tag && s.p[i] != '\0')
			text[n++] = s.p[i];
		if (s.p[i] == '>') {
			tag = false;
			text[n++] = ' ';
		}
	}
	write_text(w, text);
}

/* False: it takes too much. */
static bool
parse(struct pool *pool, struct slice s, struct writer *w)
{
	GumboOptions opt = kGumboDefaultOptions;
	const GumboOutput *o;

	opt.allocator = pool_alloc;
	opt.deallocator = pool_free;
	opt.userdata = pool;
	opt.max_errors = 0;
	if (setjmp(pool->full) != 0)
		return false;
	o = gumbo_parse_with_options(&opt, s.p, s.n);
	write_tree(w, o->document);
	return true;
}

struct slice
mime_html_text(struct slice html, size_t max_in, struct arena *a)
{
	struct pool pool = { .a = arena_new(0) };
	struct writer w = { .gap = false };
	struct slice s, r = SLICE_LIT("");

	if (html.n > 0) {
		buf_init(&w.out, SIZE_MAX / 2);
		s = content(html, max_in, pool.a);
		if (deep(s) || !parse(&pool, s, &w))
			strip_tags(&w, s, pool.a);
		if (w.out.n > 0)
			r = utf8_clean(a, arena_slice(a, buf_slice(&w.out)));
		buf_release(&w.out);
	}
	arena_free(&pool.a);
	return r;
}
