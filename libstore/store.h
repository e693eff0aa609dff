/*
 * libstore/store.h - an account's mail store (the whole public API)
 *
 * The data model is JMAP's (RFC 8621): an Email has a blob, keywords, a thread
 * and memberships in mailboxes; a membership has the UID (RFC 9051) and
 * \Deleted.  Every change has one modseq, account-wide and strictly growing:
 * it is the JMAP state of every type and the MODSEQ (RFC 7162) of every
 * message that it touched.  Modseqs, UIDs and ids are never reused.
 *
 * A handle (struct store) is one account, used by one thread at a time.  It
 * shows one snapshot, which moves on store_refresh() and on every change that
 * is made through the handle.  Reads take no lock and never wait.  A change is
 * durable when its function returns 0.  Results go into the caller's arena.
 * Functions return enum store_rc (errors.h).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libmime/mime.h"
#include "libstore/errors.h"

struct store;
struct store_spool;
struct store_blob;
struct store_watch;

enum store_role {	/* JMAP roles, RFC 8621 section 2 and IANA's list */
	STORE_ROLE_NONE, STORE_ROLE_INBOX, STORE_ROLE_ARCHIVE,
	STORE_ROLE_DRAFTS, STORE_ROLE_FLAGGED, STORE_ROLE_IMPORTANT,
	STORE_ROLE_JUNK, STORE_ROLE_SENT, STORE_ROLE_TRASH, STORE_ROLE_ALL,
	STORE_ROLES
};
/* "inbox", "archive", ...; NULL for NONE.  from: -1 for an unknown name. */
const char *store_role_name(enum store_role r);
int store_role_from(struct slice name, enum store_role *r_r);

struct store_folder {	/* a mailbox that a new account gets */
	const char *name;	/* '/'-separated path */
	enum store_role role;
};

#define STORE_NEVER UINT32_MAX

struct store_conf {	/* zero values are the defaults */
	const char *mail_dir;	/* each account is mail_dir/NAME */
	const char *engine;	/* see kv.h */
	uint32_t lock_wait_ms;
	bool any_fs;
	unsigned chaos_seed, chaos_every, chaos_kinds;	/* tests */
	int64_t clock_offset;	/* tests: seconds added to the clock */
	size_t change_max;	/* tests: octets, about, of one change */
	uint64_t max_message;	/* octets; 0: 100 MiB */
	uint32_t max_mailboxes;	/* 0: 100,000 */
	uint32_t retention_s;	/* destroyed Emails, unreferenced blobs are
				 * kept; 0: 7 days */
	uint32_t upload_ttl_s;	/* unused uploads are kept; 0: 1 day */
	uint32_t log_keep_s;	/* replaced journals are kept, see kv.h; 0: 7
				 * days, STORE_NEVER: not at all */
	uint32_t meta_value;	/* octets of an annotation; 0: 32 KiB */
	uint32_t meta_entries;	/* of a mailbox; 0: 1,000 */
	uint64_t meta_size;	/* octets of all in an account; 0: 16 MiB */
	const char *push_socket; /* tell it of changes, see push.h; or NULL */
	uint64_t first_modseq;	/* new accounts' have greater ones: a time, so
				 * that they are greater than those of a server
				 * that counts, see store_mailbox_adopt() */
	uint32_t history_s;	/* changes may be asked for; 0: 180 days */
	struct mime_limits mime;
	const struct store_folder *folders;	/* besides INBOX */
	size_t n_folders;
};

/* ---- accounts ---------------------------------------------------------- */

enum { STORE_ACCOUNT_MAX = 128 };
/* 1..128 of [A-Za-z0-9._@+=-] and UTF-8 letters, no '/', not starting with '.' or '-'. */
bool store_account_ok(struct slice name);
/* Makes the directory, INBOX and the configured folders (subscribed). */
int store_account_create(const struct store_conf *cf, const char *name);
/* Removes it with all mail.  INVALID: an engine without files (tests). */
int store_account_delete(const struct store_conf *cf, const char *name);
/* Calls fn with each account's name, in no order. */
int store_account_list(const struct store_conf *cf,
    void (*fn)(void *arg, const char *name), void *arg);
/* STORE_E_NOTFOUND where there is none.  cf is borrowed while it is open. */
int store_open(const struct store_conf *cf, const char *account,
    struct store **st_r);
void store_close(struct store **st);
/* Detail of the last failure, for the log (never for a client). */
const char *store_errmsg(const struct store *st);
const char *store_account_name(const struct store *st);
/* The account's stable id: 16 hexadecimal digits, never reused. */
const char *store_account_id(const struct store *st);
/* To the newest state; 1 if it moved. */
int store_refresh(struct store *st);
/* The snapshot's modseq: the JMAP state of every type. */
uint64_t store_modseq(const struct store *st);
/* The modseqs of the last changes that were made through this handle, one after
 * the other without any by others between; 0, 0: none. */
void store_own(const struct store *st, uint64_t *from_r, uint64_t *to_r);

/*
 * An id as every protocol shows it: the prefix ('E' an Email, 'T' a thread, 'M'
 * a mailbox) and lower-case hexadecimal digits.  from: -1 unless s is exactly
 * that.
 */
enum { STORE_ID_TEXT = 20 };
const char *store_id_text(char prefix, uint64_t id, char buf[STORE_ID_TEXT]);
int store_id_from(char prefix, struct slice s, uint64_t *id_r);

struct store_usage {
	uint64_t size;		/* octets of all Emails (each counted once) */
	uint64_t messages;	/* Emails */
	uint64_t mailboxes;
	uint64_t size_limit, message_limit;	/* 0: none */
	uint64_t mailbox_limit;
};
int store_usage(struct store *st, struct store_usage *u_r);
/* Sets the limits; enforced by append, import and copy (STORE_E_QUOTA). */
int store_quota_set(struct store *st, uint64_t size, uint64_t messages);

/* ---- mailboxes --------------------------------------------------------- */

enum {
	STORE_NAME_MAX = 255,	/* octets of one mailbox name */
	STORE_DEPTH_MAX = 32
};

struct store_mailbox {
	uint64_t id, parent;	/* parent 0: top level */
	struct slice name;	/* UTF-8, NFC, no '/' and no control characters */
	enum store_role role;
	uint32_t sort_order;
	bool subscribed;
	uint32_t uidvalidity, uidnext;
	uint64_t highestmodseq;	/* of any message change here, incl. expunge */
	uint64_t created;	/* modseq */
	uint64_t changed;	/* modseq of the last change of name, parent, role,
				 * sort order, subscription or rights */
	uint64_t counted;	/* modseq of the last change of total, deleted,
				 * unread, threads or unread_threads */
	uint32_t total, deleted;
	uint32_t unseen;	/* not \Seen (RFC 9051 6.3.11) */
	/* RFC 8621 section 2 and, as 4.1.1 wants, without what is \Deleted
	 * here; totalEmails is total - deleted. */
	uint32_t unread;	/* neither \Seen nor \Draft */
	uint32_t threads, unread_threads;
	uint64_t size, deleted_size;
};

/* All, parents before children, siblings by sort order, then name. */
int store_mailbox_list(struct store *st, struct arena *a,
    struct store_mailbox **mb_r, size_t *n_r);
int store_mailbox_get(struct store *st, struct arena *a, uint64_t id,
    struct store_mailbox *mb_r);
/* By '/'-separated UTF-8 path from the top.  A first component that is "inbox"
 * in any case is the one with role inbox. */
int store_mailbox_find(struct store *st, struct arena *a, struct slice path,
    struct store_mailbox *mb_r);
/* The path of a mailbox; the inbox is "INBOX". */
int store_mailbox_path(struct store *st, struct arena *a, uint64_t id,
    struct slice *path_r);

struct store_mailbox_set {	/* arguments of create and update */
	bool set_name, set_parent, set_role, set_sort, set_subscribed;
	struct slice name;
	uint64_t parent;
	enum store_role role;
	uint32_t sort_order;
	bool subscribed;
};
/* name is needed; subscribed unless said otherwise.  STORE_E_EXISTS (sibling of
 * that name, or the role is taken), _INVALID (name, depth, loop), _NOTFOUND
 * (parent), _LIMIT. */
int store_mailbox_create(struct store *st, const struct store_mailbox_set *s,
    uint64_t *id_r);
/* Creates a path with the missing parents, none subscribed; EXISTS if it is all
 * there. */
int store_mailbox_create_path(struct store *st, struct slice path,
    enum store_role role, uint64_t *id_r);
/* DENIED: the inbox keeps its role and stays at the top. */
int store_mailbox_update(struct store *st, uint64_t id,
    const struct store_mailbox_set *s);
struct store_mailbox_update {
	uint64_t id;
	struct store_mailbox_set set;
};
/*
 * The mailbox takes the place of one on another server, and is given its
 * UIDVALIDITY: clients may go on with the UIDs that they know.  modseq is the
 * highest that was given out there (0: none).  EXISTS: a message was in it
 * already; LIMIT: modseq is not less than this account's first; INVALID: no
 * UIDVALIDITY.
 */
int store_mailbox_adopt(struct store *st, uint64_t id, uint32_t uidvalidity,
    uint64_t modseq);
/* All of them or none, as one change: the names and roles that they give up may
 * be taken by one another (RFC 8620 5.3).  Each id is there once. */
int store_mailbox_exchange(struct store *st,
    const struct store_mailbox_update *u, size_t n);
/* To a new path, missing parents are made, children move along, in one
 * transaction; old names that were subscribed stay so (RFC 9051 6.3.7).  The inbox (RFC 9051 6.3.6): its messages move to a new mailbox. */
int store_mailbox_rename(struct store *st, uint64_t id, struct slice path);
/* HASCHILD; NOTEMPTY unless with_mail, which removes its memberships (an Email
 * left without any is destroyed).  The inbox: DENIED. */
int store_mailbox_destroy(struct store *st, uint64_t id, bool with_mail);
/* DELETE of IMAP: with its mail; the name stays subscribed if it was. */
int store_mailbox_delete(struct store *st, uint64_t id);

/* ---- subscriptions ----------------------------------------------------- */

/* The paths that are subscribed and have no mailbox, in no order. */
int store_subscriptions(struct store *st, struct arena *a,
    struct slice **path_r, size_t *n_r);
/* Subscribes a path or takes it back.  NOTFOUND: there is no mailbox, and no
 * subscription that outlived one. */
int store_subscribe(struct store *st, struct slice path, bool on);
/* Subscribes a path, be there a mailbox or not: it may stand for one that is
 * elsewhere.  LIMIT: there are too many such. */
int store_subscribe_name(struct store *st, struct slice path);

/* ---- rights ------------------------------------------------------------ */

enum {	/* RFC 4314 2.1 */
	STORE_RIGHT_LOOKUP = 0x001,	/* l */
	STORE_RIGHT_READ = 0x002,	/* r */
	STORE_RIGHT_SEEN = 0x004,	/* s */
	STORE_RIGHT_WRITE = 0x008,	/* w: flags but \Seen and \Deleted */
	STORE_RIGHT_INSERT = 0x010,	/* i */
	STORE_RIGHT_POST = 0x020,	/* p */
	STORE_RIGHT_CREATE = 0x040,	/* k: mailboxes below it */
	STORE_RIGHT_DELETE = 0x080,	/* x: the mailbox */
	STORE_RIGHT_TRASH = 0x100,	/* t: \Deleted */
	STORE_RIGHT_EXPUNGE = 0x200,	/* e */
	STORE_RIGHT_ADMIN = 0x400,	/* a: change the rights */
	STORE_RIGHT_NOTES = 0x800,	/* n: shared annotations (RFC 5257) */
	STORE_RIGHTS_ALL = 0xfff,
	/* what RFC 2086's c and d stand for (RFC 4314 2.1.1) */
	STORE_RIGHTS_OLD_C = STORE_RIGHT_CREATE | STORE_RIGHT_DELETE,
	STORE_RIGHTS_OLD_D = STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE
};
/* "lrswipkxtean", and old: c and d as RFC 4314 2.1.1 wants. */
enum { STORE_RIGHTS_TEXT = 16 };
const char *store_rights_text(unsigned rights, bool old,
    char buf[STORE_RIGHTS_TEXT]);
/* c and d are taken for what they stand for.  -1: there is no such right. */
int store_rights_from(struct slice s, unsigned *rights_r);

#define STORE_ANYONE "anyone"
enum { STORE_ACL_MAX = 256 };	/* entries of one mailbox */
struct store_acl {
	struct slice who;	/* an account's name or "anyone"; after a "-":
				 * these rights are taken from him */
	unsigned rights;
};
/* May that be an entry?  There need not be such an account. */
bool store_acl_who_ok(struct slice who);
/* The entries of a mailbox, by name.  The owner has all rights and no entry. */
int store_acl_get(struct store *st, struct arena *a, uint64_t mailbox,
    struct store_acl **v_r, size_t *n_r);
enum store_acl_op { STORE_ACL_SET, STORE_ACL_ADD, STORE_ACL_DEL };
/* An entry that has no rights any more is removed.  LIMIT: too many entries. */
int store_acl_set(struct store *st, uint64_t mailbox, struct slice who,
    enum store_acl_op op, unsigned rights);
/* The rights that an account has on a mailbox of st's account: all, if that is
 * its own, else what it and anyone are given, but for what is taken. */
int store_rights(struct store *st, uint64_t mailbox, const char *user,
    unsigned *rights_r);
/*
 * Accounts that may share something with this one, by name, from hints: each
 * may be gone, or share nothing any more; rights are what store_rights() says.
 * Empty with engines that have no files.
 */
int store_shares(struct store *st, struct arena *a, const char ***owners_r,
    size_t *n_r);
/* Who followed a hint found no such account; or an account (st is the owner's)
 * that may share nothing with user: hints that are wrong go.  Best effort. */
void store_shares_forget(struct store *st, const char *owner);
void store_shares_review(struct store *st, const char *user);
/* Makes all hints that this account's ACLs need. */
int store_shares_renew(struct store *st);

/* ---- annotations (RFC 5464, RFC 5257) ----------------------------------- */

struct store_metadata {
	bool shared;		/* else it is one user's */
	struct slice name;	/* "/comment": without /shared or /private */
	struct slice value;	/* any octets; set: p NULL removes it */
	uint64_t modseq;	/* of its last change; not for set */
};
/* "/a/b": printable ASCII but "*" and "%", no empty parts, 512 octets. */
bool store_metadata_name_ok(struct slice name);
/* Octets that a value may have. */
size_t store_metadata_max(const struct store *st);
/* Those of a mailbox, of an Email, or of the account (0) that user may see: the
 * shared ones and his; his first, each ordered by name. */
int store_metadata_get(struct store *st, struct arena *a, uint64_t mailbox,
    const char *user, struct store_metadata **v_r, size_t *n_r);
/* Sets or removes all n or none.  INVALID (name), TOOBIG (value), LIMIT (too
 * many in this mailbox), QUOTA (too much in the account), NOTFOUND.  A change
 * raises the mailbox's highestmodseq. */
int store_metadata_set(struct store *st, uint64_t mailbox, const char *user,
    const struct store_metadata *v, size_t n);
/*
 * The same of the Emails that are n messages of a mailbox (uids ascending; those
 * that aren't there are skipped); they get a new modseq wherever they are.
 * unchanged_since and *modified_r as with store_msgs_flag().  Also cut like it.
 */
int store_msgs_annotate(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, const char *user,
    const struct store_metadata *v, size_t n_v, uint64_t unchanged_since,
    uint32_t **modified_r, size_t *n_modified_r);
/* Those that were changed after the modseq since, and those that were removed:
 * value.p is NULL.  Of what was removed longer ago some may be forgotten. */
int store_metadata_changes(struct store *st, struct arena *a, uint64_t mailbox,
    const char *user, uint64_t since, struct store_metadata **v_r,
    size_t *n_r);
/* The modseq of the last change of any. */
int store_metadata_modseq(struct store *st, uint64_t *modseq_r);
/* Octets of names and values of all annotations. */
int store_metadata_size(struct store *st, uint64_t *size_r);

/* ---- flags ------------------------------------------------------------- */

/*
 * A set of flags is 64 bits: system flags, then the account's keywords in the
 * order of their first use.  All but \Deleted belong to the Email.
 */
#define STORE_SEEN	UINT64_C(0x01)
#define STORE_ANSWERED	UINT64_C(0x02)
#define STORE_FLAGGED	UINT64_C(0x04)
#define STORE_DRAFT	UINT64_C(0x08)
#define STORE_DELETED	UINT64_C(0x10)	/* of the membership */
enum { STORE_KEYWORD_FIRST = 6, STORE_KEYWORD_BITS = 58 };

/* names_r[bit] for bit < *n_r; NULL where the bit has no keyword.  Bits 0..3
 * are "$seen", "$answered", "$flagged", "$draft"; others have the case in which
 * they were written first (older accounts: lower case). */
int store_keywords(struct store *st, struct arena *a, struct slice **names_r,
    size_t *n_r);
/*
 * The bits of n keywords, compared without case (RFC 8621 4.1.1; "\\seen" forms
 * are not known here); 0 where there is none.  create: new ones are made, all
 * or none, durable at return.  LIMIT when there are not so many bits left,
 * INVALID for a bad name.
 */
int store_keyword_bits(struct store *st, const struct slice *name, size_t n,
    bool create, uint64_t *bit_r);
/* The same for one.  NOTFOUND without create. */
int store_keyword_bit(struct store *st, struct slice name, bool create,
    uint64_t *bit_r);

/* ---- messages in a mailbox (IMAP, POP3) -------------------------------- */

struct store_msg {	/* the hot half */
	uint32_t uid;
	uint64_t modseq, flags;
};
/* The messages of a mailbox with from <= uid <= to and modseq > since, in
 * order of UID; *m_r is from xmalloc (NULL if none), the caller's. */
int store_msgs_load(struct store *st, uint64_t mailbox, uint32_t from,
    uint32_t to, uint64_t since, struct store_msg **m_r, size_t *n_r);

struct store_msg_info {	/* both halves */
	uint32_t uid;
	uint64_t modseq, flags;
	uint64_t email, thread;
	int64_t received_at, saved_at;	/* seconds since 1970 */
	uint64_t size;			/* RFC822.SIZE */
	unsigned char ref[16];		/* of the blob, opaque */
};
struct store_range {	/* UIDs, both ends included */
	uint32_t from, to;
};
/*
 * Calls fn for each message whose UID is in one of the n ranges (ascending,
 * disjoint), in order; fn != 0 stops the scan and is returned.  Memory is
 * bounded.  fn may read from the store, not change it.
 */
int store_msg_scan(struct store *st, uint64_t mailbox,
    const struct store_range *r, size_t n,
    int (*fn)(void *arg, const struct store_msg_info *m), void *arg);
/* UIDs expunged with modseq > since (RFC 7162 VANISHED), ascending; TOOOLD. */
int store_vanished(struct store *st, struct arena *a, uint64_t mailbox,
    uint64_t since, uint32_t **uids_r, size_t *n_r);
/*
 * The first UID that no session was shown as \Recent (RFC 3501 2.3.2); with
 * claim, those up to uidnext are now shown.  Best effort, not durable.
 */
uint32_t store_recent(struct store *st, uint64_t mailbox, uint32_t uidnext,
    bool claim);

enum store_flag_op { STORE_FLAG_SET, STORE_FLAG_ADD, STORE_FLAG_DEL };
/*
 * Work on messages below is one change, one modseq and one flush up to at least
 * 10,000 messages; beyond that it may be cut into several, each of which leaves
 * the account consistent, *modseq_r being the last one's.
 *
 * Changes flags of n messages (RFC 9051 6.4.6, 7162 3.1.3).
 * uids ascending; those that are not there are skipped.  unchanged_since:
 * UINT64_MAX for none.  *modified_r: those refused by it.  A message whose
 * flags stay the same keeps its modseq.  *modseq_r (if not NULL): the change's.
 */
int store_msgs_flag(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, enum store_flag_op op, uint64_t flags,
    uint64_t unchanged_since, uint32_t **modified_r, size_t *n_modified_r,
    uint64_t *modseq_r);
/* The same, and flags that aren't in mask stay as they are. */
int store_msgs_flag_some(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, enum store_flag_op op, uint64_t flags,
    uint64_t mask, uint64_t unchanged_since, uint32_t **modified_r,
    size_t *n_modified_r, uint64_t *modseq_r);

struct store_pair {
	uint32_t from, to;	/* UID in the source, UID in the target */
};
/*
 * Copies or moves (RFC 6851) all of uids (ascending; missing ones are skipped)
 * to another mailbox of the account in one change.  Flags, INTERNALDATE and,
 * when moving, the Email stay; a copy to a mailbox which already has that Email
 * makes a new Email on the same blob.
 */
int store_msgs_copy(struct store *st, struct arena *a, uint64_t from,
    const uint32_t *uids, size_t n, uint64_t to, bool move,
    struct store_pair **p_r, size_t *n_r, uint64_t *modseq_r);
/* Removes those of uids (NULL: of all) that have \Deleted (RFC 9051 6.4.3). */
int store_msgs_expunge(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, uint32_t **gone_r, size_t *n_r,
    uint64_t *modseq_r);
/* Removes uids whatever their flags (POP3). */
int store_msgs_remove(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, uint64_t *modseq_r);

/*
 * Takes the account's POP3 maildrop for this handle until store_close() or the
 * end of the process (RFC 1939 section 4: exclusive access).  BUSY: another
 * handle has it.  Other protocols go on beside it.
 */
int store_maildrop_lock(struct store *st);
/* When store_maildrop_note() was called last, by whatever process; 0: never.  The
 * maildrop is locked. */
int64_t store_maildrop_last(struct store *st);
void store_maildrop_note(struct store *st);
/* Gives it back before store_close(); no-op without it. */
void store_maildrop_unlock(struct store *st);

/* ---- bringing mail in -------------------------------------------------- */

/*
 * A spool takes the octets of one message or upload as they come, in memory
 * while small, then in an unnamed file under mail_dir.  message: bare LF and CR
 * become CRLF.  max 0: the configured maximum.
 */
struct store_spool *store_spool_new(const struct store_conf *cf, bool message,
    uint64_t max);
void store_spool_free(struct store_spool **sp);
/* TOOBIG (go on reading and throwing away, if the protocol wants that),
 * NOSPACE, IO; a failed spool stays failed. */
int store_spool_add(struct store_spool *sp, const void *p, size_t n);
/* No more octets: hashes, parses (message), compresses.  May be slow; takes no
 * lock.  Afterwards the spool may be appended to any number of accounts. */
int store_spool_done(struct store_spool *sp);
uint64_t store_spool_size(const struct store_spool *sp);
/* The octets after done, mapped or in memory; borrowed until free. */
struct slice store_spool_octets(struct store_spool *sp);

struct store_blobid {
	unsigned char h[24];	/* SHA-256, truncated */
};
/* "G" and 32 base64url characters; from: -1 if it is not one. */
enum { STORE_BLOBID_LEN = 33 };
void store_blobid_text(const struct store_blobid *b,
    char out[STORE_BLOBID_LEN + 1]);
int store_blobid_from(struct slice s, struct store_blobid *b_r);

struct store_new {	/* a new Email */
	struct store_spool *spool;	/* done; or NULL: blob */
	const struct store_blobid *blob; /* of this account (Email/import) */
	const uint64_t *mailboxes;	/* at least one, no duplicates */
	size_t n_mailboxes;
	uint64_t flags;
	int64_t received_at;		/* seconds; INT64_MIN: now */
	uint32_t uid;			/* in mailboxes[0], if it is not less
					 * than UIDNEXT; 0: the next one */
	/* Where n > 0: a name (its Message-ID) that the first mailbox is given
	 * once only in that time; EXISTS, if it was.  Of the last 500 at
	 * least that is known. */
	struct slice once;
	int64_t once_s;
};
struct store_added {
	uint64_t email, thread;
	struct store_blobid blob;
	uint64_t size;
	uint32_t uid;			/* in mailboxes[0] */
};
/* All n or none, in one change, one flush.  NOTFOUND: mailbox or blob. */
int store_email_add(struct store *st, const struct store_new *v, size_t n,
    struct store_added *added_r, uint64_t *modseq_r);
/*
 * Adds one Email and removes the message uid of a mailbox, whatever its flags,
 * in the same change (RFC 8508); the quota is asked about what is more
 * afterwards.  NOTFOUND: that message too.
 */
int store_email_replace(struct store *st, const struct store_new *v,
    uint64_t mailbox, uint32_t uid, struct store_added *added_r,
    uint64_t *modseq_r);
/* An upload (RFC 8620 6.1): kept upload_ttl_s unless an Email comes to use it. */
int store_upload(struct store *st, struct store_spool *sp,
    struct store_blobid *blob_r);

/* ---- Emails (JMAP) ----------------------------------------------------- */

struct store_membership {
	uint64_t mailbox;
	uint32_t uid;
	uint64_t modseq;
	bool deleted;
	int64_t saved_at;
};
struct store_email {
	uint64_t id, thread;
	struct store_blobid blob;
	unsigned char ref[16];
	uint64_t size;
	int64_t received_at;
	uint64_t flags;			/* without \Deleted */
	uint64_t modseq;		/* of the last change of any of it */
	struct store_membership *in;
	size_t n_in;
};
int store_email_get(struct store *st, struct arena *a, uint64_t id,
    struct store_email *e_r);
/* The parsed structure, envelope and preview, without reading the body; it is
 * reparsed where the stored record is of an older version. */
int store_email_mime(struct store *st, struct arena *a,
    const unsigned char ref[16], struct mime_msg **m_r);

/* Calls fn for every Email of the account, or of one mailbox (0: all), in no
 * order, each once; fn != 0 stops.  Cheap: reads no blob. */
int store_email_scan(struct store *st, uint64_t mailbox,
    int (*fn)(void *arg, const struct store_msg_info *m), void *arg);

struct store_email_set {	/* one Email's change, RFC 8621 4.6 */
	uint64_t id;
	bool destroy;
	bool set_flags;		/* flags = flags_add, else add then del */
	uint64_t flags_add, flags_del;
	uint64_t flags_unless;	/* DENIED where it has one of these */
	bool set_mailboxes;	/* in = add exactly, else add then del */
	const uint64_t *mailboxes_add, *mailboxes_del;
	size_t n_add, n_del;
};
/* All that can be done of n, in one change; rc_r[i] tells of each: 0, NOTFOUND
 * (Email or mailbox), INVALID (would be in no mailbox), ... */
int store_email_change(struct store *st, const struct store_email_set *s,
    size_t n, int *rc_r, uint64_t *modseq_r);

/* The Emails of a thread, by received_at, then id. */
int store_thread_get(struct store *st, struct arena *a, uint64_t id,
    uint64_t **emails_r, size_t *n_r);

/* ---- blobs ------------------------------------------------------------- */

int store_blob_open(struct store *st, const struct store_blobid *id,
    struct store_blob **b_r);
int store_blob_open_ref(struct store *st, const unsigned char ref[16],
    struct store_blob **b_r);
void store_blob_close(struct store_blob **b);
uint64_t store_blob_size(const struct store_blob *b);
int store_blob_read(struct store_blob *b, uint64_t off, void *p, size_t n);
/* 1: the octets from off to the end can be sent from *fd_r at *fd_off_r. */
int store_blob_raw(struct store_blob *b, uint64_t off, int *fd_r,
    uint64_t *fd_off_r);
/* All octets, mapped or decompressed into memory, until close. */
int store_blob_octets(struct store_blob *b, struct slice *s_r);

/* ---- what was destroyed, and is still kept ------------------------------ */

struct store_gone {	/* a destroyed Email */
	uint64_t email, mailbox;
	uint64_t modseq;	/* of its end */
	int64_t gone_at, received_at;
	struct slice path;	/* of the mailbox; if that is gone: as it was,
				 * or "" where that is forgotten */
	bool mailbox_gone;
	bool kept;		/* true in what is listed */
	uint32_t uid;
	uint64_t flags;		/* without \Deleted */
	uint64_t size;
	struct store_blobid blob;
	unsigned char ref[16];
};
/*
 * Emails that were destroyed in the retention time (expunged, removed by POP3
 * or JMAP, or with their mailbox), in the order of their end.  Of those with the
 * same content the last; none whose content is in the account still or again.
 */
int store_gone_list(struct store *st, struct arena *a,
    struct store_gone **g_r, size_t *n_r);
/*
 * Brings n of them back as new Emails, each into its mailbox[i], which exists:
 * with new id and UID, the same octets, received_at and keywords.  rc_r[i]
 * tells of each: 0 and added_r[i], NOTFOUND (mailbox; or it is kept no more, or
 * was brought back already), QUOTA.
 */
int store_undelete(struct store *st, const struct store_gone *g,
    const uint64_t *mailbox, size_t n, struct store_added *added_r, int *rc_r);

/* ---- backups ----------------------------------------------------------- */

/*
 * A backup is a directory of one account, in which each call puts what is new;
 * see kv.h and mailstore(5).  Times are microseconds since 1970.  Functions
 * without a handle tell fn in a sentence what is wrong.  INVALID: an engine
 * without files; BUSY: another process is at that backup.
 */
struct store_backup {
	const char *dir;
	bool full;		/* begin anew, beside what there is */
	uint64_t keep_s;	/* moments older than that are given up; 0:
				 * none */
};
struct store_backed {
	uint64_t modseq;	/* of the newest change that it has, */
	uint64_t when;		/* and its time */
	uint64_t octets;	/* copied this time */
	bool full;		/* it began anew */
};
int store_backup(struct store *st, const struct store_backup *b,
    struct store_backed *d_r);
struct store_moments {
	uint64_t from, to;	/* each moment between them is there */
	uint64_t from_modseq, to_modseq;
	bool run;		/* from == to is a backup that was made */
};
int store_backup_list(const char *dir,
    void (*fn)(void *arg, const struct store_moments *m), void *arg,
    void (*fault)(void *arg, const char *text));
/* Reads all of it and opens the newest states.  *n_r: the number of faults. */
int store_backup_verify(const struct store_conf *cf, const char *dir,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r);

struct store_restore {
	const char *dir;	/* the backup */
	uint64_t when;		/* UINT64_MAX: the newest state */
	const char *account;	/* what it is to be called */
	/*
	 * It is another account, with an id of its own, and stays exactly as it
	 * was.  Else it is the account of that name, of which clients know
	 * later states: all numbers that were given out since stay used, and
	 * each client is made to look at everything that may differ.
	 */
	bool copy;
	bool replace;		/* if there is one (not with copy); else EXISTS */
};
/*
 * All or nothing: the state is built beside, verified with all messages, and
 * then takes its place; the sessions of an account that is replaced get FENCED.
 * NOTFOUND: the backup doesn't know that moment; CORRUPT: it is damaged.
 */
int store_restore(const struct store_conf *cf, const struct store_restore *r,
    struct store_backed *d_r, void (*fn)(void *arg, const char *text),
    void *arg);

/* ---- changes (RFC 8620 5.2) -------------------------------------------- */

enum store_change_kind { STORE_CREATED, STORE_UPDATED, STORE_DESTROYED };
struct store_change {
	uint64_t id;
	uint64_t modseq;
	enum store_change_kind kind;
	bool counts_only;	/* mailboxes: nothing but counts changed */
};
enum store_type {
	STORE_T_EMAIL, STORE_T_MAILBOX, STORE_T_THREAD, STORE_T_IDENTITY,
	STORE_T_SUBMISSION,
	STORE_T_VACATION	/* only for store_type_modseq() */
};
/*
 * What changed after since, each id once, oldest change first; what was both
 * created and destroyed after since is left out.  An Email with \Deleted
 * wherever it is isn't there (RFC 8621 4.1.1), nor is a thread of such: they are
 * told as destroyed, and as created where the flag goes again.  At most max (0: all): *more_r
 * and *state_r tell whether there is more and from where to go on (a state to
 * pass as since).  TOOOLD: since is before the horizon; INVALID: it is in the
 * future.
 */
int store_changes(struct store *st, struct arena *a, enum store_type t,
    uint64_t since, size_t max, struct store_change **c_r, size_t *n_r,
    uint64_t *state_r, bool *more_r);
/* The modseq of the last change of any object of that type (<= the state):
 * what EventSource compares to tell which types changed. */
int store_type_modseq(struct store *st, enum store_type t, uint64_t *m_r);

/* ---- waiting and upkeep ------------------------------------------------ */

/* See kv_watch_new(): fd is readable when an account may have changed. */
int store_watch_new(const struct store_conf *cf, bool many,
    struct store_watch **w_r);
void store_watch_free(struct store_watch **w);
int store_watch_fd(const struct store_watch *w);
int store_watch_add(struct store_watch *w, struct store *st, void *cookie);
void store_watch_del(struct store_watch *w, void *cookie);
int store_watch_next(struct store_watch *w, void **cookie_r);

/* A session calls this when it has nothing to do and at its end: compaction
 * when due, expired uploads and unreferenced blobs.  1: something was done. */
int store_idle(struct store *st, bool force);
/*
 * Verifies the account: engine, every row, every reference, counters against
 * contents.  fn gets a sentence a fault.  *n_r: the number of faults.
 */
int store_check(struct store *st, bool read_blobs,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r);
/*
 * Makes a damaged account one that is in order, from what can be read of it;
 * it is locked meanwhile, and other handles are then FENCED.  fn gets a
 * sentence for all that was lost or done.  What is replaced is put into
 * mail_dir/.quarantine, with a report.  On failure the account is as before.
 */
int store_repair(const struct store_conf *cf, const char *account,
    void (*fn)(void *arg, const char *text), void *arg);

#endif
