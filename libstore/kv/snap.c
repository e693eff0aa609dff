/* libstore/kv/snap.c - reading the journal over its base */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/be.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/sys.h"

enum { READ_SIZE = 1024 * 1024, OPEN_TRIES = 100 };

void
snap_init(struct snap *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

void
snap_close(struct snap *s)
{
	lower_release(&s->low);
	io_close(&s->fd);	/* and gives back its locks */
}

int
snap_current(struct bdb_kv *b, const struct snap *s)
{
	struct stat st;

	if (sys_fstatat(b->dirfd, "journal", &st) < 0) {
		if (errno == ENOENT)
			return kv_fail(&b->kv, STORE_E_FENCED,
			    "the account is gone");
		return kv_fail_sys(&b->kv, "journal");
	}
	return st.st_ino == s->ino && st.st_dev == s->dev;
}

/* The next record becomes part of the snapshot. */
static int
take(struct bdb_kv *b, struct snap *s, const struct record *r)
{
	if (ops_apply(r->ops, r->n_ops, s->low.log) < 0)
		return kv_fail(&b->kv, STORE_E_CORRUPT,
		    "journal: record %llu makes no sense",
		    (unsigned long long)r->seq);
	s->end += r->len;
	s->seq = r->seq;
	s->when = r->when;
	s->pos = r->pos;
	return 0;
}

/*
 * With the writer's lock: a whole record that its writer did not come to show.
 * It may have been acknowledged before a loss of power.  It is written again,
 * since a failed flush may have left a clean page that isn't on the disk.
 */
static int
adopt(struct bdb_kv *b, struct snap *s, struct slice octets)
{
	unsigned char shown[4];

	if (sys_pwrite(s->fd, octets.p, octets.n, s->end) < 0)
		return kv_fail_sys(&b->kv, "journal");
	if (sys_fdatasync(s->fd) < 0)
		return flush_failed(b, "journal");
	record_show(shown);
	if (sys_pwrite(s->fd, shown, sizeof(shown), s->end) < 0)
		return kv_fail_sys(&b->kv, "journal");
	return 0;
}

/*
 * The records at the front of p.  *used_r: their octets.  *need_r: more than n
 * octets are wanted for the next one (0: there is none).
 */
static int
take_all(struct bdb_kv *b, struct snap *s, const char *p, size_t n, bool writer,
    size_t *used_r, size_t *need_r)
{
	struct record r;
	size_t at = 0;
	int rc;

	for (;;) {
		struct slice rest = slice_make(p + at, n - at);

		*used_r = at;
		if (!record_decode(rest, &r, need_r))
			return 0;
		*need_r = 0;
		if (r.seq != s->seq + 1)
			return 0;	/* of old times */
		if (!r.shown && !writer)
			return 0;
		if (!r.shown &&
		    (rc = adopt(b, s, slice_make(rest.p, r.len))) < 0)
			return rc;
		if ((rc = take(b, s, &r)) < 0)
			return rc;
		at += r.len;
	}
}

/* Takes the records in the next n octets of the journal, as far as they are
 * there.  1: some were; *need_r as take_all(). */
static int
read_some(struct bdb_kv *b, struct snap *s, size_t n, bool writer,
    size_t *need_r)
{
	char *p = xmalloc(n);
	ssize_t k = sys_pread(s->fd, p, n, s->end);
	size_t used = 0;
	int rc;

	*need_r = 0;
	if (k < 0)
		rc = kv_fail_sys(&b->kv, "journal");
	else {
		rc = take_all(b, s, p, (size_t)k, writer, &used, need_r);
		if ((size_t)k < n)
			*need_r = 0;	/* it became shorter */
	}
	if (used > 0 || rc < 0)		/* what failed may be in there */
		olog_keep(s->low.log, p);
	else
		xfree(p);
	return rc < 0 ? rc : used > 0;
}

int
snap_tail(struct bdb_kv *b, struct snap *s, bool writer)
{
	size_t want = 0, need;
	struct stat st;
	uint64_t left;
	int rc;

	if (sys_fstat(s->fd, &st) < 0)
		return kv_fail_sys(&b->kv, "journal");
	s->size = (uint64_t)st.st_size;
	/* What was shown is never taken back. */
	if (s->size < s->end)
		return kv_fail(&b->kv, STORE_E_CORRUPT,
		    "journal: cut off at %llu, within modseq %llu",
		    (unsigned long long)s->size, (unsigned long long)s->seq);
	while ((uint64_t)st.st_size > s->end) {
		left = (uint64_t)st.st_size - s->end;
		if (want < READ_SIZE)
			want = READ_SIZE;
		if (left < want)
			want = (size_t)left;
		if ((rc = read_some(b, s, want, writer, &need)) < 0)
			return rc;
		if (rc == 0 && (need <= want || need > left))
			break;	/* not a record, or its rest isn't there */
		want = need;
	}
	return 0;
}

/*
 * Is there a whole record of other times among these octets?  They may be
 * anything, so the work is bounded: a modseq that can be, and so many octets of
 * checksums at most.
 */
static bool
other_record(const struct snap *s, const char *p, size_t n)
{
	size_t budget = 64 * 1024 * 1024, need;
	struct record r;

	for (size_t at = 0; at + RECORD_HEAD <= n && budget > 0; at += 8) {
		uint64_t seq = be64_get(p + at + 16);
		uint32_t len = be32_get(p + at + 8);

		if (seq <= s->head.seq || seq - s->head.seq > 1 << 20)
			continue;
		if (record_decode(slice_make(p + at, n - at), &r, &need))
			return true;
		budget -= len < budget ? len : budget;
	}
	return false;
}

/* The octets behind the last record; the caller frees them.  *n_r 0: none. */
static int
rest_read(struct bdb_kv *b, const struct snap *s, char **p_r, size_t *n_r)
{
	struct stat st;
	uint64_t left;
	ssize_t n;

	*n_r = 0;
	*p_r = NULL;
	if (sys_fstat(s->fd, &st) < 0)
		return kv_fail_sys(&b->kv, "journal");
	if ((uint64_t)st.st_size <= s->end)
		return 0;
	left = (uint64_t)st.st_size - s->end;
	left = left < RECORD_MAX ? left : RECORD_MAX;
	*p_r = xmalloc((size_t)left);
	if ((n = sys_pread(s->fd, *p_r, (size_t)left, s->end)) < 0) {
		xfree(*p_r);
		*p_r = NULL;
		return kv_fail_sys(&b->kv, "journal");
	}
	*n_r = (size_t)n;
	return 0;
}

/*
 * Is it not just the torn end of a writer?  Who dies leaves one record that is
 * not whole and not marked as shown, or, if it is in the pack as well, is
 * replayed from there before; and nothing behind it.
 */
static bool
rest_damaged(const struct snap *s, const char *p, size_t n)
{
	static const char zero[4];

	if (n >= sizeof(zero) && memcmp(p, zero, sizeof(zero)) != 0)
		return true;
	return other_record(s, p, n);
}

int
snap_odd(struct bdb_kv *b, struct snap *s, bool *odd_r)
{
	struct record r;
	size_t n, need;
	char *p;
	int rc;

	*odd_r = false;
	if ((rc = rest_read(b, s, &p, &n)) < 0 || n == 0)
		return rc;
	/* A writer is about to show it. */
	if (record_decode(slice_make(p, n), &r, &need) && r.len == n &&
	    r.seq == s->seq + 1)
		*odd_r = r.odd;
	else
		*odd_r = rest_damaged(s, p, n);
	xfree(p);
	return 0;
}

int
snap_cut(struct bdb_kv *b, struct snap *s)
{
	bool bad;
	size_t n;
	char *p;
	int rc;

	if ((rc = rest_read(b, s, &p, &n)) < 0 || n == 0)
		return rc;
	bad = rest_damaged(s, p, n);
	xfree(p);
	if (bad)
		return kv_fail(&b->kv, STORE_E_CORRUPT,
		    "journal: damaged at %llu, after modseq %llu",
		    (unsigned long long)s->end, (unsigned long long)s->seq);
	if (sys_truncate(s->fd, s->end) < 0)
		return kv_fail_sys(&b->kv, "journal");
	return 0;
}

static int
head_read(struct bdb_kv *b, struct snap *s)
{
	unsigned char head[JOURNAL_HEAD];
	struct stat st;
	ssize_t n;
	int rc;

	s->fd = sys_openat(b->dirfd, "journal", O_RDWR | O_CLOEXEC, 0);
	if (s->fd < 0) {
		if (errno == ENOENT)
			return kv_fail(&b->kv, STORE_E_CORRUPT,
			    "journal: missing");
		return kv_fail_sys(&b->kv, "journal");
	}
	if (sys_fstat(s->fd, &st) < 0 ||
	    (n = sys_pread(s->fd, head, sizeof(head), 0)) < 0)
		return kv_fail_sys(&b->kv, "journal");
	rc = n < JOURNAL_HEAD ? STORE_E_CORRUPT :
				journal_head_decode(head, &s->head);
	if (rc == STORE_E_VERSION)
		return kv_fail(&b->kv, rc, "journal: its format has version "
		    "%u, newer than %u", be32_get(head + 8),
		    (unsigned)JOURNAL_VERSION);
	if (rc < 0)
		return kv_fail(&b->kv, rc, "journal: its head at 0 is "
		    "damaged");
	s->dev = (uint64_t)st.st_dev;
	s->ino = (uint64_t)st.st_ino;
	s->end = JOURNAL_HEAD;
	s->seq = s->head.seq;
	s->when = s->head.when;
	s->pos = s->head.pos;
	s->low.log = olog_new(s->head.gen != 0);
	return 0;
}

int
snap_open(struct bdb_kv *b, struct snap *s_r)
{
	struct snap s;
	int rc;

	for (int i = 0;; i++) {
		snap_init(&s);
		if ((rc = head_read(b, &s)) < 0)
			break;
		if (s.head.gen == 0)
			break;
		rc = base_open(b->dirfd, s.head.gen, s.head.base_size,
		    &s.low.base, b->kv.err, sizeof(b->kv.err));
		if (rc != STORE_E_NOTFOUND)
			break;
		/* A compaction took it away since: there is a new journal. */
		rc = STORE_E_CORRUPT;
		if (i >= OPEN_TRIES || snap_current(b, &s) != 0)
			break;
		snap_close(&s);
	}
	if (rc == 0 && b->s.low.log != NULL &&
	    memcmp(b->s.head.id, s.head.id, sizeof(s.head.id)) != 0)
		rc = kv_fail(&b->kv, STORE_E_FENCED,
		    "the account was repaired or restored");
	if (rc == 0)
		rc = snap_tail(b, &s, false);
	if (rc < 0)
		snap_close(&s);
	else
		*s_r = s;
	return rc;
}
