/*
 * libstore/kv/salvage.c - repairing a damaged account
 *
 * Until the very end nothing of the account changes but what is damaged in its
 * packs: a handle shows what can be trusted, what is done with it stays in
 * memory, and then a new base and journal take the place of the old ones in one
 * step, as after a compaction.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/log.h"
#include "libstore/kv/salvage.h"
#include "libstore/kv/sys.h"

#define MARGIN (UINT64_C(1) << 20)	/* modseqs that nobody may have seen */

void
sv_say(struct salvage *v, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->fn(v->arg, text);
}

void *
sv_grow(void *p, size_t *cap, size_t n, size_t size)
{
	if (n <= *cap)
		return p;
	*cap = *cap == 0 ? 64 : *cap * 2;
	return xreallocarray(p, *cap, size);
}

void
sv_free(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;

	b->salvage = NULL;
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n_rec; i++)
		xfree(v->rec[i].octets);
	xfree(v->rec);
	xfree(v->blob);
	xfree(v->bad);
	overlay_release(&v->rows);
	io_close(&v->lock_fd);
	xfree(v->aside);
	xfree(v);
}

/* ---- the account is nobody else's meanwhile ------------------------------ */

/* 0, or 1: not yet. */
static int
lock_try(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	struct stat mine, now;
	int rc;

	/* No compaction, no other repair. */
	if ((rc = sys_flock(b->dirfd)) != 0)
		return rc < 0 ? kv_fail_sys(&b->kv, "lock") : 1;
	io_close(&v->lock_fd);
	v->lock_fd = sys_openat(b->dirfd, "journal", O_RDWR | O_CLOEXEC, 0);
	if (v->lock_fd < 0)
		return errno == ENOENT ? 0 : kv_fail_sys(&b->kv, "journal");
	if ((rc = sys_lock(v->lock_fd, F_WRLCK, 0)) != 0)
		return rc < 0 ? kv_fail_sys(&b->kv, "lock") : 1;
	if (sys_fstat(v->lock_fd, &mine) < 0 ||
	    sys_fstatat(b->dirfd, "journal", &now) < 0)
		return kv_fail_sys(&b->kv, "journal");
	return mine.st_ino != now.st_ino;
}

static int
lock_all(struct bdb_kv *b)
{
	const struct timespec pause = { 0, 1000000 };
	int64_t until = time_mono_ms() + b->kv.cf.lock_wait_ms;
	int rc;

	while ((rc = lock_try(b)) == 1) {
		if (time_mono_ms() >= until)
			return kv_fail(&b->kv, STORE_E_BUSY,
			    "the account stayed locked");
		(void)nanosleep(&pause, NULL);
	}
	return rc;
}

/* ---- collecting --------------------------------------------------------- */

static int
gen_note(struct bdb_kv *b, uint64_t no, void *arg)
{
	(void)arg;
	if (no > b->salvage->gen_max && no < UINT64_MAX)
		b->salvage->gen_max = no;
	return 0;
}

/* The rows become the snapshot of the handle. */
static void
snapshot(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	const struct orow *r;
	struct owalk w;

	b->s.low.log = olog_new(false);
	owalk_seek(&w, &v->rows, slice_make(NULL, 0), false);
	for (; (r = owalk_row(&w)) != NULL; owalk_step(&w))
		if (r->kind == OROW_VALUE)
			olog_put(b->s.low.log, orow_key(r), orow_value(r));
	if (v->head.seq > b->s.seq)
		b->s.seq = v->head.seq;
	b->s.seq += MARGIN;
	b->kv.modseq = b->s.seq;
}

static int
collect(struct bdb_kv *b)
{
	int rc;

	if ((rc = lock_all(b)) < 0 ||
	    (rc = dir_numbers(b, "base.", gen_note, NULL)) < 0 ||
	    (rc = sv_journal(b)) < 0 || (rc = sv_base(b)) < 0 ||
	    (rc = sv_packs(b)) < 0 || (rc = sv_apply(b)) < 0)
		return rc;
	snapshot(b);
	return 0;
}

/* The directory for the originals, from the root on. */
static char *
absolute(const char *path)
{
	char cwd[4096];

	if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

int
bdb_salvage(const struct kv_conf *cf, const char *dir, const char *aside,
    void (*fn)(void *arg, const char *text), void *arg, struct kv **kv_r)
{
	struct bdb_kv *b = bdb_new(cf, dir);
	struct salvage *v = xcalloc(1, sizeof(*v));
	int rc;

	b->salvage = v;
	b->kv.told = true;	/* it is why this is done */
	overlay_init(&v->rows, true);
	v->lock_fd = -1;
	v->aside = absolute(aside);
	v->fn = fn;
	v->arg = arg;
	if ((rc = bdb_dir_open(b)) == 0)
		rc = collect(b);
	if (rc < 0) {
		sv_say(v, "can't be repaired: %s", b->kv.err);
		b->kv.ops->close(&b->kv);
		return rc;
	}
	*kv_r = &b->kv;
	return 0;
}

int
bdb_salvage_blobs(struct kv *kv, int (*fn)(void *arg, const struct kv_ref *ref,
    uint64_t size), void *arg)
{
	const struct salvage *v = ((struct bdb_kv *)kv)->salvage;
	int rc = 0;

	for (size_t i = 0; i < v->n_blob && rc == 0; i++)
		rc = fn(arg, &v->blob[i].ref, v->blob[i].raw);
	return rc;
}

void
bdb_salvage_floor(struct kv *kv, uint64_t modseq)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;

	if (b->s.seq < modseq + MARGIN)
		b->s.seq = b->kv.modseq = modseq + MARGIN;
}

/* ---- the end ------------------------------------------------------------ */

static int
link_aside(struct bdb_kv *b, const char *name)
{
	char *to = xasprintf("%s/%s", b->salvage->aside, name);
	int rc = 0;

	if (sys_linkat(b->dirfd, name, to) < 0 && errno != ENOENT &&
	    errno != EEXIST)
		rc = kv_fail_sys(&b->kv, "%s", to);
	xfree(to);
	return rc;
}

static int
base_aside(struct bdb_kv *b, uint64_t no, void *arg)
{
	char name[40];

	(void)arg;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)no);
	return link_aside(b, name);
}

static int
base_remove(struct bdb_kv *b, uint64_t no, void *arg)
{
	const uint64_t *keep = arg;
	char name[40];

	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)no);
	if (no != *keep)
		(void)sys_unlinkat(b->dirfd, name);
	return 0;
}

static int
log_aside(struct bdb_kv *b, uint64_t no, void *arg)
{
	char name[32];

	(void)arg;
	log_name(no, name);
	return link_aside(b, name);
}

/* What they tell leads to a base that is no more. */
static int
log_remove(struct bdb_kv *b, uint64_t no, void *arg)
{
	(void)arg;
	log_drop(b, no);
	return 0;
}

static int
switch_over(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	struct journal_head h = { .gen = v->gen_max + 1, .seq = b->s.seq,
		.when = commit_time(b),	/* a history of its own begins */
		.pos = { .next = v->pack_max + 1 } };
	struct base_job j = { .dir = b->kv.dir, .dirfd = b->dirfd,
		.rows = &b->s.low, .gen = h.gen, .anew = true, .head = &h };
	char half[40];
	int rc;

	/* Of a repair that failed. */
	snprintf(half, sizeof(half), "__db.base.%llu",
	    (unsigned long long)h.gen);
	(void)sys_unlinkat(b->dirfd, half + 5);
	(void)sys_unlinkat(b->dirfd, half);
	/* Handles that are open shall not take it for what they had. */
	random_bytes(h.id, sizeof(h.id));
	rc = base_write(&j, &h.base_size, &h.base_crc, b->kv.err,
	    sizeof(b->kv.err));
	if (rc < 0)
		return rc;
	if (sys_fsync(b->dirfd) < 0)
		return kv_fail_sys(&b->kv, "directory");
	b->s.end = JOURNAL_HEAD;	/* no records */
	if ((rc = journal_switch(b, &h, JOURNAL_HEAD)) < 0)
		return rc;
	/* It is done, whatever lies about. */
	if (dir_numbers(b, "log.", log_remove, NULL) < 0 ||
	    dir_numbers(b, "base.", base_remove, &h.gen) < 0)
		sv_say(v, "what was replaced can't be removed: %s", b->kv.err);
	return 0;
}

int
bdb_salvage_done(struct kv *kv)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;
	int rc;

	if ((rc = link_aside(b, "journal")) < 0 ||
	    (rc = dir_numbers(b, "base.", base_aside, NULL)) < 0 ||
	    (rc = dir_numbers(b, "log.", log_aside, NULL)) < 0 ||
	    (rc = sv_packs_mend(b)) < 0)
		return rc;
	return switch_over(b);
}
