/* libstore/check.h - what the parts of store_check() share */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "libstore/store-int.h"

struct c_mailbox {		/* counted from its messages */
	uint64_t id;
	struct row_mailbox row;
	uint32_t total, unread, unseen, deleted, threads, unread_threads;
	uint64_t size, deleted_size;
	uint32_t last_uid;
	bool named, reached;
};

struct c_email {		/* collected from its slots */
	uint64_t id, thread, size;
	int64_t received;
	uint64_t flags;
	uint8_t marks;
	unsigned char ref[ROW_REF_LEN];
	uint32_t n_in;
	uint64_t mailbox;	/* of the first slot */
	bool has_row, deleted;	/* deleted: the first slot is */
	struct c_email *next;	/* of the thread */
};

struct c_thread {
	uint64_t id;
	struct c_email *first;
	uint32_t emails, members;	/* counted; T rows */
	bool has_row;
};

struct c_count {		/* of message ids, of blobs */
	uint64_t a;
	uint32_t n;
	uint64_t mailbox;	/* of an Email that has the blob; 0: none lives */
	uint32_t uid;
	unsigned char blob[ROW_BLOBID_LEN];
};

struct check {
	struct store *st;
	struct kv_txn *t;
	struct arena *a, *tmp;
	bool read_blobs;
	void (*fn)(void *arg, const char *fault);
	void *arg;
	size_t n;
	uint64_t modseq;
	struct row_head head;
	struct umap mailboxes, emails, threads;
	struct umap msgids;	/* by hash of hash and thread */
	struct umap blobs;	/* by the first octets of the blob id */
	uint64_t n_dead, n_chunks, size, messages;
	uint64_t meta_size;	/* of the annotations */
	uint64_t once, once_counted;
	bool jobs;
};

void check_fault(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Calls fn for each row of the kind; negative of fn ends it.  Rows that fn
 * can't decode are faults: fn returns STORE_E_CORRUPT or _VERSION. */
int check_rows(struct check *c, int kind,
    int (*fn)(struct check *c, struct slice key, struct slice val));

int check_objects(struct check *c);		/* I E v p D */
int check_mailboxes(struct check *c);		/* M n r, loads */
int check_chunks(struct check *c);		/* h c g */
int check_emails(struct check *c);		/* e */
int check_threads(struct check *c);		/* t T i */
int check_blobs(struct check *c);		/* b d */
/* Something that isn't an Email uses that blob. */
void check_blob_use(struct check *c, const unsigned char *id);
int check_tombs(struct check *c);		/* x */
int check_counts(struct check *c);		/* M against contents */

#endif
