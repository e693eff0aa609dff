/* libstore/kv/salvage.h - what can be trusted of a damaged account */
#ifndef STORE_KV_SALVAGE_H
#define STORE_KV_SALVAGE_H

#include "libstore/kv/bdb-int.h"
#include "libstore/kv/item.h"
#include "libstore/kv/overlay.h"

/* A blob that is whole. */
struct sv_blob {
	struct kv_ref ref;
	uint64_t raw;
};

/* Octets of a pack in which there is nothing whole; off 0: its head. */
struct sv_bad {
	uint32_t pack;
	uint64_t off, len;
};

/* A journal record, from the journal or a pack. */
struct sv_record {
	uint64_t seq;
	size_t order;		/* in which they were found */
	bool journal;		/* from there */
	char *octets;
	uint32_t len;
};

struct salvage {
	struct overlay rows;
	struct sv_blob *blob;
	size_t n_blob, cap_blob;
	struct sv_bad *bad;
	size_t n_bad, cap_bad;
	struct sv_record *rec;
	size_t n_rec, cap_rec;
	bool head_ok, base_ok;	/* the base's place in time is known */
	struct journal_head head;	/* the journal's, or its copy */
	uint64_t gen_max;
	uint32_t pack_max;
	char *aside;		/* directory for the originals */
	int lock_fd;		/* the journal, or -1 */
	void (*fn)(void *arg, const char *text);
	void *arg;
};

/* Tells what was found or done. */
void sv_say(struct salvage *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void *sv_grow(void *p, size_t *cap, size_t n, size_t size);
void sv_record_add(struct salvage *v, const char *p, const struct record *r);
/* The rows of a base's good pages. */
int sv_base(struct bdb_kv *b);
/* The journal's header and records. */
int sv_journal(struct bdb_kv *b);
/* The packs' blobs and records. */
int sv_packs(struct bdb_kv *b);
/* Marks what is bad in the packs as nothing, after a copy of it was put aside. */
int sv_packs_mend(struct bdb_kv *b);
/* Applies the records; the rows become the handle's snapshot. */
int sv_apply(struct bdb_kv *b);
void sv_free(struct bdb_kv *b);

#endif
