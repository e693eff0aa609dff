/* libmime/bodies.c - which parts are the text, which are attachments */
#include "config.h"

#include "libmime/mime-int.h"

struct list {
	const struct mime_part **v;
	size_t n;
};

static bool
media(const struct mime_part *p)
{
	return mime_is(p->type, "image") || mime_is(p->type, "audio") ||
	    mime_is(p->type, "video");
}

static bool
named(const struct mime_part *p)
{
	return mime_param(p->disp_params, p->n_disp_params, "filename").n > 0 ||
	    mime_param(p->params, p->n_params, "name").n > 0;
}

/* To be shown as part of the body? */
static bool
is_inline(const struct mime_part *p, bool related)
{
	if (mime_is(p->disposition, "attachment") && p->disposition.p != NULL)
		return false;
	if (!media(p) && !mime_part_is(p, "text", "plain") &&
	    !mime_part_is(p, "text", "html"))
		return false;
	return p->number == 1 || (!related && (media(p) || !named(p)));
}

static void
push(struct list *l, const struct mime_part *p)
{
	if (l != NULL)
		l->v[l->n++] = p;
}

/* In each list there is.  What none shows is attached, lest it is in no list
 * at all, as RFC 8621's code would have it. */
static void
show(const struct mime_part *p, struct list *text, struct list *html,
    struct list *att)
{
	push(text, p);
	push(html, p);
	if (text == NULL && html == NULL)
		push(att, p);
}

/* What alternative's one kind of text lacks is taken from the other. */
static void
level(struct list *text, size_t text_n, struct list *html, size_t html_n)
{
	size_t text_end = text->n, html_end = html->n;

	if (text_n == text_end)
		for (size_t i = html_n; i < html_end; i++)
			push(text, html->v[i]);
	if (html_n == html_end)
		for (size_t i = text_n; i < text_end; i++)
			push(html, text->v[i]);
}

/* RFC 8621 4.1.4; the depth of the tree is bounded. */
static void
decompose(const struct mime_part *first, const struct mime_part *multi,
    bool in_alt, struct list *html, struct list *text, struct list *att)
{
	bool alt = multi != NULL && mime_is(multi->subtype, "alternative");
	bool related = multi != NULL && mime_is(multi->subtype, "related");
	size_t text_n = text != NULL ? text->n : 0;
	size_t html_n = html != NULL ? html->n : 0;

	for (const struct mime_part *p = first; p != NULL; p = p->next) {
		bool plain = mime_part_is(p, "text", "plain");
		bool htm = mime_part_is(p, "text", "html");

		if (p->kind == MIME_MULTIPART) {
			decompose(p->child, p, in_alt ||
			    mime_is(p->subtype, "alternative"), html, text, att);
			continue;
		}
		if (!is_inline(p, related)) {
			push(att, p);
			continue;
		}
		if (alt) {
			show(p, plain ? text : NULL, htm ? html : NULL, att);
			continue;
		}
		if (in_alt && plain)
			html = NULL;
		else if (in_alt && htm)
			text = NULL;
		show(p, text, html, att);
		if ((text == NULL) != (html == NULL) && media(p))
			push(att, p);
	}
	if (alt && text != NULL && html != NULL)
		level(text, text_n, html, html_n);
}

void
mime_bodies(const struct mime_msg *m, struct arena *a, struct mime_bodies *b_r)
{
	const struct mime_part **v;
	struct list text, html, att;

	v = arena_calloc(a, (size_t)m->n_parts * 3, sizeof(const void *));
	text = (struct list){ v, 0 };
	html = (struct list){ v + m->n_parts, 0 };
	att = (struct list){ v + 2 * (size_t)m->n_parts, 0 };
	decompose(m->root, NULL, false, &html, &text, &att);
	*b_r = (struct mime_bodies){ text.v, html.v, att.v, text.n, html.n,
	    att.n };
}

/* Shown or used by the program, not offered to the user. */
static bool
automatic(const struct mime_part *p)
{
	if (mime_part_is(p, "application", "pgp-signature") ||
	    mime_part_is(p, "application", "pkcs7-signature") ||
	    mime_part_is(p, "application", "x-pkcs7-signature"))
		return true;
	/* Images which the HTML beside them refers to. */
	return media(p) && p->content_id.n > 0 && p->parent != NULL &&
	    mime_is(p->parent->subtype, "related");
}

bool
mime_has_attachment(const struct mime_bodies *b)
{
	for (size_t i = 0; i < b->n_attached; i++) {
		const struct mime_part *p = b->attached[i];

		if (!(p->disposition.p != NULL &&
		    mime_is(p->disposition, "inline")) && !automatic(p))
			return true;
	}
	return false;
}
