/* t/crash/power-work.c - transactions that are remembered, and who makes them */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/crash/power.h"

/*
 * Every transaction puts its number into the row "last", and remembers on which
 * one's state it was made.  So an account says of itself which transactions it
 * has, and so what all of its rows should be.
 */

enum { SLOTS = POWER_ROWS + POWER_BLOBS };

struct power_world *world;
static struct kv *reader;

/* ---- rows and blobs ----------------------------------------------------- */

struct slice
slot_key(uint32_t slot, char buf[20])
{
	snprintf(buf, 20, slot < POWER_ROWS ? "r.%03u" : "s.%03u", slot);
	return slice_str(buf);
}

size_t
power_blob_size(uint32_t no)
{
	return no % 6 == 5 ? 40000 + no * 97 % 9000 : no * 613 % 5000;
}

void
power_blob_fill(uint32_t no, char *p, size_t n)
{
	uint64_t x = no + 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		p[i] = no % 3 == 0 ? "abcdefgh"[x >> 61] : (char)(x >> 56);
	}
}

static void
apply(struct power_state *s, const struct power_op *o)
{
	switch (o->kind) {
	case OP_PUT:
		s->slot[o->slot].there = true;
		s->slot[o->slot].n = o->n;
		memcpy(s->slot[o->slot].v, o->val, o->n);
		break;
	case OP_PATCH:
		memcpy(s->slot[o->slot].v + o->off, o->val, o->n);
		break;
	case OP_DEL:
		s->slot[o->slot].there = false;
		break;
	case OP_DEL_RANGE:
		for (uint32_t i = o->slot; i < o->to; i++)
			s->slot[i].there = false;
		break;
	}
}

void
state_of(uint32_t txn, struct power_state *s)
{
	if (txn == 0) {
		memset(s, 0, sizeof(*s));
		return;
	}
	/* As deep as there are transactions: some hundreds. */
	state_of(world->txn[txn].parent, s);
	for (uint32_t i = 0; i < world->txn[txn].n; i++)
		apply(s, &world->txn[txn].op[i]);
}

int
last_txn(struct kv_txn *txn, uint32_t *no_r)
{
	struct arena *a = arena_new(0);
	struct slice val;
	uint64_t v = 0;
	int rc = kv_get(txn, a, slice_str("last"), &val);

	if (rc == STORE_E_NOTFOUND)
		rc = 0;
	else if (rc == 0 && slice_uint(val, POWER_TXNS, &v) != 0)
		rc = -1;
	arena_free(&a);
	*no_r = (uint32_t)v;
	return rc;
}

/* ---- a transaction ------------------------------------------------------ */

static struct power_op *
op_new(struct power_txn *t, enum op_kind kind, uint32_t slot)
{
	struct power_op *o = &t->op[t->n++];

	o->kind = kind;
	o->slot = (uint16_t)slot;
	return o;
}

static void
put(struct kv_txn *txn, struct power_txn *t, uint32_t slot, const void *p,
    size_t n)
{
	struct power_op *o = op_new(t, OP_PUT, slot);
	char key[20];

	o->n = (uint16_t)n;
	memcpy(o->val, p, n);
	(void)kv_put(txn, slot_key(slot, key), slice_make(p, n));
}

static void
some_row(struct kv_txn *txn, struct power_txn *t, uint32_t no,
    const struct power_state *s)
{
	uint32_t slot = power_rand(POWER_ROWS), how = power_rand(12), to;
	char val[POWER_VAL], key[20], key2[20];
	struct power_op *o;
	size_t n = power_rand(POWER_VAL);

	if (how == 0) {
		to = slot + power_rand(POWER_ROWS + 1 - slot);
		op_new(t, OP_DEL_RANGE, slot)->to = (uint16_t)to;
		(void)kv_del_range(txn, slot_key(slot, key), to < POWER_ROWS ?
			slot_key(to, key2) : slice_str("s"));
	} else if (how == 1) {
		(void)op_new(t, OP_DEL, slot);
		(void)kv_del(txn, slot_key(slot, key));
	} else if (how < 5 && s->slot[slot].there && s->slot[slot].n > 20 &&
	    t->n == 0) {
		o = op_new(t, OP_PATCH, slot);
		o->n = 12;
		o->off = (uint16_t)power_rand(s->slot[slot].n - 12);
		snprintf((char *)o->val, 13, "<%010u>", no);
		(void)kv_patch(txn, slot_key(slot, key), o->off,
		    slice_make((char *)o->val, 12));
	} else {
		memset(val, 'a' + (int)(no % 26), sizeof(val));
		snprintf(val, sizeof(val), "%u of %u", slot, no);
		put(txn, t, slot, val, n);
	}
}

/* A new transaction, or NULL. */
static struct power_txn *
begin(struct kv *kv, int mode, struct kv_txn **txn_r, uint32_t *no_r)
{
	struct power_txn *t;
	char text[16];
	uint32_t last;

	if (world->n + 1 >= POWER_TXNS || kv_begin(kv, mode, txn_r) < 0)
		return NULL;
	if (last_txn(*txn_r, &last) < 0) {
		kv_abort(txn_r);
		return NULL;
	}
	*no_r = ++world->n;
	t = &world->txn[*no_r];
	t->parent = last;
	t->n = 0;
	t->modseq = kv_txn_modseq(*txn_r);
	if (t->modseq <= world->txn[last].modseq)
		power_fault("modseq %llu again",
		    (unsigned long long)t->modseq);
	snprintf(text, sizeof(text), "%u", *no_r);
	(void)kv_put(*txn_r, slice_str("last"), slice_str(text));
	return t;
}

static int
commit(struct kv_txn **txn, uint32_t no)
{
	uint64_t modseq;
	int rc = kv_commit(txn, &modseq);

	if (rc == 0)
		power_mark(EV_ACKED, no);
	return rc;
}

int
work_rows(struct kv *kv, uint32_t *no_r)
{
	uint32_t n = power_rand(4) + 1;
	struct power_state s;
	struct power_txn *t;
	struct kv_txn *txn;

	if ((t = begin(kv, KV_RW, &txn, no_r)) == NULL)
		return -1;
	state_of(t->parent, &s);
	while (n-- > 0)
		some_row(txn, t, *no_r, &s);
	return commit(&txn, *no_r);
}

/* ---- blobs -------------------------------------------------------------- */

static struct kv_blob *
stage(uint32_t no)
{
	size_t n = power_blob_size(no);
	char *p = xmalloc(n + 1), meta[20];
	struct kv_blob *b = NULL;

	power_blob_fill(no, p, n);
	snprintf(meta, sizeof(meta), "meta %u", no);
	if (kv_blob_new(slice_make(p, n), -1, 0, slice_str(meta), power_root,
		&b) < 0)
		b = NULL;
	xfree(p);
	return b;
}

/* One goes as others come, so that no flush of the journal is for it. */
static void
also_delete(struct kv_txn *txn, struct power_txn *t,
    const struct power_state *s, struct kv_ref *ref_r)
{
	uint32_t slot = POWER_ROWS + power_rand(POWER_BLOBS);
	char key[20];

	if (!s->slot[slot].there)
		return;
	(void)op_new(t, OP_DEL, slot);
	(void)kv_del(txn, slot_key(slot, key));
	kv_ref_decode(s->slot[slot].v, ref_r);
}

static void
work_blobs(struct kv *kv)
{
	uint32_t n = power_rand(2) == 0 ? 3 : 1, no, slot = POWER_ROWS;
	unsigned char row[KV_REF_LEN + 4];
	struct kv_blob *b[3] = { NULL };
	struct power_state s;
	struct power_txn *t;
	struct kv_txn *txn = NULL;
	struct kv_ref ref, old = { .len = 0 };
	uint32_t first = world->next_blob;

	world->next_blob += n;
	for (uint32_t i = 0; i < n; i++)
		if ((b[i] = stage(first + i)) == NULL)
			goto out;
	if ((t = begin(kv, KV_RW, &txn, &no)) == NULL)
		goto out;
	state_of(t->parent, &s);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t blob = first + i;

		while (slot < SLOTS && s.slot[slot].there)
			slot++;
		if (slot == SLOTS)
			break;
		if (kv_blob_put(txn, b[i], &ref) < 0)
			goto out;
		kv_ref_encode(&ref, row);
		memcpy(row + KV_REF_LEN, &blob, sizeof(blob));
		put(txn, t, slot++, row, sizeof(row));
	}
	if (power_rand(2) == 0)
		also_delete(txn, t, &s, &old);
	if (commit(&txn, no) == 0 && old.len != 0)
		(void)kv_blob_del(kv, &old);
out:
	kv_abort(&txn);
	for (uint32_t i = 0; i < n; i++)
		kv_blob_free(&b[i]);
}

/* The row, and then what it refers to. */
static void
work_delete(struct kv *kv)
{
	uint32_t slot = POWER_ROWS + power_rand(POWER_BLOBS), no;
	struct power_state s;
	struct power_txn *t;
	struct kv_txn *txn;
	struct kv_ref ref;
	char key[20];

	if ((t = begin(kv, KV_RW | KV_FREES, &txn, &no)) == NULL)
		return;
	state_of(t->parent, &s);
	for (uint32_t i = 0; i < POWER_BLOBS && !s.slot[slot].there; i++)
		slot = slot + 1 < SLOTS ? slot + 1 : POWER_ROWS;
	if (!s.slot[slot].there) {
		kv_abort(&txn);
		return;
	}
	(void)op_new(t, OP_DEL, slot);
	(void)kv_del(txn, slot_key(slot, key));
	if (commit(&txn, no) < 0)
		return;
	kv_ref_decode(s.slot[slot].v, &ref);
	(void)kv_blob_del(kv, &ref);
}

/* ---- a process ---------------------------------------------------------- */

/* At any effect of another, a reader may look. */
static void
look(void)
{
	struct kv_txn *txn;
	uint32_t no;

	if (reader == NULL || power_rand(3) != 0)
		return;
	if (kv_refresh(reader) < 0 || kv_begin(reader, KV_RO, &txn) < 0)
		return;
	if (last_txn(txn, &no) == 0 && no != 0)
		power_mark(EV_SHOWN, no);
	kv_abort(&txn);
}

static struct kv *other;

/* And while a compaction is under way, another may write. */
static void
look_and_write(void)
{
	uint32_t no;

	look();
	if (other != NULL && power_rand(12) == 0)
		(void)work_rows(other, &no);
}

static struct kv *
open_account(const char *dir)
{
	struct kv *kv = NULL;
	int rc = kv_open(&power_conf, dir, 0, &kv);

	if (rc == STORE_E_NOTFOUND &&
	    (rc = kv_open(&power_conf, dir, KV_CREATE, &kv)) == 0)
		power_mark(EV_MADE, 0);
	if (rc == STORE_E_CORRUPT)
		power_fault("open: corrupt");
	return rc < 0 ? NULL : kv;
}

static void
work_idle(struct kv *kv, const char *dir)
{
	(void)kv_open(&power_conf, dir, 0, &other);
	fate.meanwhile = look_and_write;
	if (kv_idle(kv, power_rand(2) != 0) == STORE_E_CORRUPT)
		power_fault("idle: %s", kv_errmsg(kv));
	fate.meanwhile = look;
	kv_close(&other);
}

void
work(const char *dir, uint32_t steps)
{
	struct kv *kv = open_account(dir);
	uint32_t no;

	for (uint32_t i = 0; i < 10 && kv == NULL; i++)
		kv = open_account(dir);
	if (kv == NULL)
		return;
	(void)kv_open(&power_conf, dir, 0, &reader);
	fate.meanwhile = look;
	while (steps-- > 0) {
		uint32_t what = power_rand(20);

		if (what < 7)
			(void)work_rows(kv, &no);
		else if (what < 12)
			work_blobs(kv);
		else if (what < 15)
			work_delete(kv);
		else if (what < 17)
			work_idle(kv, dir);
		else if (what > 17)
			(void)kv_refresh(kv);
		/* Also, soon, if its flush failed. */
		if (what == 17 || (fate.failing && what < 4)) {
			kv_close(&kv);
			if ((kv = open_account(dir)) == NULL)
				break;
		}
	}
	fate.meanwhile = NULL;
	kv_close(&reader);
	kv_close(&kv);
}
