/* libstore/kv/compact.c - the journal's rows go into the next base */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/sys.h"

enum {
	DUE_MIN = 64 * 1024, DUE_MAX = 512 * 1024,
	/* Every so many generations the base is written anew, without the
	 * free pages and half full ones that changes leave behind. */
	ANEW_EVERY = 16
};

static int
copy_records(int from, int to, uint64_t off, uint64_t end)
{
	enum { STEP = 256 * 1024 };
	char *p = xmalloc(STEP);
	uint64_t at = JOURNAL_HEAD;
	int rc = 0;

	while (off < end && rc == 0) {
		size_t n = end - off < STEP ? (size_t)(end - off) : STEP;

		if (sys_pread(from, p, n, off) != (ssize_t)n ||
		    sys_pwrite(to, p, n, at) < 0)
			rc = -1;
		off += n;
		at += n;
	}
	xfree(p);
	return rc;
}

/* The new journal becomes the journal. */
static int
rename_over(struct bdb_kv *b, int fd, const struct journal_head *h)
{
	unsigned char head[JOURNAL_HEAD];
	struct journal_head settled = *h;

	if (sys_renameat(b->dirfd, "journal.new", "journal") < 0)
		return kv_fail_sys(&b->kv, "journal.new");
	if (sys_fsync(b->dirfd) < 0)
		return flush_failed(b, "directory");
	settled.settled = true;
	journal_head_encode(&settled, head);
	/* Else the next writer does it. */
	(void)sys_pwrite(fd, head + JOURNAL_STATE, 4, JOURNAL_STATE);
	return 0;
}

int
journal_switch(struct bdb_kv *b, const struct journal_head *h, uint64_t from)
{
	unsigned char head[JOURNAL_HEAD];
	struct journal_head fresh = *h;
	int fd, rc = 0;

	fresh.settled = false;
	journal_head_encode(&fresh, head);
	if (sys_unlinkat(b->dirfd, "journal.new") < 0 && errno != ENOENT)
		return kv_fail_sys(&b->kv, "journal.new");
	fd = sys_openat(b->dirfd, "journal.new",
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return kv_fail_sys(&b->kv, "journal.new");
	/* From the rename on others may find it: they wait until the directory
	 * is flushed. */
	if (sys_lock(fd, F_WRLCK, 0) != 0 ||
	    sys_pwrite(fd, head, sizeof(head), 0) < 0 ||
	    copy_records(b->s.fd, fd, from, b->s.end) < 0 ||
	    sys_fdatasync(fd) < 0)
		rc = kv_fail_sys(&b->kv, "journal.new");
	if (rc == 0)
		rc = rename_over(b, fd, &fresh);
	if (rc < 0 && rc != STORE_E_UNKNOWN)
		(void)sys_unlinkat(b->dirfd, "journal.new");
	io_close(&fd);
	return rc;
}

/* A base that no journal names, or what Berkeley DB calls one that it makes: of
 * a compaction that died. */
static int
remove_stray(struct bdb_kv *b, uint64_t gen, void *arg)
{
	const char *prefix = arg;
	char name[40];

	if (gen != b->s.head.gen || prefix[0] == '_') {
		snprintf(name, sizeof(name), "%s%llu", prefix,
		    (unsigned long long)gen);
		(void)sys_unlinkat(b->dirfd, name);
	}
	return 0;
}

static int
remove_strays(struct bdb_kv *b)
{
	char base[] = "base.", half[] = "__db.base.";
	int rc = dir_numbers(b, base, remove_stray, base);

	if (rc >= 0)
		rc = dir_numbers(b, half, remove_stray, half);
	return rc < 0 ? rc : logs_clean(b);
}

static int
switch_base(struct bdb_kv *b, struct journal_head *h, uint64_t from)
{
	int rc;

	h->suspect = false;
	rc = journal_switch(b, h, from);
	return rc < 0 ? rc : 1;
}

/* With the compaction's lock: writes the next base, then switches to it. */
static int
run(struct bdb_kv *b)
{
	struct journal_head h = b->s.head;
	uint64_t from = b->s.end, ino = b->s.ino;
	struct base_job j = { .dir = b->kv.dir, .dirfd = b->dirfd,
		.rows = &b->s.low, .old_gen = h.gen, .old_size = h.base_size,
		.gen = h.gen + 1, .head = &h };
	char name[40];
	int rc;

	if ((rc = remove_strays(b)) < 0)
		return rc;
	j.anew = h.gen == 0 || j.gen % ANEW_EVERY == 0;
	h.seq = b->s.seq;
	h.when = b->s.when;
	h.pos = b->s.pos;
	h.gen = j.gen;
	rc = base_write(&j, &h.base_size, &h.base_crc, b->kv.err,
	    sizeof(b->kv.err));
	if (rc == 0)
		rc = log_keep(b);
	if (rc == 0 && sys_fsync(b->dirfd) < 0)
		rc = kv_fail_sys(&b->kv, "directory");
	if (rc == 0 && (rc = writer_lock(b, b->kv.cf.lock_wait_ms)) == 0) {
		/* It may have been replaced after a failed flush; next time. */
		rc = b->s.ino == ino ? switch_base(b, &h, from) : 0;
		writer_unlock(b);
	}
	if (rc == STORE_E_UNKNOWN)
		return rc;
	/* The one that doesn't count; on a full disk it would be in the way. */
	snprintf(name, sizeof(name), "base.%llu",
	    (unsigned long long)(rc == 1 ? j.old_gen : j.gen));
	(void)sys_unlinkat(b->dirfd, name);
	if (rc <= 0)
		log_drop(b, j.old_gen);
	return rc;
}

/* A base of the size of this one and the journal, and for a moment both. */
static bool
room(const struct bdb_kv *b)
{
	return kv_room(b->dirfd,
	    b->s.head.base_size + 2 * (b->s.end - JOURNAL_HEAD));
}

/* 1: done.  Not if somebody else is at it, or was just now. */
static int
compact(struct bdb_kv *b)
{
	/* On the directory: the journal will be another file.  It is given
	 * back with the handle. */
	int rc = sys_flock(b->dirfd);

	if (rc < 0)
		return kv_fail_sys(&b->kv, "lock");
	if (rc == 1 || (rc = snap_current(b, &b->s)) == 0)
		return 0;
	if (rc < 0)
		return rc;
	/* Also of an account that rests. */
	return b->s.end > JOURNAL_HEAD ? run(b) : logs_clean(b);
}

static bool
due(const struct bdb_kv *b)
{
	uint64_t limit = b->s.head.base_size / 8;

	limit = limit < DUE_MIN ? DUE_MIN : limit;
	limit = limit > DUE_MAX ? DUE_MAX : limit;
	return b->s.end - JOURNAL_HEAD > limit;
}

struct sweep_job {
	bool all;
	uint32_t from;		/* these and later ones anyway */
	int done;
};

static int
sweep_one(struct bdb_kv *b, uint64_t no, void *arg)
{
	struct sweep_job *j = arg;
	bool wanted = j->all || no >= j->from;
	int rc;

	if (no > UINT32_MAX)
		return 0;
	for (size_t i = 0; i < b->n_sweep && !wanted; i++)
		wanted = b->sweep[i] == no;
	if (!wanted)
		return 0;
	rc = sweep_pack(b, (uint32_t)no);
	j->done |= rc == 1;
	/* What can't be swept now is swept another time. */
	return rc == STORE_E_UNKNOWN ? rc : 0;
}

/* Of such an account the next base fits where the reserve was. */
static bool
is_small(const struct bdb_kv *b)
{
	return b->s.head.base_size + b->s.end < RESERVE_SIZE / 2;
}

/* b: a handle of its own, so that the caller's keeps its snapshot. */
static int
idle(struct bdb_kv *b, bool compaction, bool all)
{
	struct sweep_job j = { .all = all, .from = UINT32_MAX };
	uint32_t before = b->s.head.pos.pack;
	int done = 0, rc;

	if (compaction) {
		done = compact(b);
		if (done == STORE_E_NOSPACE && b->n_sweep > 0 && is_small(b) &&
		    reserve_release(b))
			done = compact(b);
		/* Sweeping gives space back, and needs none. */
		if (done < 0 && done != STORE_E_NOSPACE)
			return done;
		if ((rc = kv_refresh(&b->kv)) < 0)
			return rc;
		if (done == 1)	/* more of the packs may be swept now */
			j.from = before;
	}
	if ((rc = dir_numbers(b, "pack.", sweep_one, &j)) < 0)
		return rc;
	return done < 0 && !j.done ? done : done > 0 || j.done;
}

int
bdb_idle(struct kv *kv, bool force)
{
	struct bdb_kv *b = (struct bdb_kv *)kv, *own;
	bool compaction = force || (due(b) && (room(b) || b->n_sweep > 0));
	struct kv *other;
	int rc = 0;

	if (b->broken)
		return 0;
	if (compaction || b->n_sweep > 0) {
		if ((rc = kv_reopen(kv, &other)) < 0)
			return kv_fail(kv, rc, "can't open another handle");
		own = (struct bdb_kv *)other;
		own->sweep = b->sweep;
		own->n_sweep = b->n_sweep;
		b->sweep = NULL;
		b->n_sweep = 0;
		rc = idle(own, compaction, force);
		if (rc < 0) {
			(void)kv_fail(kv, rc, "idle: %s", other->err);
			/* Another time. */
			b->sweep = own->sweep;
			b->n_sweep = own->n_sweep;
			own->sweep = NULL;
			own->n_sweep = 0;
		}
		b->broken = b->broken || own->broken;
		kv_close(&other);
	}
	reserve_restore(b);
	return rc;
}
