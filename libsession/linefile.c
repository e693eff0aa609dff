/* libsession/linefile.c - a text file of lines, sorted by key: reading */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/linefile-int.h"

enum {
	PIECE = 65536,		/* of a scan */
	NARROW = 4096		/* octets that a search reads at once */
};

size_t
linefile_head(const struct linefile *f, off_t size, char *out)
{
	size_t n = strlen(f->head) + 13;

	if (out != NULL)
		snprintf(out, LINEFILE_HEAD_MAX + 1, "%s%012lld\n", f->head,
		    (long long)size);
	return n;
}

int
linefile_scan(int fd, off_t off, off_t end,
    int (*fn)(void *arg, struct slice line), void *arg)
{
	size_t size = end - off < PIECE ? (size_t)(end - off) : PIECE, n = 0;
	char *p = xmalloc(size + 1);
	bool skip = false;	/* within a line that is too long */
	int rc = 0;

	while (rc == 0 && (off < end || n > 0)) {
		size_t want = size - n, i = 0;
		const char *nl;

		if ((off_t)want > end - off)
			want = (size_t)(end - off);
		if (want > 0 && io_pread_full(fd, p + n, want, off) < 0) {
			errno = errno != 0 ? errno : EIO;
			rc = -1;
			break;
		}
		off += (off_t)want;
		n += want;
		while (rc == 0 && i < n &&
		    (nl = memchr(p + i, '\n', n - i)) != NULL) {
			if (!skip)
				rc = fn(arg, slice_make(p + i,
				    (size_t)(nl - p) - i));
			skip = false;
			i = (size_t)(nl - p) + 1;
		}
		if (rc == 0 && off == end && i < n) {	/* no last '\n' */
			if (!skip)
				rc = fn(arg, slice_make(p + i, n - i));
			i = n;
		}
		if (i == 0 && n == size) {
			skip = true;
			i = n;
		}
		memmove(p, p + i, n - i);
		n -= i;
	}
	xfree(p);
	return rc;
}

struct search {
	struct slice key;
	struct arena *a;
	struct slice *line_r;
};

static int
match(void *arg, struct slice line)
{
	struct search *s = arg;

	if (!slice_starts(line, s->key) || line.n <= s->key.n ||
	    line.p[s->key.n] != ':' || line.n > LINEFILE_LINE_MAX)
		return 0;
	*s->line_r = arena_slice(s->a, line);
	return 1;
}

/* Does the head say that the file is in order, and truly? */
static bool
is_sorted(const struct linefile *f, int fd, off_t size)
{
	char is[LINEFILE_HEAD_MAX], want[LINEFILE_HEAD_MAX + 1];
	size_t n = linefile_head(f, size, want);

	return size >= (off_t)n && io_pread_full(fd, is, n, 0) == 0 &&
	    memcmp(is, want, n) == 0;
}

/*
 * Narrows [*lo, *hi), which begins and ends at a line, until it is small.  0,
 * 1: the lines are not in order after all, -1 with errno.
 */
static int
narrow(int fd, struct slice key, off_t *lo, off_t *hi)
{
	char p[NARROW];

	while (*hi - *lo > NARROW) {
		off_t mid = *lo + (*hi - *lo) / 2;
		size_t want = *hi - mid < NARROW ? (size_t)(*hi - mid) : NARROW;
		struct slice line;
		const char *nl, *end, *colon;

		if (io_pread_full(fd, p, want, mid) < 0)
			return -1;
		if ((nl = memchr(p, '\n', want)) == NULL)
			return 1;
		nl++;
		line = slice_make(nl, want - (size_t)(nl - p));
		end = line.n > 0 ? memchr(nl, '\n', line.n) : NULL;
		colon = line.n > 0 ? memchr(nl, ':', line.n) : NULL;
		if (end != NULL && *nl == '#') {
			*lo = mid + (nl - p);	/* comments go first */
			continue;
		}
		if (end == NULL || colon == NULL || colon > end)
			return 1;
		line.n = (size_t)(colon - nl);
		mid += nl - p;
		if (slice_cmp(key, line) < 0)
			*hi = mid;
		else
			*lo = mid;
	}
	return 0;
}

static int
find_in(const struct linefile *f, int fd, struct search *s)
{
	struct stat st;
	off_t lo, hi;
	int rc;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > LINEFILE_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (is_sorted(f, fd, st.st_size)) {
		lo = (off_t)linefile_head(f, 0, NULL);
		hi = st.st_size;
		if ((rc = narrow(fd, s->key, &lo, &hi)) < 0)
			return -1;
		if (rc == 0)
			return linefile_scan(fd, lo, hi, match, s);
	}
	return linefile_scan(fd, 0, st.st_size, match, s);
}

int
linefile_find(const struct linefile *f, struct slice key, struct arena *a,
    struct slice *line_r)
{
	struct search s = { key, a, line_r };
	int fd, rc, e;

	if ((fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -1;
	rc = find_in(f, fd, &s);
	e = errno;
	io_close(&fd);
	errno = e;
	return rc < 0 ? -1 : rc == 1 ? 0 : 1;
}

int
linefile_each(const struct linefile *f,
    int (*fn)(void *arg, struct slice line), void *arg)
{
	struct stat st;
	int fd, rc = -1, e;

	if ((fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -1;
	if (fstat(fd, &st) == 0)
		rc = linefile_scan(fd, 0, st.st_size, fn, arg);
	e = errno;
	io_close(&fd);
	errno = e;
	return rc;
}
