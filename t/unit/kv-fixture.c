/* t/unit/kv-fixture.c - an account of the Berkeley DB engine under a seam */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
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

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/kv-fixture.h"
#include "t/unit/kv-model.h"

struct fix fix;

static bool
concerns(enum sys_call c)
{
	switch (fix.fail_which) {
	case FAIL_WRITE:
		return c == SYS_PWRITE || c == SYS_COPY || c == SYS_LINK ||
		    c == SYS_FALLOCATE || c == SYS_DB || c == SYS_WRITEBACK;
	case FAIL_FLUSH:
		return c == SYS_FDATASYNC || c == SYS_FSYNC;
	default:
		return true;
	}
}

static int
before(void *arg, enum sys_call c, int fd, size_t *n)
{
	(void)arg;
	(void)fd;
	fix.count[c]++;
	fix.flushes += c == SYS_FDATASYNC || c == SYS_FSYNC;
	if (fix.fail_in == 0 || !concerns(c))
		return 0;
	if (fix.fail_in > 1) {
		fix.fail_in--;
		return 0;
	}
	if (!fix.fail_on)
		fix.fail_in = 0;
	fix.failed = true;
	if (fix.fail_errno != 0) {
		errno = fix.fail_errno;
		return -1;
	}
	if (n != NULL && *n > 1)
		*n /= 2;
	return 0;
}

static void
after(void *arg, enum sys_call c, int fd, uint64_t off)
{
	struct stat st, journal;
	char path[120];

	(void)arg;
	snprintf(path, sizeof(path), "%s/journal", fix.dir);
	if (c == SYS_FDATASYNC && stat(path, &journal) == 0 &&
	    fstat(fd, &st) == 0 && st.st_ino == journal.st_ino)
		fix.journal_flushed = off;
}

struct kv *
fix_open(void)
{
	struct kv *kv;

	assert_int_equal(kv_open(&fix.conf, fix.dir, 0, &kv), 0);
	return kv;
}

struct kv *
fix_new(void)
{
	static const struct sys_hook hook = { .before = before,
		.after = after, .survive = true, .own_pack = OWN_PACK };
	static unsigned n;
	struct kv *kv;

	memset(&fix, 0, sizeof(fix));
	fix.conf.lock_wait_ms = 200;
	snprintf(fix.dir, sizeof(fix.dir), "%s/culver-kv.%ld.%u",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    (long)getpid(), n++);
	assert_int_equal(mkdir(fix.dir, 0700), 0);
	snprintf(fix.dir + strlen(fix.dir), 3, "/a");
	sys_hook = &hook;
	assert_int_equal(kv_open(&fix.conf, fix.dir, KV_CREATE, &kv), 0);
	return kv;
}

void
fix_remove(void)
{
	*strrchr(fix.dir, '/') = '\0';
	model_rmtree(fix.dir);
	sys_hook = NULL;
}

/* ---- rows and blobs ----------------------------------------------------- */

void
fix_put(struct kv *kv, const char *key, const char *val)
{
	struct kv_txn *txn;

	assert_int_equal(kv_begin(kv, KV_RW, &txn), 0);
	assert_int_equal(kv_put(txn, slice_str(key), slice_str(val)), 0);
	assert_int_equal(kv_commit(&txn, NULL), 0);
}

bool
fix_has(struct kv *kv, const char *key, const char *val)
{
	struct arena *a = arena_new(0);
	struct kv_txn *txn;
	struct slice v;
	bool yes;

	assert_int_equal(kv_begin(kv, KV_RO, &txn), 0);
	yes = kv_get(txn, a, slice_str(key), &v) == 0 &&
	    slice_eq(v, slice_str(val));
	kv_abort(&txn);
	arena_free(&a);
	return yes;
}

static void
fill(char *p, size_t n, uint32_t seed)
{
	uint64_t x = seed + 1;

	for (size_t i = 0; i < n; i += sizeof(x)) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		memcpy(p + i, &x, n - i < sizeof(x) ? n - i : sizeof(x));
	}
}

static struct slice
blob_key(uint32_t n, char buf[20])
{
	snprintf(buf, 20, "blob %u", n);
	return slice_str(buf);
}

int
fix_deliver(struct kv *kv, uint32_t n, size_t size)
{
	char *p = xmalloc(size + 1), key[20];
	unsigned char code[KV_REF_LEN];
	struct kv_blob *b = NULL;
	struct kv_txn *txn = NULL;
	struct kv_ref ref;
	int rc;

	fill(p, size, n);
	rc = kv_blob_new(slice_make(p, size), -1, 0, slice_str("meta"),
	    fix.dir, &b);
	if (rc == 0)
		rc = kv_begin(kv, KV_RW, &txn);
	if (rc == 0)
		rc = kv_blob_put(txn, b, &ref);
	if (rc == 0) {
		kv_ref_encode(&ref, code);
		rc = kv_put(txn, blob_key(n, key),
		    slice_make((char *)code, sizeof(code)));
	}
	if (rc == 0)
		rc = kv_commit(&txn, NULL);
	kv_abort(&txn);
	kv_blob_free(&b);
	xfree(p);
	return rc;
}

struct kv_ref
fix_ref(struct kv *kv, uint32_t n)
{
	struct arena *a = arena_new(0);
	struct kv_ref ref = { 0 };
	struct kv_txn *txn;
	struct slice v;
	char key[20];

	assert_int_equal(kv_begin(kv, KV_RO, &txn), 0);
	if (kv_get(txn, a, blob_key(n, key), &v) == 0)
		kv_ref_decode((const unsigned char *)v.p, &ref);
	kv_abort(&txn);
	arena_free(&a);
	return ref;
}

bool
fix_blob(struct kv *kv, uint32_t n, size_t size)
{
	char *want = xmalloc(size + 1), *have = xmalloc(size + 1);
	struct kv_ref ref = fix_ref(kv, n);
	struct kv_reader *r = NULL;
	bool same;

	fill(want, size, n);
	same = kv_reader_open(kv, &ref, &r) == 0 && kv_reader_size(r) == size &&
	    kv_reader_read(r, 0, have, size) == 0 &&
	    memcmp(want, have, size) == 0 &&
	    slice_eq(kv_reader_meta(r), slice_str("meta"));
	if (r != NULL)
		kv_reader_close(&r);
	xfree(want);
	xfree(have);
	return same;
}

/* ---- files -------------------------------------------------------------- */

static char *
path_of(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", fix.dir, name);
	return path;
}

bool
fix_exists(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) == 0;
}

static struct stat
status(const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	return st;
}

uint64_t
fix_size(const char *name)
{
	return (uint64_t)status(name).st_size;
}

uint64_t
fix_blocks(const char *name)
{
	return (uint64_t)status(name).st_blocks * 512;
}

char *
fix_load(const char *name, size_t *n_r)
{
	size_t n = (size_t)fix_size(name);
	int fd = open(path_of(name), O_RDONLY);
	char *p = xmalloc(n + 1);

	assert_true(fd >= 0);
	assert_int_equal(io_read_full(fd, p, n), 0);
	close(fd);
	*n_r = n;
	return p;
}

void
fix_cut(const char *name, uint64_t size)
{
	assert_int_equal(truncate(path_of(name), (off_t)size), 0);
}

void
fix_write(const char *name, uint64_t off, const void *p, size_t n)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_pwrite_full(fd, p, n, (off_t)off), 0);
	close(fd);
}

void
fix_fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# fault: %s\n", text);
}
