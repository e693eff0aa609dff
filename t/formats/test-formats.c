/*
 * t/formats/test-formats.c - accounts of older formats are read, of newer ones
 * refused
 *
 * t/formats/N/sample is an account that version N wrote, and expected.txt what
 * the API then told of it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv.h"
#include "libstore/kv/journal.h"
#include "libstore/rows.h"
#include "t/formats/sample.h"

enum { FILE_MAX = 4 << 20 };

static struct store_conf conf = { .engine = "bdb", .any_fs = true };
static char dir[] = "/tmp/culver-formats.XXXXXX";
static char from[400], account[100];
static struct arena *a;

/* ---- files ------------------------------------------------------------- */

static void
each_file(const char *path, void (*fn)(const char *name, struct slice octets,
    void *arg), void *arg)
{
	struct dirent **e;
	int n = scandir(path, &e, NULL, alphasort);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		char *full = xasprintf("%s/%s", path, e[i]->d_name);
		struct slice s;
		struct stat sb;

		if (stat(full, &sb) == 0 && S_ISREG(sb.st_mode)) {
			assert_int_equal(io_slurp(full, FILE_MAX, a, &s), 0);
			fn(e[i]->d_name, s, arg);
		}
		xfree(full);
	}
	for (int i = 0; i < n; i++)
		xfree(e[i]);
	xfree(e);
}

static void
copy_file(const char *name, struct slice octets, void *arg)
{
	char *to = xasprintf("%s/%s", account, name);

	(void)arg;
	assert_int_equal(io_replace(to, octets, 0600), 0);
	xfree(to);
}

static void
hash_file(const char *name, struct slice octets, void *arg)
{
	uint32_t *h = arg;

	*h = crc32c(*h, name, strlen(name));
	*h = crc32c(*h, octets.p, octets.n);
}

static uint32_t
files_hash(void)
{
	uint32_t h = 0;

	each_file(account, hash_file, &h);
	return h;
}

static int
unlink_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
wipe(const char *path)
{
	nftw(path, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A fresh copy of the sample. */
static void
fresh(void)
{
	wipe(account);
	arena_reset(a);
	assert_int_equal(mkdir(account, 0700), 0);
	each_file(from, copy_file, NULL);
}

/* Changes octets of a file of the copy. */
static void
file_put(const char *name, off_t at, const void *p, size_t n)
{
	char *path = xasprintf("%s/%s", account, name);
	int fd = io_open(path, O_RDWR, 0);

	assert_true(fd >= 0);
	assert_int_equal(io_pwrite_full(fd, p, n, at), 0);
	io_close(&fd);
	xfree(path);
}

static struct store *
opened(void)
{
	struct store *st;

	assert_int_equal(store_open(&conf, SAMPLE_NAME, &st), 0);
	return st;
}

static void
fault(void *arg, const char *text)
{
	*(size_t *)arg += 1;
	print_message("# fault: %s\n", text);
}

static void
quiet(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static void
check_clean(struct store *st)
{
	size_t n, told = 0;

	assert_int_equal(store_check(st, true, fault, &told, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(told, 0);
}

/* ---- the sample is read ------------------------------------------------ */

static void
assert_dump(struct store *st, const char *want, size_t n)
{
	struct buf b;
	size_t i = 0;

	buf_init(&b, FILE_MAX);
	assert_int_equal(sample_dump(st, &b), 0);
	while (i < n && i < b.n && b.p[i] == want[i])
		i++;
	if (i < n || i < b.n)
		print_message("# differs at octet %zu of %zu, %zu: %.100s\n",
		    i, n, b.n, b.p + (i < 60 ? 0 : i - 60));
	assert_true(i == n && i == b.n);
	buf_release(&b);
}

static void
test_read(void **state)
{
	char *path = xasprintf("%s/../expected.txt", from);
	struct store *st;
	struct slice want;
	uint32_t hash;

	(void)state;
	fresh();
	hash = files_hash();
	st = opened();
	assert_int_equal(io_slurp(path, FILE_MAX, a, &want), 0);
	assert_true(want.n > 1000);
	assert_dump(st, want.p, want.n);
	check_clean(st);
	assert_dump(st, want.p, want.n);
	store_close(&st);
	assert_int_equal(files_hash(), hash);
	xfree(path);
}

static struct store_spool *
spool(void)
{
	struct store_spool *sp = store_spool_new(&conf, true, 0);
	const char *text = "Message-ID: <new@x>\r\n"
	    "References: <1@example.org>\r\nSubject: number 1\r\n\r\nnew\r\n";

	assert_int_equal(store_spool_add(sp, text, strlen(text)), 0);
	assert_int_equal(store_spool_done(sp), 0);
	return sp;
}

static uint64_t
box(struct store *st, const char *path)
{
	struct store_mailbox m;

	return store_mailbox_find(st, a, slice_str(path), &m) == 0 ? m.id : 0;
}

/* ---- what may be done to an account ------------------------------------ */

static uint64_t inbox, archive;

static int
do_add(struct store *st)
{
	struct store_new v = { .mailboxes = &inbox, .n_mailboxes = 1 };
	int rc;

	v.spool = spool();
	rc = store_email_add(st, &v, 1, NULL, NULL);
	store_spool_free(&v.spool);
	return rc;
}

static int
do_flag(struct store *st)
{
	uint32_t uid[] = { 2, 5, 6, 12, 20, 26 };

	return store_msgs_flag(st, a, inbox, uid, 6, STORE_FLAG_ADD,
	    STORE_DRAFT | STORE_DELETED | 0x40, UINT64_MAX, NULL, NULL, NULL);
}

static int
do_copy(struct store *st)
{
	uint32_t uid[] = { 2, 5, 12, 26 };

	return store_msgs_copy(st, a, inbox, uid, 4, archive, false, NULL,
	    NULL, NULL);
}

static int
do_remove(struct store *st)
{
	uint32_t uid[] = { 2, 5, 12, 26 };

	return store_msgs_remove(st, a, inbox, uid, 4, NULL);
}

static int
do_create(struct store *st)
{
	uint64_t id;

	return store_mailbox_create_path(st, slice_str("work/new"),
	    STORE_ROLE_NONE, &id);
}

static int
do_destroy(struct store *st)
{
	return store_mailbox_destroy(st, archive, true);
}

static int
do_keyword(struct store *st)
{
	uint64_t bit;

	return store_keyword_bit(st, slice_str("fresh"), true, &bit);
}

static int
do_upload(struct store *st)
{
	struct store_spool *sp = spool();
	struct store_blobid id;
	int rc = store_upload(st, sp, &id);

	store_spool_free(&sp);
	return rc;
}

static int
do_idle(struct store *st)
{
	int rc = store_idle(st, true);

	return rc < 0 ? rc : 0;
}

static int
do_dump(struct store *st)
{
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	rc = sample_dump(st, &b);
	buf_release(&b);
	return rc;
}

static int
do_check(struct store *st)
{
	size_t n, told = 0;

	return store_check(st, true, fault, &told, &n);
}

static int (*const things[])(struct store *st) = {
	do_check, do_dump, do_add, do_flag, do_copy, do_keyword, do_upload,
	do_create, do_remove, do_destroy, do_idle
};
enum { THINGS = sizeof(things) / sizeof(things[0]) };

static void
test_change(void **state)
{
	struct store *st;

	(void)state;
	fresh();
	st = opened();
	inbox = box(st, "INBOX");
	archive = box(st, "Archive");
	for (int i = 0; i < THINGS; i++) {
		assert_int_equal(things[i](st), 0);
		check_clean(st);
	}
	store_close(&st);
	st = opened();
	assert_int_equal(do_dump(st), 0);
	check_clean(st);
	store_close(&st);
}

/* ---- rows of another version ------------------------------------------- */

/* All rows of a kind get that version; how many. */
static size_t
rows_version(int kind, char version)
{
	struct kv_conf kc = { .engine = "bdb", .any_fs = true };
	struct row_key lo = row_key_kind(kind), hi = row_key_after(lo);
	struct slice key[1000], k, v;
	struct kv_txn *t;
	struct kv_scan *s;
	struct kv *kv;
	size_t n = 0;
	uint64_t modseq;

	assert_int_equal(kv_open(&kc, account, 0, &kv), 0);
	assert_int_equal(kv_begin(kv, KV_RW, &t), 0);
	assert_int_equal(kv_scan_open(t, row_key(&lo), row_key(&hi), 0, &s), 0);
	while (n < 1000 && kv_scan_next(s, &k, &v) > 0) {
		assert_true(v.n > 0 && v.p[0] == ROW_VERSION);
		key[n++] = arena_slice(a, k);
	}
	kv_scan_close(&s);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(kv_patch(t, key[i], 0, slice_make(&version,
		    1)), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	kv_close(&kv);
	return n;
}

/* A refusal leaves everything as it is, and says why. */
static void
refuses(int (*fn)(struct store *st), size_t *n)
{
	uint32_t before = files_hash();
	struct store *st;
	int rc;

	if ((rc = store_open(&conf, SAMPLE_NAME, &st)) == 0) {
		rc = fn(st);
		if (rc == STORE_E_CORRUPT)
			print_message("# %s\n", store_errmsg(st));
		/* The dump goes on after the first error. */
		if (rc == STORE_E_VERSION && fn != do_dump)
			assert_non_null(strstr(store_errmsg(st),
			    "has version 2, newer than 1"));
		store_close(&st);
	}
	if (rc == STORE_E_VERSION) {
		/* A compaction copies rows of any version. */
		if (fn != do_idle)
			assert_int_equal(files_hash(), before);
		++*n;
	}
	assert_int_not_equal(rc, STORE_E_CORRUPT);
}

static void
silent(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static void
test_rows(void **state)
{
	static const char kinds[] = "HMnrhcgetTixkbdj";
	uint32_t before;

	(void)state;
	conf.clock_offset = 30 * 86400;	/* there is something to sweep */
	for (const char *k = kinds; *k; k++) {
		size_t n = 0, checked = 0;

		fresh();
		assert_true(rows_version(*k, ROW_VERSION + 1) > 0);
		refuses(do_check, &checked);
		assert_int_equal(checked, 1);
		for (int i = 1; i < THINGS; i++)
refuses(things[i], &n);
		print_message("# %c: %zu of %d refused\n", *k, n, THINGS - 1);
		/* Nobody looks at the octet of these but the check. */
		assert_true(n > 0 || *k == 'g');
		before = files_hash();
		assert_int_equal(store_repair(&conf, SAMPLE_NAME, silent,
		    NULL), STORE_E_VERSION);
		assert_int_equal(files_hash(), before);
	}
	conf.clock_offset = 0;
}

/* There was no version 0. */
static void
test_rows_zero(void **state)
{
	static const char kinds[] = "Mnrhcetixkbdj";

	(void)state;
	for (const char *k = kinds; *k; k++) {
		size_t n = 0;
		struct store *st;
		int rc;

		fresh();
		assert_true(rows_version(*k, 0) > 0);
		if (store_open(&conf, SAMPLE_NAME, &st) < 0)
			continue;
		rc = store_check(st, false, quiet, NULL, &n);
		assert_true(rc == STORE_E_CORRUPT || (rc == 0 && n > 0));
		store_close(&st);
	}
}

/* ---- files of another version ------------------------------------------ */

static void
journal_version(uint32_t version)
{
	unsigned char head[JOURNAL_HEAD];
	char *path = xasprintf("%s/journal", account);
	int fd = io_open(path, O_RDONLY, 0);
	uint32_t crc;

	assert_true(fd >= 0);
	assert_int_equal(io_pread_full(fd, head, sizeof(head), 0), 0);
	io_close(&fd);
	head[11] = (unsigned char)version;
	crc = journal_head_crc(head);
	for (int i = 0; i < 4; i++)
		head[12 + i] = (unsigned char)(crc >> (24 - 8 * i));
	file_put("journal", 0, head, sizeof(head));
	xfree(path);
}

static void
pack_version(uint32_t version)
{
	unsigned char head[20] = "CulverPk";

	head[11] = (unsigned char)version;
	for (int i = 0; i < 4; i++)
		head[16 + i] = (unsigned char)(crc32c(0, head, 16) >>
		    (24 - 8 * i));
	file_put("pack.1", 0, head, sizeof(head));
}

static void
test_files(void **state)
{
	size_t n = 0;
	struct store *st;

	(void)state;
	fresh();
	journal_version(2);
	for (int i = 0; i < THINGS; i++)
			refuses(things[i], &n);
	assert_int_equal(n, THINGS);
	assert_int_equal(store_open(&conf, SAMPLE_NAME, &st), STORE_E_VERSION);
	journal_version(0);
	assert_int_equal(store_open(&conf, SAMPLE_NAME, &st), STORE_E_CORRUPT);
	fresh();
	pack_version(2);
	st = opened();
	assert_int_equal(do_dump(st), STORE_E_VERSION);
	assert_int_equal(do_check(st), STORE_E_VERSION);
	store_close(&st);
	pack_version(0);
	st = opened();
	assert_int_equal(do_dump(st), STORE_E_CORRUPT);
	store_close(&st);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read), cmocka_unit_test(test_change),
		cmocka_unit_test(test_rows), cmocka_unit_test(test_rows_zero),
		cmocka_unit_test(test_files)
	};
	const char *src = getenv("srcdir");
	int rc;

	if (!mkdtemp(dir))
		return 1;
	conf.mail_dir = dir;
	snprintf(account, sizeof(account), "%s/" SAMPLE_NAME, dir);
	snprintf(from, sizeof(from), "%s/t/formats/1/" SAMPLE_NAME,
	    src ? src : ".");
	a = arena_new(0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&a);
	wipe(dir);
	return rc;
}
