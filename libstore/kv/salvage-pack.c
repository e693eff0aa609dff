/* libstore/kv/salvage-pack.c - what is whole in damaged packs */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/salvage.h"
#include "libstore/kv/sys.h"

/* Octets of a file into one beside the originals. */
static int
put_aside(struct bdb_kv *b, int fd, uint32_t no, uint64_t off, uint64_t len)
{
	enum { STEP = 256 * 1024 };
	char *path = xasprintf("%s/pack.%lu.%llu", b->salvage->aside,
	    (unsigned long)no, (unsigned long long)off);
	char *p = xmalloc(STEP);
	int to = sys_openat(AT_FDCWD, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;

	if (to < 0)
		rc = kv_fail_sys(&b->kv, "%s", path);
	for (uint64_t at = 0; at < len && rc == 0; at += STEP) {
		size_t n = len - at < STEP ? (size_t)(len - at) : STEP;
		ssize_t k = sys_pread(fd, p, n, off + at);

		if (k < 0 || sys_pwrite(to, p, (size_t)k, at) < 0)
			rc = kv_fail_sys(&b->kv, "%s", path);
	}
	if (rc == 0 && sys_fdatasync(to) < 0)
		rc = kv_fail_sys(&b->kv, "%s", path);
	io_close(&to);
	xfree(p);
	xfree(path);
	return rc;
}

/* Where can be read on: the next item behind off that is one. */
static uint64_t
next_item(int fd, uint64_t off, uint64_t size)
{
	unsigned char head[ITEM_HEAD];
	struct item it;

	for (off += ITEM_ALIGN; off + ITEM_HEAD <= size; off += ITEM_ALIGN)
		if (sys_pread(fd, head, sizeof(head), off) == ITEM_HEAD &&
		    item_decode(head, &it) == 0 && it.len <= size - off)
			return off;
	return size;
}

static void
bad_add(struct salvage *v, uint32_t no, uint64_t off, uint64_t len)
{
	v->bad = sv_grow(v->bad, &v->cap_bad, v->n_bad + 1, sizeof(*v->bad));
	v->bad[v->n_bad++] = (struct sv_bad){ no, off, len };
	if (off > 0)
		sv_say(v, "pack.%lu: %llu octets at %llu are damaged",
		    (unsigned long)no, (unsigned long long)len,
		    (unsigned long long)off);
}

/* A journal record: 1, or 0: it isn't whole; or it can't be read now. */
static int
record_take(struct bdb_kv *b, int fd, uint64_t off, const struct item *it)
{
	struct salvage *v = b->salvage;
	struct record r;
	struct item again;
	size_t need;
	ssize_t n;
	char *p;
	int ok;

	if (it->len > ITEM_HEAD + RECORD_MAX + ITEM_ALIGN)
		return 0;
	p = xmalloc((size_t)it->len);
	if ((n = sys_pread(fd, p, (size_t)it->len, off)) < 0) {
		xfree(p);
		return kv_fail_sys(&b->kv, "a pack");
	}
	ok = n == (ssize_t)it->len &&
	    item_verify(slice_make(p, (size_t)it->len), &again) == 0 &&
	    record_decode(slice_make(p + ITEM_HEAD, again.meta_len), &r,
		&need) == 1;
	if (ok)
		sv_record_add(v, p + ITEM_HEAD, &r);
	xfree(p);
	return ok;
}

static void
blob_take(struct salvage *v, uint32_t no, uint64_t off, const struct item *it)
{
	struct sv_blob *s;

	v->blob = sv_grow(v->blob, &v->cap_blob, v->n_blob + 1,
	    sizeof(*v->blob));
	s = &v->blob[v->n_blob++];
	s->ref = (struct kv_ref){ no, off, (uint32_t)it->len };
	s->raw = it->raw;
}

/* What the system can't read just now isn't damaged: it is not given up. */
static int
items_read(struct bdb_kv *b, const struct pack_file *p, uint64_t size)
{
	struct salvage *v = b->salvage;
	unsigned char head[ITEM_HEAD];
	uint64_t off = PACK_HEAD, next;
	struct item it;
	ssize_t n;
	int good;

	while (off < size) {
		if ((n = sys_pread(p->fd, head, sizeof(head), off)) < 0)
			return kv_fail_sys(&b->kv, "pack.%lu",
			    (unsigned long)p->no);
		if (size - off < ITEM_HEAD || n != ITEM_HEAD ||
		    item_decode(head, &it) < 0 || it.len > size - off) {
			next = next_item(p->fd, off, size);
			bad_add(v, p->no, off, next - off);
			off = next;
			continue;
		}
		good = 1;
		if (it.kind == ITEM_RECORD)
			good = record_take(b, p->fd, off, &it);
		else if (it.kind == ITEM_BLOB && !it.deleted) {
			good = it.len > UINT32_MAX ? 0 :
				pack_item_ok(b, p, off, &it);
			if (good == 1)
				blob_take(v, p->no, off, &it);
		}
		if (good < 0)
			return good;
		if (good == 0)
			bad_add(v, p->no, off, it.len);
		off += it.len;
	}
	return 0;
}

/* The head of a pack says little: it is written anew. */
static int
head_mend(struct bdb_kv *b, uint32_t no)
{
	unsigned char head[PACK_HEAD];
	struct stat st;
	struct item it;
	char name[24];
	int fd, own = 0, rc;

	pack_name(no, name);
	if ((fd = sys_openat(b->dirfd, name, O_RDWR | O_CLOEXEC, 0)) < 0 ||
	    sys_fstat(fd, &st) < 0) {
		io_close(&fd);
		return kv_fail_sys(&b->kv, "%s", name);
	}
	if (sys_pread(fd, head, ITEM_HEAD, PACK_HEAD) == ITEM_HEAD &&
	    item_decode(head, &it) == 0)
		own = it.len > BLOB_OWN_PACK &&
		    it.len + PACK_HEAD == (uint64_t)st.st_size;
	sv_say(b->salvage, "%s: its head is damaged", name);
	rc = put_aside(b, fd, no, 0, PACK_HEAD);
	pack_head_encode(own, head);
	if (rc == 0 && (sys_pwrite(fd, head, PACK_HEAD, 0) < 0 ||
	    sys_fdatasync(fd) < 0))
		rc = kv_fail_sys(&b->kv, "%s", name);
	io_close(&fd);
	return rc;
}

static int
pack_read(struct bdb_kv *b, uint64_t no, void *arg)
{
	struct salvage *v = b->salvage;
	struct pack_file *p;
	struct stat st;
	int rc;

	(void)arg;
	if (no == 0 || no >= UINT32_MAX)
		return 0;
	if (no > v->pack_max)
		v->pack_max = (uint32_t)no;
	rc = pack_get(b, (uint32_t)no, &p);
	if (rc == STORE_E_CORRUPT && (rc = head_mend(b, (uint32_t)no)) == 0)
		rc = pack_get(b, (uint32_t)no, &p);
	if (rc < 0)
		return rc;
	if (sys_fstat(p->fd, &st) < 0)
		rc = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)no);
	else
		rc = items_read(b, p, (uint64_t)st.st_size);
	pack_put(p);
	return rc;
}

int
sv_packs(struct bdb_kv *b)
{
	return dir_numbers(b, "pack.", pack_read, NULL);
}

static int
bad_mend(struct bdb_kv *b, const struct sv_bad *bad)
{
	struct item it = { .kind = ITEM_DEAD, .len = bad->len };
	unsigned char head[ITEM_HEAD];
	struct pack_file *p;
	struct stat st;
	int rc;

	if ((rc = pack_get(b, bad->pack, &p)) < 0)
		return rc;
	rc = put_aside(b, p->fd, bad->pack, bad->off, bad->len);
	if (rc == 0 && sys_fstat(p->fd, &st) < 0)
		rc = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	item_encode(&it, head);
	if (rc == 0 && (bad->off + bad->len >= (uint64_t)st.st_size ?
		sys_truncate(p->fd, bad->off) :
		sys_pwrite(p->fd, head, sizeof(head), bad->off)) < 0)
		rc = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	if (rc == 0 && sys_fdatasync(p->fd) < 0)
		rc = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	pack_put(p);
	return rc;
}

int
sv_packs_mend(struct bdb_kv *b)
{
	struct salvage *v = b->salvage;
	int rc = 0;

	for (size_t i = 0; i < v->n_bad && rc == 0; i++)
		rc = bad_mend(b, &v->bad[i]);
	return rc;
}
