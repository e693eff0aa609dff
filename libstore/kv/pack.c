/* libstore/kv/pack.c - pack files: opening, caching, finding a blob */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/be.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

uint64_t
pack_limit(void)
{
	return sys_hook != NULL && sys_hook->pack_limit != 0 ?
	    sys_hook->pack_limit : PACK_LIMIT;
}

void
pack_name(uint32_t no, char out[24])
{
	snprintf(out, 24, "pack.%lu", (unsigned long)no);
}

void
pack_put(struct pack_file *p)
{
	if (p != NULL && atomic_fetch_sub(&p->refs, 1) == 1) {
		io_close(&p->fd);
		xfree(p);
	}
}

void
pack_forget(struct bdb_kv *b, uint32_t no)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_packs; i++) {
		if (no == 0 || b->packs[i]->no == no)
			pack_put(b->packs[i]);
		else
			b->packs[kept++] = b->packs[i];
	}
	b->n_packs = kept;
	b->hand = 0;
}

int
pack_open(struct bdb_kv *b, uint32_t no, struct pack_file **p_r)
{
	unsigned char head[PACK_HEAD];
	struct pack_file *p;
	char name[24];
	int fd, own, rc;
	ssize_t n;

	pack_name(no, name);
	fd = sys_openat(b->dirfd, name, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		return kv_fail(&b->kv, STORE_E_NOTFOUND, "%s: gone", name);
	if (fd < 0)
		return kv_fail_sys(&b->kv, "%s", name);
	if ((n = sys_pread(fd, head, sizeof(head), 0)) < 0)
		rc = kv_fail_sys(&b->kv, "%s", name);
	else if (n != PACK_HEAD)
		rc = kv_fail(&b->kv, STORE_E_CORRUPT, "%s: short", name);
	else if ((rc = pack_head_decode(head, &own)) < 0)
		rc = rc == STORE_E_VERSION ? kv_fail(&b->kv, rc,
		    "%s: its format has version %u, newer than %u", name,
		    be32_get(head + 8), (unsigned)PACK_VERSION) :
		    kv_fail(&b->kv, rc, "%s: bad header", name);
	if (rc < 0) {
		io_close(&fd);
		return rc;
	}
	p = xcalloc(1, sizeof(*p));
	atomic_init(&p->refs, 1);
	p->no = no;
	p->fd = fd;
	p->own = own;
	*p_r = p;
	return 0;
}

int
pack_get(struct bdb_kv *b, uint32_t no, struct pack_file **p_r)
{
	struct pack_file *p = NULL;
	int rc;

	for (size_t i = 0; i < b->n_packs && p == NULL; i++)
		if (b->packs[i]->no == no)
			p = b->packs[i];
	if (p == NULL) {
		if ((rc = pack_open(b, no, &p)) < 0)
			return rc;
		if (b->n_packs < PACK_CACHE) {
			b->packs[b->n_packs++] = p;
		} else {	/* in turn */
			pack_put(b->packs[b->hand]);
			b->packs[b->hand] = p;
			b->hand = (b->hand + 1) % PACK_CACHE;
		}
	}
	atomic_fetch_add(&p->refs, 1);
	*p_r = p;
	return 0;
}

static void
source_release(void *arg)
{
	pack_put(arg);
}

int
bdb_blob_source(struct kv *kv, const struct kv_ref *ref,
    struct kv_source *src_r)
{
	struct pack_file *p;
	int rc;

	if (ref->pack == 0 || ref->off < PACK_HEAD ||
	    ref->off % ITEM_ALIGN != 0 || ref->off > INT64_MAX / 2)
		return kv_fail(kv, STORE_E_NOTFOUND, "no such blob");
	if ((rc = pack_get((struct bdb_kv *)kv, ref->pack, &p)) < 0)
		return rc;
	*src_r = (struct kv_source){ .fd = p->fd, .pack = p->no, .off = ref->off,
		.len = ref->len, .release = source_release, .arg = p };
	return 0;
}
