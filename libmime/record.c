/*
 * libmime/record.c - a parsed message as octets: encoding
 *
 * u8 version, u8 flags, then varints unless told otherwise:
 *   size, number of parts, parameters, addresses, languages, envelopes
 *   pool (length, octets): the cached fields first, then other texts
 *   length of the cached fields + 1 (0: none), preview (text)
 *   each part in preorder:
 *     u8 kind, encoding and flags, u8 more flags
 *     gap (from the end of the previous sibling, or the start of the parent's
 *     body, to the header), header length, body length, lines
 *     number of children, decoded length + 1 (unless as the body's length)
 *     texts and lists, each only where a flag says so
 * A text is its length + 1 (0: absent) and, if not empty, its place in the pool.
 */
#include "config.h"

#include "libmime/mime-int.h"
#include "libmime/record.h"

struct enc {
	struct buf pool, tree;
};

/* ---- texts ------------------------------------------------------------- */

static void
put_text(struct enc *e, struct slice s)
{
	enum { SEARCHED = 4096, LONGEST = 256 };
	size_t off = e->pool.n, n;
	const char *at = NULL;

	buf_add_varint(&e->tree, s.p == NULL ? 0 : (uint64_t)s.n + 1);
	if (s.n == 0)
		return;
	/* Most texts are in the cached fields or in another part already. */
	n = e->pool.n < SEARCHED ? e->pool.n : SEARCHED;
	if (n > 0 && s.n <= LONGEST)
		at = memmem(e->pool.p, n, s.p, s.n);
	if (at != NULL)
		off = (size_t)(at - e->pool.p);
	else
		buf_add_slice(&e->pool, s);
	buf_add_varint(&e->tree, off);
}

static void
put_params(struct enc *e, const struct mime_param *ps, uint32_t n)
{
	buf_add_varint(&e->tree, n);
	for (uint32_t i = 0; i < n; i++) {
		buf_addc(&e->tree, (char)ps[i].encoded);
		put_text(e, ps[i].name);
		put_text(e, ps[i].value);
	}
}

static void
put_addrs(struct enc *e, const struct mime_addrs *l)
{
	buf_add_varint(&e->tree, l->n);
	buf_add_varint(&e->tree, l->last);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct mime_addr *ad = &l->a[i];

		buf_addc(&e->tree, (char)ad->kind);
		if (ad->kind == MIME_ADDR_GROUP_END)
			continue;
		put_text(e, ad->name);
		if (ad->kind == MIME_ADDR_GROUP)
			continue;
		put_text(e, ad->route);
		put_text(e, ad->mailbox);
		put_text(e, ad->domain);
	}
}

static void
put_env(struct enc *e, const struct mime_env *v)
{
	const struct mime_addrs *lists[] = { &v->from, &v->sender,
	    &v->reply_to, &v->to, &v->cc, &v->bcc };
	unsigned flags = v->sent.ok ? REC_SENT : 0;

	for (unsigned i = 0; i < 6; i++)
		if (lists[i]->present)
			flags |= 1u << i;
	buf_addc(&e->tree, (char)flags);
	put_text(e, v->date);
	put_text(e, v->subject);
	put_text(e, v->in_reply_to);
	put_text(e, v->message_id);
	put_text(e, v->references);
	if (v->sent.ok) {
		/* Zigzag: small numbers of either sign are short. */
		uint64_t t = (uint64_t)v->sent.t;

		buf_add_varint(&e->tree, t << 1 ^ (v->sent.t < 0 ?
		    UINT64_MAX : 0));
		buf_add_varint(&e->tree, (uint64_t)(v->sent.offset_min +
		    REC_OFFSET_BIAS));
	}
	for (unsigned i = 0; i < 6; i++)
		if (lists[i]->present)
			put_addrs(e, lists[i]);
}

/* ---- parts ------------------------------------------------------------- */

static bool
default_type(const struct mime_part *p)
{
	return slice_eq(p->type, SLICE_LIT("text")) &&
	    slice_eq(p->subtype, SLICE_LIT("plain"));
}

static void
put_part(struct enc *e, const struct mime_part *p, uint64_t from)
{
	unsigned f1 = (unsigned)p->kind | (unsigned)p->encoding << 2, f2 = 0;

	f1 |= p->type_implied ? REC_IMPLIED : 0;
	f1 |= p->encoding_problem ? REC_PROBLEM : 0;
	f1 |= p->env != NULL ? REC_ENV : 0;
	f2 |= default_type(p) ? 0 : REC_TYPE;
	f2 |= p->n_params > 0 ? REC_PARAMS : 0;
	f2 |= p->encoding_name.p != NULL ? REC_ENCODING : 0;
	f2 |= p->disposition.p != NULL ? REC_DISPOSITION : 0;
	f2 |= p->content_id.p != NULL ? REC_ID : 0;
	f2 |= p->description.p != NULL ? REC_DESCRIPTION : 0;
	f2 |= p->md5.p != NULL || p->location.p != NULL ||
	    p->n_languages > 0 ? REC_RARE : 0;
	f2 |= p->decoded_len != p->body_len ? REC_DECODED : 0;
	buf_addc(&e->tree, (char)f1);
	buf_addc(&e->tree, (char)f2);
	buf_add_varint(&e->tree, p->header_off - from);
	buf_add_varint(&e->tree, p->header_len);
	buf_add_varint(&e->tree, p->body_len);
	buf_add_varint(&e->tree, p->body_lines);
	if (p->kind != MIME_LEAF)
		buf_add_varint(&e->tree, p->n_children);
	if (f2 & REC_DECODED)
		buf_add_varint(&e->tree, p->decoded_len + 1); /* UNKNOWN: 0 */
	if (f2 & REC_TYPE) {
		put_text(e, p->type);
		put_text(e, p->subtype);
	}
	if (f2 & REC_PARAMS)
		put_params(e, p->params, p->n_params);
	if (f2 & REC_ENCODING)
		put_text(e, p->encoding_name);
	if (f2 & REC_DISPOSITION) {
		put_text(e, p->disposition);
		put_params(e, p->disp_params, p->n_disp_params);
	}
	if (f2 & REC_ID)
		put_text(e, p->content_id);
	if (f2 & REC_DESCRIPTION)
		put_text(e, p->description);
	if (f2 & REC_RARE) {
		put_text(e, p->md5);
		put_text(e, p->location);
		buf_add_varint(&e->tree, p->n_languages);
		for (uint32_t i = 0; i < p->n_languages; i++)
			put_text(e, p->languages[i]);
	}
	if (p->env != NULL)
		put_env(e, p->env);
}

struct counts {
	uint64_t params, addrs, languages, envs;
};

static void
count(const struct mime_msg *m, struct counts *c)
{
	for (const struct mime_part *p = m->root; p != NULL;
	    p = mime_part_next(p)) {
		const struct mime_env *v = p->env;

		c->params += p->n_params;
		if (p->disposition.p != NULL)
			c->params += p->n_disp_params;
		c->languages += p->n_languages;
		if (v == NULL)
			continue;
		c->envs++;
		c->addrs += (uint64_t)v->from.n + v->sender.n + v->reply_to.n +
		    v->to.n + v->cc.n + v->bcc.n;
	}
}

/* Where the header of p may begin at the earliest. */
static uint64_t
earliest(const struct mime_part *p, const struct mime_part *prev)
{
	if (p->parent == NULL)
		return 0;
	return prev == NULL ? p->parent->body_off :
	    prev->body_off + prev->body_len;
}

/* All of it to out, or -1 if that is more than max (out is as before). */
static int
encode(const struct mime_msg *m, size_t max, struct buf *out)
{
	const struct mime_part *at[MIME_DEPTH_MAX + 1] = { NULL }, *p;
	struct counts c = { 0 };
	struct enc e;
	size_t before = out->n, head;
	int rc = -1;

	buf_init(&e.pool, max);
	buf_init(&e.tree, max);
	count(m, &c);
	buf_add_slice(&e.pool, m->cached);
	buf_add_varint(&e.tree, m->cached.p == NULL ? 0 :
	    (uint64_t)m->cached.n + 1);
	put_text(&e, m->preview);
	for (p = m->root; p != NULL && !e.tree.overflow; p = mime_part_next(p)) {
		/* at[]: the part seen last at each depth. */
		put_part(&e, p, earliest(p, p->number > 1 ? at[p->depth] : NULL));
		at[p->depth] = p;
	}
	if (e.pool.overflow || e.tree.overflow)
		goto out;
	buf_addc(out, MIME_RECORD_VERSION);
	buf_addc(out, (char)((m->limited ? REC_LIMITED : 0) |
	    (m->has_attachment ? REC_ATTACHMENT : 0)));
	buf_add_varint(out, m->size);
	buf_add_varint(out, m->n_parts);
	buf_add_varint(out, c.params);
	buf_add_varint(out, c.addrs);
	buf_add_varint(out, c.languages);
	buf_add_varint(out, c.envs);
	buf_add_lstr(out, buf_slice(&e.pool));
	buf_add_slice(out, buf_slice(&e.tree));
	head = out->n - before;
	if (!out->overflow && head <= max)
		rc = 0;
	else if (!out->overflow)
		out->n = before;
out:
	buf_release(&e.pool);
	buf_release(&e.tree);
	return rc;
}

/* The message as one opaque part, with a short envelope if it fits. */
static int
encode_opaque(const struct mime_msg *m, size_t max, struct buf *out)
{
	struct mime_env env = { .sent = m->root->env->sent };
	struct mime_part p = {
		.number = 1, .header_len = m->root->header_len,
		.body_off = m->root->body_off, .body_len = m->root->body_len,
		.body_lines = m->root->body_lines,
		.decoded_len = m->root->body_len, .type_implied = true,
		.type = SLICE_LIT("application"),
		.subtype = SLICE_LIT("octet-stream"), .env = &env
	};
	struct mime_msg o = { .root = &p, .n_parts = 1, .size = m->size,
	    .limited = true, .has_attachment = m->has_attachment };

	env.date = m->root->env->date;
	env.subject = m->root->env->subject;
	env.message_id = m->root->env->message_id;
	env.in_reply_to = m->root->env->in_reply_to;
	if (m->root->env->from.n > 0) {
		env.from = m->root->env->from;
		env.from.n = 1;
		env.from.last = 0;
		if (env.from.a[0].kind != MIME_ADDR)
			env.from.n = 0;
	}
	o.preview = m->preview;
	if (encode(&o, max, out) == 0)
		return 0;
	env = (struct mime_env){ .sent = env.sent };
	o.preview = slice_make(NULL, 0);
	return encode(&o, max, out);
}

int
mime_record_encode(const struct mime_msg *m, size_t max, struct buf *out)
{
	if (max < 512 || out->overflow)
		return -1;
	if (encode(m, max, out) == 0)
		return 0;
	return out->overflow ? -1 : encode_opaque(m, max, out);
}
