/* libstore/kv/repo.c - the repository of an account's backups: sets and index */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/kv/repo.h"
#include "libstore/kv/sys.h"

enum { INDEX_MAX = 256 * 1024 * 1024, LINES_MAX = 1 << 21 };

static const char first_line[] = "culver-backup 1";

int
repo_fail(struct kv_repo *r, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->err, sizeof(r->err), fmt, ap);
	va_end(ap);
	return rc;
}

int
repo_fail_sys(struct kv_repo *r, const char *fmt, ...)
{
	int e = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(r->err, sizeof(r->err), fmt, ap);
	va_end(ap);
	n = strlen(r->err);
	snprintf(r->err + n, sizeof(r->err) - n, ": %s", strerror(e));
	return store_errno_rc(e);
}

/* ---- opening ------------------------------------------------------------ */

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The sets that have an index; the others are of a backup that was killed. */
static int
find_sets(struct kv_repo *r)
{
	int fd = sys_openat(r->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	char index[REPO_NAME + 8];
	struct dirent *d;
	struct stat st;
	uint64_t no;
	DIR *dir;
	int rc = 0;

	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		io_close(&fd);
		return repo_fail_sys(r, "%s", r->dir);
	}
	while ((errno = 0, d = readdir(dir)) != NULL) {
		if (slice_uint(slice_str(d->d_name), UINT32_MAX, &no) < 0)
			continue;
		snprintf(index, sizeof(index), "%llu/index",
		    (unsigned long long)no);
		if (sys_fstatat(r->fd, index, &st) < 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				continue;
			rc = repo_fail_sys(r, "%s/%s", r->dir, index);
			break;
		}
		r->set = xreallocarray(r->set, r->n_set + 1, sizeof(*r->set));
		r->set[r->n_set++] = no;
	}
	if (d == NULL && errno != 0)
		rc = repo_fail_sys(r, "%s", r->dir);
	(void)closedir(dir);
	if (r->n_set > 1)
		qsort(r->set, r->n_set, sizeof(*r->set), by_number);
	return rc;
}

int
kv_repo_open(const char *dir, bool create, struct kv_repo **r_r)
{
	struct kv_repo *r = xcalloc(1, sizeof(*r));
	int rc = 0;

	*r_r = r;
	r->dir = xstrdup(dir);
	r->fd = -1;
	if (create && io_mkdirs(dir, 0700) < 0)
		return repo_fail_sys(r, "%s", dir);
	r->fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    0);
	if (r->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return repo_fail(r, STORE_E_NOTFOUND, "%s: no backup", dir);
	if (r->fd < 0)
		return repo_fail_sys(r, "%s", dir);
	if ((rc = sys_flock(r->fd)) < 0)
		return repo_fail_sys(r, "%s", dir);
	if (rc == 1)
		return repo_fail(r, STORE_E_BUSY, "%s: in use", dir);
	return find_sets(r);
}

void
kv_repo_close(struct kv_repo **rp)
{
	struct kv_repo *r = *rp;

	if (r == NULL)
		return;
	io_close(&r->fd);
	xfree(r->set);
	xfree(r->dir);
	xfree(r);
	*rp = NULL;
}

const char *
kv_repo_errmsg(const struct kv_repo *r)
{
	return r->err;
}

/* ---- the index: one line a fact ----------------------------------------- */

void
set_release(struct repo_set *s)
{
	io_close(&s->fd);
	xfree(s->piece);
	xfree(s->run);
	xfree(s->gone);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

static struct repo_piece *
add_piece(struct repo_set *s)
{
	s->piece = xreallocarray(s->piece, s->n_piece + 1, sizeof(*s->piece));
	memset(&s->piece[s->n_piece], 0, sizeof(*s->piece));
	return &s->piece[s->n_piece++];
}

void
set_add_run(struct repo_set *s, const struct repo_run *run)
{
	/* Nothing happened since: it is the same moment. */
	if (s->n_run > 0 && s->run[s->n_run - 1].seq == run->seq)
		s->n_run--;
	s->run = xreallocarray(s->run, s->n_run + 1, sizeof(*s->run));
	s->run[s->n_run++] = *run;
}

void
set_add_gone(struct repo_set *s, const char *name, uint64_t at)
{
	struct repo_gone *g;

	s->gone = xreallocarray(s->gone, s->n_gone + 1, sizeof(*s->gone));
	g = &s->gone[s->n_gone++];
	memset(g, 0, sizeof(*g));
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->at = at;
}

/* base.N, log.N, pack.N: nothing else may be named. */
static bool
name_ok(struct slice s, char out[REPO_NAME])
{
	static const char *const kind[] = { "base.", "log.", "pack." };
	uint64_t no;

	if (s.n >= REPO_NAME)
		return false;
	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(kind[i]);

		if (s.n > n && memcmp(s.p, kind[i], n) == 0 &&
		    slice_uint(slice_make(s.p + n, s.n - n), UINT64_MAX,
		    &no) == 0 && (s.p[n] != '0' || s.n == n + 1)) {
			memcpy(out, s.p, s.n);
			out[s.n] = '\0';
			return true;
		}
	}
	return false;
}

/* The next word of a line. */
static struct slice
word(struct slice *s)
{
	struct slice w = *s;
	const char *sp = w.n > 0 ? memchr(w.p, ' ', w.n) : NULL;

	if (sp != NULL) {
		w.n = (size_t)(sp - w.p);
		*s = slice_make(sp + 1, s->n - w.n - 1);
	} else
		*s = slice_make(w.n > 0 ? w.p + w.n : w.p, 0);
	return w;
}

static bool
number(struct slice *s, uint64_t max, uint64_t *v_r)
{
	return slice_uint(word(s), max, v_r) == 0;
}

/* Pieces follow one another without a gap. */
static bool
line_piece(struct repo_set *s, struct slice l)
{
	struct repo_piece p = { .name = "" };

	if (!name_ok(word(&l), p.name) || !number(&l, INT64_MAX / 2, &p.off) ||
	    !number(&l, INT64_MAX / 2, &p.len) ||
	    hex_decode(word(&l), p.sha, sizeof(p.sha)) < 0 || l.n > 0 ||
	    p.len == 0 || p.off != set_size(s, p.name))
		return false;
	*add_piece(s) = p;
	return true;
}

static bool
line_ok(struct repo_set *s, struct slice l)
{
	struct slice kind = word(&l);
	char name[REPO_NAME];
	struct repo_run run;
	uint64_t at;

	if (slice_eq(kind, SLICE_LIT("piece")))
		return line_piece(s, l);
	if (slice_eq(kind, SLICE_LIT("id")))
		return hex_decode(l, s->id, sizeof(s->id)) == 0;
	if (slice_eq(kind, SLICE_LIT("run"))) {
		if (!number(&l, UINT64_MAX, &run.at) ||
		    !number(&l, UINT64_MAX, &run.seq) ||
		    !number(&l, UINT64_MAX, &run.when) || l.n > 0)
			return false;
		s->run = xreallocarray(s->run, s->n_run + 1, sizeof(*s->run));
		s->run[s->n_run++] = run;
		return true;
	}
	if (!slice_eq(kind, SLICE_LIT("gone")) || !name_ok(word(&l), name) ||
	    !number(&l, UINT64_MAX, &at) || l.n > 0)
		return false;
	set_add_gone(s, name, at);
	return true;
}

/* The last line is the checksum of those before. */
static int
index_parse(struct repo_set *s, struct slice all)
{
	unsigned char sha[SHA256_LEN], is[SHA256_LEN];
	enum { LAST = 4 + 2 * SHA256_LEN + 1 };
	size_t n_lines = 0;
	bool first = true;

	if (all.n < LAST || all.p[all.n - 1] != '\n' ||
	    memcmp(all.p + all.n - LAST, "end ", 4) != 0 ||
	    hex_decode(slice_make(all.p + all.n - LAST + 4, 2 * SHA256_LEN),
	    sha, sizeof(sha)) < 0)
		return STORE_E_CORRUPT;
	all.n -= LAST;
	sha256_of(all, is);
	if (memcmp(is, sha, sizeof(sha)) != 0)
		return STORE_E_CORRUPT;
	while (all.n > 0) {
		const char *nl = memchr(all.p, '\n', all.n);
		struct slice line;

		if (nl == NULL || ++n_lines > LINES_MAX)
			return STORE_E_CORRUPT;
		line = slice_make(all.p, (size_t)(nl - all.p));
		all = slice_make(nl + 1, all.n - line.n - 1);
		if (first && !slice_eq(line, slice_str(first_line)))
			return STORE_E_VERSION;
		if (!first && !line_ok(s, line))
			return STORE_E_CORRUPT;
		first = false;
	}
	return s->n_run > 0 ? 0 : STORE_E_CORRUPT;
}

static int
set_dir(struct kv_repo *r, uint64_t no, struct repo_set *s)
{
	char name[REPO_NAME];

	memset(s, 0, sizeof(*s));
	s->no = no;
	snprintf(name, sizeof(name), "%llu", (unsigned long long)no);
	s->fd = sys_openat(r->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	return s->fd < 0 ? repo_fail_sys(r, "%s/%s", r->dir, name) : 0;
}

int
set_open(struct kv_repo *r, uint64_t no, struct repo_set *s_r)
{
	struct repo_set s;
	struct stat st;
	char *p = NULL;
	int fd = -1, rc;

	if ((rc = set_dir(r, no, &s)) < 0)
		return rc;
	fd = sys_openat(s.fd, "index", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0 || sys_fstat(fd, &st) < 0)
		rc = repo_fail_sys(r, "%s/%llu/index", r->dir,
		    (unsigned long long)no);
	else if (st.st_size > INDEX_MAX)
		rc = STORE_E_CORRUPT;
	else {
		p = xmalloc((size_t)st.st_size + 1);
		rc = sys_pread(fd, p, (size_t)st.st_size, 0) != st.st_size ?
		    STORE_E_IO :
		    index_parse(&s, slice_make(p, (size_t)st.st_size));
	}
	if (rc == STORE_E_CORRUPT || rc == STORE_E_VERSION)
		(void)repo_fail(r, rc, "%s/%llu/index: %s", r->dir,
		    (unsigned long long)no, rc == STORE_E_CORRUPT ?
		    "damaged" : "of a newer version");
	xfree(p);
	io_close(&fd);
	if (rc < 0)
		set_release(&s);
	else
		*s_r = s;
	return rc;
}

int
set_new(struct kv_repo *r, const unsigned char id[16], struct repo_set *s_r)
{
	uint64_t no = r->n_set > 0 ? r->set[r->n_set - 1] + 1 : 1;
	char name[REPO_NAME];
	int rc;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)no);
	/* One that was not finished is begun anew. */
	if ((rc = set_remove(r, no)) < 0)
		return rc;
	if (mkdirat(r->fd, name, 0700) < 0 || sys_fsync(r->fd) < 0)
		return repo_fail_sys(r, "%s/%s", r->dir, name);
	if ((rc = set_dir(r, no, s_r)) < 0)
		return rc;
	memcpy(s_r->id, id, sizeof(s_r->id));
	return 0;
}

static void
index_format(const struct repo_set *s, struct buf *b)
{
	unsigned char sha[SHA256_LEN];

	buf_printf(b, "%s\nid ", first_line);
	hex_encode(b, slice_make((const char *)s->id, sizeof(s->id)));
	buf_addc(b, '\n');
	for (size_t i = 0; i < s->n_run; i++)
		buf_printf(b, "run %llu %llu %llu\n",
		    (unsigned long long)s->run[i].at,
		    (unsigned long long)s->run[i].seq,
		    (unsigned long long)s->run[i].when);
	for (size_t i = 0; i < s->n_gone; i++)
		buf_printf(b, "gone %s %llu\n", s->gone[i].name,
		    (unsigned long long)s->gone[i].at);
	for (size_t i = 0; i < s->n_piece; i++) {
		const struct repo_piece *p = &s->piece[i];

		buf_printf(b, "piece %s %llu %llu ", p->name,
		    (unsigned long long)p->off, (unsigned long long)p->len);
		hex_encode(b, slice_make((const char *)p->sha,
		    sizeof(p->sha)));
		buf_addc(b, '\n');
	}
	sha256_of(buf_slice(b), sha);
	buf_add_str(b, "end ");
	hex_encode(b, slice_make((const char *)sha, sizeof(sha)));
	buf_addc(b, '\n');
}

int
set_save(struct kv_repo *r, struct repo_set *s)
{
	struct buf b;
	int fd, rc = 0;

	buf_init(&b, INDEX_MAX);
	index_format(s, &b);
	fd = sys_openat(s->fd, "index.new",
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	/* The names of new files first, then what speaks of them. */
	if (b.overflow)
		rc = repo_fail(r, STORE_E_TOOBIG, "%s: the index is too long",
		    r->dir);
	else if (fd < 0 || sys_fsync(s->fd) < 0 ||
	    sys_pwrite(fd, b.p, b.n, 0) < 0 || sys_fdatasync(fd) < 0 ||
	    sys_renameat(s->fd, "index.new", "index") < 0 ||
	    sys_fsync(s->fd) < 0)
		rc = repo_fail_sys(r, "%s/%llu/index", r->dir,
		    (unsigned long long)s->no);
	io_close(&fd);
	buf_release(&b);
	return rc;
}

int
set_remove(struct kv_repo *r, uint64_t no)
{
	char name[REPO_NAME];
	struct repo_set s;
	struct dirent *d;
	int fd, rc = 0;
	DIR *dir;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)no);
	fd = sys_openat(r->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		return 0;
	s.fd = fd;
	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		io_close(&fd);
		return repo_fail_sys(r, "%s/%s", r->dir, name);
	}
	/* First: without it the rest is of no set. */
	if (sys_unlinkat(s.fd, "index") < 0 && errno != ENOENT)
		rc = repo_fail_sys(r, "%s/%s/index", r->dir, name);
	while (rc == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 &&
		    strcmp(d->d_name, "..") != 0 &&
		    sys_unlinkat(s.fd, d->d_name) < 0 && errno != ENOENT)
			rc = repo_fail_sys(r, "%s/%s", r->dir, name);
	if (rc == 0 && errno != 0)
		rc = repo_fail_sys(r, "%s/%s", r->dir, name);
	(void)closedir(dir);
	if (rc == 0 && unlinkat(r->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		rc = repo_fail_sys(r, "%s/%s", r->dir, name);
	return rc;
}
