/* t/crash/power-verify.c - is everything there after the power was lost? */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/xalloc.h"
#include "t/crash/power.h"

static bool
blob_is(struct kv *kv, const unsigned char *row)
{
	struct kv_reader *r = NULL;
	struct kv_ref ref;
	char meta[20], *want, *have;
	bool good = false;
	uint32_t no;
	size_t n;

	memcpy(&no, row + KV_REF_LEN, sizeof(no));
	n = power_blob_size(no);
	want = xmalloc(n + 1);
	have = xmalloc(n + 1);
	power_blob_fill(no, want, n);
	snprintf(meta, sizeof(meta), "meta %u", no);
	kv_ref_decode(row, &ref);
	if (kv_reader_open(kv, &ref, &r) < 0)
		power_fault("blob %u: %s", no, kv_errmsg(kv));
	else if (kv_reader_size(r) != n ||
	    !slice_eq(kv_reader_meta(r), slice_str(meta)) ||
	    kv_reader_read(r, 0, have, n) < 0 || memcmp(want, have, n) != 0)
		power_fault("blob %u is damaged: %s", no, kv_errmsg(kv));
	else
		good = true;
	if (r != NULL)
		kv_reader_close(&r);
	xfree(want);
	xfree(have);
	return good;
}

/* All rows, and nothing else. */
static bool
rows_are(struct kv *kv, struct kv_txn *txn, const struct power_state *s)
{
	struct kv_scan *scan;
	struct slice key, val;
	char want[20];
	uint32_t i = 0;
	bool good = true;
	int rc;

	if (kv_scan_open(txn, slice_str("r"), slice_str("t"), 0, &scan) < 0)
		return false;
	while ((rc = kv_scan_next(scan, &key, &val)) == 1 && good) {
		while (i < POWER_ROWS + POWER_BLOBS && !s->slot[i].there)
			i++;
		if (i == POWER_ROWS + POWER_BLOBS ||
		    !slice_eq(key, slot_key(i, want)) ||
		    val.n != s->slot[i].n ||
		    memcmp(val.p, s->slot[i].v, val.n) != 0) {
			power_fault("row %.*s is not what it was",
			    (int)key.n, key.p);
			good = false;
		} else if (i >= POWER_ROWS)
			good = blob_is(kv, s->slot[i].v);
		i++;
	}
	kv_scan_close(&scan);
	for (; good && i < POWER_ROWS + POWER_BLOBS; i++)
		if (s->slot[i].there) {
			power_fault("slot %u is lost", i);
			good = false;
		}
	return good && rc == 0;
}

static bool
is_after(uint32_t txn, uint32_t need)
{
	while (txn > need)
		txn = world->txn[txn].parent;
	return txn == need;
}

/* The newest state is a whole one, with everything that must be there. */
static bool
state_is_good(struct kv *kv, struct kv_txn *txn, const struct power_need *need)
{
	struct power_state s;
	uint32_t last;

	if (last_txn(txn, &last) < 0 || last > world->n) {
		power_fault("what was last can't be told: %s", kv_errmsg(kv));
		return false;
	}
	for (size_t i = 0; i < need->n; i++)
		if (!is_after(last, need->txn[i])) {
			power_fault("transaction %u (modseq %llu) is lost, the "
				    "last one is %u (%llu)", need->txn[i],
			    (unsigned long long)
				world->txn[need->txn[i]].modseq, last,
			    (unsigned long long)world->txn[last].modseq);
			return false;
		}
	if (kv_modseq(kv) < world->txn[last].modseq) {
		power_fault("modseq is %llu", (unsigned long long)
		    kv_modseq(kv));
		return false;
	}
	state_of(last, &s);
	return rows_are(kv, txn, &s);
}

static void
tell(void *arg, const char *fault)
{
	(void)arg;
	power_fault("check: %s", fault);
}

static bool
look(struct kv *kv, const struct power_need *need, int mode)
{
	struct kv_txn *txn;
	bool good;

	if (kv_begin(kv, mode, &txn) < 0) {
		power_fault("begin: %s", kv_errmsg(kv));
		return false;
	}
	good = state_is_good(kv, txn, need);
	kv_abort(&txn);
	return good;
}

/* It goes on: a transaction, a compaction, and all is still there. */
static bool
goes_on(struct kv *kv, const struct power_need *need)
{
	struct power_need mine = { .n = 1 };
	uint32_t no;

	if (work_rows(kv, &no) < 0) {
		power_fault("commit: %s", kv_errmsg(kv));
		return false;
	}
	mine.txn = &no;
	for (size_t i = 0; i < need->n; i++)
		if (world->txn[no].modseq <=
		    world->txn[need->txn[i]].modseq) {
			power_fault("modseq %llu is given again",
			    (unsigned long long)world->txn[no].modseq);
			return false;
		}
	if (kv_idle(kv, true) < 0) {
		power_fault("idle: %s", kv_errmsg(kv));
		return false;
	}
	return look(kv, &mine, KV_RW);
}

bool
power_verify(const char *dir, const struct power_need *need)
{
	struct kv *kv = NULL;
	bool good;
	int rc = kv_open(&power_conf, dir, 0, &kv);

	if (rc == STORE_E_NOTFOUND && !need->made)
		return true;
	if (rc < 0) {
		power_fault("open: %d", rc);
		return false;
	}
	/* A reader is already shown all of it; a writer repairs the rest. */
	good = look(kv, need, KV_RO) && look(kv, need, KV_RW);
	if (good && (rc = kv_check(kv, tell, NULL)) != 0) {
		power_fault("check: %d %s", rc, kv_errmsg(kv));
		good = false;
	}
	good = good && goes_on(kv, need);
	if (good && (rc = kv_check(kv, tell, NULL)) != 0)
		good = false;
	kv_close(&kv);
	return good;
}
