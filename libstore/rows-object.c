/* libstore/rows-object.c - rows of identities and other small objects */
#include "config.h"

#include "libstore/rows.h"

enum { OBJECT_LIVE, OBJECT_GONE };

static void
begin(struct buf *b, uint64_t modseq, int state)
{
	buf_reset(b);
	buf_addc(b, ROW_VERSION);
	buf_add_varint(b, modseq);
	buf_addc(b, (char)state);
}

static int
end(const struct buf *b)
{
	return b->overflow ? STORE_E_TOOBIG : 0;
}

static int
open_row(struct slice v, const char *what, struct cur *c, uint64_t *modseq_r,
    unsigned *state_r)
{
	int rc;

	*c = cur_make(v);
	if ((rc = row_version(cur_u8(c), what)) < 0)
		return rc;
	*modseq_r = cur_varint(c);
	*state_r = cur_u8(c);
	return cur_ok(c) && *state_r <= OBJECT_GONE ? 0 : STORE_E_CORRUPT;
}

static int
close_row(const struct cur *c)
{
	return cur_ok(c) && cur_left(c) == 0 ? 0 : STORE_E_CORRUPT;
}

int
row_objects_put(struct buf *b, const struct row_objects *s)
{
	buf_reset(b);
	buf_addc(b, ROW_VERSION);
	buf_add_varint(b, s->modseq);
	buf_add_varint(b, s->floor);
	buf_add_varint(b, s->n);
	buf_add_varint(b, s->gone);
	return end(b);
}

int
row_objects_get(struct slice v, struct row_objects *s_r)
{
	struct cur c = cur_make(v);
	uint64_t n, gone;
	int rc;

	if ((rc = row_version(cur_u8(&c), "a sum of objects")) < 0)
		return rc;
	s_r->modseq = cur_varint(&c);
	s_r->floor = cur_varint(&c);
	n = cur_varint(&c);
	gone = cur_varint(&c);
	if (n > UINT32_MAX || gone > UINT32_MAX || s_r->floor > s_r->modseq)
		return STORE_E_CORRUPT;
	s_r->n = (uint32_t)n;
	s_r->gone = (uint32_t)gone;
	return close_row(&c);
}

int
row_object_get(struct slice v, uint64_t *modseq_r, bool *gone_r)
{
	unsigned state;
	struct cur c;
	int rc;

	if ((rc = open_row(v, "an object", &c, modseq_r, &state)) < 0)
		return rc;
	*gone_r = state == OBJECT_GONE;
	return *gone_r ? close_row(&c) : 0;
}

int
row_gone_put(struct buf *b, uint64_t modseq)
{
	begin(b, modseq, OBJECT_GONE);
	return end(b);
}

/* ---- addresses --------------------------------------------------------- */

/* 0: there is no list; else one more than it has entries. */
static void
put_addresses(struct buf *b, const struct row_addresses *l)
{
	buf_add_varint(b, l->present ? l->n + 1 : 0);
	for (size_t i = 0; l->present && i < l->n; i++) {
		buf_add_opt(b, l->a[i].name);
		buf_add_lstr(b, l->a[i].email);
	}
}

static void
get_addresses(struct cur *c, struct arena *a, struct row_addresses *l)
{
	uint64_t n = cur_varint(c);

	l->present = n > 0;
	l->a = NULL;
	l->n = 0;
	if (n > ROW_ADDRESSES_MAX + 1 || (n > 1 && n - 1 > cur_left(c) / 2))
		c->bad = true;
	if (n < 2 || !cur_ok(c))
		return;
	l->n = (size_t)n - 1;
	l->a = arena_calloc(a, l->n, sizeof(*l->a));
	for (size_t i = 0; i < l->n; i++) {
		l->a[i].name = cur_opt(c);
		l->a[i].email = cur_lstr(c);
	}
}

/* ---- identities -------------------------------------------------------- */

int
row_identity_put(struct buf *b, const struct row_identity *i)
{
	begin(b, i->modseq, OBJECT_LIVE);
	buf_addc(b, i->is_default);
	buf_add_lstr(b, i->name);
	buf_add_lstr(b, i->email);
	buf_add_lstr(b, i->text);
	buf_add_lstr(b, i->html);
	put_addresses(b, &i->reply_to);
	put_addresses(b, &i->bcc);
	return end(b);
}

int
row_identity_get(struct slice v, struct arena *a, struct row_identity *i_r)
{
	unsigned state, is_default;
	struct cur c;
	int rc;

	if ((rc = open_row(v, "an identity", &c, &i_r->modseq, &state)) < 0)
		return rc;
	is_default = cur_u8(&c);
	i_r->is_default = is_default != 0;
	i_r->name = cur_lstr(&c);
	i_r->email = cur_lstr(&c);
	i_r->text = cur_lstr(&c);
	i_r->html = cur_lstr(&c);
	get_addresses(&c, a, &i_r->reply_to);
	get_addresses(&c, a, &i_r->bcc);
	if (state != OBJECT_LIVE || is_default > 1)
		return STORE_E_CORRUPT;
	return close_row(&c);
}

/* ---- submissions ------------------------------------------------------- */

static void
put_path(struct buf *b, const struct row_path *p)
{
	buf_add_lstr(b, p->email);
	buf_add_varint(b, p->n_param);
	for (size_t i = 0; i < p->n_param; i++) {
		buf_add_lstr(b, p->param[i].name);
		buf_add_opt(b, p->param[i].value);
	}
}

static void
get_path(struct cur *c, struct arena *a, struct row_path *p)
{
	uint64_t n;

	p->email = cur_lstr(c);
	n = cur_varint(c);
	p->param = NULL;
	p->n_param = 0;
	if (n > ROW_PARAMS_MAX || n > cur_left(c) / 2)
		c->bad = true;
	if (n == 0 || !cur_ok(c))
		return;
	p->n_param = (size_t)n;
	p->param = arena_calloc(a, p->n_param, sizeof(*p->param));
	for (size_t i = 0; i < p->n_param; i++) {
		p->param[i].name = cur_lstr(c);
		p->param[i].value = cur_opt(c);
	}
}

int
row_submission_put_max(struct buf *b, const struct row_submission *s,
    size_t max)
{
	begin(b, s->modseq, OBJECT_LIVE);
	buf_addc(b, (char)s->undo);
	buf_addc(b, (char)s->phase);
	buf_add_be64(b, s->identity);
	buf_add_be64(b, s->email);
	buf_add_be64(b, s->thread);
	buf_add(b, s->blob, sizeof(s->blob));
	buf_add_be64(b, (uint64_t)s->send_at);
	buf_add_be64(b, (uint64_t)s->next_try);
	buf_add_varint(b, s->attempts);
	put_path(b, &s->from);
	buf_add_varint(b, s->n_rcpt);
	for (size_t i = 0; i < s->n_rcpt; i++) {
		const struct row_rcpt *r = &s->rcpt[i];
		size_t n = r->reply.n < max ? r->reply.n : max;

		put_path(b, &r->to);
		buf_addc(b, (char)r->delivered);
		buf_add_lstr(b, slice_make(r->reply.p, n));
	}
	buf_add_varint(b, s->n_dsn);
	buf_add(b, s->dsn, s->n_dsn * ROW_BLOBID_LEN);
	return end(b);
}

int
row_submission_put(struct buf *b, const struct row_submission *s)
{
	return row_submission_put_max(b, s, SIZE_MAX);
}

enum { UNDO_PENDING, UNDO_FINAL, UNDO_CANCELED };
enum { DELIVERED_QUEUED = 0, DELIVERED_UNKNOWN = 3 };

bool
row_submission_open(const struct row_submission *s)
{
	if (s->undo == UNDO_PENDING)
		return true;
	for (size_t i = 0; s->undo == UNDO_FINAL && i < s->n_rcpt; i++)
		if (s->rcpt[i].delivered == DELIVERED_QUEUED)
			return true;
	return false;
}

void
row_submission_stop(struct row_submission *s)
{
	if (s->undo == UNDO_PENDING)
		s->undo = UNDO_CANCELED;
	for (size_t i = 0; s->undo == UNDO_FINAL && i < s->n_rcpt; i++)
		if (s->rcpt[i].delivered == DELIVERED_QUEUED)
			s->rcpt[i].delivered = DELIVERED_UNKNOWN;
	s->phase = 0;
}

static int
get_rcpts(struct cur *c, struct arena *a, struct row_submission *s)
{
	uint64_t n = cur_varint(c);

	s->rcpt = NULL;
	s->n_rcpt = 0;
	if (n > ROW_RCPTS_MAX || n > cur_left(c) / 4)
		return STORE_E_CORRUPT;
	s->rcpt = arena_calloc(a, (size_t)n, sizeof(*s->rcpt));
	for (; s->n_rcpt < n && cur_ok(c); s->n_rcpt++) {
		struct row_rcpt *r = &s->rcpt[s->n_rcpt];

		get_path(c, a, &r->to);
		r->delivered = cur_u8(c);
		r->reply = cur_lstr(c);
		if (r->delivered >= ROW_DELIVERED)
			return STORE_E_CORRUPT;
	}
	return 0;
}

/* Reports are not in the oldest rows. */
static int
get_dsn(struct cur *c, struct row_submission *s)
{
	uint64_t n = cur_ok(c) && cur_left(c) > 0 ? cur_varint(c) : 0;
	struct slice ids;

	if (n > ROW_DSN_MAX)
		return STORE_E_CORRUPT;
	ids = cur_bytes(c, (size_t)n * ROW_BLOBID_LEN);
	s->dsn = (const unsigned char *)ids.p;
	s->n_dsn = (size_t)n;
	return close_row(c);
}

int
row_submission_get(struct slice v, struct arena *a,
    struct row_submission *s_r)
{
	uint64_t attempts;
	struct slice blob;
	unsigned state;
	struct cur c;
	int rc;

	rc = open_row(v, "a submission", &c, &s_r->modseq, &state);
	if (rc < 0)
		return rc;
	s_r->undo = cur_u8(&c);
	s_r->phase = cur_u8(&c);
	s_r->identity = cur_be64(&c);
	s_r->email = cur_be64(&c);
	s_r->thread = cur_be64(&c);
	blob = cur_bytes(&c, ROW_BLOBID_LEN);
	s_r->send_at = (int64_t)cur_be64(&c);
	s_r->next_try = (int64_t)cur_be64(&c);
	attempts = cur_varint(&c);
	get_path(&c, a, &s_r->from);
	if (!cur_ok(&c) || blob.n != ROW_BLOBID_LEN || state != OBJECT_LIVE ||
	    s_r->undo >= ROW_UNDO || s_r->phase >= ROW_PHASES ||
	    attempts > UINT32_MAX)
		return STORE_E_CORRUPT;
	memcpy(s_r->blob, blob.p, ROW_BLOBID_LEN);
	s_r->attempts = (uint32_t)attempts;
	rc = get_rcpts(&c, a, s_r);
	return rc < 0 ? rc : get_dsn(&c, s_r);
}

/* ---- the vacation response --------------------------------------------- */

struct row_key
row_key_sender(const unsigned char hash[ROW_NAME_HASH])
{
	struct row_key k = row_key_kind(ROW_K_VACATION);

	memcpy(k.b + k.n, hash, ROW_NAME_HASH);
	k.n += ROW_NAME_HASH;
	return k;
}

int
row_vacation_put(struct buf *b, const struct row_vacation *r)
{
	begin(b, r->modseq, OBJECT_LIVE);
	buf_addc(b, (char)(r->enabled | r->has_from << 1 | r->has_to << 2));
	buf_add_be64(b, r->has_from ? (uint64_t)r->from : 0);
	buf_add_be64(b, r->has_to ? (uint64_t)r->to : 0);
	buf_add_opt(b, r->subject);
	buf_add_opt(b, r->text);
	buf_add_opt(b, r->html);
	return end(b);
}

int
row_vacation_get(struct slice v, struct row_vacation *r_r)
{
	unsigned state, marks;
	struct cur c;
	int rc;

	rc = open_row(v, "the vacation response", &c, &r_r->modseq, &state);
	if (rc < 0)
		return rc;
	marks = cur_u8(&c);
	r_r->enabled = (marks & 1) != 0;
	r_r->has_from = (marks & 2) != 0;
	r_r->has_to = (marks & 4) != 0;
	r_r->from = (int64_t)cur_be64(&c);
	r_r->to = (int64_t)cur_be64(&c);
	r_r->subject = cur_opt(&c);
	r_r->text = cur_opt(&c);
	r_r->html = cur_opt(&c);
	if (state != OBJECT_LIVE || marks > 7 ||
	    (!r_r->has_from && r_r->from != 0) ||
	    (!r_r->has_to && r_r->to != 0))
		return STORE_E_CORRUPT;
	return close_row(&c);
}
