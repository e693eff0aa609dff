/* libmime/record-decode.c - octets to a parsed message, without copying */
#include "config.h"

#include "libmime/mime-int.h"
#include "libmime/record.h"

struct dec {
	const unsigned char *p, *end;
	struct slice pool;
	bool bad;
	/* Arrays for all of the message, and what is left of them. */
	struct mime_param *params;
	struct mime_addr *addrs;
	struct slice *languages;
	struct mime_env *envs;
	uint64_t n_params, n_addrs, n_languages, n_envs;
};

static uint64_t
varint(struct dec *d)
{
	uint64_t v = 0;
	unsigned shift = 0;

	if (d->p < d->end && *d->p < 0x80)
		return *d->p++;
	while (d->p < d->end && shift < 64) {
		unsigned char o = *d->p++;

		if (shift == 63 && o > 1)
			break;
		v |= (uint64_t)(o & 0x7f) << shift;
		if (o < 0x80)
			return v;
		shift += 7;
	}
	d->bad = true;
	d->p = d->end;
	return 0;
}

static unsigned
octet(struct dec *d)
{
	if (d->p < d->end)
		return *d->p++;
	d->bad = true;
	return 0;
}

static struct slice
text(struct dec *d)
{
	uint64_t n = varint(d), off;

	if (n == 0)
		return slice_make(NULL, 0);
	if (--n == 0)
		return SLICE_LIT("");
	off = varint(d);
	if (off > d->pool.n || n > d->pool.n - off) {
		d->bad = true;
		return SLICE_LIT("");
	}
	return slice_make(d->pool.p + off, (size_t)n);
}

/* A text that must be there. */
static struct slice
text_set(struct dec *d)
{
	struct slice s = text(d);

	if (s.p == NULL) {
		d->bad = true;
		s = SLICE_LIT("");
	}
	return s;
}

/* A count of things of which so many are left. */
static uint32_t
number_of(struct dec *d, uint64_t *left)
{
	uint64_t n = varint(d);

	if (n > *left) {
		d->bad = true;
		n = 0;
	}
	*left -= n;
	return (uint32_t)n;
}

static struct mime_param *
get_params(struct dec *d, uint32_t *n_r)
{
	struct mime_param *ps = d->params;

	*n_r = number_of(d, &d->n_params);
	d->params += *n_r;
	for (uint32_t i = 0; i < *n_r && !d->bad; i++) {
		ps[i].encoded = octet(d) != 0;
		ps[i].name = text_set(d);
		ps[i].value = text_set(d);
	}
	return *n_r > 0 ? ps : NULL;
}

static void
get_addrs(struct dec *d, struct mime_addrs *l)
{
	uint64_t last;

	l->present = true;
	l->n = number_of(d, &d->n_addrs);
	last = varint(d);
	l->last = (uint32_t)last;
	if (last > l->n)
		d->bad = true;
	l->a = l->n > 0 ? d->addrs : NULL;
	d->addrs += l->n;
	for (uint32_t i = 0; i < l->n && !d->bad; i++) {
		struct mime_addr *ad = &l->a[i];
		unsigned kind = octet(d);

		if (kind > MIME_ADDR_GROUP_END)
			d->bad = true;
		ad->kind = (enum mime_addr_kind)kind;
		if (kind == MIME_ADDR) {
			ad->name = text(d);
			ad->route = text(d);
			ad->mailbox = text_set(d);
			ad->domain = text_set(d);
		} else if (kind == MIME_ADDR_GROUP) {
			ad->name = text(d);
		}
	}
}

static void
get_sent(struct dec *d, struct mime_date *t)
{
	uint64_t z = varint(d), off = varint(d);

	t->ok = true;
	t->t = (int64_t)(z >> 1 ^ (~(z & 1) + 1));
	if (off > 2 * REC_OFFSET_BIAS) {
		d->bad = true;
		off = REC_OFFSET_BIAS;
	}
	t->offset_min = (int16_t)((int)off - REC_OFFSET_BIAS);
}

static struct mime_env *
get_env(struct dec *d)
{
	struct mime_env *v = d->envs;
	unsigned flags;

	if (d->n_envs == 0) {
		d->bad = true;
		return NULL;
	}
	d->n_envs--;
	d->envs++;
	flags = octet(d);
	if (flags >= 0x80)
		d->bad = true;
	v->date = text(d);
	v->subject = text(d);
	v->in_reply_to = text(d);
	v->message_id = text(d);
	v->references = text(d);
	if (flags & REC_SENT)
		get_sent(d, &v->sent);
	if (flags & 1)
		get_addrs(d, &v->from);
	if (flags & 2)
		get_addrs(d, &v->sender);
	if (flags & 4)
		get_addrs(d, &v->reply_to);
	if (flags & 8)
		get_addrs(d, &v->to);
	if (flags & 16)
		get_addrs(d, &v->cc);
	if (flags & 32)
		get_addrs(d, &v->bcc);
	return v;
}

/* Offsets, all within from..end. */
static void
get_range(struct dec *d, struct mime_part *p, uint64_t from, uint64_t end)
{
	uint64_t room = end - from, gap = varint(d), h = varint(d),
	    b = varint(d);

	p->body_lines = varint(d);
	if (gap > room || h > room - gap || b > room - gap - h ||
	    p->body_lines > b) {
		d->bad = true;
		return;
	}
	p->header_off = from + gap;
	p->header_len = h;
	p->body_off = p->header_off + h;
	p->body_len = b;
}

static void
get_rare(struct dec *d, struct mime_part *p)
{
	p->md5 = text(d);
	p->location = text(d);
	p->n_languages = number_of(d, &d->n_languages);
	p->languages = p->n_languages > 0 ? d->languages : NULL;
	d->languages += p->n_languages;
	for (uint32_t i = 0; i < p->n_languages && !d->bad; i++)
		p->languages[i] = text_set(d);
}

static void
get_fields(struct dec *d, struct mime_part *p, unsigned f2)
{
	if (f2 & REC_TYPE) {
		p->type = text_set(d);
		p->subtype = text_set(d);
	} else {
		p->type = SLICE_LIT("text");
		p->subtype = SLICE_LIT("plain");
	}
	if (f2 & REC_PARAMS)
		p->params = get_params(d, &p->n_params);
	if (f2 & REC_ENCODING)
		p->encoding_name = text_set(d);
	if (f2 & REC_DISPOSITION) {
		p->disposition = text_set(d);
		p->disp_params = get_params(d, &p->n_disp_params);
	}
	if (f2 & REC_ID)
		p->content_id = text_set(d);
	if (f2 & REC_DESCRIPTION)
		p->description = text_set(d);
	if (f2 & REC_RARE)
		get_rare(d, p);
}

/* One part; *children_r: how many are to follow. */
static void
get_part(struct dec *d, struct mime_part *p, uint64_t from, uint64_t end,
    uint64_t *children_r)
{
	unsigned f1 = octet(d), f2 = octet(d);

	p->kind = (enum mime_kind)(f1 & REC_KIND);
	p->encoding = (enum mime_encoding)(f1 >> REC_ENC_SHIFT & REC_ENC);
	if (p->kind > MIME_MESSAGE || p->encoding > MIME_ENC_UNKNOWN)
		d->bad = true;
	p->type_implied = (f1 & REC_IMPLIED) != 0;
	p->encoding_problem = (f1 & REC_PROBLEM) != 0;
	get_range(d, p, from, end);
	*children_r = p->kind == MIME_LEAF ? 0 : varint(d);
	if ((p->kind != MIME_LEAF && *children_r == 0) ||
	    (p->kind == MIME_MESSAGE && *children_r != 1))
		d->bad = true;
	/* UNKNOWN is 0 - 1. */
	p->decoded_len = f2 & REC_DECODED ? varint(d) - 1 : p->body_len;
	get_fields(d, p, f2);
	if (f1 & REC_ENV)
		p->env = get_env(d);
	/* Exactly roots of messages have one. */
	if ((p->env != NULL) != (p->parent == NULL ||
	    p->parent->kind == MIME_MESSAGE))
		d->bad = true;
}

/*
 * All parts.  left[] holds, for each open ancestor, how many of its children
 * are still to come.
 */
static void
get_tree(struct dec *d, struct mime_msg *m, struct mime_part *parts)
{
	uint64_t left[MIME_DEPTH_MAX + 1];
	struct mime_part *parent = NULL, *prev = NULL;
	unsigned depth = 0;

	for (uint32_t i = 0; i < m->n_parts && !d->bad; i++) {
		struct mime_part *p = &parts[i];
		uint64_t from = 0, end = m->size, children;

		if (i > 0 && parent == NULL) {
			d->bad = true;
			return;
		}
		p->id = i;
		p->parent = parent;
		p->depth = depth;
		p->number = 1;
		if (parent != NULL) {
			from = prev == NULL ? parent->body_off :
			    prev->body_off + prev->body_len;
			end = parent->body_off + parent->body_len;
			p->number = ++parent->n_children;
			left[depth - 1]--;
			if (prev == NULL)
				parent->child = p;
			else
				prev->next = p;
		}
		get_part(d, p, from, end, &children);
		if (children > m->n_parts || depth >= MIME_DEPTH_MAX)
			d->bad = true;
		if (children > 0 && !d->bad) {
			left[depth++] = children;
			parent = p;
			prev = NULL;
			continue;
		}
		for (prev = p; parent != NULL && left[depth - 1] == 0; depth--) {
			prev = parent;
			parent = parent->parent;
		}
	}
	if (parent != NULL)
		d->bad = true;
}

/* The counts at the front; each thing takes an octet at least. */
static void
get_counts(struct dec *d, struct mime_msg *m)
{
	uint64_t parts = varint(d), most = (uint64_t)(d->end - d->p);

	d->n_params = varint(d);
	d->n_addrs = varint(d);
	d->n_languages = varint(d);
	d->n_envs = varint(d);
	if (parts == 0 || parts > most || d->n_params > most ||
	    d->n_addrs > most || d->n_languages > most || d->n_envs > most ||
	    parts * 6 + d->n_params * 3 + d->n_addrs + d->n_languages +
	    d->n_envs * 6 > most)
		d->bad = true;
	m->n_parts = (uint32_t)parts;
}

static void
get_pool(struct dec *d)
{
	uint64_t n = varint(d);

	if (n > (uint64_t)(d->end - d->p)) {
		d->bad = true;
		return;
	}
	d->pool = slice_make((const char *)d->p, (size_t)n);
	d->p += n;
}

int
mime_record_decode(struct slice record, struct arena *a, struct mime_msg **m_r)
{
	struct dec d = { .bad = false };
	struct mime_msg *m;
	struct mime_part *parts;
	unsigned flags;
	uint64_t n;

	if (record.n < 2 || record.p[0] != MIME_RECORD_VERSION)
		return -1;
	d.p = (const unsigned char *)record.p + 1;
	d.end = (const unsigned char *)record.p + record.n;
	flags = octet(&d);
	m = arena_alloc(a, sizeof(*m));
	m->limited = (flags & REC_LIMITED) != 0;
	m->has_attachment = (flags & REC_ATTACHMENT) != 0;
	m->size = varint(&d);
	get_counts(&d, m);
	get_pool(&d);
	n = varint(&d);
	if (d.bad || flags > 3 || n > d.pool.n + 1)
		return -1;
	m->cached = n == 0 ? slice_make(NULL, 0) :
	    slice_make(d.pool.p, (size_t)n - 1);
	m->preview = text(&d);
	parts = arena_calloc(a, m->n_parts, sizeof(*parts));
	d.params = arena_calloc(a, d.n_params, sizeof(*d.params));
	d.addrs = arena_calloc(a, d.n_addrs, sizeof(*d.addrs));
	d.languages = arena_calloc(a, d.n_languages, sizeof(*d.languages));
	d.envs = arena_calloc(a, d.n_envs, sizeof(*d.envs));
	m->root = parts;
	get_tree(&d, m, parts);
	if (d.bad || d.p != d.end || d.n_params > 0 || d.n_addrs > 0 ||
	    d.n_languages > 0 || d.n_envs > 0)
		return -1;
	*m_r = m;
	return 0;
}
