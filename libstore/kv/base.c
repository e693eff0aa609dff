/* libstore/kv/base.c - the immutable Btree under the journal: reading */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/btree.h"
#include "libstore/kv/sys.h"

/*
 * The file isn't mapped: where a mapped one can't be read, or was cut, the
 * process gets a signal, and all that it does for other accounts ends as well.
 */
enum {
	FRAMES = 32,		/* pages that searches keep */
	AHEAD_MIN = 4, AHEAD_MAX = 32,	/* pages that a scan reads at once */
	DEPTH_MAX = 32
};

struct frame {
	uint32_t no;		/* 0: empty */
	unsigned char *p;
};

/* Neighboring pages, as they were read; checked when they are used. */
struct window {
	unsigned char *p;
	uint32_t first, n, cap, ahead;
};

/* A value that is in pages of its own. */
struct value {
	char *p;
	size_t cap;
};

struct base {
	int fd;
	uint64_t gen, size;
	struct bt_meta meta;
	struct frame frame[FRAMES];
	struct window win;
	struct value val;
	char err[160];
};

struct base_cursor {
	struct base *b;
	bool reverse, started;
	size_t from_n;
	char from[256];
	uint32_t steps;		/* leaves that were walked */
	unsigned i;
	struct bt_page g;	/* in leaf */
	struct window win;
	struct value val;
	unsigned char leaf[BT_PAGE];
};

static int fail(struct base *b, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(struct base *b, int rc, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(b->err, sizeof(b->err), "base.%llu: ",
	    (unsigned long long)b->gen);

	va_start(ap, fmt);
	vsnprintf(b->err + n, sizeof(b->err) - (size_t)n, fmt, ap);
	va_end(ap);
	return rc;
}

const char *
base_errmsg(const struct base *b)
{
	return b->err;
}

static int
damaged(struct base *b, uint32_t no, const char *what)
{
	return fail(b, STORE_E_CORRUPT, "page at %llu: %s",
	    (unsigned long long)no * BT_PAGE, what);
}

/* ---- pages -------------------------------------------------------------- */

static int
read_pages(struct base *b, uint32_t no, uint32_t n, unsigned char *p)
{
	size_t want = (size_t)n * BT_PAGE;
	ssize_t k = sys_pread(b->fd, p, want, (uint64_t)no * BT_PAGE);

	if (k < 0)
		return fail(b, errno == ENOMEM ? STORE_E_NOMEM : STORE_E_IO,
		    "page at %llu: %s", (unsigned long long)no * BT_PAGE,
		    strerror(errno));
	return k == (ssize_t)want ? 0 : damaged(b, no, "cut off");
}

/* Is it what was written there, and of that type (0: a leaf or inner one)? */
static int
page_check(struct base *b, uint32_t no, const unsigned char *p, int type,
    struct bt_page *g)
{
	if (!bt_sealed(p, b->gen))
		return damaged(b, no, "wrong checksum");
	if (bt_page_decode(p, b->meta.swap, g) < 0 || g->no != no)
		return damaged(b, no, "not the page that belongs there");
	if (type == 0 ? g->type == BT_OVERFLOW : g->type != type)
		return damaged(b, no, "of another kind");
	return 0;
}

/* A page of the tree, valid until the next call. */
static int
page_get(struct base *b, uint32_t no, struct bt_page *g)
{
	struct frame *f = &b->frame[no % FRAMES];
	int rc;

	if (no == 0 || no >= b->meta.pages)
		return damaged(b, no, "not in the file");
	if (f->no == no)
		return bt_page_decode(f->p, b->meta.swap, g) < 0 ?
		    damaged(b, no, "of another kind") : 0;
	f->no = 0;
	if (f->p == NULL)
		f->p = xmalloc(BT_PAGE);
	if ((rc = read_pages(b, no, 1, f->p)) < 0 ||
	    (rc = page_check(b, no, f->p, 0, g)) < 0)
		return rc;
	f->no = no;
	return 0;
}

/* Pages [no, no + n) in memory, unchecked.  Who goes on where the last ones
 * ended gets more and more at once. */
static int
window_get(struct base *b, struct window *w, uint32_t no, uint32_t n,
    const unsigned char **p_r)
{
	uint32_t want = n, end = w->first + w->n;
	int rc;

	if (no == 0 || no >= b->meta.pages || n > b->meta.pages - no)
		return damaged(b, no, "not in the file");
	if (no >= w->first && no + n <= end) {
		*p_r = w->p + (size_t)(no - w->first) * BT_PAGE;
		return 0;
	}
	if (w->n > 0 && no >= w->first && no <= end + AHEAD_MIN)
		w->ahead = w->ahead < AHEAD_MIN ? AHEAD_MIN :
		    w->ahead < AHEAD_MAX	? w->ahead * 2 :
						  AHEAD_MAX;
	else
		w->ahead = 0;
	want = want < w->ahead ? w->ahead : want;
	if (want > b->meta.pages - no)
		want = b->meta.pages - no;
	w->n = 0;
	if (want > w->cap) {
		xfree(w->p);
		w->p = xmalloc((size_t)want * BT_PAGE);
		w->cap = want;
	}
	if ((rc = read_pages(b, no, want, w->p)) < 0)
		return rc;
	w->first = no;
	w->n = want;
	*p_r = w->p;
	return 0;
}

/* The octets of a value that isn't in its leaf. */
static int
value_get(struct base *b, struct window *w, const struct bt_row *r,
    struct value *v)
{
	uint32_t no = r->first, left = r->len, run, at = 0;
	const unsigned char *p;
	struct bt_page g;
	int rc;

	if (r->len > v->cap) {
		xfree(v->p);
		v->cap = r->len < BT_PAGE * 2 ? BT_PAGE * 2 : r->len;
		v->p = xmalloc(v->cap);
	}
	/* Its pages usually are neighbors. */
	run = (left + BT_OVER - 1) / BT_OVER;
	if (no < b->meta.pages && run > b->meta.pages - no)
		run = 1;
	while (left > 0) {
		if ((rc = window_get(b, w, no, run, &p)) < 0)
			return rc;
		do {
			if ((rc = page_check(b, no, p, BT_OVERFLOW, &g)) < 0)
				return rc;
			if (g.len > left)
				return damaged(b, no, "too long");
			memcpy(v->p + at, p + BT_HEAD, g.len);
			at += g.len;
			left -= g.len;
			p += BT_PAGE;
			run--;
		} while (left > 0 && run > 0 && g.next == ++no);
		no = g.next;
		run = 1;
	}
	return 0;
}

/* Goes down to the leaf where the key is, or, with none, to the first or last
 * one. */
static int
descend(struct base *b, struct slice key, bool last, struct bt_page *g)
{
	uint32_t no = b->meta.root;
	unsigned i;
	int rc;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		if ((rc = page_get(b, no, g)) < 0)
			return rc;
		if (g->type == BT_LEAF)
			return 0;
		i = last ? g->n - 1 : 0;
		if ((key.n > 0 && bt_find(g, key, &i) < 0) ||
		    bt_child(g, i, &no) < 0)
			return damaged(b, g->no, "bad entry");
	}
	return damaged(b, b->meta.root, "no end of levels");
}

/* ---- the file ----------------------------------------------------------- */

void
base_close(struct base **bp)
{
	struct base *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	io_close(&b->fd);
	for (size_t i = 0; i < FRAMES; i++)
		xfree(b->frame[i].p);
	xfree(b->win.p);
	xfree(b->val.p);
	xfree(b);
}

static int
meta_read(struct base *b)
{
	unsigned char page[BT_PAGE];
	int rc;

	if ((rc = read_pages(b, 0, 1, page)) < 0)
		return rc;
	if (!bt_sealed(page, b->gen))
		return damaged(b, 0, "wrong checksum");
	if (bt_meta_decode(page, &b->meta) < 0 ||
	    (uint64_t)b->meta.pages * BT_PAGE > b->size)
		return damaged(b, 0, "not the head of a base");
	return 0;
}

int
base_open(int dirfd, uint64_t gen, uint64_t size, struct base **b_r,
    char *err, size_t err_n)
{
	struct base *b = xcalloc(1, sizeof(*b));
	struct stat st;
	char name[40];
	int rc;

	b->gen = gen;
	b->size = size;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)gen);
	b->fd = sys_openat(dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	if (b->fd < 0 || sys_fstat(b->fd, &st) < 0)
		rc = fail(b, errno == ENOENT ? STORE_E_NOTFOUND :
			errno == ENOMEM	     ? STORE_E_NOMEM :
					       STORE_E_IO,
		    "%s", strerror(errno));
	else if ((uint64_t)st.st_size != size)
		rc = fail(b, STORE_E_CORRUPT, "%lld octets instead of %llu",
		    (long long)st.st_size, (unsigned long long)size);
	else
		rc = meta_read(b);
	if (rc < 0) {
		snprintf(err, err_n, "%s", b->err);
		base_close(&b);
	} else
		*b_r = b;
	return rc;
}

int
base_get(struct base *b, struct slice key, struct slice *val_r)
{
	struct bt_page g;
	struct bt_row r;
	unsigned i;
	int rc;

	if ((rc = descend(b, key, false, &g)) < 0)
		return rc;
	if ((rc = bt_find(&g, key, &i)) == 0)
		return 0;
	if (rc < 0 || (rc = bt_row(&g, i, &r)) < 0)
		return damaged(b, g.no, "bad entry");
	if (rc == 0)
		return 0;
	if (r.first == 0) {
		*val_r = r.val;
		return 1;
	}
	if ((rc = value_get(b, &b->win, &r, &b->val)) < 0)
		return rc;
	*val_r = slice_make(b->val.p, r.len);
	return 1;
}

/* ---- cursors ------------------------------------------------------------ */

int
base_cursor_open(struct base *b, struct slice from, int reverse,
    struct base_cursor **c_r)
{
	struct base_cursor *c = xmalloc(sizeof(*c));

	memset(c, 0, offsetof(struct base_cursor, leaf));
	c->b = b;
	c->reverse = reverse != 0;
	if (from.n > sizeof(c->from))
		from.n = sizeof(c->from);
	if (from.n > 0)
		memcpy(c->from, from.p, from.n);
	c->from_n = from.n;
	*c_r = c;
	return 0;
}

void
base_cursor_close(struct base_cursor **cp)
{
	struct base_cursor *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	xfree(c->win.p);
	xfree(c->val.p);
	xfree(c);
}

static int
cursor_start(struct base_cursor *c)
{
	struct slice from = slice_make(c->from, c->from_n);
	int rc;

	if ((rc = descend(c->b, from, c->reverse, &c->g)) < 0)
		return rc;
	/* Searches meanwhile may want the frame. */
	memcpy(c->leaf, c->g.p, BT_PAGE);
	c->g.p = c->leaf;
	c->i = c->reverse ? c->g.n : 0;
	if (from.n > 0 && bt_find(&c->g, from, &c->i) < 0)
		return damaged(c->b, c->g.no, "bad entry");
	c->started = true;
	return 0;
}

/* The next leaf, in the direction of the scan: 1, or 0 at the end. */
static int
cursor_leaf(struct base_cursor *c)
{
	uint32_t old = c->g.no, no = c->reverse ? c->g.prev : c->g.next;
	const unsigned char *p;
	int rc;

	if (no == 0)
		return 0;
	if ((rc = window_get(c->b, &c->win, no, 1, &p)) < 0)
		return rc;
	memcpy(c->leaf, p, BT_PAGE);
	if ((rc = page_check(c->b, no, c->leaf, BT_LEAF, &c->g)) < 0)
		return rc;
	if ((c->reverse ? c->g.next : c->g.prev) != old ||
	    ++c->steps >= c->b->meta.pages)
		return damaged(c->b, no, "not the next one");
	c->i = c->reverse ? c->g.n : 0;
	return 1;
}

int
base_cursor_next(struct base_cursor *c, struct slice *key_r,
    struct slice *val_r)
{
	struct bt_row r;
	int rc;

	if (!c->started && (rc = cursor_start(c)) < 0)
		return rc;
	do {
		while (c->i == (c->reverse ? 0 : c->g.n))
			if ((rc = cursor_leaf(c)) <= 0)
				return rc;
		if (c->reverse)
			c->i--;
		rc = bt_row(&c->g, c->i, &r);
		if (!c->reverse)
			c->i++;
		if (rc < 0)
			return damaged(c->b, c->g.no, "bad entry");
	} while (rc == 0);
	*key_r = r.key;
	*val_r = r.val;
	if (r.first != 0) {
		if ((rc = value_get(c->b, &c->win, &r, &c->val)) < 0)
			return rc;
		*val_r = slice_make(c->val.p, r.len);
	}
	return 1;
}

/* ---- verifying ---------------------------------------------------------- */

/* All pages, also those that no row is in now. */
static int
verify_pages(struct base *b, void (*fn)(void *arg, const char *text), void *arg)
{
	unsigned char page[BT_PAGE];
	int rc;

	for (uint32_t no = 0; no < b->size / BT_PAGE; no++) {
		rc = read_pages(b, no, 1, page);
		if (rc == 0 && !bt_sealed(page, b->gen))
			rc = damaged(b, no, "wrong checksum");
		if (rc < 0)
			fn(arg, b->err);
		if (rc < 0 && rc != STORE_E_CORRUPT)
			return rc;
	}
	return 0;
}

int
base_verify(struct base *b, void (*fn)(void *arg, const char *fault),
    void *arg)
{
	struct base_cursor *c;
	struct slice key, val;
	uint32_t leaf = 0;
	struct bt_page g;
	int rc;

	if ((rc = verify_pages(b, fn, arg)) < 0)
		return rc;
	if ((rc = base_cursor_open(b, slice_make(NULL, 0), 0, &c)) < 0)
		return rc;
	while ((rc = base_cursor_next(c, &key, &val)) == 1) {
		if (c->g.no == leaf)
			continue;
		leaf = c->g.no;
		if ((rc = descend(b, key, false, &g)) == 0 && g.no != leaf)
			rc = damaged(b, leaf, "a search doesn't find it");
		if (rc < 0)
			break;
	}
	base_cursor_close(&c);
	if (rc == STORE_E_CORRUPT)
		fn(arg, b->err);
	return rc == STORE_E_CORRUPT ? 0 : rc;
}
