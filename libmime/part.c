/* libmime/part.c - the tree of parts: walking, section paths, properties */
#include "config.h"

#include "libbase/text.h"
#include "libmime/mime-int.h"

struct mime_part *
mime_part_next(const struct mime_part *p)
{
	if (p->child != NULL)
		return p->child;
	for (; p != NULL; p = p->parent)
		if (p->next != NULL)
			return p->next;
	return NULL;
}

struct mime_part *
mime_part_by_id(const struct mime_msg *m, uint32_t id)
{
	struct mime_part *p = m->root;

	/* Ids are in preorder: a subtree whose next sibling isn't beyond id
	 * can be passed over. */
	while (p != NULL && p->id != id) {
		if (p->next != NULL && p->next->id <= id)
			p = p->next;
		else
			p = p->child;
	}
	return p;
}

/* Child number n of p as section paths count. */
static struct mime_part *
section_child(struct mime_part *p, uint32_t n)
{
	struct mime_part *c;

	if (p->kind == MIME_MESSAGE)
		p = p->child;		/* its root stands for the message */
	if (p->kind == MIME_MULTIPART) {
		for (c = p->child; c != NULL; c = c->next)
			if (c->number == n)
				return c;
		return NULL;
	}
	/* Part 1 of a message that isn't multipart is its body. */
	return p->env != NULL && n == 1 ? p : NULL;
}

struct mime_part *
mime_part_find(const struct mime_msg *m, const uint32_t *path, size_t n)
{
	struct mime_part *p = m->root;

	for (size_t i = 0; i < n && p != NULL; i++) {
		/* The body of a single-part message has itself no parts, but
		 * if it is a message then that one's count. */
		if (i > 0 && p->kind == MIME_LEAF)
			return NULL;
		if (i == 0 && p->kind != MIME_MULTIPART)
			p = path[i] == 1 ? p : NULL;
		else
			p = section_child(p, path[i]);
	}
	return p;
}

int
mime_part_path(const struct mime_part *p, struct buf *out)
{
	const struct mime_part *up[MIME_DEPTH_MAX + 1];
	size_t n = 0;

	/* A multipart which is the root of a message has no number. */
	for (; p != NULL && n <= MIME_DEPTH_MAX; p = p->parent)
		if (p->env == NULL || p->kind != MIME_MULTIPART)
			up[n++] = p;
	for (size_t i = n; i > 0; i--) {
		if (i < n && buf_addc(out, '.') < 0)
			return -1;
		if (buf_add_u64(out, up[i - 1]->number) < 0)
			return -1;
	}
	return out->overflow ? -1 : 0;
}

bool
mime_part_is(const struct mime_part *p, const char *type, const char *subtype)
{
	return slice_ieq(p->type, slice_str(type)) &&
	    (subtype == NULL || slice_ieq(p->subtype, slice_str(subtype)));
}

static const struct mime_param *
param_find(const struct mime_param *ps, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (slice_ieq(ps[i].name, slice_str(name)))
			return &ps[i];
	return NULL;
}

struct slice
mime_param(const struct mime_param *ps, uint32_t n, const char *name)
{
	const struct mime_param *p = param_find(ps, n, name);

	return p != NULL ? p->value : slice_make(NULL, 0);
}

struct slice
mime_part_charset(const struct mime_part *p)
{
	struct slice s = mime_param(p->params, p->n_params, "charset");

	if (!mime_is(p->type, "text"))
		return p->type_implied ? SLICE_LIT("us-ascii") : s;
	return s.n > 0 ? s : SLICE_LIT("us-ascii");
}

struct slice
mime_part_name(const struct mime_part *p, struct arena *a)
{
	const struct mime_param *v = param_find(p->disp_params,
	    p->n_disp_params, "filename");
	struct slice s;

	if (v == NULL || v->value.n == 0)
		v = param_find(p->params, p->n_params, "name");
	if (v == NULL || v->value.n == 0)
		return slice_make(NULL, 0);
	/* What RFC 2231 encoded may look like an encoded word. */
	s = v->encoded ? mime_text_wordless(a, v->value) :
	    mime_words_decode(a, v->value);
	return s.n > 0 ? s : slice_make(NULL, 0);
}
