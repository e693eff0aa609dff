/*
 * libstore/rows.h - the rows of an account: keys and values as octets
 *
 * doc/storage.md is the specification.  Encoders append to a buffer that is
 * big enough (ROW_BUF_MAX); decoders take octets of unknown honesty and return
 * 0, STORE_E_CORRUPT or STORE_E_VERSION.  Slices in decoded rows point into
 * the encoded octets; arrays are in the arena.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/errors.h"

enum {
	ROW_VERSION = 1,
	ROW_BUF_MAX = 65536,		/* KV_VALUE_MAX */
	ROW_REF_LEN = 16,
	ROW_BLOBID_LEN = 24,
	ROW_NAME_HASH = 16,
	ROW_NAME_MAX = 255,		/* of a mailbox */
	ROW_ID_SHIFT = 20,
	ROW_IN_MAX = 1024,		/* memberships of an Email */
	ROW_HASH_MAX = 32,		/* message ids of an Email */
	ROW_THREAD_IN_MAX = 4096,	/* mailboxes of a thread */
	ROW_KEYWORDS = 58,
	ROW_KEYWORD_MAX = 255,
	ROW_PATH_MAX = 33 * (ROW_NAME_MAX + 1),	/* of a mailbox */
	ROW_TXN_RING = 8,
	ROW_ACL_MAX = 256,		/* entries */
	ROW_WHO_MAX = 129,		/* a sign and an account */
	ROW_RIGHTS_ALL = 0xfff,
	ROW_META_NAME_MAX = 512,	/* of an annotation */
	ROW_META_VALUE_MAX = 1 << 20,
	ROW_ADDRESSES_MAX = 1000,
	ROW_RCPTS_MAX = 1000,		/* of a submission */
	ROW_PARAMS_MAX = 20,		/* of an address of it */
	ROW_DSN_MAX = 100
};
#define ROW_MODSEQ_MAX ((UINT64_C(1) << 40) - 1)

static inline uint64_t
row_id_modseq(uint64_t id)
{
	return id >> ROW_ID_SHIFT;
}

/* ---- keys -------------------------------------------------------------- */

enum {
	ROW_K_HEAD = 'H', ROW_K_MAILBOX = 'M', ROW_K_NAME = 'n',
	ROW_K_ROLE = 'r', ROW_K_HOT = 'h', ROW_K_COLD = 'c', ROW_K_CHANGED = 'g',
	ROW_K_EMAIL = 'e', ROW_K_THREAD = 't', ROW_K_MEMBER = 'T',
	ROW_K_MSGID = 'i', ROW_K_TOMB = 'x', ROW_K_KEYWORDS = 'k',
	ROW_K_BLOB = 'b', ROW_K_DUE = 'd', ROW_K_JOB = 'j',
	ROW_K_ACL = 'a', ROW_K_META = 'm', ROW_K_SUBSCRIPTION = 's',
	ROW_K_IDENTITY = 'I', ROW_K_SUBMISSION = 'E',
	ROW_K_VACATION = 'v', ROW_K_PUSH = 'p',
	ROW_K_ONCE = 'D'
};
enum { ROW_KEY_MAX = 40 };

struct row_key {
	unsigned char b[ROW_KEY_MAX];
	size_t n;
};

static inline struct slice
row_key(const struct row_key *k)
{
	return (struct slice){ (const char *)k->b, k->n };
}

/* The type octet alone: the start of all rows of that kind. */
struct row_key row_key_kind(int kind);
struct row_key row_key_u64(int kind, uint64_t a);	/* M e t j, starts */
struct row_key row_key_u64_u32(int kind, uint64_t a, uint32_t b); /* h c x */
struct row_key row_key_u64_u64(int kind, uint64_t a, uint64_t b);	/* T i */
struct row_key row_key_changed(uint64_t modseq, uint64_t mailbox,
    uint32_t first);
struct row_key row_key_name(uint64_t parent,
    const unsigned char hash[ROW_NAME_HASH]);
struct row_key row_key_role(int role);
struct row_key row_key_subscription(const unsigned char hash[ROW_NAME_HASH]);
struct row_key row_key_blob(const unsigned char id[ROW_BLOBID_LEN]);
struct row_key row_key_due(int64_t due,
    const unsigned char id[ROW_BLOBID_LEN]);
/* Of a sender who got the vacation response. */
struct row_key row_key_sender(const unsigned char hash[ROW_NAME_HASH]);
struct row_key row_key_meta(uint64_t mailbox,
    const unsigned char hash[ROW_NAME_HASH]);
/* The key after all that start with k (NULL key: to the end). */
struct row_key row_key_after(struct row_key k);

/* Splits a key of that kind; false if it isn't one. */
bool row_key_get_u64(struct slice k, int kind, uint64_t *a_r);
bool row_key_get_u64_u32(struct slice k, int kind, uint64_t *a_r,
    uint32_t *b_r);
bool row_key_get_u64_u64(struct slice k, int kind, uint64_t *a_r,
    uint64_t *b_r);
bool row_key_get_changed(struct slice k, uint64_t *modseq_r,
    uint64_t *mailbox_r, uint32_t *first_r);
bool row_key_get_meta(struct slice k, uint64_t *mailbox_r,
    unsigned char hash_r[ROW_NAME_HASH]);
bool row_key_get_blob(struct slice k, unsigned char id_r[ROW_BLOBID_LEN]);
bool row_key_get_due(struct slice k, int64_t *due_r,
    unsigned char id_r[ROW_BLOBID_LEN]);

/* ---- values ------------------------------------------------------------ */

struct row_head {
	uint64_t account;
	uint32_t txn[ROW_TXN_RING];	/* newest first */
	uint64_t horizon, swept, dead;
	uint64_t size, messages;
	uint32_t mailboxes;
	uint64_t size_limit, message_limit;
	uint64_t email_modseq, mailbox_modseq, thread_modseq;
	uint64_t trash;
	uint32_t uidvalidity;
};
int row_head_put(struct buf *b, const struct row_head *h);
int row_head_get(struct slice v, struct row_head *h_r);

struct row_mailbox {		/* the id is in the key */
	uint64_t parent;
	uint8_t role;
	bool subscribed;
	uint32_t sort_order, uidvalidity, uidnext;
	uint64_t highestmodseq, created, changed, counted;
	uint32_t total, unread, unseen, deleted, threads, unread_threads;
	uint64_t size, deleted_size;
	struct slice name;
};
int row_mailbox_put(struct buf *b, const struct row_mailbox *m);
int row_mailbox_get(struct slice v, struct row_mailbox *m_r);

/*
 * 0, or what to make of a row of that version.  A newer one is remembered, for
 * the thread, as a sentence ("" if there was none), until it is cleared.
 */
int row_version(unsigned char version, const char *what);
const char *row_version_text(void);
void row_version_clear(void);

/* n, r, T, and i, j: one number. */
int row_u64_put(struct buf *b, uint64_t v);
int row_u64_get(struct slice v, uint64_t *v_r);
int row_u32_put(struct buf *b, uint32_t v);
int row_u32_get(struct slice v, uint32_t *v_r);

struct row_in {			/* a membership */
	uint64_t mailbox;
	uint32_t uid;
};
struct row_email {
	unsigned char blob[ROW_BLOBID_LEN];
	unsigned char ref[ROW_REF_LEN];
	uint64_t thread, size;
	int64_t received;
	uint64_t modseq;
	struct row_in *in;
	size_t n_in;
	uint64_t *hash;
	size_t n_hash;
};
int row_email_put(struct buf *b, const struct row_email *e);
int row_email_get(struct slice v, struct arena *a, struct row_email *e_r);

struct row_thread_in {
	uint64_t mailbox;
	uint32_t emails;
};
struct row_thread {
	uint64_t trash;
	uint32_t emails, unread, unread_trash;
	struct row_thread_in *in;
	size_t n_in;
};
int row_thread_put(struct buf *b, const struct row_thread *t);
int row_thread_get(struct slice v, struct arena *a, struct row_thread *t_r);

enum { ROW_BLOB_PARSED = 1 };
struct row_blob {
	uint8_t marks;
	unsigned char ref[ROW_REF_LEN];
	uint64_t size;
	uint32_t count;
	int64_t due;		/* 0: not in the queue */
};
int row_blob_put(struct buf *b, const struct row_blob *r);
int row_blob_get(struct slice v, struct row_blob *r_r);

enum { ROW_DUE_WAITING = 0, ROW_DUE_DYING = 1 };
struct row_due {
	uint8_t state;
	unsigned char ref[ROW_REF_LEN];
};
int row_due_put(struct buf *b, const struct row_due *d);
int row_due_get(struct slice v, struct row_due *d_r);

int row_keywords_put(struct buf *b, const struct slice *name, size_t n);
int row_keywords_get(struct slice v, struct slice name_r[ROW_KEYWORDS],
    size_t *n_r);

/* s: the name that is subscribed. */
int row_path_put(struct buf *b, struct slice path);
int row_path_get(struct slice v, struct slice *path_r);

/* Entries ascend by name; one at least, each with rights. */
struct row_acl {
	struct slice who;
	uint32_t rights;
};
int row_acl_put(struct buf *b, const struct row_acl *v, size_t n);
int row_acl_get(struct slice v, struct arena *a, struct row_acl **v_r,
    size_t *n_r);

/* An annotation (RFC 5464); the mailbox is in the key. */
struct row_meta {
	uint64_t modseq;	/* of its last change */
	bool gone;		/* it was removed then */
	struct slice user;	/* whose it is; n 0: everybody's */
	struct slice name, value;
};
int row_meta_put(struct buf *b, const struct row_meta *m);
int row_meta_get(struct slice v, struct row_meta *m_r);
/* All of the account together; its key is the kind alone. */
struct row_meta_sum {
	uint64_t modseq;	/* of the last change of any */
	uint64_t size;		/* octets of names and values */
};
int row_meta_sum_put(struct buf *b, const struct row_meta_sum *m);
int row_meta_sum_get(struct slice v, struct row_meta_sum *m_r);

/* ---- small objects of the account (rows-object.c) ---------------------- */

/*
 * Each has an id, in its key, and was changed or removed at a modseq; what was
 * removed leaves a mark.  Under the kind alone there is their sum.
 */
struct row_objects {
	uint64_t modseq;	/* of the last change of any */
	uint64_t floor;		/* changes can be told after that one */
	uint32_t n, gone;	/* objects; marks */
};
int row_objects_put(struct buf *b, const struct row_objects *s);
int row_objects_get(struct slice v, struct row_objects *s_r);
/* What all have in common. */
int row_object_get(struct slice v, uint64_t *modseq_r, bool *gone_r);
int row_gone_put(struct buf *b, uint64_t modseq);

struct row_address {
	struct slice name;	/* p NULL: none */
	struct slice email;
};
struct row_addresses {
	bool present;
	struct row_address *a;
	size_t n;
};
struct row_identity {
	uint64_t modseq;
	bool is_default;
	struct slice name, email, text, html;	/* signatures */
	struct row_addresses reply_to, bcc;
};
int row_identity_put(struct buf *b, const struct row_identity *i);
/* CORRUPT also for the mark of one that is gone. */
int row_identity_get(struct slice v, struct arena *a,
    struct row_identity *i_r);

struct row_param {
	struct slice name, value;	/* value.p NULL: none */
};
struct row_path {		/* of an envelope */
	struct slice email;
	struct row_param *param;
	size_t n_param;
};
struct row_rcpt {
	struct row_path to;
	uint8_t delivered;	/* below ROW_DELIVERED */
	struct slice reply;
};
enum { ROW_UNDO = 3, ROW_PHASES = 2, ROW_DELIVERED = 4 };
struct row_submission {
	uint64_t modseq;
	uint8_t undo, phase;	/* below ROW_UNDO, ROW_PHASES */
	uint64_t identity, email, thread;
	unsigned char blob[ROW_BLOBID_LEN];
	int64_t send_at, next_try;
	uint32_t attempts;
	struct row_path from;
	struct row_rcpt *rcpt;
	size_t n_rcpt;
	const unsigned char *dsn;	/* n_dsn blob ids */
	size_t n_dsn;
};
/* Is there still something to send?  Its blob is used as long. */
bool row_submission_open(const struct row_submission *s);
/* Nothing is to be sent any more: canceled, or where some of it went out nobody
 * knows about the rest. */
void row_submission_stop(struct row_submission *s);
/* The replies are cut to max octets each. */
int row_submission_put_max(struct buf *b, const struct row_submission *s,
    size_t max);
int row_submission_put(struct buf *b, const struct row_submission *s);
int row_submission_get(struct slice v, struct arena *a,
    struct row_submission *s_r);

struct row_vacation {		/* its key is the kind alone */
	uint64_t modseq;
	bool enabled, has_from, has_to;
	int64_t from, to;
	struct slice subject, text, html;	/* p NULL: none */
};
int row_vacation_put(struct buf *b, const struct row_vacation *r);
int row_vacation_get(struct slice v, struct row_vacation *r_r);

/* ---- push subscriptions ------------------------------------------------ */

enum {
	ROW_PUSH_TYPES_MAX = 64, ROW_PUSH_KEY = 65, ROW_PUSH_AUTH = 16,
	ROW_PUSH_STATES = 3
};
struct row_push {
	uint8_t state;
	int64_t expires;
	struct slice user;
	unsigned char credential[32];
	struct slice device, url, code;
	struct slice p256dh, auth;	/* p NULL: none */
	bool all_types;
	struct slice *type;
	size_t n_type;
	uint64_t told;
	int64_t next_try;
	uint32_t attempts, gap_s;
};
int row_push_put(struct buf *b, const struct row_push *r);
int row_push_get(struct slice v, struct arena *a, struct row_push *r_r);
struct row_push_rate {		/* its key is the kind alone */
	int64_t since;
	uint32_t n;		/* that were made since */
};
int row_push_rate_put(struct buf *b, const struct row_push_rate *r);
int row_push_rate_get(struct slice v, struct row_push_rate *r_r);

/* ---- tombstones -------------------------------------------------------- */

enum {
	ROW_TOMB_REMOVED = 1, ROW_TOMB_DESTROYED = 2, ROW_TOMB_MAILBOX = 3,
	/* Not of what is gone: the Email has \Deleted wherever it is, or has
	 * it no more. */
	ROW_TOMB_HIDDEN = 4, ROW_TOMB_SHOWN = 5
};
struct row_tomb {
	int kind;
	uint64_t mailbox;
	struct slice path;		/* MAILBOX: what it was */
	uint32_t uid;			/* the rest: not for MAILBOX */
	uint64_t email, thread;
	uint64_t flags;			/* as they were */
};
/*
 * Encodes as many of the n as fit into max octets and returns how many (at
 * least one).
 */
size_t row_tombs_put(struct buf *b, int64_t when, const struct row_tomb *t,
    size_t n, size_t max);
/* When they died. */
int row_tombs_when(struct slice v, int64_t *when_r);
/* Calls fn for each; fn != 0 stops and is returned. */
int row_tombs_get(struct slice v, int64_t *when_r,
    int (*fn)(void *arg, const struct row_tomb *t), void *arg);

/* ---- chunks ------------------------------------------------------------ */

enum {
	ROW_CHUNK_MAX = 256,
	ROW_HOT_HEAD = 16, ROW_HOT_SLOT = 21,
	ROW_COLD_HEAD = 4, ROW_COLD_SLOT = 56
};
enum { ROW_DEAD = 1, ROW_MULTI = 2, ROW_THREADED = 4 };

struct row_hot {		/* one slot */
	uint32_t uid;
	uint8_t marks;
	uint64_t flags, modseq;
};
struct row_cold {
	uint64_t email, thread, size;
	int64_t received, saved;
	unsigned char ref[ROW_REF_LEN];
};
/* A checked view of a chunk row: all slots may be read through it. */
struct row_chunk {
	const unsigned char *p;
	uint32_t cap, used, live;
	uint64_t max;
};
static inline uint32_t
row_get16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}
static inline uint32_t
row_get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t
row_get64(const unsigned char *p)
{
	return (uint64_t)row_get32(p) << 32 | row_get32(p + 4);
}
static inline const unsigned char *
row_hot_at(const struct row_chunk *c, size_t i)
{
	return c->p + ROW_HOT_HEAD + i * ROW_HOT_SLOT;
}
/* i is below cap. */
static inline void
row_hot_slot(const struct row_chunk *c, size_t i, struct row_hot *h_r)
{
	const unsigned char *p = row_hot_at(c, i);

	h_r->uid = row_get32(p);
	h_r->marks = p[4];
	h_r->flags = row_get64(p + 5);
	h_r->modseq = row_get64(p + 13);
}
static inline void
row_cold_slot(const struct row_chunk *c, size_t i, struct row_cold *d_r)
{
	const unsigned char *p = c->p + ROW_COLD_HEAD + i * ROW_COLD_SLOT;

	d_r->email = row_get64(p);
	d_r->thread = row_get64(p + 8);
	d_r->size = row_get64(p + 16);
	d_r->received = (int64_t)row_get64(p + 24);
	d_r->saved = (int64_t)row_get64(p + 32);
	memcpy(d_r->ref, p + 40, ROW_REF_LEN);
}
/* Checks the lengths, and that the UIDs ascend from first on. */
int row_hot_check(struct slice v, uint32_t first, struct row_chunk *c_r);
int row_cold_check(struct slice v, struct row_chunk *c_r);	/* cap only */
/* The slot of uid, dead or not, or -1. */
int row_hot_find(const struct row_chunk *c, uint32_t uid);
/* Writers work on octets of their own, of row_hot_len(cap). */
static inline size_t
row_hot_len(uint32_t cap)
{
	return ROW_HOT_HEAD + (size_t)cap * ROW_HOT_SLOT;
}
static inline size_t
row_cold_len(uint32_t cap)
{
	return ROW_COLD_HEAD + (size_t)cap * ROW_COLD_SLOT;
}
void row_hot_put_head(unsigned char *p, const struct row_chunk *c);
void row_hot_put_slot(unsigned char *p, size_t i, const struct row_hot *h);
void row_cold_put_head(unsigned char *p, uint32_t cap);
void row_cold_put_slot(unsigned char *p, size_t i, const struct row_cold *d);

#endif
