/* libstore/kv/lock.c - becoming the account's writer */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libstore/kv/be.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/sys.h"

/*
 * fcntl() has no wait with an end, and a signal for one would be the whole
 * process's.  So: try again and again.  Writers hold the lock for one flush, a
 * fraction of a millisecond, and when there are many the lock must not lie idle
 * for long; only who has waited for longer than that sleeps longer.
 */
enum {
	SLEEP_US = 120, SLEEP_LONG_US = 1000,
	LONG_MS = 50,	/* after which it is not just a crowd */
	STREAK = 16	/* transactions in a row, then a pause */
};

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Takes the writer's lock. */
static int
lock_wait(struct bdb_kv *b, int fd, int64_t until_ms)
{
	int64_t start = 0, now;

	for (;;) {
		int rc = sys_lock(fd, F_WRLCK, 0);
		struct timespec t = { 0, SLEEP_US * 1000 };

		if (rc == 0)
			return 0;
		if (rc < 0)
			return kv_fail_sys(&b->kv, "lock");
		now = time_mono_ms();
		if (now >= until_ms)
			return kv_fail(&b->kv, STORE_E_BUSY,
			    "the account stayed locked");
		start = start == 0 ? now : start;
		if (now - start > LONG_MS)
			t.tv_nsec = SLEEP_LONG_US * 1000;
		(void)nanosleep(&t, NULL);
	}
}

int
flush_failed(struct bdb_kv *b, const char *what)
{
	unsigned char head[JOURNAL_HEAD];
	struct journal_head h = b->s.head;
	int e = errno;

	/* What was written but not flushed before may be lost as well, while
	 * the kernel takes it for clean: the next writer shall write the whole
	 * journal anew. */
	h.suspect = true;
	journal_head_encode(&h, head);
	if (b->s.fd >= 0)
		(void)sys_pwrite(b->s.fd, head + JOURNAL_STATE + 4, 4,
		    JOURNAL_STATE + 4);
	errno = e;
	b->broken = true;
	if (sys_hook == NULL || !sys_hook->survive)
		fatal("%s: %s: flush failed: %s", b->kv.dir, what,
		    strerror(e));
	(void)kv_fail_sys(&b->kv, "%s: flush failed", what);
	return STORE_E_UNKNOWN;
}

static int
head_again(struct bdb_kv *b, struct journal_head *h)
{
	unsigned char head[JOURNAL_HEAD];
	int rc;

	if (sys_pread(b->s.fd, head, sizeof(head), 0) != JOURNAL_HEAD)
		return kv_fail_sys(&b->kv, "journal");
	if ((rc = journal_head_decode(head, h)) < 0)
		return kv_fail(&b->kv, rc, "journal: bad header");
	return 0;
}

/* A compaction died between its rename and the flush of the directory. */
static int
settle(struct bdb_kv *b, struct journal_head *h)
{
	unsigned char head[JOURNAL_HEAD];

	if (h->settled)
		return 0;
	if (sys_fsync(b->dirfd) < 0)
		return flush_failed(b, "directory");
	h->settled = true;
	journal_head_encode(h, head);
	if (sys_pwrite(b->s.fd, head + JOURNAL_STATE, 4, JOURNAL_STATE) < 0)
		return kv_fail_sys(&b->kv, "journal");
	return 0;
}

/* After a failed flush everything is written to a new file.  1: look again.  A
 * compaction that is under way will see that, and give up. */
static int
renew(struct bdb_kv *b, struct journal_head *h)
{
	int rc;

	log_warn("%s: a flush failed here; writing the journal anew",
	    b->kv.dir);
	h->suspect = false;
	rc = journal_switch(b, h, JOURNAL_HEAD);
	return rc < 0 ? rc : 1;
}

/* The snapshot becomes that of the file which is the journal now. */
static int
look_again(struct bdb_kv *b)
{
	struct snap s;
	int rc = snap_open(b, &s);

	if (rc == 0) {
		snap_close(&b->s);
		b->s = s;
	}
	return rc;
}

/* With the lock: to the newest state.  1: the journal is another file now. */
static int
catch_up(struct bdb_kv *b)
{
	struct journal_head h;
	int rc;

	if ((rc = snap_current(b, &b->s)) < 0)
		return rc;
	if (rc == 0)
		return (rc = look_again(b)) < 0 ? rc : 1;
	if ((rc = head_again(b, &h)) < 0 || (rc = settle(b, &h)) < 0)
		return rc;
	/* Behind what is replayed over a gap there may be records again. */
	do {
		if ((rc = snap_tail(b, &b->s, true)) < 0 ||
		    (rc = recover_packs(b)) < 0)
			return rc;
	} while (rc == 1);
	if ((rc = snap_cut(b, &b->s)) < 0)
		return rc;
	return h.suspect ? renew(b, &h) : 0;
}

/*
 * Who writes again and again would have the lock nearly all the time, and those
 * who try for it would rarely meet it free.  So now and then he lets them.
 */
static void
be_fair(struct bdb_kv *b)
{
	const struct timespec pause = { 0, SLEEP_US * 1000 };

	if (now_us() - b->unlocked_us > SLEEP_US)
		b->streak = 0;
	else if (++b->streak >= STREAK) {
		(void)nanosleep(&pause, NULL);
		b->streak = 0;
	}
}

int
writer_lock(struct bdb_kv *b, uint32_t wait_ms)
{
	int64_t until = wait_ms == 0 ? 0 : time_mono_ms() + wait_ms;
	int rc;

	if (b->salvage != NULL)
		return 0;	/* it has the lock all the time */
	if (b->broken)
		return kv_fail(&b->kv, STORE_E_FENCED, "a flush failed");
	if (wait_ms > 0)
		be_fair(b);
	do {
		if (b->s.fd < 0 && (rc = look_again(b)) < 0)
			break;
		rc = lock_wait(b, b->s.fd, until);
		if (rc < 0)
			break;
		rc = catch_up(b);
		if (rc != 0)
			writer_unlock(b);
	} while (rc == 1);
	b->kv.modseq = b->s.seq;
	return rc;
}

void
writer_unlock(struct bdb_kv *b)
{
	if (b->salvage != NULL)
		return;
	b->unlocked_us = now_us();
	/* Even unlocking may want memory.  Closing gives it back for sure; the
	 * journal is then opened again when it is wanted. */
	if (b->s.fd >= 0 && sys_lock(b->s.fd, F_UNLCK, 0) < 0) {
		io_close(&b->s.fd);
		b->s.ino = 0;
	}
}
