/* libstore/kv/check.c - verifying all that the engine keeps */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

/* Items up to this are read whole; records are never longer. */
enum { ITEM_WHOLE = ITEM_HEAD + RECORD_MAX + ITEM_ALIGN };

struct check {
	void (*fn)(void *arg, const char *fault);
	void *arg;
	int faults;
	bool newer;		/* a file that this program can't judge */
	int failed;		/* not 0: something couldn't be looked at */
	char what[300];
};

static void fault(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void not_read(struct check *c, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct check *c, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->fn(c->arg, text);
	c->faults++;
}

/* The system said no: that is no damage, but it isn't known either. */
static void
not_read(struct check *c, int rc, const char *fmt, ...)
{
	va_list ap;

	if (c->failed != 0)
		return;
	c->failed = rc;
	va_start(ap, fmt);
	vsnprintf(c->what, sizeof(c->what), fmt, ap);
	va_end(ap);
}

static void
base_fault(void *arg, const char *text)
{
	fault(arg, "%s", text);
}

/* The base: its pages, the Btree's structure, its checksum.  It is open, so it
 * may be another's by now. */
static void
check_base(struct bdb_kv *b, struct check *c)
{
	const struct journal_head *h = &b->s.head;
	int before = c->faults, fd, rc;
	char name[40];
	uint32_t crc;

	if (h->gen == 0)
		return;
	rc = base_verify(b->s.low.base, base_fault, c);
	if (rc == STORE_E_IO || rc == STORE_E_NOMEM)
		not_read(c, rc, "%s", base_errmsg(b->s.low.base));
	else if (rc < 0)
		fault(c, "%s", base_errmsg(b->s.low.base));
	if (c->faults > before || c->failed != 0)
		return;
	snprintf(name, sizeof(name), "base.%llu", (unsigned long long)h->gen);
	fd = sys_openat(b->dirfd, name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		/* A compaction may have replaced it; then that checked it. */
		if (errno != ENOENT)
			not_read(c, STORE_E_IO, "%s: %s", name,
			    strerror(errno));
		else if (snap_current(b, &b->s) == 1)
			fault(c, "%s can't be opened", name);
		return;
	}
	if (base_crc(fd, h->base_size, &crc) < 0)
		not_read(c, STORE_E_IO, "%s: %s", name, strerror(errno));
	else if (crc != h->base_crc)
		fault(c, "%s: not the one that the journal names", name);
	io_close(&fd);
}

/* All rows, as they are seen: patches must fit, keys must ascend. */
static void
check_rows(struct bdb_kv *b, struct check *c)
{
	struct slice none = { NULL, 0 }, key, val, last;
	struct lower_scan *s = lower_scan_new(&b->s.low, none, none, false);
	char copy[KV_KEY_MAX];
	int rc;

	last = none;
	while ((rc = lower_scan_next(s, &key, &val)) == 1) {
		if (key.n == 0 || key.n > KV_KEY_MAX || val.n > KV_VALUE_MAX) {
			fault(c, "a row of impossible size");
			continue;
		}
		if (last.p != NULL && slice_cmp(last, key) >= 0)
			fault(c, "rows out of order");
		memcpy(copy, key.p, key.n);
		last = slice_make(copy, key.n);
	}
	if (rc == STORE_E_IO || rc == STORE_E_NOMEM)
		not_read(c, rc, "rows can't be read to the end");
	else if (rc < 0)
		fault(c, "rows can't be read to the end");
	lower_scan_free(s);
}

/* A blob too large to be held whole, by frames. */
static int
large_blob_ok(struct bdb_kv *b, const struct pack_file *p, uint64_t off,
    const struct item *it)
{
	struct kv_ref ref = { .pack = p->no, .off = off,
		.len = (uint32_t)it->len };
	char *frame = xmalloc(ITEM_FRAME);
	struct kv_reader *r = NULL;
	int rc = it->len > UINT32_MAX ? STORE_E_CORRUPT :
					kv_reader_open(&b->kv, &ref, &r);

	for (uint64_t at = 0; rc == 0 && at < it->raw; at += ITEM_FRAME) {
		uint64_t left = it->raw - at;

		rc = kv_reader_read(r, at, frame, left < ITEM_FRAME ?
			(size_t)left : ITEM_FRAME);
	}
	if (r != NULL)
		kv_reader_close(&r);
	xfree(frame);
	return rc == STORE_E_IO || rc == STORE_E_NOMEM ? rc : rc == 0;
}

int
pack_item_ok(struct bdb_kv *b, const struct pack_file *p, uint64_t off,
    struct item *it)
{
	char *octets;
	ssize_t n;
	int ok;

	if (it->len > ITEM_WHOLE)
		return it->kind == ITEM_BLOB ? large_blob_ok(b, p, off, it) : 0;
	octets = xmalloc((size_t)it->len);
	n = sys_pread(p->fd, octets, (size_t)it->len, off);
	if (n < 0)
		ok = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	else
		ok = n == (ssize_t)it->len &&
		    item_verify(slice_make(octets, (size_t)n), it) == 0;
	xfree(octets);
	return ok;
}

/* Neighbors that died become one item, also while this goes on.  Where the item
 * ends in which off is by now; off: it begins there; 0: there is a bad one. */
static uint64_t
item_around(const struct pack_file *p, uint64_t off, uint64_t end)
{
	unsigned char head[ITEM_HEAD];
	uint64_t at = PACK_HEAD;
	struct item it;

	while (at < off) {
		if (sys_pread(p->fd, head, sizeof(head), at) != ITEM_HEAD ||
		    item_decode(head, &it) < 0 || it.len > end - at)
			return 0;
		at += it.len;
	}
	return at;
}

/* One item; *len_r: how far to the next, 0 if that can't be told. */
static void
check_item(struct bdb_kv *b, const struct pack_file *p, uint64_t off,
    uint64_t end, struct check *c, uint64_t *len_r)
{
	unsigned char head[ITEM_HEAD];
	struct item it;
	ssize_t n = sys_pread(p->fd, head, sizeof(head), off);
	uint64_t next;
	int ok;

	*len_r = 0;
	if (n < 0) {
		not_read(c, STORE_E_IO, "pack.%lu: %s", (unsigned long)p->no,
		    strerror(errno));
		return;
	}
	if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
	    it.len > end - off) {
		if ((next = item_around(p, off, end)) > off) {
			*len_r = next - off;
			return;
		}
		fault(c, "pack.%lu: damaged at %llu: no item begins there",
		    (unsigned long)p->no, (unsigned long long)off);
		return;
	}
	*len_r = it.len;
	/* Inside of the dead there may be holes. */
	if (it.kind == ITEM_DEAD || it.deleted)
		return;
	if ((ok = pack_item_ok(b, p, off, &it)) < 0)
		not_read(c, ok, "%s", b->kv.err);
	if (ok != 0)
		return;
	/* Deleted and swept meanwhile? */
	n = sys_pread(p->fd, head, sizeof(head), off);
	if (item_around(p, off, end) > off)
		return;
	if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
	    it.kind == ITEM_RECORD || (it.kind == ITEM_BLOB && !it.deleted))
		fault(c, "pack.%lu: damaged %s at %llu", (unsigned long)p->no,
		    it.kind == ITEM_RECORD ? "record" : "blob",
		    (unsigned long long)off);
}

static int
check_pack(struct bdb_kv *b, uint64_t no, void *arg)
{
	struct check *c = arg;
	struct pack_file *p;
	struct stat st;
	uint64_t len, end;
	int rc;

	if (no >= b->s.pos.next)
		return 0;	/* newer than our snapshot, or stray */
	rc = pack_get(b, (uint32_t)no, &p);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	if (rc < 0) {
		c->newer = c->newer || rc == STORE_E_VERSION;
		if (rc == STORE_E_CORRUPT || rc == STORE_E_VERSION)
			fault(c, "%s", b->kv.err);
		else
			not_read(c, rc, "%s", b->kv.err);
		return 0;
	}
	if (sys_fstat(p->fd, &st) < 0) {
		not_read(c, STORE_E_IO, "pack.%lu: %s", (unsigned long)no,
		    strerror(errno));
		pack_put(p);
		return 0;
	}
	end = (uint64_t)st.st_size;
	if (no == b->s.pos.pack) {
		if (end < b->s.pos.end)
			fault(c, "pack.%lu: %llu octets are missing",
			    (unsigned long)no,
			    (unsigned long long)(b->s.pos.end - end));
		else
			end = b->s.pos.end;
	}
	for (uint64_t off = PACK_HEAD; off < end; off += len) {
		check_item(b, p, off, end, c, &len);
		if (len == 0)
			break;
	}
	pack_put(p);
	return 0;
}

static int
check_log(struct bdb_kv *b, uint64_t gen, void *arg)
{
	const char *bad;
	int rc = log_check(b, gen, &bad);

	if (rc < 0)
		not_read(arg, rc, "%s", b->kv.err);
	else if (bad != NULL)
		fault(arg, "log.%llu: %s", (unsigned long long)gen, bad);
	return 0;
}

int
bdb_check(struct kv *kv, void (*fn)(void *arg, const char *text), void *arg)
{
	struct check c = { .fn = fn, .arg = arg };
	struct bdb_kv *b;
	struct kv *other;
	int rc;

	/* Reads the whole journal from the disk once more. */
	if ((rc = kv_reopen(kv, &other)) == STORE_E_CORRUPT) {
		fault(&c, "%s", store_error(rc)->text);
		return c.faults;
	}
	if (rc < 0)
		return kv_fail(kv, rc, "it can't be opened once more");
	b = (struct bdb_kv *)other;
	if ((rc = kv_refresh(other)) == STORE_E_CORRUPT)
		fault(&c, "%s", other->err);
	else if (rc < 0)
		not_read(&c, rc, "%s", other->err);
	check_base(b, &c);
	check_rows(b, &c);
	if (dir_numbers(b, "log.", check_log, &c) < 0 ||
	    dir_numbers(b, "pack.", check_pack, &c) < 0)
		not_read(&c, STORE_E_IO, "%s", other->err);
	kv_close(&other);
	if (c.newer)
		return STORE_E_VERSION;
	return c.failed != 0 ? kv_fail(kv, c.failed, "%s", c.what) : c.faults;
}
