/* libstore/kv/repo-file.c - the files of a backup: copying, verifying, reading */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "libstore/kv/repo.h"
#include "libstore/kv/sys.h"

enum { STEP = 256 * 1024, BLOCK = 4096 };

/* ---- which there are ---------------------------------------------------- */

static const struct repo_piece *
last_piece(const struct repo_set *s, const char *name)
{
	for (size_t i = s->n_piece; i > 0; i--)
		if (strcmp(s->piece[i - 1].name, name) == 0)
			return &s->piece[i - 1];
	return NULL;
}

uint64_t
set_size(const struct repo_set *s, const char *name)
{
	const struct repo_piece *p = last_piece(s, name);

	return p == NULL ? 0 : p->off + p->len;
}

bool
set_has(const struct repo_set *s, const char *name)
{
	return last_piece(s, name) != NULL;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int
set_each(const struct repo_set *s, const char *prefix,
    int (*fn)(void *arg, uint64_t no), void *arg)
{
	uint64_t *no = xcalloc(s->n_piece + 1, sizeof(*no));
	size_t n = 0, len = strlen(prefix);
	int rc = 0;

	for (size_t i = 0; i < s->n_piece; i++)
		if (s->piece[i].off == 0 &&
		    strncmp(s->piece[i].name, prefix, len) == 0 &&
		    slice_uint(slice_str(s->piece[i].name + len), UINT64_MAX,
		    &no[n]) == 0)
			n++;
	if (n > 1)
		qsort(no, n, sizeof(*no), by_number);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = fn(arg, no[i]);
	xfree(no);
	return rc;
}

void
set_drop(struct repo_set *s, const char *name)
{
	size_t k = 0;

	for (size_t i = 0; i < s->n_piece; i++)
		if (strcmp(s->piece[i].name, name) != 0)
			s->piece[k++] = s->piece[i];
	s->n_piece = k;
	k = 0;
	for (size_t i = 0; i < s->n_gone; i++)
		if (strcmp(s->gone[i].name, name) != 0)
			s->gone[k++] = s->gone[i];
	s->n_gone = k;
}

void
set_unlink(struct repo_set *s, const char *name)
{
	(void)sys_unlinkat(s->fd, name);
}

bool
set_is_gone(const struct repo_set *s, const char *name)
{
	for (size_t i = 0; i < s->n_gone; i++)
		if (strcmp(s->gone[i].name, name) == 0)
			return true;
	return false;
}

/* ---- writing ------------------------------------------------------------ */

/* Runs of blocks that are not zero are written in one call. */
static int
write_some(int fd, const char *p, size_t n, uint64_t off)
{
	static const char zero[BLOCK];
	size_t from = 0, at = 0;

	while (at < n) {
		size_t k = n - at < BLOCK ? n - at : BLOCK;

		if (memcmp(p + at, zero, k) == 0) {
			if (at > from &&
			    sys_pwrite(fd, p + from, at - from, off + from) < 0)
				return -1;
			from = at + k;
		}
		at += k;
	}
	return at > from ?
	    sys_pwrite(fd, p + from, at - from, off + from) : 0;
}

static void
patch_some(const struct repo_source *src, uint64_t off, char *p, size_t n)
{
	for (size_t i = 0; i < src->n_patch; i++) {
		const struct repo_patch *x = &src->patch[i];

		for (size_t j = 0; j < x->octets.n; j++)
			if (x->off + j >= off && x->off + j - off < n)
				p[x->off + j - off] = x->octets.p[j];
	}
}

/* Copies and sums up; -1 with errno (EIO: it became shorter). */
static int
copy_some(const struct repo_source *src, int to, uint64_t at,
    struct sha256 *h, uint32_t *crc)
{
	uint64_t off = src->off, len = src->len;
	char *p = xmalloc(STEP);
	int rc = 0;

	while (len > 0 && rc == 0) {
		size_t n = len < STEP ? (size_t)len : STEP;
		ssize_t k = sys_pread(src->fd, p, n, off);

		if (k != (ssize_t)n) {
			errno = k < 0 ? errno : EIO;
			rc = -1;
			break;
		}
		patch_some(src, off, p, n);
		sha256_add(h, p, n);
		*crc = crc32c(*crc, p, n);
		rc = write_some(to, p, n, at);
		off += n;
		at += n;
		len -= n;
	}
	xfree(p);
	return rc;
}

int
set_append(struct kv_repo *r, struct repo_set *s, const char *name,
    const struct repo_source *src, uint32_t *crc_r)
{
	struct repo_piece p = { .off = set_size(s, name), .len = src->len };
	struct sha256 *h = sha256_new();
	uint32_t crc = 0;
	int to, rc = 0;

	snprintf(p.name, sizeof(p.name), "%s", name);
	to = sys_openat(s->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* What a killed backup left behind the last piece goes. */
	if (to < 0 || sys_truncate(to, p.off) < 0 ||
	    sys_truncate(to, p.off + p.len) < 0 ||
	    copy_some(src, to, p.off, h, &crc) < 0 || sys_fdatasync(to) < 0)
		rc = repo_fail_sys(r, "%s/%llu/%s", r->dir,
		    (unsigned long long)s->no, name);
	io_close(&to);
	sha256_finish(&h, p.sha);
	if (rc < 0)
		return rc;
	s->piece = xreallocarray(s->piece, s->n_piece + 1, sizeof(*s->piece));
	s->piece[s->n_piece++] = p;
	if (crc_r != NULL)
		*crc_r = crc;
	return 0;
}

/* ---- reading ------------------------------------------------------------ */

int
set_file(struct kv_repo *r, const struct repo_set *s, const char *name)
{
	int fd = sys_openat(s->fd, name, O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ?
	    repo_fail(r, STORE_E_CORRUPT, "%s/%llu/%s: missing", r->dir,
	    (unsigned long long)s->no, name) :
	    repo_fail_sys(r, "%s/%llu/%s", r->dir, (unsigned long long)s->no,
	    name);
}

/* One piece against its checksum; octets before len go to fd. */
static int
fetch_piece(struct kv_repo *r, const struct repo_set *s,
    const struct repo_piece *p, int from, uint64_t len, int fd)
{
	unsigned char sha[SHA256_LEN];
	struct sha256 *h = sha256_new();
	char *buf = xmalloc(STEP);
	uint64_t at = p->off, end = p->off + p->len;
	int rc = 0;

	while (at < end && rc == 0) {
		size_t n = end - at < STEP ? (size_t)(end - at) : STEP, w = n;
		ssize_t k = sys_pread(from, buf, n, at);

		if (k < 0) {
			rc = repo_fail_sys(r, "%s/%llu/%s", r->dir,
			    (unsigned long long)s->no, p->name);
			break;
		}
		if ((size_t)k < n)
			break;		/* the checksum will tell */
		sha256_add(h, buf, n);
		w = at >= len ? 0 : len - at < w ? (size_t)(len - at) : w;
		if (fd >= 0 && w > 0 && write_some(fd, buf, w, at) < 0)
			rc = repo_fail_sys(r, "%s", p->name);
		at += n;
	}
	sha256_finish(&h, sha);
	xfree(buf);
	if (rc == 0 && (at < end || memcmp(sha, p->sha, sizeof(sha)) != 0))
		rc = repo_fail(r, STORE_E_CORRUPT,
		    "%s/%llu/%s: damaged between %llu and %llu", r->dir,
		    (unsigned long long)s->no, p->name,
		    (unsigned long long)p->off, (unsigned long long)end);
	return rc;
}

int
set_fetch(struct kv_repo *r, const struct repo_set *s, const char *name,
    uint64_t len, int fd)
{
	int from = set_file(r, s, name), rc = 0;

	if (from < 0)
		return from;
	if (fd >= 0 && sys_truncate(fd, len) < 0)
		rc = repo_fail_sys(r, "%s", name);
	for (size_t i = 0; i < s->n_piece && rc == 0; i++)
		if (strcmp(s->piece[i].name, name) == 0 &&
		    (s->piece[i].off < len || fd < 0))
			rc = fetch_piece(r, s, &s->piece[i], from, len, fd);
	io_close(&from);
	return rc;
}

int
set_head(struct kv_repo *r, const struct repo_set *s, uint64_t gen,
    struct journal_head *h_r)
{
	char name[REPO_NAME];
	int fd, rc;

	log_name(gen, name);
	if ((fd = set_file(r, s, name)) < 0)
		return fd;
	rc = log_head(fd, h_r, NULL);
	io_close(&fd);
	if (rc == 0 && h_r->gen != gen)
		rc = STORE_E_CORRUPT;
	return rc < 0 ? repo_fail(r, rc, "%s/%llu/%s: bad header", r->dir,
	    (unsigned long long)s->no, name) : 0;
}

int
set_scan(struct kv_repo *r, const struct repo_set *s, uint64_t gen,
    struct log_at *at,
    int (*fn)(void *arg, const struct record *rec, struct slice octets),
    void *arg)
{
	struct journal_head h;
	char name[REPO_NAME];
	uint64_t size;
	int fd, rc = 0;

	log_name(gen, name);
	size = set_size(s, name);
	if ((fd = set_file(r, s, name)) < 0)
		return fd;
	if (at->off == 0)
		rc = log_head(fd, &h, at);
	if (rc == 0)
		rc = log_scan(fd, size, at, fn, arg);
	io_close(&fd);
	if (rc == STORE_E_IO || rc == STORE_E_CORRUPT || rc == STORE_E_VERSION)
		return repo_fail(r, rc, "%s/%llu/%s: can't be read", r->dir,
		    (unsigned long long)s->no, name);
	if (rc == 0 && at->off != size)
		return repo_fail(r, STORE_E_CORRUPT,
		    "%s/%llu/%s: no record at %llu", r->dir,
		    (unsigned long long)s->no, name,
		    (unsigned long long)at->off);
	return rc;
}
