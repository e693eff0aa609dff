/* libstore/kv/restore.c - an account as it was, from a repository */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "libstore/kv/be.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/repo.h"
#include "libstore/kv/sys.h"

/* ---- which moments there are -------------------------------------------- */

/* A state: the base of gen, and the records up to seq. */
struct target {
	uint64_t gen, seq, when;
	bool found;
	bool certain;		/* what came next was after the time wanted */
};

/* A set's states in order, by its bases and logs. */
struct walk {
	struct kv_repo *r;
	struct repo_set *s;
	uint64_t when;		/* wanted: not after that */
	struct target best;
	bool newest;		/* best is in the last stretch */
	struct kv_moments now;	/* the stretch */
	uint64_t base;		/* the newest one in it */
	bool open;		/* there is a stretch that may go on */
	void (*fn)(void *arg, const struct kv_moments *m);
	void *arg;
};

/*
 * Clocks go back at times.  What counts is the last transaction that isn't after
 * the time wanted.
 */
static void
walk_state(struct walk *w, uint64_t seq, uint64_t when)
{
	w->now.to = when;
	w->now.to_modseq = seq;
	if (when <= w->when && seq > 0) {
		w->best = (struct target){ .gen = w->base, .seq = seq,
			.when = when, .found = true };
		w->newest = true;
	} else if (w->newest)
		w->best.certain = true;
}

static int
walk_record(void *arg, const struct record *r, struct slice octets)
{
	struct walk *w = arg;

	(void)octets;
	if (r->seq <= w->now.to_modseq)
		return 0;
	if (r->seq != w->now.to_modseq + 1)
		return repo_fail(w->r, STORE_E_CORRUPT,
		    "%s/%llu: transaction %llu is missing", w->r->dir,
		    (unsigned long long)w->s->no,
		    (unsigned long long)w->now.to_modseq + 1);
	walk_state(w, r->seq, r->when);
	return 0;
}

/* The end of a stretch: tells it, and the backups in it. */
static void
walk_tell(struct walk *w)
{
	struct kv_moments m = { .run = true };

	if (!w->open || w->fn == NULL)
		return;
	w->fn(w->arg, &w->now);
	for (size_t i = 0; i < w->s->n_run; i++) {
		const struct repo_run *run = &w->s->run[i];

		if (run->seq < w->now.from_modseq ||
		    run->seq > w->now.to_modseq)
			continue;
		m.from = m.to = run->at;
		m.from_modseq = m.to_modseq = run->seq;
		w->fn(w->arg, &m);
	}
}

static int
walk_log(void *arg, uint64_t gen)
{
	struct walk *w = arg;
	struct log_at at = { .off = 0 };
	struct journal_head h;
	char name[REPO_NAME];
	bool base;
	int rc;

	if ((rc = set_head(w->r, w->s, gen, &h)) < 0)
		return rc;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)gen);
	base = gen == 0 || set_has(w->s, name);
	if (!w->open || h.seq > w->now.to_modseq) {
		walk_tell(w);
		/* Behind a gap it goes on with the next base. */
		if (!(w->open = base))
			return 0;
		w->base = gen;
		w->newest = false;
		w->now = (struct kv_moments){ .from = h.when,
			.from_modseq = h.seq };
		walk_state(w, h.seq, h.when);
	}
	if (base)
		w->base = gen;
	return set_scan(w->r, w->s, gen, &at, walk_record, w);
}

static int
walk_set(struct walk *w)
{
	int rc = set_each(w->s, "log.", walk_log, w);

	if (rc < 0)
		return rc;
	walk_tell(w);
	/* Nothing had happened since when a backup was made later. */
	for (size_t i = 0; i < w->s->n_run; i++)
		if (w->best.found && w->s->run[i].seq == w->best.seq &&
		    w->s->run[i].at >= w->when)
			w->best.certain = true;
	return 0;
}

/* The set that knows the state of that time.  0 and *s_r open, or NOTFOUND. */
static int
find_state(struct kv_repo *r, uint64_t when, struct repo_set *s_r,
    struct target *t_r)
{
	for (size_t i = r->n_set; i > 0; i--) {
		struct walk w = { .r = r, .s = s_r, .when = when };
		int rc = set_open(r, r->set[i - 1], s_r);

		if (rc < 0)
			return rc;
		if ((rc = walk_set(&w)) == 0 && w.best.found &&
		    (w.best.certain || (w.newest && i == r->n_set))) {
			*t_r = w.best;
			return 0;
		}
		set_release(s_r);
		if (rc < 0)
			return rc;
		if (w.best.found)
			return repo_fail(r, STORE_E_NOTFOUND,
			    "%s: no backup knows what was between %llu and "
			    "the next one", r->dir,
			    (unsigned long long)w.best.seq);
	}
	return repo_fail(r, STORE_E_NOTFOUND,
	    "%s: the backup doesn't go back so far", r->dir);
}

int
kv_repo_moments(struct kv_repo *r,
    void (*fn)(void *arg, const struct kv_moments *m), void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < r->n_set && rc == 0; i++) {
		struct repo_set s;
		struct walk w = { .r = r, .s = &s, .fn = fn, .arg = arg };

		if ((rc = set_open(r, r->set[i], &s)) < 0)
			return rc;
		rc = walk_set(&w);
		set_release(&s);
	}
	return rc;
}

/* ---- building ----------------------------------------------------------- */

struct build {
	struct kv_repo *r;
	struct repo_set *s;
	struct target t;
	const char *dir;
	int fd;			/* the directory that is made */
	bool link;		/* files are shared; they were verified */
	int journal;
	uint64_t end, seq;
	struct pack_pos pos;
};

static int
build_fail(struct build *b, const char *name)
{
	return repo_fail_sys(b->r, "%s/%s", b->dir, name);
}

static int
build_file(struct build *b, const char *name, int *fd_r)
{
	*fd_r = sys_openat(b->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	return *fd_r < 0 ? build_fail(b, name) : 0;
}

static int
copy_file(struct build *b, const char *name, uint64_t len)
{
	int fd, rc;

	if ((rc = build_file(b, name, &fd)) < 0)
		return rc;
	rc = set_fetch(b->r, b->s, name, len, fd);
	if (rc == 0 && sys_fdatasync(fd) < 0)
		rc = build_fail(b, name);
	io_close(&fd);
	return rc;
}

static int
share_file(struct build *b, const char *name)
{
	if (b->link && linkat(b->s->fd, name, b->fd, name, 0) == 0)
		return 0;
	return copy_file(b, name, set_size(b->s, name));
}

static int
take_record(void *arg, const struct record *r, struct slice octets)
{
	struct build *b = arg;

	if (r->seq <= b->seq)
		return 0;
	if (r->seq > b->t.seq)
		return 1;
	if (r->seq != b->seq + 1)
		return repo_fail(b->r, STORE_E_CORRUPT,
		    "%s: transaction %llu is missing", b->r->dir,
		    (unsigned long long)b->seq + 1);
	if (sys_pwrite(b->journal, octets.p, octets.n, b->end) < 0)
		return build_fail(b, "journal");
	b->end += octets.n;
	b->seq = r->seq;
	b->pos = r->pos;
	return 0;
}

/* One journal over the base, with the records of as many logs as needed. */
static int
build_journal(struct build *b)
{
	unsigned char head[JOURNAL_HEAD];
	struct journal_head h;
	uint64_t gen = b->t.gen;
	char name[REPO_NAME];
	int rc;

	if ((rc = set_head(b->r, b->s, gen, &h)) < 0 ||
	    (rc = build_file(b, "journal", &b->journal)) < 0)
		return rc;
	random_bytes(h.id, sizeof(h.id));
	h.settled = true;
	h.suspect = false;
	journal_head_encode(&h, head);
	b->end = JOURNAL_HEAD;
	b->seq = h.seq;
	b->pos = h.pos;
	if (sys_pwrite(b->journal, head, sizeof(head), 0) < 0)
		return build_fail(b, "journal");
	for (; rc == 0 && b->seq < b->t.seq; gen++) {
		struct log_at at = { .off = 0 };

		log_name(gen, name);
		rc = set_fetch(b->r, b->s, name, UINT64_MAX, -1);
		if (rc == 0)
			rc = set_scan(b->r, b->s, gen, &at, take_record, b);
	}
	if (rc >= 0 && sys_fdatasync(b->journal) < 0)
		return build_fail(b, "journal");
	if (rc >= 0 && h.gen > 0) {
		snprintf(name, sizeof(name), "base.%llu",
		    (unsigned long long)h.gen);
		rc = share_file(b, name);
	}
	return rc < 0 ? rc : 0;
}

/* The backup was made later than what is missing was swept: nothing of it is
 * wanted, but the pack goes on behind. */
static int
fill_pack(struct build *b, const char *name, uint64_t have)
{
	unsigned char head[PACK_HEAD], item[ITEM_HEAD];
	struct item it = { .kind = ITEM_DEAD };
	int fd = sys_openat(b->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		return build_fail(b, name);
	if (have < PACK_HEAD) {
		pack_head_encode(0, head);
		rc = sys_pwrite(fd, head, PACK_HEAD, 0);
		have = PACK_HEAD;
	}
	if (rc == 0 && have < b->pos.end) {
		it.len = b->pos.end - have;
		item_encode(&it, item);
		rc = sys_pwrite(fd, item, ITEM_HEAD, have);
	}
	if (rc < 0 || sys_truncate(fd, b->pos.end) < 0 ||
	    sys_fdatasync(fd) < 0)
		rc = build_fail(b, name);
	io_close(&fd);
	return rc;
}

static int
build_pack(void *arg, uint64_t no)
{
	struct build *b = arg;
	char name[24];
	uint64_t size;

	if (no >= b->pos.next || no == 0 || no == b->pos.pack)
		return 0;
	pack_name((uint32_t)no, name);
	size = set_size(b->s, name);
	/* Only of those before the current one nothing is ever written. */
	return no < b->pos.pack ? share_file(b, name) :
				  copy_file(b, name, size);
}

static int
build_packs(struct build *b)
{
	uint64_t have, end = b->pos.end;
	char name[24];
	int rc = set_each(b->s, "pack.", build_pack, b);

	if (rc < 0 || b->pos.pack == 0)
		return rc;
	pack_name(b->pos.pack, name);
	have = set_size(b->s, name);
	if (have > 0)
		rc = copy_file(b, name, have < end ? have : end);
	if (rc == 0 && have < end)
		rc = fill_pack(b, name, have);
	return rc;
}

/* The directory must not be there; what was made of it stays on failure. */
static int
build(struct build *b)
{
	int rc;

	b->fd = b->journal = -1;
	if (mkdir(b->dir, 0700) < 0 ||
	    (b->fd = sys_openat(AT_FDCWD, b->dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) < 0)
		rc = build_fail(b, "");
	else if ((rc = build_journal(b)) == 0 && (rc = build_packs(b)) == 0 &&
	    sys_fsync(b->fd) < 0)
		rc = build_fail(b, "");
	io_close(&b->journal);
	io_close(&b->fd);
	return rc;
}

int
kv_repo_restore(struct kv_repo *r, const struct kv_conf *cf, uint64_t when,
    const char *dir, struct kv_backed *d_r)
{
	struct repo_set s;
	struct build b = { .r = r, .s = &s, .dir = dir };
	int rc;

	r->err[0] = '\0';
	if (cf->engine != NULL && strcmp(cf->engine, "bdb") != 0)
		return repo_fail(r, STORE_E_INVALID,
		    "engine \"%s\" has no files", cf->engine);
	if ((rc = find_state(r, when, &s, &b.t)) < 0)
		return rc;
	rc = build(&b);
	set_release(&s);
	if (rc == 0)
		*d_r = (struct kv_backed){ .modseq = b.t.seq,
			.when = b.t.when };
	return rc;
}

/* ---- verifying ---------------------------------------------------------- */

struct verify {
	struct kv_repo *r;
	struct repo_set *s;
	void (*fn)(void *arg, const char *fault);
	void *arg;
	int faults;
};

static void
fault(struct verify *v, const char *text)
{
	v->fn(v->arg, text);
	v->faults++;
}

static int
verify_file(struct verify *v, const char *name)
{
	struct stat st;
	char text[200];
	int rc;

	rc = set_fetch(v->r, v->s, name, UINT64_MAX, -1);
	if (rc == 0 && (sys_fstatat(v->s->fd, name, &st) < 0 ||
	    (uint64_t)st.st_size < set_size(v->s, name))) {
		snprintf(text, sizeof(text), "%s: short", name);
		fault(v, text);
	}
	if (rc == STORE_E_CORRUPT) {
		fault(v, v->r->err);
		rc = 0;
	}
	return rc;
}

static int
verify_files(struct verify *v)
{
	int rc = 0;

	/* Each file once, at its first piece. */
	for (size_t i = 0; i < v->s->n_piece && rc == 0; i++)
		if (v->s->piece[i].off == 0)
			rc = verify_file(v, v->s->piece[i].name);
	return rc;
}

static void
remove_dir(struct kv_repo *r, const char *name)
{
	int fd = sys_openat(r->fd, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (dir == NULL) {
		io_close(&fd);
		return;
	}
	while ((d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			(void)sys_unlinkat(fd, d->d_name);
	(void)closedir(dir);
	(void)unlinkat(r->fd, name, AT_REMOVEDIR);
}

/* The set's newest state is built beside, opened and checked. */
static int
verify_state(struct verify *v, const struct kv_conf *cf)
{
	static const char tmp[] = ".verify";
	struct walk w = { .r = v->r, .s = v->s, .when = UINT64_MAX };
	struct kv_conf c = *cf;
	char *dir = xasprintf("%s/%s", v->r->dir, tmp);
	struct build b = { .r = v->r, .s = v->s, .dir = dir, .link = true };
	struct kv *kv = NULL;
	int rc;

	remove_dir(v->r, tmp);
	c.log_keep_s = 0;
	if ((rc = walk_set(&w)) == 0 && w.best.found) {
		b.t = w.best;
		rc = build(&b);
		if (rc == 0 && (rc = kv_open(&c, dir, 0, &kv)) < 0)
			(void)repo_fail(v->r, rc, "the newest state of %llu "
			    "can't be opened", (unsigned long long)v->s->no);
		if (rc == 0) {
			rc = kv_check(kv, v->fn, v->arg);
			v->faults += rc > 0 ? rc : 0;
		}
		kv_close(&kv);
	}
	if (rc == STORE_E_CORRUPT || rc == STORE_E_VERSION) {
		fault(v, v->r->err);
		rc = 0;
	}
	remove_dir(v->r, tmp);
	xfree(dir);
	return rc < 0 ? rc : 0;
}

int
kv_repo_verify(struct kv_repo *r, const struct kv_conf *cf,
    void (*fn)(void *arg, const char *fault), void *arg)
{
	struct verify v = { .r = r, .fn = fn, .arg = arg };
	int rc = 0, before;

	r->err[0] = '\0';
	if (r->n_set == 0)
		return repo_fail(r, STORE_E_NOTFOUND, "%s: no backup", r->dir);
	for (size_t i = 0; i < r->n_set && rc >= 0; i++) {
		struct repo_set s;

		rc = set_open(r, r->set[i], &s);
		if (rc == STORE_E_CORRUPT || rc == STORE_E_VERSION) {
			fault(&v, r->err);
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		v.s = &s;
		before = v.faults;
		rc = verify_files(&v);
		if (rc == 0 && v.faults == before)
			rc = verify_state(&v, cf);
		set_release(&s);
	}
	return rc < 0 ? rc : v.faults;
}

/* ---- numbers that were given out already -------------------------------- */

int
kv_modseq_skip(const struct kv_conf *cf, const char *dir, uint64_t modseq)
{
	struct kv_conf c = *cf;
	unsigned char head[JOURNAL_HEAD];
	struct journal_head h;
	struct bdb_kv *b;
	struct kv *kv;
	int rc;

	c.engine = NULL;
	c.log_keep_s = 0;
	if ((rc = kv_open(&c, dir, 0, &kv)) < 0)
		return rc;
	b = (struct bdb_kv *)kv;
	/* All into the base: then only the header tells the modseq. */
	if ((rc = kv_idle(kv, true)) >= 0)
		rc = kv_refresh(kv);
	if (rc >= 0 && b->s.end != JOURNAL_HEAD)
		rc = STORE_E_BUSY;
	if (rc >= 0) {
		h = b->s.head;
		if (h.seq < modseq)
			h.seq = modseq;
		/* Before that it was another history. */
		h.when = commit_time(b);
		h.settled = true;
		journal_head_encode(&h, head);
		rc = sys_pwrite(b->s.fd, head, sizeof(head), 0) < 0 ||
		    sys_fdatasync(b->s.fd) < 0 ?
		    (io_full(errno) ? STORE_E_NOSPACE : STORE_E_IO) : 0;
	}
	kv_close(&kv);
	return rc;
}
