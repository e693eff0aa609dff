/* jmap-fcgi/email-text.c - texts in Emails (RFC 8621 4.4.1) */
#include "config.h"

#include "jmap-fcgi/email-text.h"

enum {
	TEXT_MAX = 1000,		/* octets of one condition's text */
	HTML_MAX = 16 << 20		/* octets of HTML that are looked at */
};

/* ---- what is looked for ------------------------------------------------ */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int
add_term(struct jmap_call *c, struct email_text *t, struct slice s)
{
	struct text_term *term = &t->term[t->n];

	if (s.n == 0)
		return 0;
	if (t->n == TEXT_TERMS_MAX) {
		c->desc = "too many words";
		return JMAP_E_FILTER;
	}
	if (utf8_fold(s, c->arena, &term->key) < 0 ||
	    mime_needle_new(s, c->arena, &term->needle) < 0)
		return JMAP_E_ARGS;
	if (term->key.n > 0)
		t->n++;
	return 0;
}

/* The quote that ends the phrase which begins at s.p[0]; 0: there is none. */
static size_t
phrase_end(struct slice s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == s.p[0])
			return i;
	}
	return 0;
}

static struct slice
unescape(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return slice_make(p, n);
}

int
email_text_parse(struct jmap_call *c, struct slice s, struct email_text *t)
{
	size_t n;
	int rc = 0;

	if (s.n > TEXT_MAX) {
		c->desc = "the text is too long";
		return JMAP_E_FILTER;
	}
	t->term = arena_calloc(c->arena, TEXT_TERMS_MAX, sizeof(*t->term));
	while (rc == 0 && s.n > 0) {
		if (is_blank(s.p[0])) {
			n = 1;
		} else if ((s.p[0] == '"' || s.p[0] == '\'') &&
		    (n = phrase_end(s)) > 0) {
			rc = add_term(c, t, unescape(c->arena,
			    slice_make(s.p + 1, n - 1)));
			n++;
		} else {
			for (n = 1; n < s.n && !is_blank(s.p[n]); n++)
				;
			rc = add_term(c, t, slice_make(s.p, n));
		}
		s.p += n;
		s.n -= n;
	}
	return rc;
}

/* ---- where it is looked for -------------------------------------------- */

struct find {
	const struct email_text *t;
	bool found[TEXT_TERMS_MAX];
	size_t left;		/* terms that were not found yet */
};

static void
look(struct find *f, struct slice s,
    bool (*in)(const struct mime_needle *n, struct slice s))
{
	for (size_t i = 0; i < f->t->n; i++) {
		if (f->found[i] || !in(f->t->term[i].needle, s))
			continue;
		f->found[i] = true;
		f->left--;
	}
}

static bool
is_wanted(const struct email_text *t, struct slice name)
{
	static const char *const all[] = {
		"from", "to", "cc", "bcc", "subject"
	};

	if (t->where == TEXT_FIELD)
		return slice_ieq(name, t->field);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (slice_ieq(name, slice_str(all[i])))
			return true;
	return false;
}

/* 1: a field of that name is there. */
static int
in_header(struct jmap_call *c, struct email *em, struct find *f)
{
	const struct email_text *t = f->t;
	struct mime_fields it;
	struct mime_field h;
	struct slice header;
	int rc, there = 0;

	if ((rc = email_mime(c, em)) < 0)
		return rc;
	header = em->mime->cached;
	if ((header.p == NULL ||
	    (t->where == TEXT_FIELD && !mime_header_cached(t->field))) &&
	    (rc = email_part_header(c, em, em->mime->root, &header)) < 0)
		return rc;
	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &h)) {
		if (!is_wanted(t, h.name))
			continue;
		there = 1;
		look(f, h.value, mime_needle_in_value);
	}
	return there;
}

bool
email_text_part(const struct mime_part *p)
{
	return p->kind == MIME_LEAF && (mime_part_is(p, "text", NULL) ||
	    mime_part_is(p, "message", NULL));
}

struct slice
email_text_of(const struct mime_part *p, struct slice raw, struct arena *a)
{
	struct mime_value v;

	mime_part_text(p, raw, HTML_MAX, a, &v);
	return mime_part_is(p, "text", "html") ?
	    mime_html_text(v.text, HTML_MAX, a) : v.text;
}

static void
in_part(struct find *f, const struct mime_part *p, struct slice raw)
{
	struct mime_fields it;
	struct mime_field h;
	struct arena *a;

	/* The header of an attached message is body text. */
	if (p->env != NULL && p->parent != NULL) {
		mime_fields_init(&it, mime_part_header(p, raw));
		while (mime_fields_next(&it, &h))
			look(f, h.value, mime_needle_in_value);
	}
	if (!email_text_part(p))
		return;
	if (mime_part_is(p, "text", "html")) {
		a = arena_new(0);
		look(f, email_text_of(p, raw, a), mime_needle_in);
		arena_free(&a);
		return;
	}
	for (size_t i = 0; i < f->t->n; i++) {
		if (f->found[i] ||
		    !mime_needle_in_body(f->t->term[i].needle, p, raw))
			continue;
		f->found[i] = true;
		f->left--;
	}
}

int
email_text_raw(struct jmap_call *c, struct email *em)
{
	int rc;

	if ((rc = email_mime(c, em)) < 0 || (rc = email_raw(c, em)) < 0)
		return rc;
	/* What the structure says has to be inside the octets. */
	if (em->raw.n != em->mime->size)
		return jmap_store_failed(c->req, "structure", STORE_E_CORRUPT);
	return 0;
}

static int
in_body(struct jmap_call *c, struct email *em, struct find *f)
{
	int rc = email_text_raw(c, em);

	if (rc < 0)
		return rc;
	for (const struct mime_part *p = em->mime->root;
	    p != NULL && f->left > 0; p = mime_part_next(p))
		in_part(f, p, em->raw);
	return 0;
}

int
email_text_match(struct jmap_call *c, struct email *em,
    const struct email_text *t)
{
	struct find f = { .t = t, .left = t->n };
	int rc = 1;

	if (t->where == TEXT_FIELD || (t->where == TEXT_ALL && f.left > 0))
		if ((rc = in_header(c, em, &f)) < 0)
			return rc;
	if (t->where == TEXT_FIELD)
		return rc == 1 && f.left == 0;
	if (f.left > 0 && (rc = in_body(c, em, &f)) < 0)
		return rc;
	return f.left == 0;
}
