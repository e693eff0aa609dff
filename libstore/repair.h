/* libstore/repair.h - what the parts of store_repair() share */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "libstore/store-int.h"

struct rp_email;

struct rp_mailbox {
	uint64_t id;
	struct row_mailbox row;
	bool lost;		/* its row is: the rest was found out */
	bool gone;		/* it was destroyed */
	uint32_t last_uid;
	struct row_acl *acl;	/* NULL: none that can be read */
	size_t n_acl;
	struct rp_msg **msg;	/* as they will be, by UID */
	size_t n_msg, cap_msg;
};

struct rp_msg {			/* a membership that lives */
	struct rp_mailbox *m;
	uint32_t uid;		/* 0: it gets a new one */
	uint64_t flags, modseq;
	int64_t saved;
	struct rp_email *e;
	struct rp_msg *next;	/* of the Email */
	bool drop;
};

struct rp_slot {		/* of a hot chunk */
	bool dead;
	uint64_t flags, modseq;
};

struct rp_blob {		/* whole, in a pack */
	unsigned char ref[ROW_REF_LEN];
	uint64_t size;
	bool known;		/* a row tells what it is */
};

struct rp_content {		/* of one blob id */
	unsigned char id[ROW_BLOBID_LEN];
	struct rp_blob *blob;	/* or NULL */
	unsigned char ref[ROW_REF_LEN];
	uint8_t marks;
	uint32_t count;		/* of Emails that live */
	bool row, dead;		/* it has a row; a destroyed Email has it */
	bool waiting;		/* nobody used it: an upload */
	int64_t due;
};

struct rp_dying {		/* is about to be deleted */
	unsigned char id[ROW_BLOBID_LEN], ref[ROW_REF_LEN];
	int64_t due;
};

struct rp_email {
	uint64_t id, thread, size;
	int64_t received;
	unsigned char ref[ROW_REF_LEN];
	struct rp_content *content;
	struct row_email row;
	bool has_row, dead, fresh;
	uint64_t flags;
	uint64_t *hash;
	size_t n_hash;
	struct rp_msg *msg;
	unsigned n_msg;
	struct rp_email *next;	/* of the thread */
};

struct rp_thread {
	uint64_t id;
	struct rp_email *first;
	unsigned n;
	bool header;
};

struct rp_meta {		/* an annotation */
	uint64_t mailbox;
	struct row_meta m;
};

struct rp_object {		/* an identity, a submission */
	int kind;
	uint64_t id;
	struct slice val;	/* its row */
};

struct rp_vacation {
	struct slice key, val;
};

struct repair {
	struct store *st;
	struct kv_txn *t;
	struct arena *a, *tmp;
	char *aside;
	int report;		/* a file */
	void (*fn)(void *arg, const char *text);
	void *arg;
	struct row_head head;
	bool have_head;
	struct slice keyword[ROW_KEYWORDS];
	size_t n_keyword;
	struct slice *subscribed;
	size_t n_subscribed, cap_subscribed;
	struct umap mailboxes, emails, threads;
	struct umap slots;	/* by mailbox and UID */
	struct umap dead;	/* Emails that were destroyed */
	struct umap removed;	/* memberships, by mailbox and UID */
	struct umap gone;	/* mailboxes that were destroyed */
	struct umap blobs;	/* by place and pack */
	struct umap contents;	/* by the beginning of the blob id */
	struct umap roles;	/* role -> mailbox id, of the rows */
	struct umap hashes;	/* message id -> thread */
	uint64_t top;		/* no modseq beyond this one was seen */
	uint64_t modseq, next_id;	/* of what is written */
	uint64_t n_dead;
	struct rp_dying *dying;
	size_t n_dying, cap_dying;
	struct rp_meta *meta;
	size_t n_meta, cap_meta;
	struct rp_object *object;
	size_t n_object, cap_object;
	struct rp_vacation *vacation;
	size_t n_vacation, cap_vacation;
	uint64_t n_once;	/* ... of them that tell what was given once */
	size_t octets;		/* of the transaction */
	struct rp_mailbox *recovered;
};

void rp_say(struct repair *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void rp_seen(struct repair *r, uint64_t modseq);
struct rp_mailbox *rp_mailbox(struct repair *r, uint64_t id);
struct rp_email *rp_email(struct repair *r, uint64_t id);
struct rp_content *rp_content(struct repair *r, const unsigned char *id);
struct rp_blob *rp_blob(struct repair *r, const unsigned char *ref);
struct rp_msg *rp_msg(struct repair *r, struct rp_mailbox *m, uint32_t uid,
    struct rp_email *e);
/* The mailbox for what has no other place. */
struct rp_mailbox *rp_recovered(struct repair *r);

int rp_load(struct repair *r);		/* repair-load.c: all rows */
int rp_blobs(struct repair *r);		/* repair-blob.c: whole blobs */
int rp_settle(struct repair *r);	/* which Emails live, and where */
int rp_contents(struct repair *r);	/* repair-blob.c: what can't be read,
					 * what nobody knows */
int rp_mailboxes(struct repair *r);	/* repair-mailbox.c: tree, UIDs */
int rp_write(struct repair *r);		/* repair-write.c */
/* Writes the value in st->val. */
int rp_put(struct repair *r, struct row_key k);
/* repair-object.c */
int rp_load_identity(struct repair *r, struct slice key, struct slice val);
int rp_load_submission(struct repair *r, struct slice key, struct slice val);
int rp_load_once(struct repair *r, struct slice key, struct slice val);
int rp_load_vacation(struct repair *r, struct slice key, struct slice val);
int rp_load_push(struct repair *r, struct slice key, struct slice val);
int rp_write_objects(struct repair *r);

#endif
