/* libstore/kv/log.c - reading journals, also those that were replaced */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/log.h"
#include "libstore/kv/sys.h"

/*
 * A compaction makes a new journal; the one before is then log.G, where G is
 * the generation of the base under it: the records from base G to at least
 * base G+1.  It gets that name, a second one, before the new journal takes the
 * name "journal", and is flushed as far as base G+1 goes: so the chain has no
 * gap whenever a process or the machine stops.
 */

void
log_name(uint64_t gen, char out[32])
{
	snprintf(out, 32, "log.%llu", (unsigned long long)gen);
}

/* ---- reading ------------------------------------------------------------ */

int
log_head(int fd, struct journal_head *h_r, struct log_at *at_r)
{
	unsigned char head[JOURNAL_HEAD];
	ssize_t n = sys_pread(fd, head, sizeof(head), 0);
	int rc;

	if (n < 0)
		return STORE_E_IO;
	if (n < JOURNAL_HEAD)
		return STORE_E_CORRUPT;
	if ((rc = journal_head_decode(head, h_r)) < 0)
		return rc;
	if (at_r != NULL)
		*at_r = (struct log_at){ .off = JOURNAL_HEAD, .seq = h_r->seq,
			.when = h_r->when, .pos = h_r->pos };
	return 0;
}

/* The records at the front of s; *used_r: their octets. */
static int
scan_some(struct slice s, struct log_at *at, size_t *need_r,
    int (*fn)(void *arg, const struct record *r, struct slice octets),
    void *arg)
{
	struct record r;
	int rc;

	while (record_decode(s, &r, need_r)) {
		*need_r = 0;
		if (!r.shown || r.seq != at->seq + 1)
			return 0;
		rc = fn == NULL ? 0 : fn(arg, &r, slice_make(s.p, r.len));
		if (rc != 0)
			return rc;
		at->off += r.len;
		at->seq = r.seq;
		at->when = r.when;
		at->pos = r.pos;
		s = slice_make(s.p + r.len, s.n - r.len);
	}
	return 0;
}

int
log_scan(int fd, uint64_t end, struct log_at *at,
    int (*fn)(void *arg, const struct record *r, struct slice octets),
    void *arg)
{
	enum { STEP = 256 * 1024 };
	size_t want = STEP, need;
	char *p;
	int rc = 0;

	while (rc == 0 && at->off < end) {
		uint64_t before = at->off, left = end - before;
		size_t n = left < want ? (size_t)left : want;
		ssize_t k;

		p = xmalloc(n);
		need = 0;
		if ((k = sys_pread(fd, p, n, before)) < 0)
			rc = STORE_E_IO;
		else
			rc = scan_some(slice_make(p, (size_t)k), at, &need,
			    fn, arg);
		xfree(p);
		/* Not a record; or its rest isn't there. */
		if (rc == 0 && at->off == before &&
		    (need <= n || need > left))
			break;
		want = need > STEP ? need : STEP;
	}
	return rc;
}

/* ---- keeping them ------------------------------------------------------- */

void
log_drop(struct bdb_kv *b, uint64_t gen)
{
	char name[32];

	log_name(gen, name);
	(void)sys_unlinkat(b->dirfd, name);
}

int
log_keep(struct bdb_kv *b)
{
	char name[32];

	if (b->kv.cf.log_keep_s == 0)
		return 0;
	log_drop(b, b->s.head.gen);	/* of a compaction that died */
	log_name(b->s.head.gen, name);
	/* If it is another file by now the compaction will see that. */
	if (sys_linkat(b->dirfd, "journal", name) < 0) {
		/* The history has a gap here; the account hasn't. */
		log_warn("%s: %s can't be kept: %s", b->kv.dir, name,
		    strerror(errno));
		return 0;
	}
	/* What only a pack had flushed until now. */
	if (sys_fdatasync(b->s.fd) < 0)
		return flush_failed(b, "journal");
	return 0;
}

static bool
log_is_ours(const struct bdb_kv *b, const struct journal_head *h)
{
	return memcmp(h->id, b->s.head.id, sizeof(h->id)) == 0;
}

/* Is that log of another history: of before a repair, whose last steps failed?
 * What can't be told stays. */
static bool
is_foreign(struct bdb_kv *b, const char *name)
{
	int fd = sys_openat(b->dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	struct journal_head h;
	bool yes = fd >= 0 && log_head(fd, &h, NULL) == 0 && !log_is_ours(b, &h);

	io_close(&fd);
	return yes;
}

struct cleaning {
	int64_t before;		/* last written before that: too old */
	uint64_t oldest;	/* of those that follow one another */
};

static int
clean_one(struct bdb_kv *b, uint64_t gen, void *arg)
{
	const struct cleaning *c = arg;
	char name[32];
	struct stat st;

	log_name(gen, name);
	if (gen >= b->s.head.gen || gen < c->oldest ||
	    sys_fstatat(b->dirfd, name, &st) < 0 ||
	    st.st_mtim.tv_sec < c->before || is_foreign(b, name))
		(void)sys_unlinkat(b->dirfd, name);
	return 0;
}

/* Behind a gap they are of no use. */
static uint64_t
chain_begin(struct bdb_kv *b)
{
	uint64_t gen = b->s.head.gen;
	char name[32];
	struct stat st;

	for (; gen > 0; gen--) {
		log_name(gen - 1, name);
		if (sys_fstatat(b->dirfd, name, &st) < 0)
			break;
	}
	return gen;
}

int
logs_clean(struct bdb_kv *b)
{
	uint32_t keep = b->kv.cf.log_keep_s;
	struct cleaning c = { .oldest = keep == 0 ? UINT64_MAX :
						    chain_begin(b) };

	c.before = (int64_t)time(NULL) + b->kv.cf.clock_offset - keep;
	return dir_numbers(b, "log.", clean_one, &c);
}

/* ---- verifying them ----------------------------------------------------- */

/* The base that log.gen leads to; NOTFOUND: nobody knows any more. */
static int
next_head(struct bdb_kv *b, uint64_t gen, struct journal_head *h)
{
	char name[32];
	int fd, rc;

	if (gen + 1 == b->s.head.gen) {
		*h = b->s.head;
		return 0;
	}
	log_name(gen + 1, name);
	fd = sys_openat(b->dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return STORE_E_NOTFOUND;
	rc = log_head(fd, h, NULL);
	io_close(&fd);
	return rc;
}

int
log_check(struct bdb_kv *b, uint64_t gen, const char **bad_r)
{
	struct journal_head h, next;
	struct log_at at;
	const char *bad = NULL;
	char name[32];
	struct stat st;
	int fd, rc = 0;

	*bad_r = NULL;
	if (gen >= b->s.head.gen)
		return 0;	/* of a compaction under way, or one that died */
	log_name(gen, name);
	fd = sys_openat(b->dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || sys_fstat(fd, &st) < 0 ||
	    (rc = log_head(fd, &h, &at)) == STORE_E_IO)
		rc = kv_fail_sys(&b->kv, "%s", name);
	else if (rc < 0)
		bad = "bad header";
	/* Another's is of before a repair that was stopped; it goes with the
	 * next compaction. */
	else if (!log_is_ours(b, &h))
		bad = NULL;
	else if (h.gen != gen)
		bad = "isn't what its name says";
	else if (log_scan(fd, (uint64_t)st.st_size, &at, NULL, NULL) < 0)
		rc = kv_fail_sys(&b->kv, "%s", name);
	else if (next_head(b, gen, &next) == 0 &&
	    (next.gen != gen + 1 || at.seq < next.seq))
		bad = "damaged: it ends before the next base";
	io_close(&fd);
	*bad_r = bad;
	return bad != NULL ? 0 : rc;
}
