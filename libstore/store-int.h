/* libstore/store-int.h - what the files of the mail layer share */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/kv.h"
#include "libstore/push.h"
#include "libstore/rows.h"
#include "libstore/store.h"
#include "libstore/submission.h"
#include "libstore/umap.h"

struct store {
	const struct store_conf *cf;
	struct kv *kv;
	char *name;
	char *dir;		/* where files beside the rows are; NULL: none */
	char id[17];
	char err[256];		/* "": see kv_errmsg() */
	struct kv_txn *ro;	/* shared by nested reads */
	unsigned ro_depth;
	struct arena *ra;	/* of the outermost read; for small things */
	struct arena *wa;	/* of the change that is being made */
	struct buf val;		/* for encoding rows */
	bool writing;
	char *lock_name;	/* maildrop lock without files; or NULL */
	int lock_fd;		/* or -1 */
	uint64_t own_from, own_to;	/* see store_own() */
};

/* Sets the error text and returns rc. */
int store_fail(struct store *st, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A row that contradicts itself or another. */
int store_corrupt(struct store *st, const char *what, uint64_t id);

/* Does the engine keep files in a directory of the account's own? */
bool store_conf_files(const struct store_conf *cf);
struct kv_conf store_kv_conf(const struct store_conf *cf);
uint32_t store_max_mailboxes(const struct store_conf *cf);
uint64_t store_max_message(const struct store_conf *cf);
int64_t store_now(const struct store *st);

/* account.c: an account's directory, and another name beside it (xmalloc) */
char *account_dir(const struct store_conf *cf, const char *name);
char *account_temp(const struct store_conf *cf, const char *prefix);
/* Removes a file or directory; depth 0.  -1 with errno. */
int account_remove(int at, const char *name, int depth);
/*
 * Renames a directory of mail_dir, durably.  What may fail without a change is
 * done first; a failed flush is UNKNOWN.  flags: of renameat2().
 */
int account_rename(const struct store_conf *cf, const char *from,
    const char *to, unsigned flags);
/* A handle on that directory, whatever is in it. */
int account_handle(const struct store_conf *cf, const char *name,
    const char *dir, int flags, struct store **st_r);
/* A handle without an engine's. */
struct store *store_handle_new(const struct store_conf *cf, const char *name,
    const char *dir);
/* check.c: the rows alone. */
int store_check_rows(struct store *st, bool read_blobs,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r);

/* ---- reading ----------------------------------------------------------- */

/*
 * A read transaction on the handle's snapshot.  May be nested, so that a
 * callback of a scan may read.
 */
int ro_begin(struct store *st, struct kv_txn **t_r);
void ro_end(struct store *st);

int head_read(struct kv_txn *t, struct arena *a, struct row_head *h_r);
int mailbox_read(struct kv_txn *t, struct arena *a, uint64_t id,
    struct row_mailbox *m_r);
int email_read(struct kv_txn *t, struct arena *a, uint64_t id,
    struct row_email *e_r);
/* The mailbox of a name among the children of parent; 0: there is none. */
int name_find(struct kv_txn *t, struct arena *a, uint64_t parent,
    struct slice name, uint64_t *id_r);
int role_find(struct kv_txn *t, struct arena *a, int role, uint64_t *id_r);
struct row_key name_key(uint64_t parent, struct slice name);
void mailbox_fill(struct store_mailbox *mb, uint64_t id,
    const struct row_mailbox *r);

/*
 * The chunk that uid is in, if it is in any: 0 and the view of its rows, valid
 * until peek_close(), which is called whatever was returned.
 */
struct peek {
	struct kv_scan *hot_scan, *cold_scan;
	uint32_t first;
	struct row_chunk hot, cold;
};
int peek_open(struct kv_txn *t, uint64_t mailbox, uint32_t uid, bool cold,
    struct peek *p);
/* The next chunk of the mailbox, with a greater first. */
int peek_next(struct kv_txn *t, uint64_t mailbox, uint32_t first, bool cold,
    struct peek *p);
void peek_close(struct peek *p);
/* One message: NOTFOUND also where it is dead.  cold_r may be NULL. */
int msg_read(struct kv_txn *t, uint64_t mailbox, uint32_t uid,
    struct row_hot *hot_r, struct row_cold *cold_r);
/* 1: at least one of its memberships lives. */
int email_alive(struct kv_txn *t, const struct row_email *e);
/* The Emails of a thread, in order, in a; NOTFOUND if none lives. */
int thread_read(struct kv_txn *t, struct arena *a, uint64_t id,
    uint64_t **id_r, size_t *n_r);

/* ---- changing ---------------------------------------------------------- */

#define FLAG_KEYWORDS (~(STORE_DELETED | UINT64_C(0x20)))

static inline bool
flags_unread(uint64_t f)
{
	return (f & (STORE_SEEN | STORE_DRAFT)) == 0;
}

/* Of a membership: RFC 8621 4.1.1 doesn't want to see it with \Deleted. */
static inline bool
flags_visible(uint64_t f)
{
	return (f & STORE_DELETED) == 0;
}

struct w_chunk {
	uint64_t mailbox;
	uint32_t first;
	struct row_chunk c;	/* c.p is hot */
	unsigned char *hot, *cold; /* cold: NULL until it is needed */
	uint64_t old_max;	/* of the row that is stored */
	bool is_new, head_dirty, rewrite, killed;
	unsigned hot_n, cold_n;	/* dirty slots */
	size_t hot_cost, cold_cost;
	uint64_t hot_dirty[4], cold_dirty[4];
};

struct w_mailbox {
	uint64_t id;
	struct row_mailbox row;
	bool dirty, gone;
	struct w_chunk *last;	/* NULL and last_known: it has none */
	bool last_known;
	struct w_chunk **fresh;	/* chunks made by this change, ascending */
	size_t n_fresh, cap_fresh;
	struct w_chunk **loaded;	/* those that were there, ascending */
	size_t n_loaded, cap_loaded;
};

struct w_thread {
	uint64_t id;
	struct row_thread row, before;	/* before.emails 0: no header yet */
	size_t cap_in;
	bool stored;			/* there is a row */
	bool dirty;
};

struct w_email {
	uint64_t id;
	struct row_email row;
	bool dirty;
};

/* A change that is being made: all it touched, written at its end. */
struct work {
	struct store *st;
	struct kv_txn *t;
	struct arena *a;
	uint64_t modseq, next_id;
	int64_t now;
	struct row_head head;
	bool dirty;		/* there is anything to write */
	struct umap mailboxes, chunks, threads, emails;
	struct row_tomb *tomb;
	size_t n_tomb, cap_tomb;
	struct w_member *gone;	/* of threads */
	size_t n_gone, cap_gone;
	bool gone_mixed;	/* not in order */
	bool no_meta;		/* the account has no annotations */
	size_t cost;		/* octets that this is going to write, about */
};

/* Beyond this a change is cut and goes on in another one. */
enum { WORK_COST_MAX = 6 * 1024 * 1024 };
static inline bool
work_full(const struct work *w)
{
	size_t max = w->st->cf->change_max;

	return w->cost > (max ? max : WORK_COST_MAX);
}

/*
 * Runs fn in a KV_RW transaction (mode: KV_FREES) and commits.  fn may run
 * several times, each time on a newer state, and starts by clearing its
 * results.  Negative results of fn abort; the others are returned after the
 * commit.
 */
int store_run(struct store *st, int mode, int (*fn)(struct work *w, void *arg),
    void *arg, uint64_t *modseq_r);

/* run.c */
uint64_t work_id(struct work *w);
int work_put(struct work *w, struct row_key k);	/* the value: st->val */
int work_del(struct work *w, struct row_key k);
int work_get(struct work *w, struct row_key k, struct slice *v_r);
int w_mailbox(struct work *w, uint64_t id, struct w_mailbox **m_r);
struct w_mailbox *w_mailbox_add(struct work *w, uint64_t id);
int w_email(struct work *w, uint64_t id, struct w_email **e_r);
struct w_email *w_email_add(struct work *w, uint64_t id);
void w_email_dirty(struct work *w, struct w_email *e);
void w_tomb(struct work *w, const struct row_tomb *t);
/* A JMAP-visible count of the mailbox changed. */
void w_counted(struct work *w, struct w_mailbox *m);

/* chunk.c */
struct w_msg {			/* a slot of a chunk */
	struct w_mailbox *m;
	struct w_chunk *c;
	size_t i;
	struct row_hot hot;
};
/* NOTFOUND where it isn't or is dead. */
int w_msg(struct work *w, struct w_mailbox *m, uint32_t uid, struct w_msg *g_r);
int w_msg_cold(struct work *w, struct w_msg *g, struct row_cold *cold_r);
void w_msg_write(struct work *w, struct w_msg *g);	/* hot back */
void w_msg_kill(struct work *w, struct w_msg *g);
int w_append(struct work *w, struct w_mailbox *m, const struct row_hot *h,
    const struct row_cold *d);
int w_chunks_flush(struct work *w);

/* thread.c */
/* The header of a thread; NOTFOUND if it has none. */
int w_thread(struct work *w, uint64_t id, struct w_thread **t_r);
/* The same, and where it has none makes it from the thread's only Email. */
int w_thread_make(struct work *w, uint64_t id, struct w_thread **t_r);
/* What a thread sees of an Email: its memberships but those with \Deleted. */
struct seen {
	const struct row_in *in;
	size_t n;
	bool unread;
	struct row_in one;
};
/* Adds (sign 1) or takes away (-1) what an Email counts in its thread. */
int w_thread_count(struct work *w, struct w_thread *t, const struct seen *s,
    int sign);
int w_threads_flush(struct work *w);
/* member.c: an Email's row in its thread is to be deleted; and all those. */
void w_member_gone(struct work *w, uint64_t thread, uint64_t email);
int w_members_flush(struct work *w);
/* The role of the trash went to another mailbox (0: none): notes that headers
 * are to be recomputed, which store_jobs_run() does. */
int w_trash_moved(struct work *w, uint64_t to);
int store_jobs_run(struct store *st);

/* msgid.c */
struct msgids {
	uint64_t hash[ROW_HASH_MAX];
	size_t n;
};
void msgids_of(const struct mime_msg *m, struct arena *a, struct msgids *r);
/*
 * Enters an Email with these ids.  *thread_r: forced if that isn't 0, else the
 * thread that it belongs to, else fresh.
 */
int msgids_join(struct work *w, const struct msgids *ids, uint64_t forced,
    uint64_t fresh, uint64_t *thread_r);
int msgids_drop(struct work *w, const struct row_email *e);

/* message.c: what can be done to a message, counts and threads included */
int msg_set_flags(struct work *w, struct w_msg *g, uint64_t flags);
/* A new modseq, in all mailboxes that it is in. */
int msg_touch(struct work *w, struct w_msg *g);
int msg_remove(struct work *w, struct w_msg *g);
/* To another mailbox, which doesn't have the Email.  flags: of the membership
 * there, with the same keywords. */
int msg_move(struct work *w, struct w_msg *g, struct w_mailbox *to,
    uint64_t flags, uint32_t *uid_r);
/* Adds a membership; saved is now. */
int email_join(struct work *w, struct w_email *e, struct w_mailbox *m,
    uint64_t flags, uint32_t *uid_r);
/* A new Email, without any membership yet.  thread 0: by its message ids. */
struct email_seed {
	const unsigned char *blob, *ref;
	uint64_t size;
	int64_t received;
	const struct msgids *ids;
	uint64_t thread;
};
int email_make(struct work *w, const struct email_seed *s,
    struct w_email **e_r);
/* What its thread sees; of an Email that lives.  NOTFOUND: it doesn't. */
int email_seen(struct work *w, struct w_email *e, struct seen *s);
/* Keywords of an Email, and that it lives: NOTFOUND. */
int email_flags(struct work *w, struct w_email *e, uint64_t *flags_r);
int quota_room(struct work *w, uint64_t size);
/* STORE_E_QUOTA if more is used than may be, and more than before. */
int quota_after(struct work *w, uint64_t size, uint64_t messages);

/* blob.c */
int blob_row(struct kv_txn *t, struct arena *a,
    const unsigned char id[ROW_BLOBID_LEN], struct row_blob *r_r);
/* One Email more or less uses it. */
int blob_use(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    struct row_blob *r);
int blob_unuse(struct work *w, const unsigned char id[ROW_BLOBID_LEN]);
int blob_save(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    const struct row_blob *r);
/* Enters it into the deletion queue, at *due or a little later. */
int due_add(struct work *w, const unsigned char id[ROW_BLOBID_LEN],
    const struct row_due *d, int64_t *due);
int64_t store_retention(const struct store *st);

/* spool.c: of a spool that is done (spool_blob: else NULL) */
const unsigned char *spool_hash(const struct store_spool *sp);
struct kv_blob *spool_blob(const struct store_spool *sp);
const struct msgids *spool_msgids(const struct store_spool *sp);
bool spool_is_message(const struct store_spool *sp);

/* expunge.c, copy.c: portions of a mailbox; 1: there is more. */
int mailbox_empty(struct work *w, struct w_mailbox *m);
int mailbox_move_all(struct store *st, uint64_t from, uint32_t uidnext,
    uint64_t to);
/* view.c: live UIDs with from <= uid < to and all of flags, at most max. */
int uids_collect(struct kv_txn *t, struct arena *a, uint64_t mailbox,
    uint32_t from, uint32_t to, uint64_t flags, size_t max, uint32_t **uid_r,
    size_t *n_r);

int mailbox_ids(struct kv_txn *t, struct arena *a, uint64_t **id_r,
    size_t *n_r);

/* keyword.c: INVALID where a bit has no keyword. */
int keywords_known(struct work *w, uint64_t flags);


/* acl.c */
int acl_write(struct work *w, uint64_t mailbox, const struct row_acl *v,
    size_t n);
/* A new mailbox gets what its parent has. */
int acl_inherit(struct work *w, uint64_t parent, uint64_t mailbox);
/* 1: an entry of some mailbox is that one's. */
int acl_names(struct store *st, const char *who);
/* metadata.c: all of a mailbox's annotations; a copy of them for another. */
struct row_key meta_key(uint64_t mailbox, struct slice user,
    struct slice name);
/* What it counts in the sum. */
uint64_t meta_size(const struct row_meta *m);
int meta_drop(struct work *w, uint64_t mailbox);
/* The same of an Email that ceases to be; cheap where there are none at all. */
int meta_email_drop(struct work *w, uint64_t email);
int meta_copy_to(struct work *w, uint64_t source, uint64_t target);
int meta_copy(struct store *st, uint64_t from, uint64_t to);
/* object.c: identities and what else has a mark where it was */
int objects_read(struct kv_txn *t, struct arena *a, int kind,
    struct row_objects *s_r);
/* The row of one; NOTFOUND also where only its mark is left. */
int object_read(struct kv_txn *t, struct arena *a, int kind, uint64_t id,
    struct slice *val_r);
/* Calls fn for each row but the sum; fn != 0 stops and is returned. */
int objects_each(struct kv_txn *t, int kind,
    int (*fn)(void *arg, uint64_t id, struct slice val), void *arg);
/* Writes one, whose value is st->val. */
int object_put(struct work *w, int kind, uint64_t id, bool fresh);
/* Leaves a mark in its place. */
int object_gone(struct work *w, int kind, uint64_t id);
/* Changes from before this one can't be told. */
int objects_forget(struct work *w, int kind);
/* submission.c */
int submissions_read(struct store *st, struct arena *a, bool pending,
    struct store_submission **v_r, size_t *n_r);
int submission_commit(struct store *st, uint64_t id);
int submission_done(struct store *st, const struct store_submission *v);
/* All that are pending are canceled. */
int submissions_stop(struct work *w);
/* hint.c: mail_dir/dir/account, dir of one level or two. */
char *hint_path(const struct store_conf *cf, const char *dir,
    const char *account);		/* xmalloc */
/* The directory, made durably if it isn't there; errno is the system's. */
int hint_dir(const struct store_conf *cf, const char *dir);
/* The file, made durably if it isn't there, to read and write. */
int hint_open(const struct store_conf *cf, const char *dir,
    const char *account, int *fd_r);
/* Calls fn for each account with one; fn != 0 stops and is returned. */
int hint_each(const struct store_conf *cf, const char *dir,
    int (*fn)(void *arg, const char *account), void *arg);
void hint_drop(const struct store_conf *cf, const char *dir,
    const char *account);
/* Something changed: tells whoever pushes, if there is anything to push. */
void push_wake(const struct store *st);
/* outbox.c: the account is in the outbox, and no later than due. */
int outbox_hint(struct store *st, int64_t due);
void outbox_forget(const struct store_conf *cf, const char *account);
/* once.c: EXISTS: the mailbox was given what has this name, in the interval
 * before now; else it is remembered. */
struct row_key once_key(uint64_t mailbox, struct slice name);
int once_claim(struct work *w, uint64_t mailbox, struct slice name,
    int64_t now, int64_t interval_s);

/* vacation.c */
struct row_key vacation_key(struct slice sender);
uint64_t vacation_modseq(struct kv_txn *t, struct arena *a, int *rc_r);
/* shares.c: makes sure that a hint of this account is there for who. */
int share_hint(struct store *st, struct slice who);

/* mailbox.c: the mailbox of a path, or NOTFOUND. */
int path_find(struct kv_txn *t, struct arena *a, struct slice path,
    uint64_t *id_r);

/* subscription.c */
struct row_key subscription_key(struct slice path);
/* Is that what a row of a subscription may be? */
bool subscription_ok(struct slice key, struct slice path, struct arena *a);
/* The mailbox, and what is below it, is about to lose its name. */
int subscriptions_keep(struct work *w, struct w_mailbox *m, bool below);
/* Mailboxes got names: those that were subscribed are so again. */
int subscriptions_settle(struct work *w);

/* mailbox-set.c */
void mailbox_changed(struct work *w, struct w_mailbox *m);
bool mailbox_name_ok(struct slice name, struct arena *a, struct slice *nfc_r);
/* The children of a mailbox, in the arena. */
int children_read(struct work *w, uint64_t id, uint64_t **c_r, size_t *n_r);
/* Its path, in the arena; the inbox is INBOX. */
int path_of(struct work *w, const struct w_mailbox *m, struct slice *path_r);
int mailbox_make(struct work *w, uint64_t parent, struct slice name,
    enum store_role role, uint32_t sort_order, bool subscribed,
    uint64_t *id_r);

/* sweep.c: forgets a destroyed Email; 0 also if it was. */
int dead_clean(struct work *w, uint64_t id);
/* What is due; 1: something was done. */
int store_sweep(struct store *st, bool force);
/* All contents that no Email uses, whenever they are due. */
int store_sweep_unused(struct store *st);

#endif
