/* libstore/kv/backup.c - copying what a repository doesn't have yet */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/repo.h"
#include "libstore/kv/sys.h"

/*
 * A handle of its own shows one state: what its journal tells up to there, with
 * the base below it, which is held open, and what is in the packs by then.  The
 * files only grow (the journal is replaced, and then has another name), so they
 * are copied while others go on.  A pack is swept in place: that waits.
 */

enum {
	LOGS_MIN = 1024 * 1024,		/* of logs, before another base */
	BASE_OLD_S = 7 * 86400,
	BLOAT_MIN = 64 * 1024 * 1024,
	OPEN_TRIES = 20
};

struct job {
	struct bdb_kv *b;
	struct kv_repo *r;
	const struct kv_backup *conf;
	struct repo_set s;
	uint64_t now, octets;
	int base_fd;
	uint64_t source;	/* octets that the account's packs take */
};

static int
job_fail(struct job *j, int rc)
{
	if (rc < 0 && j->r->err[0] == '\0')
		(void)repo_fail(j->r, rc, "%s", j->b->kv.err);
	return rc;
}

static int
append(struct job *j, const char *name, const struct repo_source *src,
    uint32_t *crc_r)
{
	int rc;

	if (src->len == 0)
		return 0;
	rc = set_append(j->r, &j->s, name, src, crc_r);
	j->octets += rc == 0 ? src->len : 0;
	return rc;
}

/* ---- the account -------------------------------------------------------- */

/* Opens the base of the newest state, which may be replaced just now. */
static int
hold_base(struct job *j)
{
	char name[40];
	int rc;

	for (int i = 0; j->b->s.head.gen != 0; i++) {
		snprintf(name, sizeof(name), "base.%llu",
		    (unsigned long long)j->b->s.head.gen);
		j->base_fd = sys_openat(j->b->dirfd, name,
		    O_RDONLY | O_CLOEXEC, 0);
		if (j->base_fd >= 0)
			return 0;
		if (errno != ENOENT || i >= OPEN_TRIES)
			return repo_fail_sys(j->r, "%s", name);
		if ((rc = kv_refresh(&j->b->kv)) < 0)
			return rc;
	}
	return 0;
}

/* ---- journals ----------------------------------------------------------- */

static int
newest_log(void *arg, uint64_t gen)
{
	*(uint64_t *)arg = gen;
	return 0;
}

/* How far log.gen of the account goes; 1: it is not (any more) what follows
 * what was copied, which goes up to seq. */
static int
log_end(struct job *j, int fd, uint64_t gen, uint64_t seq, struct log_at *at)
{
	struct journal_head h;
	struct log_at first;
	struct stat st;
	uint64_t end;
	int rc = log_head(fd, &h, &first);

	if (rc == STORE_E_IO || sys_fstat(fd, &st) < 0)
		return repo_fail_sys(j->r, "log.%llu",
		    (unsigned long long)gen);
	if (rc < 0 || h.gen != gen ||
	    memcmp(h.id, j->s.id, sizeof(h.id)) != 0)
		return 1;
	end = gen == j->b->s.head.gen ? j->b->s.end : (uint64_t)st.st_size;
	if (at->off == 0)
		*at = first;
	if (at->off > end || first.seq > seq)
		return 1;
	if (log_scan(fd, end, at, NULL, NULL) < 0)
		return repo_fail_sys(j->r, "log.%llu",
		    (unsigned long long)gen);
	return at->off != end;
}

/* Copies what is new of one journal.  1: it doesn't fit. */
static int
copy_log(struct job *j, uint64_t gen, uint64_t seq, struct log_at *at)
{
	struct repo_source src = { .off = at->off };
	char name[32];
	int fd = j->b->s.fd, rc;

	log_name(gen, name);
	if (gen != j->b->s.head.gen)
		fd = sys_openat(j->b->dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errno == ENOENT ? 1 : repo_fail_sys(j->r, "%s", name);
	src.fd = fd;
	if ((rc = log_end(j, fd, gen, seq, at)) == 0) {
		src.len = at->off - src.off;
		rc = append(j, name, &src, NULL);
	}
	if (fd != j->b->s.fd)
		io_close(&fd);
	return rc;
}

/* The chain from where the set's newest log ends.  1: it has a gap. */
static int
copy_chain(struct job *j, uint64_t gen)
{
	struct log_at at = { .off = 0 };
	uint64_t seq;
	int rc;

	if (gen > j->b->s.head.gen)
		return 1;
	if ((rc = set_scan(j->r, &j->s, gen, &at, NULL, NULL)) < 0)
		return rc;
	seq = at.seq;
	while ((rc = copy_log(j, gen, seq, &at)) == 0 &&
	    gen < j->b->s.head.gen) {
		seq = at.seq;
		at = (struct log_at){ .off = 0 };
		gen++;
	}
	return rc;
}

struct bases {
	struct job *j;
	uint64_t gen, logs;	/* the newest, and octets of logs since */
	bool any;
};

static int
newest_base(void *arg, uint64_t gen)
{
	struct bases *x = arg;

	x->gen = gen;
	x->any = true;
	return 0;
}

static int
sum_logs(void *arg, uint64_t gen)
{
	struct bases *x = arg;
	char name[32];

	log_name(gen, name);
	if (gen >= x->gen)
		x->logs += set_size(&x->j->s, name);
	return 0;
}

/* Is it time for another base?  The logs since the last one are to be replayed
 * when something is restored, and what is before it can be given up one day. */
static int
base_wanted(struct job *j)
{
	const struct journal_head *h = &j->b->s.head;
	struct bases x = { .j = j };
	struct journal_head old;
	uint64_t limit = h->base_size / 2, age = BASE_OLD_S;
	int rc;

	(void)set_each(&j->s, "base.", newest_base, &x);
	(void)set_each(&j->s, "log.", sum_logs, &x);
	if (x.gen >= h->gen)
		return 0;
	if (x.logs > (limit > LOGS_MIN ? limit : LOGS_MIN))
		return 1;
	if (j->conf->keep_s > 0 && j->conf->keep_s / 4 < age)
		age = j->conf->keep_s / 4;
	if ((rc = set_head(j->r, &j->s, x.gen, &old)) < 0)
		return rc;
	return old.when / 1000000 + age < j->now / 1000000;
}

static int
copy_base(struct job *j)
{
	const struct journal_head *h = &j->b->s.head;
	struct repo_source src = { .fd = j->base_fd, .len = h->base_size };
	char name[32];
	uint32_t crc;
	int rc;

	if (h->gen == 0)
		return 0;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)h->gen);
	if (set_has(&j->s, name))
		return 0;
	rc = append(j, name, &src, &crc);
	if (rc == 0 && crc != h->base_crc)
		return repo_fail(j->r, STORE_E_CORRUPT,
		    "the account is damaged: %s: checksum", name);
	return rc;
}

/* Journals, and a base if it is time for one.  1: begin a new set. */
static int
copy_journals(struct job *j)
{
	struct log_at at = { .off = 0 };
	uint64_t gen = UINT64_MAX;
	char name[32];
	int rc;

	(void)set_each(&j->s, "log.", newest_log, &gen);
	if (gen != UINT64_MAX) {
		if ((rc = copy_chain(j, gen)) < 0)
			return rc;
		if (rc == 0) {
			rc = base_wanted(j);
			return rc == 1 ? copy_base(j) : rc;
		}
	}
	/* From here on again; moments before the gap stay. */
	log_name(j->b->s.head.gen, name);
	if (set_has(&j->s, name))
		return 1;
	if ((rc = copy_base(j)) < 0)
		return rc;
	rc = copy_log(j, j->b->s.head.gen, UINT64_MAX, &at);
	return rc == 1 ? repo_fail(j->r, STORE_E_CORRUPT,
	    "the account's journal can't be read") : rc;
}

/* ---- packs -------------------------------------------------------------- */

/*
 * Neighbours that are dead become one item, which may reach over either end of
 * what is to be copied.  The part that is copied gets a header of its own.
 */
struct tail {
	struct repo_source src;
	unsigned char head[2][ITEM_HEAD];
};

static void
cut_item(struct tail *t, uint64_t from, uint64_t to)
{
	struct item it = { .kind = ITEM_DEAD, .len = to - from };
	unsigned char *head = t->head[t->src.n_patch];

	item_encode(&it, head);
	t->src.patch[t->src.n_patch].off = from;
	t->src.patch[t->src.n_patch++].octets =
	    slice_make((const char *)head, ITEM_HEAD);
}

static int
cut_items(struct job *j, struct tail *t)
{
	uint64_t from = t->src.off, to = from + t->src.len, at, next;
	unsigned char head[ITEM_HEAD];
	struct item it;

	for (at = PACK_HEAD; at < to; at = next) {
		ssize_t n = sys_pread(t->src.fd, head, sizeof(head), at);

		if (n < 0)
			return repo_fail_sys(j->r, "pack");
		if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
		    it.len > INT64_MAX / 2 - at)
			return repo_fail(j->r, STORE_E_CORRUPT,
			    "the account is damaged: bad item at %llu",
			    (unsigned long long)at);
		next = at + it.len;
		if (next > to && it.kind != ITEM_DEAD)
			return repo_fail(j->r, STORE_E_CORRUPT,
			    "the account is damaged: long item at %llu",
			    (unsigned long long)at);
		if (next > from && (at < from || next > to))
			cut_item(t, at < from ? from : at,
			    next > to ? to : next);
	}
	return 0;
}

/* Copies octets from `have` to end of a pack whose sweep waits. */
static int
copy_tail(struct job *j, const struct pack_file *p, const char *name,
    uint64_t have, uint64_t end)
{
	struct tail t = { .src = { .fd = p->fd, .off = have,
		.len = end - have } };
	int rc = p->own ? 0 : cut_items(j, &t);

	return rc < 0 ? rc : append(j, name, &t.src, NULL);
}

static int
lock_pack(struct job *j, const struct pack_file *p)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	uint32_t left = j->b->kv.cf.lock_wait_ms / 10 + 1;
	int rc;

	while ((rc = sys_lock(p->fd, F_WRLCK, 0)) == 1 && left-- > 0)
		(void)nanosleep(&pause, NULL);
	return rc < 0 ? repo_fail_sys(j->r, "lock") :
	    rc == 1 ? repo_fail(j->r, STORE_E_BUSY,
		"pack.%lu is being swept", (unsigned long)p->no) : 0;
}

static int
copy_pack(struct bdb_kv *b, uint64_t no, void *arg)
{
	struct job *j = arg;
	struct pack_file *p;
	struct stat st;
	uint64_t have, end;
	char name[24];
	int rc;

	if (no >= b->s.pos.next)
		return 0;
	rc = pack_open(b, (uint32_t)no, &p);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	if (rc < 0)
		return job_fail(j, rc);
	pack_name((uint32_t)no, name);
	have = set_size(&j->s, name);
	if ((rc = lock_pack(j, p)) == 0 && sys_fstat(p->fd, &st) < 0)
		rc = repo_fail_sys(j->r, "%s", name);
	if (rc == 0) {
		j->source += (uint64_t)st.st_blocks * 512;
		end = no == b->s.pos.pack ? b->s.pos.end :
					    (uint64_t)st.st_size;
		if (end > (uint64_t)st.st_size || end < have)
			rc = repo_fail(j->r, STORE_E_CORRUPT,
			    "the account is damaged: %s is short", name);
		else if (end > have)
			rc = copy_tail(j, p, name, have, end);
	}
	pack_put(p);	/* and gives back its lock */
	return rc;
}

static int
note_gone(void *arg, uint64_t no)
{
	struct job *j = arg;
	struct stat st;
	char name[24];

	pack_name((uint32_t)no, name);
	if (sys_fstatat(j->b->dirfd, name, &st) < 0 && errno == ENOENT &&
	    !set_is_gone(&j->s, name))
		set_add_gone(&j->s, name, j->now);
	return 0;
}

/* ---- giving up ---------------------------------------------------------- */

struct prune {
	struct job *j;
	uint64_t before;	/* moments from here on are kept */
	uint64_t gen;		/* the newest base that is older */
	uint64_t sum;		/* octets of packs */
	bool any;
	char (*drop)[REPO_NAME];
	size_t n;
};

/* When the first moment is that a set can restore. */
static int
first_log(void *arg, uint64_t gen)
{
	*(uint64_t *)arg = gen;
	return 1;
}

static int
old_base(void *arg, uint64_t gen)
{
	struct prune *x = arg;
	struct journal_head h;

	if (set_head(x->j->r, &x->j->s, gen, &h) == 0 && h.when <= x->before) {
		x->gen = gen;
		x->any = true;
	}
	return 0;
}

static void
drop(struct prune *x, const char *name)
{
	x->drop = xreallocarray(x->drop, x->n + 1, sizeof(*x->drop));
	snprintf(x->drop[x->n++], REPO_NAME, "%s", name);
}

static int
drop_before(void *arg, uint64_t gen)
{
	struct prune *x = arg;
	char name[32];

	if (gen >= x->gen)
		return 0;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)gen);
	if (set_has(&x->j->s, name))
		drop(x, name);
	log_name(gen, name);
	drop(x, name);
	return 0;
}

/* Files of the newest set that no moment wants any more; before its index. */
static void
prune_files(struct prune *x)
{
	struct repo_set *s = &x->j->s;

	(void)set_each(s, "base.", old_base, x);
	if (x->any)
		(void)set_each(s, "log.", drop_before, x);
	for (size_t i = 0; i < s->n_gone; i++)
		if (s->gone[i].at < x->before)
			drop(x, s->gone[i].name);
	for (size_t i = 0; i < x->n; i++)
		set_drop(s, x->drop[i]);
}

/* Whole sets, each of which is replaced by the next. */
static int
prune_sets(struct prune *x)
{
	struct kv_repo *r = x->j->r;
	size_t keep = r->n_set;
	int rc = 0;

	while (keep > 1) {
		uint64_t gen = UINT64_MAX;
		struct journal_head h;
		struct repo_set s;

		if (set_open(r, r->set[keep - 1], &s) < 0)
			break;
		(void)set_each(&s, "log.", first_log, &gen);
		rc = gen == UINT64_MAX ? -1 : set_head(r, &s, gen, &h);
		set_release(&s);
		if (rc < 0 || h.when <= x->before)
			break;
		keep--;
	}
	r->err[0] = '\0';
	for (size_t i = 0; i + 1 < keep; i++)
		if ((rc = set_remove(r, r->set[i])) < 0)
			return rc;
	return 0;
}

/* ---- all of it ---------------------------------------------------------- */

static int
sum_packs(void *arg, uint64_t no)
{
	struct prune *x = arg;
	char name[24];

	pack_name((uint32_t)no, name);
	x->sum += set_size(&x->j->s, name);
	return 0;
}

/* Is most of what the set has of mail that the account no longer has? */
static bool
bloated(struct job *j)
{
	struct prune x = { .j = j };

	(void)set_each(&j->s, "pack.", sum_packs, &x);
	return x.sum > 2 * j->source + BLOAT_MIN;
}

static int
finish(struct job *j)
{
	struct prune x = { .j = j };
	struct repo_run run = { .at = j->now, .seq = j->b->s.seq,
		.when = j->b->s.when };
	int rc;

	set_add_run(&j->s, &run);
	if (j->conf->keep_s > 0) {
		x.before = j->conf->keep_s > j->now / 1000000 ? 0 :
		    j->now - j->conf->keep_s * 1000000;
		prune_files(&x);
	}
	rc = set_save(j->r, &j->s);
	if (rc == 0 && (j->r->n_set == 0 ||
	    j->r->set[j->r->n_set - 1] != j->s.no)) {
		j->r->set = xreallocarray(j->r->set, j->r->n_set + 1,
		    sizeof(*j->r->set));
		j->r->set[j->r->n_set++] = j->s.no;
		if (sys_fsync(j->r->fd) < 0)
			rc = repo_fail_sys(j->r, "%s", j->r->dir);
	}
	for (size_t i = 0; i < x.n && rc == 0; i++)
		set_unlink(&j->s, x.drop[i]);
	if (rc == 0 && j->conf->keep_s > 0)
		rc = prune_sets(&x);
	xfree(x.drop);
	return rc;
}

/* 1: this set can't be continued. */
static int
copy_all(struct job *j)
{
	int rc;

	if ((rc = copy_journals(j)) != 0)
		return rc;
	if ((rc = dir_numbers(j->b, "pack.", copy_pack, j)) < 0)
		return job_fail(j, rc);
	return set_each(&j->s, "pack.", note_gone, j);
}

/* The newest set, if it is of this account and can be continued. */
static int
choose_set(struct job *j)
{
	struct kv_repo *r = j->r;
	int rc = 0;

	if (j->conf->full || r->n_set == 0)
		return 1;
	if ((rc = set_open(r, r->set[r->n_set - 1], &j->s)) < 0)
		return rc;
	return memcmp(j->s.id, j->b->s.head.id, sizeof(j->s.id)) != 0;
}

static int
run(struct job *j, bool *full_r)
{
	int rc;

	if ((rc = choose_set(j)) < 0)
		return rc;
	if (rc == 0 && (rc = copy_all(j)) < 0)
		return rc;
	*full_r = rc == 1;
	if (rc == 1) {
		set_release(&j->s);
		j->source = 0;
		if ((rc = set_new(j->r, j->b->s.head.id, &j->s)) < 0 ||
		    (rc = copy_all(j)) < 0)
			return rc;
		if (rc == 1)
			return repo_fail(j->r, STORE_E_CORRUPT,
			    "the account's journal can't be read");
	}
	return finish(j);
}

int
bdb_backup(struct kv *kv, struct kv_repo *r, const struct kv_backup *conf,
    struct kv_backed *d_r)
{
	struct job j = { .r = r, .conf = conf, .base_fd = -1, .s.fd = -1 };
	struct kv_backup again = *conf;
	struct kv *other;
	bool full = false;
	int rc;

	r->err[0] = '\0';
	if ((rc = kv_reopen(kv, &other)) < 0)
		return repo_fail(r, rc, "the account can't be opened");
	j.b = (struct bdb_kv *)other;
	j.now = commit_time(j.b);
	if ((rc = hold_base(&j)) == 0)
		rc = run(&j, &full);
	(void)job_fail(&j, rc);
	if (rc == 0)
		*d_r = (struct kv_backed){ .modseq = j.b->s.seq,
			.when = j.b->s.when, .octets = j.octets,
			.full = full };
	again.full = rc == 0 && !full && conf->keep_s > 0 && bloated(&j);
	io_close(&j.base_fd);
	set_release(&j.s);
	kv_close(&other);
	return again.full ? bdb_backup(kv, r, &again, d_r) : rc;
}
