/* bench/kv.c - what the engine's operations cost, against DESIGN 4.3 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv.h"
#include "libstore/kv/be.h"
#include "libstore/kv/sys.h"

/*
 * bench/kv [DIRECTORY [MICROSECONDS]]: a directory on the disk to measure, /tmp
 * by default.  On a file system in memory flushes can be made to take a time,
 * so that the rest is measured without the noise of a disk.
 * A chunk is a row like the store's: 256 messages of 21 octets.
 */
enum {
	CHUNK = 256, SLOT = 21, BODY = 20000, FLAGS = 10000,
	LOOPS = 300, DELIVERIES = 1500, METAS = 100000
};

static char top[200];
static unsigned flushes;
static long flush_us;
static _Atomic int *shared;	/* of the processes */

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static int
count(void *arg, enum sys_call c, int fd, size_t *n)
{
	(void)arg;
	(void)fd;
	(void)n;
	if (c == SYS_FDATASYNC || c == SYS_FSYNC) {
		const struct timespec t = { 0, flush_us * 1000 };

		flushes++;
		if (flush_us > 0)
			(void)nanosleep(&t, NULL);
	}
	return 0;
}

static void
row(const char *what, double v, const char *unit, double n, double target,
    int more)
{
	printf("%-44s %10.2f %-5s", what, v, unit);
	if (n >= 0)
		printf(" %5.2f flushes", n);
	else
		printf("              ");
	if (target > 0)
		printf("  target %s %g%s", more ? ">=" : "<=", target,
		    (more ? v >= target : v <= target) ? "" : "  MISSED");
	printf("\n");
	fflush(stdout);
}

static void
must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "%s: %d\n", what, rc);
		exit(111);
	}
}

static struct kv *
account(const char *name, int flags)
{
	char dir[300];
	struct kv *kv;

	snprintf(dir, sizeof(dir), "%s/%s", top, name);
	must(kv_open(&(struct kv_conf){ 0 }, dir, flags, &kv), dir);
	return kv;
}

static struct slice
chunk_key(uint32_t i, char buf[16])
{
	buf[0] = 'h';
	be64_put(buf + 1, 1);
	be32_put(buf + 9, i * CHUNK + 1);
	return slice_make(buf, 13);
}

/* ---- single operations -------------------------------------------------- */

static void
bench_raw(void)
{
	char path[300], buf[500] = "";
	double t[LOOPS];
	int fd;

	snprintf(path, sizeof(path), "%s/raw", top);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < LOOPS; i++) {
		double t0 = now_us();

		must(io_pwrite_full(fd, buf, sizeof(buf), i * 500), path);
		must(fdatasync(fd), path);
		t[i] = now_us() - t0;
	}
	close(fd);
	row("raw append of 500 octets, fdatasync", median(t, LOOPS), "us", 1, 0,
	    0);
}

/* An account with n messages in chunks, compacted. */
static void
chunks(const char *name, uint32_t n)
{
	struct kv *kv = account(name, KV_CREATE);
	char key[16], val[CHUNK * SLOT];
	struct kv_txn *txn;

	memset(val, 7, sizeof(val));
	for (uint32_t i = 0; i < n / CHUNK;) {
		must(kv_begin(kv, KV_RW, &txn), "begin");
		for (int k = 0; k < 500 && i < n / CHUNK; k++, i++)
			must(kv_put(txn, chunk_key(i, key),
				 slice_make(val, sizeof(val))), "put");
		must(kv_commit(&txn, NULL), "commit");
	}
	must(kv_idle(kv, true), "idle");
	kv_close(&kv);
}

static void
bench_load(const char *name, uint32_t n, double target)
{
	double open_t[20], load_t[20];
	struct slice k, v;
	char what[60];

	for (int i = 0; i < 20; i++) {
		double t0 = now_us(), t1;
		struct kv *kv = account(name, 0);
		struct kv_txn *txn;
		struct kv_scan *s;
		uint64_t sum = 0;

		t1 = now_us();
		must(kv_begin(kv, KV_RO, &txn), "begin");
		must(kv_scan_open(txn, SLICE_LIT("h"), SLICE_LIT("i"), 0, &s),
		    "scan");
		while (kv_scan_next(s, &k, &v) == 1)
			sum += v.n;
		kv_scan_close(&s);
		kv_abort(&txn);
		load_t[i] = now_us() - t1;
		open_t[i] = t1 - t0;
		if (sum != (uint64_t)(n / CHUNK) * CHUNK * SLOT)
			must(-1, "load");
		kv_close(&kv);
	}
	snprintf(what, sizeof(what), "open, %u messages", n);
	row(what, median(open_t, 20), "us", -1, 0, 0);
	snprintf(what, sizeof(what), "scan of all chunks, %u messages", n);
	row(what, median(load_t, 20) / 1000, "ms", -1, target, 0);
}

static void
bench_flag(struct kv *kv)
{
	unsigned before = flushes;
	double t[LOOPS];

	for (int i = 0; i < LOOPS; i++) {
		double t0 = now_us();
		struct kv_txn *txn;
		char key[16];

		must(kv_begin(kv, KV_RW, &txn), "begin");
		must(kv_patch(txn, chunk_key((uint32_t)i, key), 40,
			 slice_str("12345678")), "patch");
		must(kv_put(txn, SLICE_LIT("head"), slice_str("modseq")),
		    "put");
		must(kv_commit(&txn, NULL), "commit");
		t[i] = now_us() - t0;
	}
	row("one flag", median(t, LOOPS), "us",
	    (double)(flushes - before) / LOOPS, 0, 0);
}

static void
bench_flags(struct kv *kv)
{
	unsigned all = 0;
	double t[30];

	for (int i = 0; i < 30; i++) {
		double t0 = now_us();
		unsigned before = flushes;
		struct kv_txn *txn;
		char key[16];

		must(kv_begin(kv, KV_RW, &txn), "begin");
		for (uint32_t k = 0; k < FLAGS; k++)
			must(kv_patch(txn, chunk_key(k / CHUNK, key),
				 k % CHUNK * SLOT, slice_str("12345678")),
			    "patch");
		must(kv_commit(&txn, NULL), "commit");
		t[i] = now_us() - t0;
		all += flushes - before;
		if (i % 3 == 2)
			must(kv_idle(kv, true), "idle");
	}
	row("10,000 flags, a patch each", median(t, 30) / 1000, "ms",
	    (double)all / 30, 1.5, 0);
}

/* The journal is read at each open. */
static void
bench_journal(void)
{
	struct kv *kv = account("journal", KV_CREATE), *other;
	struct kv_txn *txn;
	double t[50];
	char key[40];

	for (int i = 0; i < 250; i++) {	/* deliveries: 8 rows, 1.1 KB */
		must(kv_begin(kv, KV_RW, &txn), "begin");
		for (int k = 0; k < 8; k++) {
			snprintf(key, sizeof(key), "%c%08d", "Mhcetibg"[k],
			    k < 3 ? 1 : i * 37 % 1000);
			must(kv_put(txn, slice_str(key),
				 slice_make(top, 110)), "put");
		}
		must(kv_commit(&txn, NULL), "commit");
	}
	for (int i = 0; i < 50; i++) {
		double t0 = now_us();

		must(kv_reopen(kv, &other), "reopen");
		t[i] = now_us() - t0;
		kv_close(&other);
	}
	row("open, 270 KB of journal", median(t, 50), "us", -1, 300, 0);
	kv_close(&kv);
}

/* ---- deliveries --------------------------------------------------------- */

static void
deliver(struct kv *kv, const char *body, uint32_t n)
{
	static const char kinds[] = "Mhcetib";
	struct kv_blob *b;
	struct kv_txn *txn;
	struct kv_ref ref;
	char key[40], val[300];

	must(kv_blob_new(slice_make(body, BODY), -1, 0, slice_make(body, 400),
		 top, &b), "blob");
	must(kv_begin(kv, KV_RW, &txn), "begin");
	must(kv_blob_put(txn, b, &ref), "put");
	memset(val, 1, sizeof(val));
	kv_ref_encode(&ref, (unsigned char *)val);
	for (int i = 0; kinds[i] != '\0'; i++) {
		snprintf(key, sizeof(key), "%c%010u", kinds[i],
		    i < 3 ? n / CHUNK : n);
		must(kv_put(txn, slice_str(key),
			 slice_make(val, i < 3 ? 100 : 60)), "put");
	}
	must(kv_commit(&txn, NULL), "commit");
	kv_blob_free(&b);
}

static void
body_fill(char *p)
{
	uint32_t x = 1;

	for (int i = 0; i < BODY; i++) {
		x = x * 1103515245 + 12345;
		p[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' :
		    i % 4 == 0 ? "etaoinshr"[x >> 16 & 7] : (char)('a' + i % 7);
	}
}

static void
deliverer(const char *name, int n)
{
	struct kv *kv;
	char *body = xmalloc(BODY);

	body_fill(body);
	kv = account(name, 0);
	++*shared;
	while (*shared >= 0)	/* all at once */
		;
	for (int i = 0; i < n; i++) {
		body[i % BODY] ^= 1;
		deliver(kv, body, (uint32_t)i);
		if (i % 64 == 63)
			must(kv_idle(kv, false), "idle");
	}
	kv_close(&kv);
	xfree(body);
	_exit(0);
}

static void
bench_processes(const char *what, int procs, bool own, double target)
{
	static int run;
	int each = DELIVERIES / procs;
	char name[40];
	struct kv *kv;
	double t0;

	*shared = 0;
	run++;
	for (int i = 0; i < procs; i++) {
		snprintf(name, sizeof(name), "deliver%d.%d", run,
		    own ? i : 0);
		if (own || i == 0) {
			kv = account(name, KV_CREATE);
			kv_close(&kv);
		}
		if (fork() == 0)
			deliverer(name, each);
	}
	while (*shared < procs)
		;
	t0 = now_us();
	*shared = -1;
	while (wait(NULL) > 0 || errno == EINTR)
		;
	row(what, each * procs / (now_us() - t0) * 1e6, "/s", -1, target, 1);
}

static void
bench_delivery(void)
{
	struct kv *kv = account("single", KV_CREATE);
	char *body = xmalloc(BODY);
	struct kv_ref *ref = xcalloc(METAS, sizeof(*ref));
	double t[LOOPS], stage[LOOPS], t0;
	unsigned before;

	body_fill(body);
	deliver(kv, body, 0);
	before = flushes;
	for (int i = 0; i < LOOPS; i++) {
		struct kv_blob *b;

		t0 = now_us();
		deliver(kv, body, (uint32_t)i + 1);
		t[i] = now_us() - t0;
		t0 = now_us();
		must(kv_blob_new(slice_make(body, BODY), -1, 0,
			 slice_make(body, 400), top, &b), "blob");
		stage[i] = now_us() - t0;
		kv_blob_free(&b);
	}
	row("delivery of 20 KB", median(t, LOOPS), "us",
	    (double)(flushes - before) / LOOPS, 0, 0);
	row("  of it compressing and staging", median(stage, LOOPS), "us", -1,
	    0, 0);
	kv_close(&kv);
	xfree(body);
	xfree(ref);
}

static void
bench_meta(void)
{
	struct kv *kv = account("meta", KV_CREATE);
	struct arena *a = arena_new(0);
	enum { N = 1000 };
	struct kv_ref ref[N];
	struct kv_reader *r;
	struct kv_blob *b;
	struct kv_txn *txn;
	struct slice m;
	char *body = xmalloc(BODY), *copy = xmalloc(BODY);
	double t0;

	body_fill(body);
	must(kv_blob_new(slice_make(body, BODY), -1, 0, slice_make(body, 400),
		 top, &b), "blob");
	must(kv_begin(kv, KV_RW, &txn), "begin");
	for (int i = 0; i < N; i++)
		must(kv_blob_put(txn, b, &ref[i]), "put");
	must(kv_put(txn, SLICE_LIT("x"), SLICE_LIT("y")), "put");
	must(kv_commit(&txn, NULL), "commit");
	kv_blob_free(&b);
	t0 = now_us();
	for (int i = 0; i < METAS; i++) {
		must(kv_blob_meta(kv, a, &ref[i * 7 % N], &m), "meta");
		if (i % 100 == 0)
			arena_reset(a);
	}
	row("side record of a blob", (now_us() - t0) / METAS, "us", -1, 1.2,
	    0);
	t0 = now_us();
	for (int i = 0; i < METAS / 10; i++) {
		must(kv_reader_open(kv, &ref[i * 7 % N], &r), "open");
		must(kv_reader_read(r, 0, copy, BODY), "read");
		kv_reader_close(&r);
	}
	row("body of 20 KB", (now_us() - t0) / METAS * 10, "us", -1, 0, 0);
	arena_free(&a);
	xfree(body);
	xfree(copy);
	kv_close(&kv);
}

/* A writer's longest wait while another process compacts. */
static void
bench_blocked(const char *name)
{
	struct kv *kv = account(name, 0), *other;
	double worst = 0, lock_t = 0;
	char key[16];
	pid_t pid;

	if ((pid = fork()) == 0) {
		must(kv_reopen(kv, &other), "reopen");
		for (int i = 0; i < 15; i++) {
			(void)nanosleep(&(struct timespec){ 0, 20000000 },
			    NULL);
			must(kv_idle(other, true), "idle");
		}
		_exit(0);
	}
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		double t0 = now_us();
		struct kv_txn *txn;

		must(kv_begin(kv, KV_RW, &txn), "begin");
		lock_t = now_us() - t0;
		worst = lock_t > worst ? lock_t : worst;
		must(kv_patch(txn, chunk_key(3, key), 0, slice_str("12345678")),
		    "patch");
		must(kv_commit(&txn, NULL), "commit");
	}
	row("longest wait of a writer in 15 compactions", worst / 1000, "ms",
	    -1, 0, 0);
	kv_close(&kv);
}

static int
rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
main(int argc, char **argv)
{
	static const struct sys_hook hook = { .before = count };
	struct kv *kv;

	snprintf(top, sizeof(top), "%s/culver-bench.XXXXXX",
	    argc > 1 ? argv[1] : "/tmp");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mkdtemp(top) == NULL || shared == MAP_FAILED)
		must(-1, top);
	if (argc > 2)
		flush_us = strtol(argv[2], NULL, 10);
	sys_hook = &hook;
	bench_raw();
	chunks("100k", 100000);
	chunks("1m", 1000000);
	bench_load("100k", 100000, 0.6);
	bench_load("1m", 1000000, 12);
	kv = account("100k", 0);
	bench_flag(kv);
	bench_flags(kv);
	kv_close(&kv);
	bench_journal();
	bench_delivery();
	bench_processes("deliveries, 1 process", 1, false, 3500);
	bench_processes("deliveries, 8 processes, 1 account", 8, false, 3500);
	bench_processes("deliveries, 8 processes, 8 accounts", 8, true, 8000);
	bench_meta();
	bench_blocked("100k");
	bench_blocked("1m");
	(void)nftw(top, rm, 20, FTW_DEPTH | FTW_PHYS);
	return 0;
}
