/* t/mime/dump.c - a parsed message as text, and what must hold of each */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/text.h"
#include "t/mime/dump.h"

enum { WHOLE = 70, END = 30 };

static void
escaped(struct buf *out, struct slice s, bool utf8)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\r' && s.n - i > 1 && s.p[i + 1] == '\n') {
			buf_add_str(out, "\\n");
			i++;
		} else if (c == '\n') {
			buf_add_str(out, "\\l");
		} else if (c == '\r') {
			buf_add_str(out, "\\r");
		} else if (c == '\t') {
			buf_add_str(out, "\\t");
		} else if (c == '"' || c == '\\') {
			buf_printf(out, "\\%c", c);
		} else if (c < 32 || c == 127 || (c > 127 && !utf8)) {
			buf_printf(out, "\\x%02x", c);
		} else {
			buf_addc(out, (char)c);
		}
	}
}

static void
quoted(struct buf *out, const char *name, struct slice s)
{
	buf_printf(out, " %s=\"", name);
	escaped(out, s, utf8_valid(s));
	buf_addc(out, '"');
}

static void
optional(struct buf *out, const char *name, struct slice s)
{
	if (s.p != NULL)
		quoted(out, name, s);
}

static void
params(struct buf *out, const char *prefix, const struct mime_param *p,
    uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		char name[80];

		snprintf(name, sizeof(name), "%s%.*s%s", prefix,
		    (int)p[i].name.n, p[i].name.p, p[i].encoded ? "*" : "");
		quoted(out, name, p[i].value);
	}
}

static void
body(struct buf *out, const struct mime_part *p, struct slice raw)
{
	struct slice b = mime_part_body(p, raw);

	buf_printf(out, " lines=%u", (unsigned)p->body_lines);
	if (b.n <= WHOLE) {
		quoted(out, "body", b);
	} else {
		buf_printf(out, " %zu", b.n);
		quoted(out, "begin", slice_make(b.p, END));
		quoted(out, "end", slice_make(b.p + b.n - END, END));
	}
}

static void
text(struct buf *out, const struct mime_part *p, struct slice raw,
    struct arena *a)
{
	struct mime_value v;

	mime_part_text(p, raw, 200, a, &v);
	if (p->encoding >= MIME_ENC_BASE64 || v.encoding_problem ||
	    !slice_eq(mime_part_body(p, raw), v.text)) {
		struct buf tmp;

		/* Nothing new if only the line ends differ. */
		buf_init(&tmp, 1000);
		for (size_t i = 0; i < v.text.n; i++)
			buf_add_str(&tmp, v.text.p[i] == '\n' ? "\r\n" :
			    (char[]){ v.text.p[i], '\0' });
		if (!slice_eq(mime_part_body(p, raw), buf_slice(&tmp)) &&
		    p->body_len <= 200)
			quoted(out, "text", v.text);
		buf_release(&tmp);
	}
	if (v.encoding_problem)
		buf_add_str(out, " problem");
	if (p->decoded_len != p->body_len)
		buf_printf(out, " decoded=%u", (unsigned)p->decoded_len);
}

static void
addrs(struct buf *out, const char *name, const struct mime_addrs *l,
    struct arena *a)
{
	if (!l->present)
		return;
	buf_printf(out, " %s=[", name);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct mime_addr *ad = &l->a[i];
		struct slice s = mime_text(a, ad->name);

		if (i > 0)
			buf_add_str(out, ad->kind == MIME_ADDR_GROUP_END ||
			    ad[-1].kind == MIME_ADDR_GROUP ? "" : ", ");
		if (ad->kind == MIME_ADDR_GROUP_END) {
			buf_addc(out, ';');
			continue;
		}
		if (s.p != NULL)
			escaped(out, s, true);
		if (ad->kind == MIME_ADDR_GROUP) {
			buf_add_str(out, ": ");
			continue;
		}
		buf_add_str(out, s.p != NULL ? " <" : "<");
		escaped(out, mime_addr_email(ad, a), true);
		buf_addc(out, '>');
	}
	buf_addc(out, ']');
}

static void
env(struct buf *out, const struct mime_env *e, struct arena *a)
{
	size_t before;

	buf_addc(out, ' ');
	before = out->n;
	optional(out, "subject", mime_text(a, e->subject));
	addrs(out, "from", &e->from, a);
	addrs(out, "sender", &e->sender, a);
	addrs(out, "reply-to", &e->reply_to, a);
	addrs(out, "to", &e->to, a);
	addrs(out, "cc", &e->cc, a);
	addrs(out, "bcc", &e->bcc, a);
	if (e->sent.ok) {
		buf_add_str(out, " sent=");
		time_rfc3339(out, e->sent.t);
		if (e->sent.offset_min != 0)
			buf_printf(out, "%+d", e->sent.offset_min);
	} else {
		optional(out, "date", e->date);
	}
	optional(out, "id", e->message_id);
	optional(out, "reply", e->in_reply_to);
	optional(out, "refs", e->references);
	buf_add_str(out, out->n == before ? " none\n" : "\n");
}

static void
part(struct buf *out, const struct mime_part *p, struct slice raw,
    struct arena *a)
{
	static const char *const encs[] = { "7bit", "8bit", "binary", "base64",
	    "qp", "uu", "unknown" };
	size_t before = out->n;

	mime_part_path(p, out);
	if (out->n == before)
		buf_addc(out, '-');
	buf_printf(out, " %.*s/%.*s%s", (int)p->type.n, p->type.p,
	    (int)p->subtype.n, p->subtype.p, p->type_implied ? "*" : "");
	if (p->kind != MIME_LEAF)
		buf_printf(out, " {%u}", (unsigned)p->n_children);
	params(out, "", p->params, p->n_params);
	if (p->encoding_name.p != NULL)
		buf_printf(out, " cte=%s", encs[p->encoding]);
	if (p->disposition.p != NULL)
		buf_printf(out, " disp=%.*s", (int)p->disposition.n,
		    p->disposition.p);
	params(out, "disp.", p->disp_params, p->n_disp_params);
	optional(out, "cid", p->content_id);
	optional(out, "desc", p->description);
	optional(out, "md5", p->md5);
	optional(out, "loc", p->location);
	for (uint32_t i = 0; i < p->n_languages; i++)
		quoted(out, "lang", p->languages[i]);
	if (p->kind == MIME_LEAF) {
		body(out, p, raw);
		if (mime_part_is(p, "text", NULL))
			text(out, p, raw, a);
	}
	buf_addc(out, '\n');
	if (p->env != NULL)
		env(out, p->env, a);
}

void
mime_dump(const struct mime_msg *m, struct slice raw, struct buf *out)
{
	struct arena *a = arena_new(0);

	for (const struct mime_part *p = m->root; p != NULL;
	    p = mime_part_next(p))
		part(out, p, raw, a);
	buf_addc(out, '=');
	if (m->limited)
		buf_add_str(out, " limited");
	if (m->has_attachment)
		buf_add_str(out, " attachment");
	if (m->preview.n > WHOLE)
		buf_printf(out, " preview %zu", m->preview.n);
	else if (m->preview.n > 0)
		quoted(out, "preview", m->preview);
	buf_addc(out, '\n');
	arena_free(&a);
}

/* ---- what must hold ---------------------------------------------------- */

static uint64_t
line_ends(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static const char *
range_fault(const struct mime_part *p, uint64_t from, uint64_t end,
    struct slice raw)
{
	if (p->header_off < from || p->header_off > end)
		return "header begins outside of its parent";
	if (p->header_len > end - p->header_off)
		return "header ends outside of its parent";
	if (p->body_off != p->header_off + p->header_len)
		return "body isn't behind the header";
	if (p->body_len > end - p->body_off)
		return "body ends outside of its parent";
	if (raw.p != NULL && line_ends(mime_part_body(p, raw)) != p->body_lines)
		return "number of lines";
	return NULL;
}

static const char *
part_fault(const struct mime_part *p)
{
	uint32_t n = 0;

	for (const struct mime_part *c = p->child; c != NULL; c = c->next)
		if (c->number != ++n || c->parent != p ||
		    c->depth != p->depth + 1)
			return "child's number, parent or depth";
	if (n != p->n_children)
		return "number of children";
	if (p->kind == MIME_LEAF ? n != 0 : p->kind == MIME_MULTIPART ? n == 0 :
	    n != 1)
		return "children don't fit the kind";
	if ((p->env != NULL) != (p->parent == NULL ||
	    p->parent->kind == MIME_MESSAGE))
		return "envelope where there should be none, or none";
	if (p->type.p == NULL || p->subtype.p == NULL)
		return "no type";
	return NULL;
}

static const char *
path_fault(const struct mime_msg *m, const struct mime_part *p)
{
	uint32_t path[300];
	size_t n = 0;
	struct buf text_path;
	struct slice s;

	buf_init(&text_path, 5000);
	mime_part_path(p, &text_path);
	s = buf_slice(&text_path);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' || i == 0)
			path[n++] = 0;
		if (s.p[i] != '.')
			path[n - 1] = path[n - 1] * 10 +
			    (uint32_t)(s.p[i] - '0');
	}
	buf_release(&text_path);
	/* The path of a multipart that is a message is the message's. */
	if (p->env != NULL && p->kind == MIME_MULTIPART && p->parent != NULL)
		p = p->parent;
	/* A message in a message has the outer one's only path: "1". */
	if (mime_part_find(m, path, n) != p)
		return "section path leads elsewhere";
	return NULL;
}

const char *
mime_tree_fault(const struct mime_msg *m, struct slice raw)
{
	const struct mime_part *prev[300] = { NULL };
	uint32_t id = 0;

	if (raw.p != NULL && m->size != raw.n)
		return "size";
	for (const struct mime_part *p = m->root; p != NULL;
	    p = mime_part_next(p)) {
		uint64_t from = 0, end = m->size;
		const char *f;

		if (p->id != id++ || mime_part_by_id(m, p->id) != p)
			return "id";
		if (p->depth > 255)
			return "depth";
		if (p->parent != NULL) {
			from = p->number == 1 ? p->parent->body_off :
			    prev[p->depth]->body_off +
			    prev[p->depth]->body_len;
			end = p->parent->body_off + p->parent->body_len;
		}
		prev[p->depth] = p;
		if ((f = range_fault(p, from, end, raw)) != NULL ||
		    (f = part_fault(p)) != NULL ||
		    (f = path_fault(m, p)) != NULL)
			return f;
	}
	return id == m->n_parts ? NULL : "number of parts";
}
