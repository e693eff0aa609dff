/* libstore/rows-push.c - rows of push subscriptions */
#include "config.h"

#include "libstore/rows.h"

int
row_push_put(struct buf *b, const struct row_push *r)
{
	buf_reset(b);
	buf_addc(b, ROW_VERSION);
	buf_addc(b, (char)r->state);
	buf_add_be64(b, (uint64_t)r->expires);
	buf_add_lstr(b, r->user);
	buf_add(b, r->credential, sizeof(r->credential));
	buf_add_lstr(b, r->device);
	buf_add_lstr(b, r->url);
	buf_add_lstr(b, r->code);
	buf_add_opt(b, r->p256dh);
	buf_add_opt(b, r->auth);
	buf_add_varint(b, r->all_types ? 0 : r->n_type + 1);
	for (size_t i = 0; !r->all_types && i < r->n_type; i++)
		buf_add_lstr(b, r->type[i]);
	buf_add_varint(b, r->told);
	buf_add_be64(b, (uint64_t)r->next_try);
	buf_add_varint(b, r->attempts);
	buf_add_varint(b, r->gap_s);
	return b->overflow ? STORE_E_TOOBIG : 0;
}

static void
get_types(struct cur *c, struct arena *a, struct row_push *r)
{
	uint64_t n = cur_varint(c);

	r->all_types = n == 0;
	r->type = NULL;
	r->n_type = 0;
	if (n > ROW_PUSH_TYPES_MAX + 1 || (n > 1 && n - 1 > cur_left(c)))
		c->bad = true;
	if (n < 2 || !cur_ok(c))
		return;
	r->n_type = (size_t)n - 1;
	r->type = arena_calloc(a, r->n_type, sizeof(*r->type));
	for (size_t i = 0; i < r->n_type; i++)
		r->type[i] = cur_lstr(c);
}

/* Both keys or none, of their lengths. */
static bool
keys_ok(const struct row_push *r)
{
	if (r->p256dh.p == NULL)
		return r->auth.p == NULL;
	return r->p256dh.n == ROW_PUSH_KEY && r->auth.n == ROW_PUSH_AUTH;
}

int
row_push_get(struct slice v, struct arena *a, struct row_push *r_r)
{
	struct cur c = cur_make(v);
	uint64_t attempts, gap;
	struct slice cred;
	int rc;

	if ((rc = row_version(cur_u8(&c), "a push subscription")) < 0)
		return rc;
	r_r->state = cur_u8(&c);
	r_r->expires = (int64_t)cur_be64(&c);
	r_r->user = cur_lstr(&c);
	cred = cur_bytes(&c, sizeof(r_r->credential));
	r_r->device = cur_lstr(&c);
	r_r->url = cur_lstr(&c);
	r_r->code = cur_lstr(&c);
	r_r->p256dh = cur_opt(&c);
	r_r->auth = cur_opt(&c);
	get_types(&c, a, r_r);
	r_r->told = cur_varint(&c);
	r_r->next_try = (int64_t)cur_be64(&c);
	attempts = cur_varint(&c);
	gap = cur_varint(&c);
	if (!cur_ok(&c) || cur_left(&c) != 0 ||
	    cred.n != sizeof(r_r->credential) || !keys_ok(r_r) ||
	    r_r->state >= ROW_PUSH_STATES || attempts > UINT32_MAX ||
	    gap > UINT32_MAX)
		return STORE_E_CORRUPT;
	memcpy(r_r->credential, cred.p, cred.n);
	r_r->attempts = (uint32_t)attempts;
	r_r->gap_s = (uint32_t)gap;
	return 0;
}

int
row_push_rate_put(struct buf *b, const struct row_push_rate *r)
{
	buf_reset(b);
	buf_addc(b, ROW_VERSION);
	buf_add_be64(b, (uint64_t)r->since);
	buf_add_varint(b, r->n);
	return b->overflow ? STORE_E_TOOBIG : 0;
}

int
row_push_rate_get(struct slice v, struct row_push_rate *r_r)
{
	struct cur c = cur_make(v);
	uint64_t n;
	int rc;

	rc = row_version(cur_u8(&c), "a rate of push subscriptions");
	if (rc < 0)
		return rc;
	r_r->since = (int64_t)cur_be64(&c);
	n = cur_varint(&c);
	if (!cur_ok(&c) || cur_left(&c) != 0 || n > UINT32_MAX)
		return STORE_E_CORRUPT;
	r_r->n = (uint32_t)n;
	return 0;
}
