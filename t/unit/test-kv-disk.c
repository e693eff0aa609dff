/* t/unit/test-kv-disk.c - the files of mailstore(5): damage and its repair */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/be.h"
#include "libstore/kv/item.h"
#include "libstore/kv/journal.h"
#include "libstore/kv/pack-file.h"
#include "t/unit/kv-fixture.h"
#include "t/unit/kv-model.h"

/* Opens and becomes the writer once, so that all is repaired. */
static struct kv *
open_repaired(void)
{
	struct kv *kv = fix_open();
	struct kv_txn *txn;

	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	kv_abort(&txn);
	return kv;
}

/* Where record i (from 0) of the journal begins; -1: there are fewer. */
static long
record_at(int i)
{
	size_t n, need, at = JOURNAL_HEAD;
	char *p = fix_load("journal", &n);
	struct record r;

	while (at < n && record_decode(slice_make(p + at, n - at), &r, &need)) {
		if (i-- == 0) {
			xfree(p);
			return (long)at;
		}
		at += r.len;
	}
	xfree(p);
	return -1;
}

/* The journal is what it was, to the octet. */
static void
assert_journal(const char *want, size_t want_n)
{
	size_t n;
	char *p = fix_load("journal", &n);

	assert_int_equal(n, want_n);
	assert_memory_equal(p, want, n);
	xfree(p);
}

static void
test_modes(void **state)
{
	static const char *names[] = { "journal", "pack.1", "base.1",
		"pack.2" };
	struct kv *kv = fix_new();
	struct stat st;

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 1000), 0);
	assert_int_equal(kv_idle(kv, true), 1);
	assert_int_equal(fix_deliver(kv, 2, 1200000), 0);
	assert_int_equal(stat(fix.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < 4; i++) {
		char path[150];

		snprintf(path, sizeof(path), "%s/%s", fix.dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	kv_close(&kv);
	fix_remove();
}

/* DESIGN 4.3: exactly one flush for each of these. */
static void
test_flushes(void **state)
{
	struct kv *kv = fix_new();
	struct kv_txn *txn;
	struct kv_blob *b;
	struct kv_ref ref;
	char big[8000] = "";
	unsigned before;

	(void)state;
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	for (int i = 0; i < 40; i++) {
		char key[20];

		snprintf(key, sizeof(key), "h%d", i);
		kv_put(txn, slice_str(key), slice_make(big, sizeof(big)));
	}
	assert_int_equal(kv_commit(&txn, NULL), 0);
	assert_int_equal(fix_deliver(kv, 1, 20000), 0);

	before = fix.flushes;
	fix_put(kv, "a", "1");
	assert_int_equal(fix.flushes - before, 1);

	before = fix.flushes;
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	for (int i = 0; i < 10000; i++) {
		char key[20];

		snprintf(key, sizeof(key), "h%d", i / 250);
		assert_int_equal(kv_patch(txn, slice_str(key),
				     (size_t)i % 250 * 8, slice_str("f")), 0);
	}
	assert_int_equal(kv_commit(&txn, NULL), 0);
	assert_int_equal(fix.flushes - before, 1);

	before = fix.flushes;
	assert_int_equal(fix_deliver(kv, 2, 20000), 0);
	assert_int_equal(fix.flushes - before, 1);

	/* Several blobs, and a change beside: one too. */
	before = fix.flushes;
	kv_blob_new(slice_str("body"), -1, 0, slice_str(""), fix.dir, &b);
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(kv_blob_put(txn, b, &ref), 0);
	kv_blob_free(&b);
	kv_del(txn, slice_str("a"));
	assert_int_equal(kv_commit(&txn, NULL), 0);
	assert_int_equal(fix.flushes - before, 1);

	before = fix.flushes;
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	assert_int_equal(kv_commit(&txn, NULL), 0);
	assert_int_equal(kv_refresh(kv), 0);
	assert_int_equal(fix.flushes - before, 0);
	kv_close(&kv);
	fix_remove();
}

/* The journal falls back to its last flush: the pack tells the rest. */
static void
test_lost_tail(void **state)
{
	struct kv *kv = fix_new();
	size_t n;
	char *p;

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 3000), 0);
	fix_put(kv, "a", "1");
	for (uint32_t i = 2; i < 8; i++)
		assert_int_equal(fix_deliver(kv, i, i * 7000), 0);
	kv_close(&kv);
	p = fix_load("journal", &n);
	assert_true(fix.journal_flushed < n);
	fix_cut("journal", fix.journal_flushed);
	kv = fix_open();	/* repairs if nobody else is there */
	assert_int_equal(kv_modseq(kv), 8);
	for (uint32_t i = 1; i < 8; i++)
		assert_true(fix_blob(kv, i, i == 1 ? 3000 : i * 7000));
	assert_true(fix_has(kv, "a", "1"));
	assert_journal(p, n);
	assert_int_equal(kv_check(kv, fix_fault, NULL), 0);
	xfree(p);
	kv_close(&kv);
	fix_remove();
}

/* A page in the middle was not written, those behind it were. */
static void
test_gap(void **state)
{
	struct kv *kv = fix_new();
	char zero[200] = "";
	size_t n;
	char *p;

	(void)state;
	for (uint32_t i = 1; i < 6; i++)
		assert_int_equal(fix_deliver(kv, i, 2000), 0);
	fix_put(kv, "not", "shown");
	kv_close(&kv);
	p = fix_load("journal", &n);
	/* The last record was flushed by nobody: its writer died. */
	fix_write("journal", (uint64_t)record_at(5), zero, 4);
	fix_write("journal", (uint64_t)record_at(2), zero,
	    (size_t)(record_at(3) - record_at(2)));
	kv = fix_open();
	assert_int_equal(kv_modseq(kv), 6);
	assert_true(fix_has(kv, "not", "shown"));
	assert_journal(p, n);
	xfree(p);
	kv_close(&kv);
	fix_remove();
}

static void
test_torn(void **state)
{
	struct kv *kv = fix_new(), *other;
	uint64_t journal, pack;
	char zero[4] = "";

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 2000), 0);
	fix_put(kv, "a", "1");
	journal = fix_size("journal");
	pack = fix_size("pack.1");
	fix_put(kv, "b", "2");
	assert_int_equal(fix_deliver(kv, 2, 2000), 0);
	kv_close(&kv);

	/* Every shorter length of the pack's last transaction, in steps. */
	for (uint64_t size = fix_size("pack.1") - 1; size > pack; size -= 97) {
		fix_cut("journal", (uint64_t)record_at(3));
		fix_cut("pack.1", size);
		other = open_repaired();
		assert_int_equal(kv_modseq(other), 3);
		assert_int_equal(fix_size("pack.1"), pack);
		assert_int_equal(kv_check(other, fix_fault, NULL), 0);
		assert_int_equal(fix_deliver(other, 2, 2000), 0);
		assert_true(fix_blob(other, 2, 2000));
		kv_close(&other);
	}
	/* And of the journal's last record, which was not shown yet. */
	fix_cut("journal", (uint64_t)record_at(3));
	fix_cut("pack.1", pack);
	fix_write("journal", journal, zero, 4);
	for (uint64_t size = fix_size("journal") - 1; size > journal; size--) {
		fix_cut("journal", size);
		other = open_repaired();
		assert_int_equal(kv_modseq(other), 2);
		assert_int_equal(fix_size("journal"), journal);
		fix_put(other, "b", "2");
		kv_close(&other);
		fix_write("journal", journal, zero, 4);
	}
	/* Whole, but not shown: adopted by who may write. */
	kv = open_repaired();
	assert_int_equal(kv_modseq(kv), 3);
	assert_true(fix_has(kv, "b", "2"));
	kv_close(&kv);
	fix_remove();
}

/* A reader sees nothing of a record that is not shown. */
static void
test_shown(void **state)
{
	struct kv *kv = fix_new(), *reader = fix_open();
	struct kv_txn *txn;
	uint64_t at;
	char word[4] = "";

	(void)state;
	fix_put(kv, "a", "1");
	at = (uint64_t)record_at(0);
	fix_write("journal", at, word, 4);
	assert_int_equal(kv_refresh(reader), 0);
	assert_false(fix_has(reader, "a", "1"));
	/* Nor an opener while a writer is at work. */
	kv_close(&reader);
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	reader = fix_open();
	assert_int_equal(kv_modseq(reader), 0);
	kv_abort(&txn);
	record_show((unsigned char *)word);
	fix_write("journal", at, word, 4);
	assert_int_equal(kv_refresh(reader), 1);
	assert_true(fix_has(reader, "a", "1"));
	kv_close(&reader);
	kv_close(&kv);
	fix_remove();
}

static int
count_faults(struct kv *kv)
{
	int n = kv_check(kv, fix_fault, NULL);

	assert_true(n >= 0);
	return n;
}

/* Whoever looks says so, and nothing is cut off. */
static void
assert_refused(struct kv *kv, const char *p, size_t n)
{
	struct kv_txn *txn;
	struct kv *bad;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(kv_refresh(kv), STORE_E_CORRUPT);
		assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &bad),
		    STORE_E_CORRUPT);
		assert_int_equal(kv_begin(kv, KV_RW, &txn), STORE_E_CORRUPT);
	}
	assert_non_null(strstr(kv_errmsg(kv), "journal: "));
	assert_journal(p, n);
	assert_true(count_faults(kv) > 0);
}

/* A damaged record that was shown, the last one too: no older state is shown. */
static void
test_damaged_record(void **state)
{
	struct kv *kv = fix_new(), *first = fix_open();
	char *p, *q;
	long at[3];
	size_t n;

	(void)state;
	fix_put(kv, "a", "1");
	fix_put(kv, "b", "2");
	fix_put(kv, "c", "3");
	p = fix_load("journal", &n);
	for (int i = 0; i < 3; i++)
		at[i] = record_at(i);
	for (int i = 0; i < 3; i++) {
		q = xmalloc(n);
		memcpy(q, p, n);
		q[at[i] + RECORD_HEAD + 3] ^= 1;
		fix_write("journal", 0, q, n);
		assert_refused(first, q, n);
		xfree(q);
	}
	fix_write("journal", 0, p, n);
	fix_cut("journal", n - 1);
	assert_refused(first, p, n - 1);
	fix_cut("journal", (uint64_t)at[2]);
	assert_int_equal(kv_refresh(kv), STORE_E_CORRUPT);
	/* The word that shows it, alone: the next writer mends that. */
	fix_write("journal", 0, p, n);
	fix_write("journal", (uint64_t)at[1], "s", 1);
	kv_close(&first);
	first = fix_open();
	assert_int_equal(kv_modseq(first), 3);
	assert_journal(p, n);
	assert_int_equal(count_faults(first), 0);
	kv_close(&kv);
	kv_close(&first);
	fix_remove();
	xfree(p);
}

static void
test_versions(void **state)
{
	struct kv *kv = fix_new(), *bad;
	unsigned char head[JOURNAL_HEAD];
	struct journal_head h = { .pos = { .next = 1 }, .settled = true };
	struct kv_reader *r;
	struct kv_ref ref;
	const char one = 1;

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 100), 0);
	ref = fix_ref(kv, 1);
	kv_close(&kv);
	fix_write("pack.1", 8, &one, 1);	/* checksum, too */
	kv = fix_open();
	assert_int_equal(kv_reader_open(kv, &ref, &r), STORE_E_CORRUPT);
	kv_close(&kv);
	journal_head_encode(&h, head);
	be32_put(head + 8, JOURNAL_VERSION + 1);
	be32_put(head + 12, journal_head_crc(head));
	fix_write("journal", 0, head, sizeof(head));
	assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &bad),
	    STORE_E_VERSION);
	head[20]++;
	fix_write("journal", 0, head, sizeof(head));
	assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &bad),
	    STORE_E_CORRUPT);
	fix_cut("journal", 50);
	assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &bad),
	    STORE_E_CORRUPT);
	fix_remove();
}

static void
test_damaged_base(void **state)
{
	struct kv *kv = fix_new(), *bad;
	char octet;

	(void)state;
	for (int i = 0; i < 300; i++) {
		char key[20];

		snprintf(key, sizeof(key), "key %d", i);
		fix_put(kv, key, "value");
	}
	assert_int_equal(kv_idle(kv, true), 1);
	assert_int_equal(count_faults(kv), 0);
	kv_close(&kv);
	kv = fix_open();
	assert_true(fix_has(kv, "key 77", "value"));
	/* In the last page, behind the rows: only the checksum tells. */
	octet = 'x';
	fix_write("base.1", fix_size("base.1") - 2000, &octet, 1);
	assert_true(count_faults(kv) > 0);
	kv_close(&kv);
	fix_cut("base.1", fix_size("base.1") - 1);
	assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &bad),
	    STORE_E_CORRUPT);
	fix_remove();
}

/* One octet of a blob at a time: found when it is read, and by the check. */
static void
test_damaged_blob(void **state)
{
	struct kv *kv = fix_new();
	struct kv_ref ref;
	struct arena *a = arena_new(0);
	struct slice meta;
	size_t n;
	char *p;

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 700), 0);
	assert_int_equal(fix_deliver(kv, 2, 700), 0);
	ref = fix_ref(kv, 1);
	p = fix_load("pack.1", &n);
	for (uint64_t at = ref.off; at < ref.off + ref.len; at++) {
		bool in_meta = at < ref.off + ITEM_HEAD + 4;
		char c = (char)(p[at] ^ 0x10);

		if (at >= ref.off + ITEM_HEAD + 4 + 8 + 700)
			break;	/* padding */
		fix_write("pack.1", at, &c, 1);
		assert_false(fix_blob(kv, 1, 700));
		assert_int_equal(kv_blob_meta(kv, a, &ref, &meta) < 0,
		    in_meta);
		assert_true(fix_blob(kv, 2, 700));
		if (at % 50 == 0)
			assert_true(kv_check(kv, fix_fault, NULL) > 0);
		fix_write("pack.1", at, &p[at], 1);
	}
	assert_true(fix_blob(kv, 1, 700));
	assert_int_equal(count_faults(kv), 0);
	xfree(p);
	arena_free(&a);
	kv_close(&kv);
	fix_remove();
}

/* A full pack, the next one, and a journal that lost its end before that. */
static void
test_rollover(void **state)
{
	enum { SIZE = 1000000, N = 70 };
	struct kv *kv = fix_new();
	uint64_t modseq;
	char junk[100] = "CulverPk junk";
	size_t n;
	char *p;

	(void)state;
	fix_put(kv, "a", "1");
	/* What a writer leaves who dies while he makes the next pack. */
	fix_write("pack.2", 0, junk, sizeof(junk));
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fix_deliver(kv, i, SIZE), 0);
	assert_true(fix_size("pack.1") >= PACK_LIMIT);
	assert_true(fix_size("pack.1") < PACK_LIMIT + SIZE * 2);
	assert_true(fix_size("pack.2") > SIZE);
	modseq = kv_modseq(kv);
	kv_close(&kv);
	p = fix_load("journal", &n);
	assert_int_equal(fix.journal_flushed, record_at(1));
	fix_cut("journal", fix.journal_flushed);
	kv = fix_open();
	assert_int_equal(kv_modseq(kv), modseq);
	for (uint32_t i = 0; i < N; i++)
		assert_true(fix_blob(kv, i, SIZE));
	assert_journal(p, n);
	xfree(p);

	/* All of the first pack goes, and its file. */
	assert_int_equal(kv_idle(kv, true), 1);
	assert_int_equal(kv_refresh(kv), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct kv_ref ref = fix_ref(kv, i);

		if (ref.pack == 1)
			assert_int_equal(kv_blob_del(kv, &ref), 0);
	}
	assert_int_equal(kv_idle(kv, false), 1);
	assert_false(fix_exists("pack.1"));
	assert_true(fix_blob(kv, N - 1, SIZE));
	assert_int_equal(fix_deliver(kv, N, SIZE), 0);
	assert_int_equal(count_faults(kv), 0);
	kv_close(&kv);
	fix_remove();
}

/* Neighbours that are deleted become one hole; what lives stays where it is. */
static void
test_punch(void **state)
{
	enum { N = 60, SIZE = 3000 };
	struct kv *kv = fix_new();
	uint64_t before;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fix_deliver(kv, i, SIZE), 0);
	before = fix_blocks("pack.1");
	for (uint32_t i = 0; i < N; i++) {
		struct kv_ref ref = fix_ref(kv, i);

		if (i % 10 != 0)
			assert_int_equal(kv_blob_del(kv, &ref), 0);
		if (i % 20 == 0)	/* now and then a sweep */
			assert_true(kv_idle(kv, i % 40 == 0) >= 0);
	}
	/* Behind the last compaction nothing may be punched, but it marks. */
	assert_int_equal(kv_idle(kv, true), 1);
	assert_true(fix_blocks("pack.1") < before / 3);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fix_blob(kv, i, SIZE), i % 10 == 0);
	assert_int_equal(count_faults(kv), 0);
	/* A second sweep finds nothing to do. */
	before = fix.count[SYS_PWRITE];
	assert_int_equal(kv_idle(kv, true), 0);
	assert_int_equal(fix.count[SYS_PWRITE], before);
	kv_close(&kv);
	fix_remove();
}

/* The part of a pack that may have to be replayed is left alone. */
static void
test_punch_tail(void **state)
{
	enum { N = 20, SIZE = 9000 };
	struct kv *kv = fix_new();
	uint64_t modseq;

	(void)state;
	fix_put(kv, "a", "1");
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fix_deliver(kv, i, SIZE), 0);
	modseq = kv_modseq(kv);
	for (uint32_t i = 0; i < N; i++) {
		struct kv_ref ref = fix_ref(kv, i);

		assert_int_equal(kv_blob_del(kv, &ref), 0);
	}
	(void)kv_idle(kv, false);	/* not due: no compaction */
	assert_false(fix_exists("base.1"));
	kv_close(&kv);
	fix_cut("journal", fix.journal_flushed);
	kv = fix_open();
	assert_int_equal(kv_modseq(kv), modseq);
	kv_close(&kv);
	fix_remove();
}

static void
test_suspect(void **state)
{
	struct kv *kv = fix_new(), *other = fix_open();
	struct kv_txn *txn;
	struct stat before, after;
	char path[120];

	(void)state;
	snprintf(path, sizeof(path), "%s/journal", fix.dir);
	fix_put(kv, "a", "1");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	kv_put(txn, slice_str("b"), slice_str("2"));
	fix.fail_which = FAIL_FLUSH;
	fix.fail_errno = EIO;
	fix.fail_in = 1;
	assert_int_equal(kv_commit(&txn, NULL), STORE_E_UNKNOWN);
	/* The handle is done for, reading goes on. */
	assert_int_equal(kv_begin(kv, KV_RW, &txn), STORE_E_FENCED);
	assert_true(fix_has(kv, "a", "1"));
	kv_close(&kv);
	assert_int_equal(kv_refresh(other), 1);
	assert_false(fix_has(other, "b", "2"));
	fix_put(other, "c", "3");
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_true(fix_has(other, "a", "1"));
	fix_put(other, "d", "4");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(count_faults(other), 0);
	kv_close(&other);
	fix_remove();
}

/* A compaction died between its rename and the flush of the directory. */
static void
test_settle(void **state)
{
	struct kv *kv = fix_new();
	char word[4] = "";
	unsigned before;

	(void)state;
	fix_put(kv, "a", "1");
	fix_write("journal", JOURNAL_STATE, word, 4);
	before = fix.count[SYS_FSYNC];
	fix_put(kv, "b", "2");
	assert_int_equal(fix.count[SYS_FSYNC], before + 1);
	fix_put(kv, "c", "3");
	assert_int_equal(fix.count[SYS_FSYNC], before + 1);
	kv_close(&kv);
	fix_remove();
}

static void
test_strays(void **state)
{
	struct kv *kv = fix_new();
	char junk[1000] = "junk";

	(void)state;
	fix_put(kv, "a", "1");
	/* Of a compaction, and of a large blob, whose writers died. */
	fix_write("base.1", 0, junk, sizeof(junk));
	fix_write("base.7", 0, junk, sizeof(junk));
	fix_write("__db.base.1", 0, junk, sizeof(junk));
	fix_write("journal.new", 0, junk, sizeof(junk));
	fix_write("pack.1", 0, junk, sizeof(junk));
	assert_int_equal(fix_deliver(kv, 1, 1200000), 0);
	assert_true(fix_blob(kv, 1, 1200000));
	assert_int_equal(kv_idle(kv, true), 1);
	assert_false(fix_exists("base.7"));
	assert_false(fix_exists("__db.base.1"));
	assert_false(fix_exists("journal.new"));
	assert_int_equal(kv_refresh(kv), 0);
	assert_true(fix_has(kv, "a", "1"));
	fix_put(kv, "b", "2");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_false(fix_exists("base.1"));
	assert_true(fix_exists("base.2"));
	assert_int_equal(count_faults(kv), 0);
	kv_close(&kv);
	fix_remove();
}

/* On a full disk changes fail and reading goes on; the reserve lets delete. */
static void
test_full(void **state)
{
	struct kv *kv = fix_new();
	struct kv_txn *txn;

	(void)state;
	fix_put(kv, "a", "1");
	(void)kv_idle(kv, true);
	assert_true(fix_exists("../.reserve"));
	assert_int_equal(fix_size("../.reserve"), 1024 * 1024);
	fix.fail_which = FAIL_WRITE;
	fix.fail_errno = ENOSPC;
	fix.fail_on = true;
	fix.fail_in = 1;
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	kv_put(txn, slice_str("b"), slice_str("2"));
	assert_int_equal(kv_commit(&txn, NULL), STORE_E_NOSPACE);
	assert_int_equal(fix_deliver(kv, 1, 1000), STORE_E_NOSPACE);
	assert_int_equal(fix_deliver(kv, 2, 1200000), STORE_E_NOSPACE);
	assert_true(kv_idle(kv, true) <= 0);
	assert_true(fix_has(kv, "a", "1"));
	assert_true(fix_exists("../.reserve"));
	/* Its first write fails; then there is room. */
	fix.fail_on = false;
	fix.fail_in = 1;
	assert_int_equal(kv_begin(kv, KV_RW | KV_FREES, &txn), 0);
	kv_del(txn, slice_str("a"));
	assert_int_equal(kv_commit(&txn, NULL), 0);
	assert_false(fix_exists("../.reserve"));
	assert_false(fix_has(kv, "a", "1"));
	/* And comes back when there is room again. */
	assert_true(kv_idle(kv, false) >= 0);
	assert_true(fix_exists("../.reserve"));
	assert_int_equal(fix_deliver(kv, 3, 1000), 0);
	assert_int_equal(count_faults(kv), 0);
	kv_close(&kv);
	fix_remove();
}

static void
test_gone(void **state)
{
	struct kv *kv = fix_new();
	struct kv_txn *txn;
	char to[120];

	(void)state;
	fix_put(kv, "a", "1");
	snprintf(to, sizeof(to), "%s.away", fix.dir);
	model_rmtree(fix.dir);
	assert_int_equal(kv_refresh(kv), STORE_E_FENCED);
	assert_int_equal(kv_begin(kv, KV_RW, &txn), STORE_E_FENCED);
	assert_true(fix_has(kv, "a", "1"));
	kv_close(&kv);
	fix_remove();
}

/* A small base is copied and changed, a 16th written anew; a large one is
 * mapped by way of an environment. */
static void
test_generations(void **state)
{
	struct kv *kv = fix_new();
	struct model *m = model_new(7);
	struct kv_txn *txn;
	char big[KV_VALUE_MAX];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (int g = 0; g < 40; g++) {
		char key[40];

		assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
		model_txn(m, txn, 30);
		if (g < 12)
			for (int i = 0; i < 20; i++) {
				snprintf(key, sizeof(key), "zz %d %d", g, i);
				kv_put(txn, slice_str(key),
				    slice_make(big, sizeof(big)));
			}
		if (g == 30)
			kv_del_range(txn, slice_str("zz"), slice_str(""));
		assert_int_equal(kv_commit(&txn, NULL), 0);
		model_commit(m);
		assert_int_equal(kv_idle(kv, true), 1);
		assert_true(kv_refresh(kv) >= 0);
		assert_int_equal(kv_begin(kv, KV_RO, &txn), 0);
		model_compare(m, txn);
		kv_abort(&txn);
		snprintf(key, sizeof(key), "base.%d", g + 1);
		assert_true(fix_exists(key));
		if (g == 20)
			assert_true(fix_size(key) > 12 * 1024 * 1024);
	}
	/* What was deleted is given back by the one that is written anew. */
	for (int g = 40; g < 48; g++) {
		fix_put(kv, "a", "1");
		assert_int_equal(kv_idle(kv, true), 1);
	}
	assert_true(fix_size("base.48") < 1024 * 1024);
	assert_int_equal(count_faults(kv), 0);
	model_free(&m);
	kv_close(&kv);
	fix_remove();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_flushes),
		cmocka_unit_test(test_lost_tail),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_damaged_record),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_damaged_base),
		cmocka_unit_test(test_damaged_blob),
		cmocka_unit_test(test_rollover),
		cmocka_unit_test(test_punch),
		cmocka_unit_test(test_punch_tail),
		cmocka_unit_test(test_suspect),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_generations),
	};

	(void)log_open("test", "/dev/null", LOG_L_ERR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
