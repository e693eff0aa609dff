/* t/crash/crash-work.c - the writers and readers that are killed */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/crash/crash.h"

struct slice
group_key(int w, int group, int row, char buf[40])
{
	snprintf(buf, 40, "g%d.%03d.%02d", w, group, row);
	return slice_str(buf);
}

struct slice
blob_key(int w, uint32_t n, char buf[40])
{
	snprintf(buf, 40, "b%d.%08u", w, n);
	return slice_str(buf);
}

/* Mostly like mail; sometimes a little, rarely a pack of its own. */
size_t
blob_size(int w, uint32_t n)
{
	uint32_t x = (n * 4 + (uint32_t)w) * 2654435761U;

	if (n % 400 == 399)
		return 4500000 + x % 100000;
	return x % 16 == 0 ? x % 150000 : x % 16000;
}

void
blob_fill(char *p, size_t size, int w, uint32_t n)
{
	uint64_t x = (uint64_t)n * 4 + (uint64_t)w + 1;

	for (size_t i = 0; i < size; i++) {
		if (i % 8 == 0)
			x = x * 6364136223846793005U + 1442695040888963407U;
		p[i] = n % 2 == 0 ? (char)(x >> (i % 8 * 8)) :
				    "abcdefghijklmnop"[x >> (i % 8 * 8) & 15];
	}
}

/* Calls of this process, but for those that verify. */
static bool failing;

static void
acked(struct promises *p, uint64_t modseq)
{
	p->acked_modseq = modseq;
	p->acked++;
	sh->commits++;
}

/* Ends the transaction: 0, or 1: it was not done.  Anything else ends the
 * process, and the next one sees what happened. */
static int
finish(struct kv_txn **txn, uint64_t *modseq_r)
{
	int rc = kv_commit(txn, modseq_r);

	if (rc == STORE_E_IO || rc == STORE_E_NOSPACE || rc == STORE_E_BUSY) {
		sh->failed_calls++;
		return 1;
	}
	if (rc != 0)
		_exit(3);
	return 0;
}

/* ---- rows --------------------------------------------------------------- */

static void
group_write(struct kv_txn *txn, int w, int g, uint64_t old, uint64_t v)
{
	char key[40], val[60], to[40];
	int how = (int)crash_rand(4);

	if (how == 0 && old != 0) {	/* all gone */
		(void)kv_del_range(txn, group_key(w, g, 0, key),
		    group_key(w, g, 99, to));
		return;
	}
	for (int i = 0; i < GROUP_ROWS; i++) {
		struct slice k = group_key(w, g, i, key);

		snprintf(val, sizeof(val), "%020llu row %d of group %d",
		    (unsigned long long)v, i, g);
		if (how == 1 && old != 0)
			(void)kv_patch(txn, k, 0, slice_make(val, 20));
		else
			(void)kv_put(txn, k, slice_str(val));
	}
}

static void
do_group(struct kv *kv, int w, struct arena *a)
{
	struct promises *p = &sh->w[w];
	int g = (int)crash_rand(GROUPS);
	struct kv_txn *txn;
	uint64_t old, v, modseq;
	char key[40];
	struct slice val;
	int rc;

	if ((rc = kv_begin(kv, KV_RW, &txn)) < 0) {
		if (rc == STORE_E_CORRUPT)
			crash_fault("begin: %s", kv_errmsg(kv));
		sh->failed_calls++;
		return;
	}
	disk_fail(false);
	if (!verify_group(txn, w, g, &old) || old != p->version[g])
		crash_fault("writer %d: group %d is %llu, not %llu", w, g,
		    (unsigned long long)old,
		    (unsigned long long)p->version[g]);
	disk_fail(failing);
	v = kv_txn_modseq(txn);
	p->pending_version = v;
	group_write(txn, w, g, old, v);
	disk_fail(false);
	if (kv_get(txn, a, group_key(w, g, 0, key), &val) ==
	    STORE_E_NOTFOUND)
		p->pending_version = 0;
	disk_fail(failing);
	p->pending_group = g;
	if (finish(&txn, &modseq) == 0) {
		p->version[g] = p->pending_version;
		acked(p, modseq);
	}
	p->pending_group = -1;
}

/* ---- blobs -------------------------------------------------------------- */

static struct kv_blob *
stage(int w, uint32_t n)
{
	size_t size = blob_size(w, n);
	char *p = xmalloc(size + 1), meta[40];
	struct kv_blob *b = NULL;
	int rc;

	blob_fill(p, size, w, n);
	snprintf(meta, sizeof(meta), "meta %d %u", w, n);
	rc = kv_blob_new(slice_make(p, size), -1, 0, slice_str(meta),
	    crash_dir, &b);
	xfree(p);
	if (rc < 0)
		sh->failed_calls++;
	return b;
}

static void
do_delivery(struct kv *kv, int w)
{
	struct promises *p = &sh->w[w];
	uint32_t first = p->next_blob, n = crash_rand(8) == 0 ? 3 : 1;
	unsigned char code[KV_REF_LEN];
	struct kv_blob *b[3] = { NULL };
	struct kv_txn *txn = NULL;
	struct kv_ref ref;
	uint64_t modseq;
	char key[40];

	if (first + n > BLOBS)
		return;
	for (uint32_t i = 0; i < n; i++)
		if ((b[i] = stage(w, first + i)) == NULL)
			goto out;
	if (kv_begin(kv, KV_RW, &txn) < 0) {
		sh->failed_calls++;
		goto out;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (kv_blob_put(txn, b[i], &ref) < 0)
			goto out;
		kv_ref_encode(&ref, code);
		(void)kv_put(txn, blob_key(w, first + i, key),
		    slice_make((char *)code, sizeof(code)));
	}
	for (uint32_t i = 0; i < n; i++)
		p->blob[first + i] = BLOB_COMING;
	p->next_blob = first + n;
	if (finish(&txn, &modseq) == 0) {
		for (uint32_t i = 0; i < n; i++)
			p->blob[first + i] = BLOB_THERE;
		acked(p, modseq);
	} else
		for (uint32_t i = 0; i < n; i++)
			p->blob[first + i] = BLOB_GONE;
out:
	kv_abort(&txn);
	for (uint32_t i = 0; i < n; i++)
		kv_blob_free(&b[i]);
}

/* Row first, then the octets, as a sweeper would. */
static void
do_delete(struct kv *kv, int w, struct arena *a)
{
	struct promises *p = &sh->w[w];
	uint32_t n = p->oldest_blob;
	struct kv_txn *txn;
	struct kv_ref ref;
	struct slice row;
	uint64_t modseq;
	char key[40];
	int rc;

	while (n < p->next_blob && p->blob[n] != BLOB_THERE)
		n++;
	p->oldest_blob = n;
	if (n >= p->next_blob)
		return;
	if (kv_begin(kv, KV_RW | KV_FREES, &txn) < 0) {
		sh->failed_calls++;
		return;
	}
	disk_fail(false);
	rc = kv_get(txn, a, blob_key(w, n, key), &row);
	disk_fail(failing);
	if (rc < 0) {
		crash_fault("writer %d: blob %u is not there", w, n);
		kv_abort(&txn);
		p->oldest_blob = n + 1;
		return;
	}
	kv_ref_decode((const unsigned char *)row.p, &ref);
	(void)kv_del(txn, blob_key(w, n, key));
	p->blob[n] = BLOB_GOING;
	if (finish(&txn, &modseq) == 0) {
		p->blob[n] = BLOB_GONE;
		p->oldest_blob = n + 1;
		acked(p, modseq);
		if (kv_blob_del(kv, &ref) < 0)
			sh->failed_calls++;
	} else
		p->blob[n] = BLOB_THERE;
}

/* ---- processes ---------------------------------------------------------- */

static struct kv *
open_account(void)
{
	struct kv *kv;
	int rc = kv_open(&crash_conf, crash_dir, 0, &kv);

	if (rc == STORE_E_CORRUPT || rc == STORE_E_NOTFOUND)
		crash_fault("open: %d", rc);
	if (rc < 0)
		_exit(4);
	return kv;
}

void
writer_main(int w)
{
	struct promises *p = &sh->w[w];
	struct arena *a = arena_new(0);
	struct kv *kv;

	/* What the one before was about may be done or not. */
	kv = open_account();
	verify_writer(kv, w);
	failing = crash_rand(8) == 0;
	disk_fail(failing);
	while (!sh->stop) {
		uint32_t live = p->next_blob - p->oldest_blob;

		if (crash_rand(3) != 0)
			do_group(kv, w, a);
		else if (live > KEEP || crash_rand(4) == 0)
			do_delete(kv, w, a);
		else
			do_delivery(kv, w);
		arena_reset(a);
	}
	_exit(0);
}

/* Versions and modseqs never go back for one reader. */
void
reader_main(void)
{
	static uint64_t seen[WRITERS][GROUPS];
	struct kv *kv = open_account();
	const struct timespec pause = { 0, 200000 };
	uint64_t modseq = kv_modseq(kv), v;
	struct kv_txn *txn;

	while (!sh->stop) {
		int rc = kv_refresh(kv);

		if (rc < 0)
			crash_fault("refresh: %d %s", rc, kv_errmsg(kv));
		if (kv_modseq(kv) < modseq)
			crash_fault("modseq went back to %llu",
			    (unsigned long long)kv_modseq(kv));
		modseq = kv_modseq(kv);
		if (modseq > sh->seen_modseq)
			sh->seen_modseq = modseq;
		if (kv_begin(kv, KV_RO, &txn) < 0)
			_exit(5);
		for (int i = 0; i < 8; i++) {
			int w = (int)crash_rand(WRITERS);
			int g = (int)crash_rand(GROUPS);

			if (!verify_group(txn, w, g, &v))
				crash_fault("reader: torn group");
			if (v > modseq || (v != 0 && v < seen[w][g]))
				crash_fault("reader: version %llu",
				    (unsigned long long)v);
			if (v != 0)
				seen[w][g] = v;
		}
		kv_abort(&txn);
		if (crash_rand(50) == 0) {
			kv_close(&kv);
			kv = open_account();
		}
		(void)nanosleep(&pause, NULL);
	}
	_exit(0);
}

void
idler_main(void)
{
	struct kv *kv = open_account();

	while (!sh->stop) {
		const struct timespec t = { 0,
			(long)(crash_rand(20000) + 1000) * 1000 };
		int rc = kv_idle(kv, crash_rand(4) == 0);

		if (rc == STORE_E_CORRUPT)
			crash_fault("idle: %s", kv_errmsg(kv));
		if (rc == 1)
			sh->compactions++;
		(void)kv_refresh(kv);
		(void)nanosleep(&t, NULL);
	}
	_exit(0);
}
