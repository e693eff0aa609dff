/* t/crash/crash-verify.c - is everything there that was promised? */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/crash/crash.h"

/* The version that a group's row tells, 0 if it is not one. */
static uint64_t
row_version(struct slice val, int g, int i)
{
	char tail[40];
	uint64_t v;

	snprintf(tail, sizeof(tail), " row %d of group %d", i, g);
	if (val.n < 20 || slice_uint(slice_make(val.p, 20), UINT64_MAX, &v) ||
	    !slice_eq(slice_make(val.p + 20, val.n - 20), slice_str(tail)))
		return 0;
	return v;
}

bool
verify_group(struct kv_txn *txn, int w, int g, uint64_t *version_r)
{
	struct slice key, val;
	char from[40], to[40], want[40];
	struct kv_scan *s;
	uint64_t version = 0;
	bool good = true;
	int n = 0, rc;

	if (kv_scan_open(txn, group_key(w, g, 0, from),
		group_key(w, g, 99, to), 0, &s) < 0)
		return false;
	while ((rc = kv_scan_next(s, &key, &val)) == 1 && n < GROUP_ROWS) {
		uint64_t v = row_version(val, g, n);

		if (v == 0 || (n > 0 && v != version) ||
		    !slice_eq(key, group_key(w, g, n, want)))
			good = false;
		version = v;
		n++;
	}
	kv_scan_close(&s);
	*version_r = version;
	return rc == 0 && good && (n == 0 || n == GROUP_ROWS);
}

bool
verify_blob(struct kv *kv, struct slice row, int w, uint32_t n)
{
	size_t size = blob_size(w, n);
	char *want = xmalloc(size + 1), *have = xmalloc(size + 1), meta[40];
	struct kv_reader *r = NULL;
	struct kv_ref ref;
	bool good = false;

	blob_fill(want, size, w, n);
	snprintf(meta, sizeof(meta), "meta %d %u", w, n);
	if (row.n == KV_REF_LEN) {
		kv_ref_decode((const unsigned char *)row.p, &ref);
		good = kv_reader_open(kv, &ref, &r) == 0 &&
		    kv_reader_size(r) == size &&
		    slice_eq(kv_reader_meta(r), slice_str(meta)) &&
		    kv_reader_read(r, 0, have, size) == 0 &&
		    memcmp(want, have, size) == 0;
	}
	if (r != NULL)
		kv_reader_close(&r);
	xfree(want);
	xfree(have);
	return good;
}

static void
verify_groups(struct kv_txn *txn, int w)
{
	struct promises *p = &sh->w[w];
	uint64_t v;

	for (int g = 0; g < GROUPS; g++) {
		if (!verify_group(txn, w, g, &v))
			crash_fault("writer %d: group %d is torn", w, g);
		else if (v != p->version[g] &&
		    !(p->pending_group == g && v == p->pending_version))
			crash_fault("writer %d: group %d is %llu, not %llu", w,
			    g, (unsigned long long)v,
			    (unsigned long long)p->version[g]);
		p->version[g] = v;
	}
	p->pending_group = -1;
}

static void
verify_blobs(struct kv *kv, struct kv_txn *txn, struct arena *a, int w)
{
	struct promises *p = &sh->w[w];

	for (uint32_t n = p->oldest_blob; n < p->next_blob; n++) {
		enum blob_state s = p->blob[n];
		struct slice row;
		char key[40];
		int rc = kv_get(txn, a, blob_key(w, n, key), &row);

		if (rc < 0 && rc != STORE_E_NOTFOUND)
			crash_fault("writer %d: blob %u: %d", w, n, rc);
		if (s == BLOB_THERE && rc != 0)
			crash_fault("writer %d: blob %u is lost", w, n);
		if (s == BLOB_GONE && rc == 0)
			crash_fault("writer %d: blob %u is back", w, n);
		if (rc == 0 && !verify_blob(kv, row, w, n))
			crash_fault("writer %d: blob %u is damaged: %s", w, n,
			    kv_errmsg(kv));
		p->blob[n] = rc == 0 ? BLOB_THERE : BLOB_GONE;
		arena_reset(a);
	}
}

void
verify_writer(struct kv *kv, int w)
{
	struct arena *a = arena_new(0);
	struct kv_txn *txn;

	/* As a writer, so that what dead ones left behind is repaired now and
	 * not later. */
	if (kv_begin(kv, KV_RW, &txn) < 0) {
		crash_fault("begin: %s", kv_errmsg(kv));
		return;
	}
	kv_abort(&txn);
	if (kv_begin(kv, KV_RO, &txn) < 0) {
		crash_fault("begin: %s", kv_errmsg(kv));
		return;
	}
	if (kv_modseq(kv) < sh->w[w].acked_modseq)
		crash_fault("modseq is %llu, acknowledged was %llu",
		    (unsigned long long)kv_modseq(kv),
		    (unsigned long long)sh->w[w].acked_modseq);
	verify_groups(txn, w);
	verify_blobs(kv, txn, a, w);
	kv_abort(&txn);
	arena_free(&a);
}
