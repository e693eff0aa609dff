/* t/crash/power-disk.c - what a disk may hold after the power was lost */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/crash/power.h"

/*
 * A file is what was flushed, and pieces that were not: parts of pages that
 * were written, sizes, holes.  A flush that failed leaves pieces that no later
 * flush is about (the kernel takes the page for clean), unless their page is
 * written again.  A directory is entries that were flushed, and changes of
 * entries that were not.
 */

enum { PAGE = 4096, SECTOR = 512 };

struct piece {
	enum power_kind kind;
	uint64_t off, n;
	const unsigned char *p;
	bool limbo;
};
struct octets {
	unsigned char *p;
	size_t n, cap;
};
struct entry {
	char name[POWER_NAME];
	uint32_t node;
};
struct dirop {
	enum power_kind kind;
	const struct event *e;
};
struct dnode {
	struct octets flushed;
	struct piece *piece;
	size_t n_pieces;
	struct entry *entry;
	size_t n_entries;
	struct dirop *op;
	size_t n_ops;
};
struct disk {
	const struct power_log *log;
	struct dnode node[POWER_NODES];
};

struct disk *
disk_new(const struct power_log *l)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->log = l;
	return d;
}

void
disk_free(struct disk **dp)
{
	struct disk *d = *dp;

	for (size_t i = 0; i < POWER_NODES; i++) {
		xfree(d->node[i].flushed.p);
		xfree(d->node[i].piece);
		xfree(d->node[i].entry);
		xfree(d->node[i].op);
	}
	xfree(d);
	*dp = NULL;
}

/* ---- files -------------------------------------------------------------- */

static void
resize(struct octets *o, size_t n)
{
	if (n > o->cap) {
		o->cap = n * 2;
		o->p = xreallocarray(o->p, o->cap, 1);
	}
	if (n > o->n)
		memset(o->p + o->n, 0, n - o->n);
	o->n = n;
}

static void
put_piece(struct octets *o, const struct piece *c, size_t n)
{
	switch (c->kind) {
	case EV_WRITE:
		if (n == 0)
			return;
		if (c->off + n > o->n)
			resize(o, (size_t)c->off + n);
		memcpy(o->p + c->off, c->p, n);
		break;
	case EV_SIZE:
		resize(o, (size_t)c->n);
		break;
	default:
		for (uint64_t i = c->off; i < c->off + c->n && i < o->n; i++)
			o->p[i] = 0;
		break;
	}
}

static void
add_piece(struct dnode *f, const struct piece *c)
{
	f->piece = xreallocarray(f->piece, f->n_pieces + 1, sizeof(*f->piece));
	f->piece[f->n_pieces++] = *c;
}

static void
file_write(struct dnode *f, const struct power_log *l, const struct event *e)
{
	uint64_t off = e->off, end = e->off + e->n;

	while (off < end) {
		uint64_t next = (off / PAGE + 1) * PAGE;
		struct piece c = { .kind = EV_WRITE, .off = off,
			.p = l->data + e->data + (off - e->off) };

		next = next < end ? next : end;
		c.n = next - off;
		add_piece(f, &c);
		off = next;
	}
}

static bool
page_is_dirty(const struct dnode *f, uint64_t page)
{
	for (size_t i = 0; i < f->n_pieces; i++)
		if (f->piece[i].kind == EV_WRITE && !f->piece[i].limbo &&
		    f->piece[i].off / PAGE == page)
			return true;
	return false;
}

/* What a cut or a hole leaves of an earlier write. */
static void
piece_cut(struct piece *c, const struct piece *by)
{
	if (by->kind == EV_SIZE && c->off + c->n > by->n)
		c->n = c->off < by->n ? by->n - c->off : 0;
	/* Holes are of whole pages, and pieces within one. */
	if (by->kind == EV_PUNCH && c->off >= by->off &&
	    c->off + c->n <= by->off + by->n)
		c->n = 0;
}

static void
file_flush(struct dnode *f)
{
	struct piece *old = f->piece;
	size_t n = f->n_pieces, kept = 0;
	struct piece *keep = xcalloc(n + 1, sizeof(*keep));

	for (size_t i = 0; i < n; i++) {
		struct piece *c = &old[i];

		if (c->limbo && !page_is_dirty(f, c->off / PAGE)) {
			keep[kept++] = *c;
			continue;
		}
		put_piece(&f->flushed, c, (size_t)c->n);
		for (size_t k = 0; k < kept; k++)
			piece_cut(&keep[k], c);
	}
	xfree(old);
	f->piece = keep;
	f->n_pieces = kept;
}

static void
flush_failed(struct dnode *f)
{
	for (size_t i = 0; i < f->n_pieces; i++)
		f->piece[i].limbo = f->piece[i].kind == EV_WRITE;
}

/* ---- directories -------------------------------------------------------- */

static void
entry_del(struct dnode *d, const char *name)
{
	for (size_t i = 0; i < d->n_entries; i++)
		if (strcmp(d->entry[i].name, name) == 0) {
			d->entry[i] = d->entry[--d->n_entries];
			return;
		}
}

static void
entry_put(struct dnode *d, const char *name, uint32_t node)
{
	struct entry *e;

	entry_del(d, name);
	d->entry = xreallocarray(d->entry, d->n_entries + 1,
	    sizeof(*d->entry));
	e = &d->entry[d->n_entries++];
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->node = node;
}

static void
put_op(struct dnode *d, const struct event *e)
{
	if (e->kind != EV_LINK)
		entry_del(d, e->name);
	if (e->kind != EV_UNLINK)
		entry_put(d, e->kind == EV_LINK ? e->name : e->to, e->node);
}

void
disk_step(struct disk *d, const struct event *e)
{
	struct dnode *f;
	struct piece c = { .kind = e->kind, .off = e->off, .n = e->n };

	switch (e->kind) {
	case EV_WRITE:
		file_write(&d->node[e->node], d->log, e);
		break;
	case EV_SIZE:
	case EV_PUNCH:
		add_piece(&d->node[e->node], &c);
		break;
	case EV_FLUSH:
		f = &d->node[e->node];
		for (size_t i = 0; i < f->n_ops; i++)
			put_op(f, f->op[i].e);
		f->n_ops = 0;
		file_flush(f);
		break;
	case EV_FLUSH_FAILED:
		flush_failed(&d->node[e->node]);
		break;
	case EV_LINK:
	case EV_UNLINK:
	case EV_RENAME:
		f = &d->node[e->dir];
		f->op = xreallocarray(f->op, f->n_ops + 1, sizeof(*f->op));
		f->op[f->n_ops++] = (struct dirop){ e->kind, e };
		break;
	default:
		break;
	}
}

/* ---- the power goes ----------------------------------------------------- */

static enum power_loss
loss_here(enum power_loss how)
{
	return how == LOSS_ANY ? (enum power_loss)power_rand(LOSS_KINDS) : how;
}

static void
file_lose(const struct dnode *f, enum power_loss how, struct octets *o)
{
	size_t n = f->n_pieces, torn = SIZE_MAX, most;

	resize(o, f->flushed.n);
	if (f->flushed.n > 0)
		memcpy(o->p, f->flushed.p, f->flushed.n);
	most = o->n;
	if (how == LOSS_ALL)
		return;
	if (how == LOSS_PREFIX) {
		n = power_rand((uint32_t)n + 1);
		torn = n > 0 && power_rand(2) == 0 ? n - 1 : torn;
	}
	for (size_t i = 0; i < n; i++) {
		const struct piece *c = &f->piece[i];
		size_t len = (size_t)c->n;

		if (c->kind == EV_WRITE && c->off + c->n > most)
			most = (size_t)(c->off + c->n);
		if (how == LOSS_ANY && power_rand(2) == 0)
			continue;
		if (c->kind == EV_WRITE && i == torn) {
			uint64_t end = c->off + power_rand((uint32_t)c->n + 1);

			end -= end % SECTOR;
			len = end > c->off ? (size_t)(end - c->off) : 0;
		}
		put_piece(o, c, len);
	}
	/* The size of a file, and not what was written there. */
	if (how == LOSS_ANY && power_rand(2) == 0 && most > o->n)
		resize(o, most);
}

static void
make_file(const struct dnode *f, enum power_loss how, int dirfd,
    const char *name)
{
	struct octets o = { NULL, 0, 0 };
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);

	resize(&o, 1);
	o.n = 0;
	file_lose(f, loss_here(how), &o);
	if (fd < 0 || io_pwrite_full(fd, o.p, o.n, 0) < 0)
		power_fault("%s: %s", name, strerror(errno));
	io_close(&fd);
	xfree(o.p);
}

/* Another name of a file that was made already. */
static bool
make_link(const struct dnode *dir, size_t i, int dirfd)
{
	for (size_t k = 0; k < i; k++)
		if (dir->entry[k].node == dir->entry[i].node)
			return linkat(dirfd, dir->entry[k].name, dirfd,
			    dir->entry[i].name, 0) == 0;
	return false;
}

static void
make_dir(const struct disk *d, uint32_t node, enum power_loss all, int dirfd)
{
	const struct dnode *f = &d->node[node];
	enum power_loss how = loss_here(all);
	struct dnode now = { .n_entries = 0 };
	size_t n = f->n_ops;

	for (size_t i = 0; i < f->n_entries; i++)
		entry_put(&now, f->entry[i].name, f->entry[i].node);
	if (how == LOSS_PREFIX)
		n = power_rand((uint32_t)n + 1);
	for (size_t i = 0; i < n && how != LOSS_ALL; i++)
		if (how != LOSS_ANY || power_rand(2) == 0)
			put_op(&now, f->op[i].e);
	for (size_t i = 0; i < now.n_entries; i++) {
		const struct entry *e = &now.entry[i];
		struct stat st;
		int fd;

		if (!d->log->node[e->node].dir) {
			if (!make_link(&now, i, dirfd))
				make_file(&d->node[e->node], all, dirfd,
				    e->name);
			continue;
		}
		(void)mkdirat(dirfd, e->name, 0700);
		fd = openat(dirfd, e->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			power_fault("%s: %s", e->name, strerror(errno));
		else
			make_dir(d, e->node, all, fd);
		io_close(&fd);
	}
	xfree(now.entry);
}

void
disk_materialise(const struct disk *d, enum power_loss how, const char *root)
{
	int fd;

	(void)mkdir(root, 0700);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		power_fault("%s: %s", root, strerror(errno));
	else
		make_dir(d, 0, how, fd);
	io_close(&fd);
}
