/* libstore/kv/journal.c - the journal's header and records */
#include "config.h"

#include <string.h>

#include "libbase/io.h"
#include "libstore/errors.h"
#include "libstore/kv/be.h"
#include "libstore/kv/journal.h"

static const char head_magic[8] = { 'C', 'u', 'l', 'v', 'e', 'r', 'J', 'n' };
static const uint32_t word_settled = 0x53657474;	/* Sett */
static const uint32_t word_suspect = 0x53757370;	/* Susp */
static const uint32_t word_shown = 0x53686f77;		/* Show */

uint32_t
journal_head_crc(const unsigned char head[JOURNAL_HEAD])
{
	return crc32c(crc32c(0, head + 8, 4), head + 16, JOURNAL_STATE - 16);
}

void
journal_head_encode(const struct journal_head *h,
    unsigned char out[JOURNAL_HEAD])
{
	memset(out, 0, JOURNAL_HEAD);
	memcpy(out, head_magic, sizeof(head_magic));
	be32_put(out + 8, JOURNAL_VERSION);
	be64_put(out + 16, h->gen);
	be64_put(out + 24, h->base_size);
	be32_put(out + 32, h->base_crc);
	be64_put(out + 40, h->seq);
	be32_put(out + 48, h->pos.pack);
	be32_put(out + 52, h->pos.next);
	be64_put(out + 56, h->pos.end);
	memcpy(out + 64, h->id, sizeof(h->id));
	be64_put(out + 80, h->when);
	be32_put(out + 12, journal_head_crc(out));
	be32_put(out + JOURNAL_STATE, h->settled ? word_settled : 0);
	be32_put(out + JOURNAL_STATE + 4, h->suspect ? word_suspect : 0);
}

int
journal_head_decode(const unsigned char in[JOURNAL_HEAD],
    struct journal_head *h)
{
	if (memcmp(in, head_magic, sizeof(head_magic)) != 0)
		return STORE_E_CORRUPT;
	/* So it is in every version to come. */
	if (be32_get(in + 12) != journal_head_crc(in))
		return STORE_E_CORRUPT;
	if (be32_get(in + 8) > JOURNAL_VERSION)
		return STORE_E_VERSION;
	if (be32_get(in + 8) != JOURNAL_VERSION)
		return STORE_E_CORRUPT;
	memset(h, 0, sizeof(*h));
	h->gen = be64_get(in + 16);
	h->base_size = be64_get(in + 24);
	h->base_crc = be32_get(in + 32);
	h->seq = be64_get(in + 40);
	h->pos.pack = be32_get(in + 48);
	h->pos.next = be32_get(in + 52);
	h->pos.end = be64_get(in + 56);
	memcpy(h->id, in + 64, sizeof(h->id));
	h->when = be64_get(in + 80);
	h->settled = be32_get(in + JOURNAL_STATE) == word_settled;
	h->suspect = be32_get(in + JOURNAL_STATE + 4) == word_suspect;
	return 0;
}

void
record_show(unsigned char out[4])
{
	be32_put(out, word_shown);
}

int
record_decode(struct slice s, struct record *r, size_t *need_r)
{
	const char *p = s.p;
	uint32_t len;

	*need_r = RECORD_HEAD;
	if (s.n < RECORD_HEAD)
		return 0;
	len = be32_get(p + 8);
	*need_r = 0;
	if (len < RECORD_HEAD || len % 8 != 0 || len > RECORD_MAX)
		return 0;
	*need_r = len;
	if (len > s.n)
		return 0;
	*need_r = 0;
	if (be32_get(p + 4) != crc32c(0, p + 8, len - 8))
		return 0;
	r->len = len;
	r->n_ops = be32_get(p + 12);
	r->seq = be64_get(p + 16);
	r->pos.pack = be32_get(p + 24);
	r->pos.next = be32_get(p + 28);
	r->pos.end = be64_get(p + 32);
	r->when = be64_get(p + 40);
	r->shown = be32_get(p) == word_shown;
	r->odd = !r->shown && be32_get(p) != 0;
	r->ops = slice_make(p + RECORD_HEAD, len - RECORD_HEAD);
	return 1;
}

/* ---- operations --------------------------------------------------------- */

void
ops_init(struct ops *o)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->b, RECORD_MAX);
	(void)buf_reserve(&o->b, 1024);
	o->b.n = RECORD_HEAD;
}

void
ops_release(struct ops *o)
{
	buf_release(&o->b);
}

static int
op_add(struct ops *o, enum op_kind kind, struct slice key, uint32_t off,
    struct slice val)
{
	struct buf *b = &o->b;
	char *p = buf_reserve(b, OP_HEAD + key.n + val.n);

	if (p == NULL)
		return -1;
	be32_put(p, (uint32_t)kind << 24 | (uint32_t)key.n);
	be32_put(p + 4, (uint32_t)val.n);
	be32_put(p + 8, off);
	if (key.n > 0)
		memcpy(p + OP_HEAD, key.p, key.n);
	if (val.n > 0)
		memcpy(p + OP_HEAD + key.n, val.p, val.n);
	if (key.n > 0) {
		o->key_at = b->n + OP_HEAD;
		o->key_n = key.n;
	}
	b->n += OP_HEAD + key.n + val.n;
	o->n++;
	return 0;
}

int
op_put(struct ops *o, struct slice key, struct slice val)
{
	return op_add(o, OP_PUT, key, 0, val);
}

int
op_patch(struct ops *o, struct slice key, uint32_t off, struct slice octets)
{
	/* Many patches of a row come one after another: its key once. */
	if (o->key_n == key.n &&
	    memcmp(o->b.p + o->key_at, key.p, key.n) == 0)
		key.n = 0;
	return op_add(o, OP_PATCH, key, off, octets);
}

int
op_del(struct ops *o, struct slice key)
{
	return op_add(o, OP_DEL, key, 0, slice_make(NULL, 0));
}

int
op_del_range(struct ops *o, struct slice from, struct slice to)
{
	if (op_add(o, OP_DEL_RANGE, from, 0, to) < 0)
		return -1;
	o->key_n = 0;	/* which may be empty: none to refer to */
	return 0;
}

int
record_finish(struct ops *o, const struct record *r)
{
	struct buf *b = &o->b;

	while (b->n % 8 != 0)
		if (buf_addc(b, '\0') < 0)
			return -1;
	memset(b->p, 0, RECORD_HEAD);
	be32_put(b->p, r->shown ? word_shown : 0);
	be32_put(b->p + 8, (uint32_t)b->n);
	be32_put(b->p + 12, o->n);
	be64_put(b->p + 16, r->seq);
	be32_put(b->p + 24, r->pos.pack);
	be32_put(b->p + 28, r->pos.next);
	be64_put(b->p + 32, r->pos.end);
	be64_put(b->p + 40, r->when);
	be32_put(b->p + 4, crc32c(0, b->p + 8, b->n - 8));
	return 0;
}

static bool
op_ok(uint32_t kind, struct slice key, uint32_t off, struct slice val)
{
	if (key.n > KV_KEY_MAX || val.n > KV_VALUE_MAX ||
	    (kind != OP_DEL_RANGE && key.n == 0))
		return false;
	switch (kind) {
	case OP_PUT:
	case OP_DEL:
		return true;
	case OP_PATCH:
		return off <= KV_VALUE_MAX && val.n <= KV_VALUE_MAX - off;
	case OP_DEL_RANGE:
		return val.n <= KV_KEY_MAX &&
		    (val.n == 0 || slice_cmp(key, val) < 0);
	default:
		return false;
	}
}

int
ops_each(struct slice ops, uint32_t n, int (*fn)(void *arg,
    enum op_kind kind, struct slice key, uint32_t off, struct slice val),
    void *arg)
{
	struct slice last = { NULL, 0 };

	while (n-- > 0) {
		uint32_t word, kind, vn, off;
		struct slice key;

		if (ops.n < OP_HEAD)
			return -1;
		word = be32_get(ops.p);
		vn = be32_get(ops.p + 4);
		off = be32_get(ops.p + 8);
		kind = word >> 24;
		key = slice_make(ops.p + OP_HEAD, word & 0xffffff);
		ops.p += OP_HEAD;
		ops.n -= OP_HEAD;
		if (key.n > ops.n || vn > ops.n - key.n)
			return -1;
		ops.p += key.n;
		ops.n -= key.n;
		if (kind == OP_PATCH && key.n == 0)
			key = last;
		if (!op_ok(kind, key, off, slice_make(ops.p, vn)) ||
		    fn(arg, (enum op_kind)kind, key, off,
			slice_make(ops.p, vn)) < 0)
			return -1;
		last = kind == OP_DEL_RANGE ? slice_make(NULL, 0) : key;
		ops.p += vn;
		ops.n -= vn;
	}
	return ops.n < 8 ? 0 : -1;	/* padding */
}

static int
op_apply(void *arg, enum op_kind kind, struct slice key, uint32_t off,
    struct slice val)
{
	struct olog *l = arg;

	switch (kind) {
	case OP_PUT:
		olog_put(l, key, val);
		break;
	case OP_PATCH:
		return olog_patch(l, key, off, val);
	case OP_DEL:
		olog_del(l, key);
		break;
	case OP_DEL_RANGE:
		olog_del_range(l, key, val);
		break;
	}
	return 0;
}

int
ops_apply(struct slice ops, uint32_t n, struct olog *l)
{
	return ops_each(ops, n, op_apply, l);
}
