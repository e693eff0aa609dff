/* libstore/read.c - reading rows: transactions, single rows, single messages */
#include "config.h"

#include <assert.h>

#include "libbase/io.h"
#include "libstore/store-int.h"

int
ro_begin(struct store *st, struct kv_txn **t_r)
{
	int rc;

	assert(!st->writing);
	if (st->ro_depth == 0) {
		st->err[0] = '\0';
		row_version_clear();
		arena_reset(st->ra);
		if ((rc = kv_begin(st->kv, KV_RO, &st->ro)) < 0)
			return rc;
	}
	st->ro_depth++;
	*t_r = st->ro;
	return 0;
}

void
ro_end(struct store *st)
{
	assert(st->ro_depth > 0);
	if (--st->ro_depth == 0)
		kv_abort(&st->ro);
}

int
head_read(struct kv_txn *t, struct arena *a, struct row_head *h_r)
{
	struct row_key k = row_key_kind(ROW_K_HEAD);
	struct slice v;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc;
	return row_head_get(v, h_r);
}

int
mailbox_read(struct kv_txn *t, struct arena *a, uint64_t id,
    struct row_mailbox *m_r)
{
	struct row_key k = row_key_u64(ROW_K_MAILBOX, id);
	struct slice v;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc;
	if ((rc = row_mailbox_get(v, m_r)) < 0)
		return rc;
	return m_r->role < STORE_ROLES ? 0 : STORE_E_CORRUPT;
}

int
email_read(struct kv_txn *t, struct arena *a, uint64_t id,
    struct row_email *e_r)
{
	struct row_key k = row_key_u64(ROW_K_EMAIL, id);
	struct slice v;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &v)) < 0)
		return rc;
	return row_email_get(v, a, e_r);
}

struct row_key
name_key(uint64_t parent, struct slice name)
{
	unsigned char h[SHA256_LEN];

	/* RFC 9051 5.1: INBOX in any case is the same name. */
	if (parent == 0 && slice_ieq(name, SLICE_LIT("inbox")))
		name = SLICE_LIT("inbox");
	sha256_of(name, h);
	return row_key_name(parent, h);
}

static int
number_read(struct kv_txn *t, struct arena *a, struct row_key k,
    uint64_t *id_r)
{
	struct slice v;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &v)) == STORE_E_NOTFOUND) {
		*id_r = 0;
		return 0;
	}
	return rc < 0 ? rc : row_u64_get(v, id_r);
}

int
name_find(struct kv_txn *t, struct arena *a, uint64_t parent,
    struct slice name, uint64_t *id_r)
{
	return number_read(t, a, name_key(parent, name), id_r);
}

int
role_find(struct kv_txn *t, struct arena *a, int role, uint64_t *id_r)
{
	return number_read(t, a, row_key_role(role), id_r);
}

/* ---- one message ------------------------------------------------------- */

static int
peek_hot(struct kv_txn *t, struct row_key from, struct row_key to, int flags,
    struct peek *p)
{
	struct slice key, val;
	uint64_t mb;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), flags,
	    &p->hot_scan);
	if (rc < 0)
		return rc;
	if ((rc = kv_scan_next(p->hot_scan, &key, &val)) <= 0)
		return rc < 0 ? rc : STORE_E_NOTFOUND;
	if (!row_key_get_u64_u32(key, ROW_K_HOT, &mb, &p->first))
		return STORE_E_CORRUPT;
	return row_hot_check(val, p->first, &p->hot);
}

/* A scan of one row spares the copy that kv_get() makes. */
static int
peek_cold(struct kv_txn *t, uint64_t mailbox, struct peek *p)
{
	struct row_key from = row_key_u64_u32(ROW_K_COLD, mailbox, p->first);
	struct row_key to = row_key_after(from);
	struct slice key, val;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &p->cold_scan);
	if (rc < 0)
		return rc;
	if ((rc = kv_scan_next(p->cold_scan, &key, &val)) <= 0)
		return rc < 0 ? rc : STORE_E_CORRUPT;
	if ((rc = row_cold_check(val, &p->cold)) < 0)
		return rc;
	return key.n == from.n && p->cold.cap == p->hot.cap ? 0 :
	    STORE_E_CORRUPT;
}

int
peek_open(struct kv_txn *t, uint64_t mailbox, uint32_t uid, bool cold,
    struct peek *p)
{
	struct row_key from = row_key_u64(ROW_K_HOT, mailbox);
	struct row_key to = row_key_u64_u32(ROW_K_HOT, mailbox, uid);
	int rc;

	memset(p, 0, sizeof(*p));
	rc = peek_hot(t, from, row_key_after(to), KV_REVERSE, p);
	return rc == 0 && cold ? peek_cold(t, mailbox, p) : rc;
}

int
peek_next(struct kv_txn *t, uint64_t mailbox, uint32_t first, bool cold,
    struct peek *p)
{
	struct row_key from = row_key_u64_u32(ROW_K_HOT, mailbox, first);
	struct row_key to = row_key_u64(ROW_K_HOT, mailbox);
	int rc;

	memset(p, 0, sizeof(*p));
	rc = peek_hot(t, row_key_after(from), row_key_after(to), 0, p);
	return rc == 0 && cold ? peek_cold(t, mailbox, p) : rc;
}

void
peek_close(struct peek *p)
{
	kv_scan_close(&p->hot_scan);
	kv_scan_close(&p->cold_scan);
}

int
msg_read(struct kv_txn *t, uint64_t mailbox, uint32_t uid,
    struct row_hot *hot_r, struct row_cold *cold_r)
{
	struct peek p;
	int rc, i;

	rc = peek_open(t, mailbox, uid, cold_r != NULL, &p);
	if (rc == 0) {
		if ((i = row_hot_find(&p.hot, uid)) < 0) {
			rc = STORE_E_NOTFOUND;
		} else {
			row_hot_slot(&p.hot, (size_t)i, hot_r);
			if (hot_r->marks & ROW_DEAD)
				rc = STORE_E_NOTFOUND;
			else if (cold_r)
				row_cold_slot(&p.cold, (size_t)i, cold_r);
		}
	}
	peek_close(&p);
	return rc;
}

int
email_alive(struct kv_txn *t, const struct row_email *e)
{
	struct row_hot h;
	int rc;

	for (size_t i = 0; i < e->n_in; i++) {
		rc = msg_read(t, e->in[i].mailbox, e->in[i].uid, &h, NULL);
		if (rc != STORE_E_NOTFOUND)
			return rc < 0 ? rc : 1;
	}
	return 0;
}
