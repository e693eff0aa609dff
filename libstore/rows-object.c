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

/* An absent text is told from an empty one by a length that is one more. */
static void
put_opt(struct buf *b, struct slice s)
{
	buf_add_varint(b, s.p == NULL ? 0 : s.n + 1);
	buf_add_slice(b, s);
}

static struct slice
get_opt(struct cur *c)
{
	uint64_t n = cur_varint(c);

	if (n == 0)
		return slice_make(NULL, 0);
	if (n - 1 > cur_left(c)) {
		c->bad = true;
		return slice_make(NULL, 0);
	}
	return cur_bytes(c, (size_t)n - 1);
}

/* 0: there is no list; else one more than it has entries. */
static void
put_addresses(struct buf *b, const struct row_addresses *l)
{
	buf_add_varint(b, l->present ? l->n + 1 : 0);
	for (size_t i = 0; l->present && i < l->n; i++) {
		put_opt(b, l->a[i].name);
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
		l->a[i].name = get_opt(c);
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
