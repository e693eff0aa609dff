/* t/unit/test-kv-backup.c - backups of the engine: every moment comes back */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "t/unit/kv-fixture.h"
#include "t/unit/kv-model.h"

enum { ROWS = 40, BLOBS = 60, STEPS = 400, BLOB_SIZE = 3000 };

/* What the account was at a time. */
struct moment {
	uint64_t when, modseq;
	int row[ROWS];		/* 0: there is none */
	bool blob[BLOBS];
};

static struct moment all[STEPS + 1];
static size_t n_all;
static struct moment now;
static uint32_t rng;
static char repo[140];
static unsigned full;		/* times that one began anew */

static uint32_t
below(uint32_t n)
{
	rng = rng * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(rng >> 8) * n >> 24);
}

static uint64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct kv *
account_new(void)
{
	struct kv *kv = fix_new();

	fix.conf.log_keep_s = 1000;
	kv_close(&kv);
	n_all = 0;
	full = 0;
	memset(&now, 0, sizeof(now));
	snprintf(repo, sizeof(repo), "%.*s/repo",
	    (int)(strlen(fix.dir) - 2), fix.dir);
	return fix_open();
}

static void
note(struct kv *kv)
{
	/* The clock moves on, so that each has a time of its own. */
	uint64_t t = clock_us();

	while (clock_us() == t)
		continue;
	now.when = clock_us();
	now.modseq = kv_modseq(kv);
	all[n_all++] = now;
}

static void
put_row(struct kv *kv)
{
	uint32_t r = below(ROWS);
	char key[20], val[20];

	now.row[r] = (int)below(1000000) + 1;
	snprintf(key, sizeof(key), "r%u", r);
	snprintf(val, sizeof(val), "%d", now.row[r]);
	fix_put(kv, key, val);
}

static void
del_row(struct kv *kv)
{
	uint32_t r = below(ROWS);
	struct kv_txn *txn;
	char key[20];

	now.row[r] = 0;
	snprintf(key, sizeof(key), "r%u", r);
	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	assert_int_equal(kv_del(txn, slice_str(key)), 0);
	assert_int_equal(kv_commit(&txn, NULL), 0);
}

static void
put_blob(struct kv *kv)
{
	uint32_t b = below(BLOBS);

	if (now.blob[b])
		return;
	now.blob[b] = true;
	assert_int_equal(fix_deliver(kv, b, BLOB_SIZE + b), 0);
}

static void
del_blob(struct kv *kv)
{
	uint32_t b = below(BLOBS / 2);	/* the other half stays */
	struct kv_ref ref;

	if (!now.blob[b])
		return;
	now.blob[b] = false;
	ref = fix_ref(kv, b);
	assert_int_equal(kv_blob_del(kv, &ref), 0);
}

static int
backup(struct kv *kv, const struct kv_backup *conf, struct kv_backed *d)
{
	struct kv_repo *r;
	int rc = kv_repo_open(repo, true, &r);

	if (rc == 0)
		rc = kv_backup(kv, r, conf, d);
	if (rc < 0 && rc != STORE_E_IO)
		print_message("# %s\n", kv_repo_errmsg(r));
	kv_repo_close(&r);
	return rc;
}

/* Any of its system calls fails, as if it had been killed there. */
static void
broken_backup(struct kv *kv)
{
	struct kv_backup conf = { .full = below(20) == 0 };
	struct kv_backed d;

	full += conf.full;
	fix.fail_which = FAIL_ANY;
	fix.fail_errno = EIO;
	fix.fail_on = true;
	fix.fail_in = 1 + below(60);
	(void)backup(kv, &conf, &d);
	fix.fail_in = 0;
	fix.fail_on = false;
}

static void
step(struct kv **kv)
{
	static const struct kv_backup conf = { .full = false };
	struct kv_backed d;

	switch (below(16)) {
	case 0:
		assert_true(kv_idle(*kv, true) >= 0);
		break;
	case 1:
		assert_int_equal(backup(*kv, &conf, &d), 0);
		assert_int_equal(d.modseq, kv_modseq(*kv));
		break;
	case 2:
		broken_backup(*kv);
		kv_close(kv);
		*kv = fix_open();
		break;
	case 3:
		del_blob(*kv);
		break;
	case 4:
	case 5:
		del_row(*kv);
		break;
	case 6:
	case 7:
	case 8:
		put_blob(*kv);
		break;
	default:
		put_row(*kv);
	}
	note(*kv);
}

static void
compare(struct kv *kv, const struct moment *m)
{
	char key[20], val[20];

	assert_int_equal(kv_modseq(kv), m->modseq);
	for (int i = 0; i < ROWS; i++) {
		snprintf(key, sizeof(key), "r%d", i);
		snprintf(val, sizeof(val), "%d", m->row[i]);
		if (fix_has(kv, key, val) != (m->row[i] != 0))
			fail_msg("row %s at %llu", key,
			    (unsigned long long)m->modseq);
	}
	/* What was deleted since may be gone from all packs. */
	for (uint32_t i = BLOBS / 2; i < BLOBS; i++)
		if (m->blob[i] && !fix_blob(kv, i, BLOB_SIZE + i))
			fail_msg("blob %u at %llu: %s", i,
			    (unsigned long long)m->modseq, kv_errmsg(kv));
}

/* false: in the gap before a backup that began anew. */
static bool
restore_try(uint64_t when, struct kv **kv_r)
{
	struct kv_backed d;
	struct kv_repo *r;
	char dir[160];
	int rc;

	snprintf(dir, sizeof(dir), "%s-back", repo);
	model_rmtree(dir);
	assert_int_equal(kv_repo_open(repo, false, &r), 0);
	rc = kv_repo_restore(r, &fix.conf, when, dir, &d);
	if (rc < 0 && (rc != STORE_E_NOTFOUND || full == 0))
		fail_msg("%s", kv_repo_errmsg(r));
	kv_repo_close(&r);
	if (rc < 0)
		return false;
	assert_int_equal(kv_open(&fix.conf, dir, 0, kv_r), 0);
	assert_int_equal(kv_modseq(*kv_r), d.modseq);
	return true;
}

static void
restore_at(uint64_t when, struct kv **kv_r)
{
	if (!restore_try(when, kv_r))
		fail_msg("a moment that can't be restored");
}

static int
verify(void)
{
	struct kv_repo *r;
	int rc = kv_repo_open(repo, false, &r);

	if (rc == 0)
		rc = kv_repo_verify(r, &fix.conf, fix_fault, NULL);
	kv_repo_close(&r);
	return rc;
}

static void
test_moments(void **state)
{
	static const struct kv_backup conf = { .full = false };
	struct kv *kv = account_new(), *old;
	struct kv_backed d;
	int gaps = 0;

	(void)state;
	print_message("# seed %u\n", rng);
	put_row(kv);
	note(kv);
	assert_int_equal(backup(kv, &conf, &d), 0);
	for (int i = 1; i < STEPS; i++)
		step(&kv);
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_int_equal(verify(), 0);
	for (int i = 0; i < 60; i++) {
		const struct moment *m = &all[below((uint32_t)n_all)];

		if (!restore_try(m->when, &old)) {
			gaps++;
			continue;
		}
		compare(old, m);
		if (i % 8 == 0)
			assert_int_equal(kv_check(old, fix_fault, NULL), 0);
		kv_close(&old);
	}
	assert_true(gaps < 40);
	restore_at(UINT64_MAX, &old);
	compare(old, &all[n_all - 1]);
	/* It goes on. */
	fix_put(old, "new", "1");
	assert_int_equal(fix_deliver(old, 1000, 5000), 0);
	assert_true(fix_blob(old, 1000, 5000));
	assert_int_equal(kv_check(old, fix_fault, NULL), 0);
	kv_close(&old);
	kv_close(&kv);
	fix_remove();
}

/* Another process writes, compacts and sweeps meanwhile. */
static void
writer(void)
{
	struct kv *kv;
	uint32_t live = 0;

	sys_hook = NULL;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(60);
	if (kv_open(&fix.conf, fix.dir, 0, &kv) != 0)
		_exit(1);
	for (uint32_t i = 0;; i++) {
		struct kv_ref ref;

		fix_put(kv, "n", "x");
		if (fix_deliver(kv, i, 20000) != 0)
			_exit(1);
		if (i >= live + 30) {
			ref = fix_ref(kv, live++);
			if (kv_blob_del(kv, &ref) != 0)
				_exit(1);
		}
		if (i % 16 == 15 && kv_idle(kv, true) < 0)
			_exit(1);
	}
}

static void
test_beside(void **state)
{
	static const struct kv_backup conf = { .full = false };
	struct kv *kv = account_new(), *old;
	struct kv_backed d;
	int status;
	pid_t pid;

	(void)state;
	fix_put(kv, "a", "1");
	if ((pid = fork()) == 0)
		writer();
	for (int i = 0; i < 40; i++) {
		assert_int_equal(backup(kv, &conf, &d), 0);
		if (i % 8 != 7)
			continue;
		assert_int_equal(verify(), 0);
		restore_at(UINT64_MAX, &old);
		assert_int_equal(kv_modseq(old), d.modseq);
		assert_int_equal(kv_check(old, fix_fault, NULL), 0);
		kv_close(&old);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	kv_close(&kv);
	fix_remove();
}

static void
repo_file(const char *name, char out[200])
{
	snprintf(out, 200, "%s/%s", repo, name);
}

static void
flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	int c;

	assert_non_null(f);
	fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
	c = fgetc(f);
	fseek(f, -1, SEEK_CUR);
	fputc(c ^ 0x10, f);
	fclose(f);
}

/* One octet of any file is wrong, or the file is gone. */
static void
test_damaged(void **state)
{
	static const char *const name[] = { "1/index", "1/pack.1", "1/log.1",
		"1/base.1" };
	static const struct kv_backup conf = { .full = false };
	struct kv *kv = account_new();
	struct kv_backed d;
	struct kv_repo *r;
	char path[200], dir[160], moved[220];

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(fix_deliver(kv, i, 4000), 0);
	assert_int_equal(kv_idle(kv, true), 1);
	fix_put(kv, "a", "1");
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_int_equal(verify(), 0);
	snprintf(dir, sizeof(dir), "%s-back", repo);
	for (size_t i = 0; i < 4; i++) {
		repo_file(name[i], path);
		snprintf(moved, sizeof(moved), "%s.x", path);
		for (int j = 0; j < 3; j++) {
			if (j < 2)
				flip(path, j == 0 ? 150 : -40);
			else
				assert_int_equal(rename(path, moved), 0);
			if (verify() == 0)
				fail_msg("%s", path);
			assert_int_equal(kv_repo_open(repo, false, &r), 0);
			assert_true(kv_repo_restore(r, &fix.conf, UINT64_MAX,
			    dir, &d) < 0);
			kv_repo_close(&r);
			model_rmtree(dir);
			if (j < 2)
				flip(path, j == 0 ? 150 : -40);
			else
				assert_int_equal(rename(moved, path), 0);
		}
	}
	assert_int_equal(verify(), 0);
	kv_close(&kv);
	fix_remove();
}

static void
count_run(void *arg, const struct kv_moments *m)
{
	assert_true(m->from <= m->to);
	((unsigned *)arg)[m->run]++;
}

/* What is too old goes, and what is still wanted stays. */
static void
test_keep(void **state)
{
	struct kv_backup conf = { .keep_s = 3600 };
	unsigned n[2] = { 0, 0 };
	struct kv *kv = account_new(), *old;
	struct kv_backed d;
	struct kv_repo *r;
	char path[200];
	uint64_t when;

	(void)state;
	for (int hour = 0; hour < 5; hour++) {
		kv_close(&kv);
		fix.conf.clock_offset = hour * 2000;
		kv = fix_open();
		fix_put(kv, "a", hour % 2 ? "1" : "0");
		assert_int_equal(kv_idle(kv, true), 1);
		fix_put(kv, "b", hour % 2 ? "1" : "0");
		assert_int_equal(backup(kv, &conf, &d), 0);
		assert_int_equal(d.full, hour == 0);
		assert_int_equal(verify(), 0);
	}
	repo_file("1/log.0", path);
	assert_int_not_equal(access(path, F_OK), 0);
	repo_file("1/base.1", path);
	assert_int_not_equal(access(path, F_OK), 0);
	/* Any moment of the last hour. */
	when = clock_us() + (uint64_t)(3 * 2000 - 100) * 1000000;
	restore_at(when, &old);
	assert_true(fix_has(old, "a", "0") && fix_has(old, "b", "0"));
	kv_close(&old);
	assert_int_equal(kv_repo_open(repo, false, &r), 0);
	assert_int_equal(kv_repo_restore(r, &fix.conf, 1000, "/x", &d),
	    STORE_E_NOTFOUND);
	assert_int_equal(kv_repo_moments(r, count_run, n), 0);
	assert_true(n[0] == 1 && n[1] >= 2);
	kv_repo_close(&r);
	/* A new set, and the old one goes when its time is over. */
	conf.full = true;
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_true(d.full);
	conf.full = false;
	repo_file("1/index", path);
	assert_int_equal(access(path, F_OK), 0);
	kv_close(&kv);
	fix.conf.clock_offset += 4000;
	kv = fix_open();
	fix_put(kv, "a", "2");
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_false(d.full);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(verify(), 0);
	kv_close(&kv);
	fix_remove();
}

/* Most of it is of what the account has no more: it begins anew by itself. */
static void
test_bloat(void **state)
{
	enum { N = 40, SIZE = 2 * OWN_PACK };
	struct kv_backup conf = { .keep_s = 0 };
	struct kv *kv = account_new();
	struct kv_backed d;
	struct kv_ref ref;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fix_deliver(kv, i, SIZE), 0);
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_true(d.full && d.octets > (uint64_t)N * SIZE / 4);
	for (uint32_t i = 0; i < N; i++) {
		ref = fix_ref(kv, i);
		assert_int_equal(kv_blob_del(kv, &ref), 0);
	}
	fix_put(kv, "a", "1");
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_false(d.full);	/* all is kept for ever */
	conf.keep_s = 3600;
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_true(d.full && d.octets < SIZE);
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_false(d.full);
	assert_int_equal(verify(), 0);
	kv_close(&kv);
	fix_remove();
}

/* Logs that were not kept long enough: from the next base on. */
static void
test_gap(void **state)
{
	struct kv_backup conf = { .full = false };
	struct kv *kv = account_new(), *old;
	unsigned n[2] = { 0, 0 };
	uint64_t first, lost, second;
	struct kv_backed d;
	struct kv_repo *r;

	(void)state;
	fix_put(kv, "a", "1");
	first = clock_us();
	assert_int_equal(backup(kv, &conf, &d), 0);
	fix_put(kv, "a", "2");
	lost = clock_us();
	assert_int_equal(kv_idle(kv, true), 1);
	kv_close(&kv);
	fix.conf.log_keep_s = 0;
	kv = fix_open();
	fix_put(kv, "a", "3");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_false(fix_exists("log.0") || fix_exists("log.1"));
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_false(d.full);
	second = clock_us();
	fix_put(kv, "a", "4");
	assert_int_equal(backup(kv, &conf, &d), 0);
	assert_int_equal(verify(), 0);
	restore_at(first, &old);
	assert_true(fix_has(old, "a", "1"));
	kv_close(&old);
	restore_at(second, &old);
	assert_true(fix_has(old, "a", "3"));
	kv_close(&old);
	restore_at(UINT64_MAX, &old);
	assert_true(fix_has(old, "a", "4"));
	kv_close(&old);
	assert_int_equal(kv_repo_open(repo, false, &r), 0);
	/* Never an older state in place of one that nobody knows. */
	assert_int_equal(kv_repo_restore(r, &fix.conf, lost, "/x", &d),
	    STORE_E_NOTFOUND);
	assert_int_equal(kv_repo_moments(r, count_run, n), 0);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 3);
	kv_repo_close(&r);
	kv_close(&kv);
	fix_remove();
}

static void
test_skip(void **state)
{
	struct kv *kv = account_new();

	(void)state;
	fix_put(kv, "a", "1");
	kv_close(&kv);
	assert_int_equal(kv_modseq_skip(&fix.conf, fix.dir, 1000), 0);
	kv = fix_open();
	assert_int_equal(kv_modseq(kv), 1000);
	fix_put(kv, "b", "2");
	assert_int_equal(kv_modseq(kv), 1001);
	assert_int_equal(kv_check(kv, fix_fault, NULL), 0);
	assert_int_equal(kv_idle(kv, true), 1);
	kv_close(&kv);
	/* Never back. */
	assert_int_equal(kv_modseq_skip(&fix.conf, fix.dir, 10), 0);
	kv = fix_open();
	assert_int_equal(kv_modseq(kv), 1001);
	assert_true(fix_has(kv, "a", "1") && fix_has(kv, "b", "2"));
	kv_close(&kv);
	fix_remove();
}

/* An index that somebody made up, with a right checksum. */
static int
made_up(const char *lines)
{
	unsigned char sha[SHA256_LEN];
	char path[200];
	struct kv_repo *r;
	struct buf b;
	int rc;

	buf_init(&b, 65536);
	buf_add_str(&b, lines);
	sha256_of(buf_slice(&b), sha);
	buf_add_str(&b, "end ");
	hex_encode(&b, slice_make((const char *)sha, sizeof(sha)));
	buf_addc(&b, '\n');
	repo_file("1/index", path);
	assert_int_equal(io_replace(path, buf_slice(&b), 0600), 0);
	buf_release(&b);
	assert_int_equal(kv_repo_open(repo, false, &r), 0);
	rc = kv_repo_verify(r, &fix.conf, fix_fault, NULL);
	kv_repo_close(&r);
	return rc;
}

static void
test_hostile(void **state)
{
#define HEAD "culver-backup 1\nid 00112233445566778899aabbccddeeff\n" \
	"run 1 1 1\n"
#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	static const char *const bad[] = {
		"", "\n", "culver-backup 2\nrun 1 1 1\n", "culver-backup 1\n",
		HEAD "piece ../x 0 1 " SHA "\n",
		HEAD "piece pack.01 0 1 " SHA "\n",
		HEAD "piece pack. 0 1 " SHA "\n",
		HEAD "piece index 0 1 " SHA "\n",
		HEAD "piece pack.99999999999999999999999999999 0 1 " SHA "\n",
		HEAD "piece pack.1 0 0 " SHA "\n",
		HEAD "piece pack.1 5 1 " SHA "\n",
		HEAD "piece pack.1 0 18446744073709551615 " SHA "\n",
		HEAD "piece pack.1 0 -1 " SHA "\n",
		HEAD "piece pack.1 0 1 " SHA " \n",
		HEAD "piece pack.1 0 1 " SHA "00\n",
		HEAD "piece pack.1 0 1\n", HEAD "piece\n", HEAD "x\n",
		HEAD "gone /etc/passwd 1\n", HEAD "gone pack.1\n",
		HEAD "run 1 1\n", HEAD "id 00\n", HEAD "\n",
		/* Well-formed, of files that are not there or not that. */
		HEAD "piece pack.1 0 1 " SHA "\n",
		HEAD "piece pack.7 0 4000000000000000000 " SHA "\n",
		HEAD "piece log.1 0 1 " SHA "\npiece log.1 1 1 " SHA "\n",
	};
	static const struct kv_backup conf = { .full = false };
	struct kv *kv = account_new();
	struct kv_backed d;

	(void)state;
	assert_int_equal(fix_deliver(kv, 1, 4000), 0);
	assert_int_equal(backup(kv, &conf, &d), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (made_up(bad[i]) != 1)
			fail_msg("index %zu", i);
	kv_close(&kv);
	fix_remove();
#undef HEAD
#undef SHA
}

static bool
keep_one(void *arg, const struct kv_ref *ref)
{
	const struct kv_ref *one = arg;

	return ref->pack == one->pack && ref->off == one->off &&
	    ref->len == one->len;
}

static void
test_purge(void **state)
{
	struct kv *kv = account_new();
	struct kv_ref one;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(fix_deliver(kv, i, 9000), 0);
	assert_int_equal(fix_deliver(kv, 5, OWN_PACK + 1), 0);
	one = fix_ref(kv, 3);
	assert_int_equal(kv_blob_purge(kv, keep_one, &one), 0);
	for (uint32_t i = 0; i < 6; i++)
		if (fix_blob(kv, i, i < 5 ? 9000 : OWN_PACK + 1) != (i == 3))
			fail_msg("blob %u", i);
	assert_false(fix_exists("pack.2"));
	assert_int_equal(kv_idle(kv, true), 1);
	assert_true(fix_blob(kv, 3, 9000));
	assert_int_equal(kv_check(kv, fix_fault, NULL), 0);
	kv_close(&kv);
	fix_remove();
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_bloat),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_purge),
	};

	random_bytes(&rng, sizeof(rng));
	if (argc > 1)
		rng = (uint32_t)strtoul(argv[1], NULL, 10);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
