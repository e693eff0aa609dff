/* imapd/imap.h - one IMAP session: what the files of this folder share */
#ifndef IMAPD_IMAP_H
#define IMAPD_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imapd/args.h"
#include "imapd/encode.h"
#include "imapd/parse.h"
#include "imapd/place.h"
#include "imapd/view.h"
#include "libbase/arena.h"
#include "libbase/collation.h"
#include "libsession/session.h"
#include "libstore/store.h"

enum imap_next {
	IMAP_DONE,	/* the answer is set */
	IMAP_MORE,	/* go on with cmd->line when the client sent a line */
	IMAP_BYE	/* BYE was sent: end the session, after the answer if one
			 * is set */
};

enum {	/* states that a command is allowed in */
	IMAP_NOAUTH = 1, IMAP_AUTH = 2, IMAP_SELECTED = 4,
	IMAP_LOGGEDIN = IMAP_AUTH | IMAP_SELECTED,
	IMAP_ANY = IMAP_NOAUTH | IMAP_LOGGEDIN
};

enum {	/* flags of a command */
	IMAP_SEQ = 1,		/* sequence numbers: no EXPUNGE while it runs */
	IMAP_UID = 2,		/* the UID form */
	IMAP_NOSYNC = 4,	/* no untagged news before its answer */
	IMAP_SECTIONS = 8,	/* arguments may have [sections] */
	IMAP_WRITE = 16,	/* needs a mailbox that isn't read-only */
	IMAP_LITERAL8 = 32,	/* arguments may be literal8 */
	IMAP_NUMBERS = 64,	/* is about sequence numbers: not with UIDONLY */
	IMAP_RETURN = 128	/* RETURN may have [sections] */
};

enum imap_status { IMAP_S_NONE, IMAP_S_OK, IMAP_S_NO, IMAP_S_BAD };

enum {	/* what was enabled (RFC 5161), or by use (RFC 7162 3.1) */
	IMAP_CONDSTORE = 1, IMAP_QRESYNC = 2, IMAP_REV2 = 4, IMAP_UTF8 = 8,
	IMAP_UIDONLY = 16
};

struct context;
struct imap_cmd;
struct imap_session;
struct notify;

struct imap_stream {	/* literals that don't go into memory: APPEND */
	/* As imap_parse_hooks.literal, of an argument of the command itself or
	 * of a list in it. */
	enum imap_literal_rc (*begin)(struct imap_cmd *cmd, uint64_t size,
	    bool binary);
	void (*octets)(struct imap_cmd *cmd, struct slice s);
	void (*end)(struct imap_cmd *cmd);
};

struct imap_command {
	const char *name;
	enum imap_next (*run)(struct imap_cmd *cmd);
	unsigned states, flags;
	const char *capability;	/* that tells clients of it; NULL: the base */
	const struct imap_stream *stream;
};

struct imap_cmd {
	struct imap_session *s;
	const struct imap_command *row;
	struct arena *a;		/* for as long as the command lasts */
	struct slice tag;
	struct imap_args args;
	bool uid;
	/* the tagged answer */
	enum imap_status status;
	const char *code, *text;
	uint32_t limited;		/* the lowest UID that MESSAGELIMIT let
					 * it come to; 0: it came to all */
	void (*after)(struct imap_cmd *cmd);	/* when that was put */
	/* when run returned IMAP_MORE */
	enum imap_next (*line)(struct imap_cmd *cmd, struct slice line);
	enum imap_next (*wake)(struct imap_cmd *cmd);
	void (*cancel)(struct imap_cmd *cmd);	/* the connection ended */
	int wake_fd;			/* wake when readable; -1: none */
	int64_t silence_ms;		/* "Still here" after it; 0: never */
	int64_t heard;			/* monotonic ms: the client's last word
					 * from the command */
	void *state;			/* the handler's own */
};

struct imap_session {
	struct session *x;
	struct arena *a;		/* of the command */
	struct arena *scratch;		/* of one sync: IDLE lasts for long */
	struct enc out;
	struct imap_parser parser;
	struct imap_cmd cmd;
	struct view view;
	struct imap_stores others;
	struct slice *keywords;		/* names by bit, xmalloc */
	size_t n_keywords;
	uint64_t keywords_told;		/* bits in the last FLAGS response */
	struct context *contexts;	/* searches that go on (RFC 5267) */
	uint32_t *stale;		/* UIDs that they have to look at again,
					 * ascending or not; xmalloc */
	size_t n_stale, cap_stale;
	uint32_t star;			/* the last UID, when they looked */
	struct notify *notify;		/* NULL: NOTIFY was never used */
	unsigned enabled;		/* IMAP_CONDSTORE, ... */
	enum collation collation;	/* the active comparator (RFC 5255) */
	bool descending;		/* it orders the other way round */
	bool id_given, bye, compressed;
	unsigned bad;			/* bad commands before login */
	int64_t deadline;		/* monotonic ms: the end of patience */
};

/* ---- frame.c ----------------------------------------------------------- */

/* struct server's serve. */
int imap_serve(struct session *x);
/* The states' bit that the session is in. */
unsigned imap_state(const struct imap_session *s);
/* "* BYE [code] text"; code may be NULL. */
void imap_bye(struct imap_session *s, const char *code, const char *text);

/* ---- answer.c ---------------------------------------------------------- */

/* Set the tagged answer; all return IMAP_DONE.  text is a constant or lives in
 * the command's arena. */
enum imap_next imap_ok(struct imap_cmd *cmd, const char *text);
enum imap_next imap_ok_code(struct imap_cmd *cmd, const char *code,
    const char *text);
enum imap_next imap_no(struct imap_cmd *cmd, const char *code,
    const char *text);
enum imap_next imap_bad(struct imap_cmd *cmd, const char *text);
/* BAD with what args.err says. */
enum imap_next imap_bad_args(struct imap_cmd *cmd);
/* NO with the code of RFC 5530 for a failure of the store; logs what is not
 * the client's doing; ends the session where that must be. */
enum imap_next imap_store_failed(struct imap_cmd *cmd, int rc);
/* BAD [UIDREQUIRED]: with UIDONLY there are no sequence numbers (RFC 9586). */
enum imap_next imap_uid_required(struct imap_cmd *cmd);
/* Writes the tagged line. */
void imap_answer(struct imap_cmd *cmd);

/* ---- limit.c (RFC 9738) ------------------------------------------------ */

/* Of n ascending UIDs the newest that MESSAGELIMIT allows: how many, moves
 * *uids; the answer will tell. */
size_t imap_limit(struct imap_cmd *cmd, uint32_t **uids, size_t n);
/* How many messages COPY and APPEND may make; 0: any number. */
uint32_t imap_limit_save(const struct imap_session *s);
/* NO [MESSAGELIMIT n] */
enum imap_next imap_over_limit(struct imap_cmd *cmd, uint32_t most);
/* imap_answer()'s: puts the code into an OK, or before it. */
void imap_limit_tell(struct imap_cmd *cmd);

/* ---- progress.c -------------------------------------------------------- */

/* Tells, if the client has heard nothing of the command for long, how much of it
 * is done; goal 0: who knows.  Not in the middle of a response. */
void imap_progress(struct imap_cmd *cmd, uint64_t done, uint64_t goal);

/* ---- set.c ------------------------------------------------------------- */

/* The command's next argument: the messages that it is for, as UIDs or
 * sequence numbers that exist; or "$".  false: it was answered. */
bool imap_set(struct imap_cmd *cmd, struct seqset *set_r);

/* ---- commands.c -------------------------------------------------------- */

const struct imap_command *imap_command_find(struct slice name);
/* The capabilities that hold now, separated by spaces. */
void imap_capabilities(struct imap_session *s, struct buf *out);

/* ---- sync.c ------------------------------------------------------------ */

/* Messages, ascending by UID, of which is not told if their flags are what the
 * client expects (flags NULL: whatever they are). */
struct imap_quiet {
	const uint32_t *uids;
	const uint64_t *flags;
	size_t n;
};
/*
 * Refreshes the store and tells the client what changed in the mailbox, with
 * EXPUNGE if that is allowed now.  quiet may be NULL.  enum store_rc.
 */
int imap_sync(struct imap_session *s, bool expunge,
    const struct imap_quiet *quiet);
/* Are new mod-sequences news to the client? */
void imap_modseqs(struct imap_session *s);
/* Enables capabilities; with CONDSTORE, a selected mailbox's HIGHESTMODSEQ is
 * told (RFC 7162 3.1). */
void imap_enable(struct imap_session *s, unsigned what);
/* "* n FETCH (", or with UIDONLY "* uid UIDFETCH (", of message i of the view. */
void imap_fetch_open(struct imap_session *s, size_t i);
/* "* n FETCH (UID u FLAGS (f))" of message i of the view, with MODSEQ if
 * CONDSTORE is on. */
void imap_tell_flags(struct imap_session *s, size_t i, bool uid, bool flags);
/* " MODSEQ (n)" within a FETCH response. */
void imap_modseq_put(struct imap_session *s, uint64_t modseq);
/* "* VANISHED 1:3" or, earlier, "* VANISHED (EARLIER) 1:3"; nothing if n is 0. */
void imap_vanished_put(struct imap_session *s, bool earlier,
    const struct store_range *r, size_t n);
/* "* n EXISTS" and "* n RECENT" when they differ from what was said. */
void imap_tell_counts(struct imap_session *s);

/* ---- flags.c ----------------------------------------------------------- */

/* All flags of a list (or what is left of it), of st's account; new keywords
 * are made if rights allow to set them, else they are IMAP_NO_FLAG.  false: cmd
 * has the answer already. */
bool imap_flags_parse(struct imap_cmd *cmd, struct store *st, unsigned rights,
    struct imap_args *list, uint64_t *flags_r);
#define IMAP_NO_FLAG UINT64_C(0x20)
/* The bit of one flag by its IMAP name; 0: there is no such keyword. */
uint64_t imap_flag_system(struct slice name);
/* Reads the keywords' names anew, and forgets them. */
int imap_flags_load(struct imap_session *s);
void imap_flags_forget(struct imap_session *s);
/* "(\Seen $Forwarded)".  All keywords in it have been told of. */
void imap_flags_put(struct imap_session *s, uint64_t flags, bool recent);
/* The untagged responses FLAGS and OK [PERMANENTFLAGS ...]. */
void imap_flags_tell(struct imap_session *s);
/* The same if flags have keywords that were not in them yet. */
void imap_flags_announce(struct imap_session *s, uint64_t flags);

/* ---- resync.c ---------------------------------------------------------- */

struct imap_resync {	/* QRESYNC of SELECT, RFC 7162 3.2.5 */
	uint32_t uidvalidity;
	uint64_t since;
	struct seqset known;	/* UIDs; n 0: all */
	struct seqset seq, uid;	/* sequence match data; n 0: none */
};
/* The parenthesized argument of QRESYNC.  false: in->err says why. */
bool imap_resync_parse(struct imap_args *v, struct imap_resync *r_r);
/* What changed in the selected mailbox: VANISHED (EARLIER) and FETCH. */
int imap_resync(struct imap_cmd *cmd, const struct imap_resync *r);
/* "VANISHED (EARLIER)" for UIDs of the set that were expunged after since. */
int imap_tell_vanished(struct imap_cmd *cmd, const struct seqset *set,
    uint64_t since);

/* ---- cmd-expunge.c ----------------------------------------------------- */

/* OK of a command that removed messages; with QRESYNC the client is told of them
 * before, and the HIGHESTMODSEQ (RFC 7162 3.2.7, RFC 6851 4.4). */
enum imap_next imap_ok_expunged(struct imap_cmd *cmd, const char *text);

/* ---- cmd-list.c -------------------------------------------------------- */

/* "* LIST (...) "/" name", with OLDNAME if the client wrote another (RFC 9051
 * 6.3.9.7); not even_same: only then. */
int imap_list_put(struct imap_cmd *cmd, struct store *st, uint64_t mailbox,
    struct slice raw, bool even_same);
/* The same for one that was deleted, if the client wrote another name (RFC 9051
 * 6.3.5). */
void imap_list_deleted(struct imap_cmd *cmd, struct slice name,
    struct slice raw);

/* ---- cmd-acl.c --------------------------------------------------------- */

/* The untagged MYRIGHTS response. */
void imap_myrights_put(struct imap_cmd *cmd, struct slice name,
    unsigned rights);

/* ---- cmd-quota.c ------------------------------------------------------- */

/* Is the user one of the configuration's admins? */
bool imap_is_admin(const struct imap_session *s);

/* ---- cmd-status.c ------------------------------------------------------ */

enum {	/* items */
	IMAP_STATUS_MESSAGES = 0x001, IMAP_STATUS_RECENT = 0x002,
	IMAP_STATUS_UIDNEXT = 0x004, IMAP_STATUS_UIDVALIDITY = 0x008,
	IMAP_STATUS_UNSEEN = 0x010, IMAP_STATUS_HIGHESTMODSEQ = 0x080
};
/* The status items of a list, one at least; false: in->err says why. */
bool imap_status_items(struct imap_args *in, unsigned *want_r);
/* " (M1f00000)", RFC 8474 4 */
void imap_mailboxid_put(struct enc *e, uint64_t id);
/* The untagged STATUS response, of a mailbox of st.  enum store_rc. */
int imap_status_put(struct imap_cmd *cmd, struct store *st,
    const struct store_mailbox *mb, struct slice name, unsigned want);

/* ---- context.c (RFC 5267) ---------------------------------------------- */

/* "* NO [NOUPDATE tag]" */
void imap_noupdate(struct imap_session *s, struct slice tag, const char *text);
/* Messages of the view are gone, but the client wasn't told: REMOVEFROM. */
void imap_contexts_gone(struct imap_session *s);
/* The flags of these have changed: imap_contexts_update() is to look. */
void imap_contexts_stale(struct imap_session *s, const uint32_t *uids,
    size_t n);
/* ADDTO and REMOVEFROM for what changed and what is new. */
void imap_contexts_update(struct imap_session *s);
/* Numbers of messages aren't used any more. */
void imap_contexts_uidonly(struct imap_session *s);
/* Frees those that ended; all: all of them, the mailbox isn't selected any
 * more. */
void imap_contexts_end(struct imap_session *s, bool all);
/* No mailbox is selected any more. */
void imap_unselect(struct imap_session *s);

/* ---- notify.c (RFC 5465) ----------------------------------------------- */

/* The end of a NOTIFY command: n, in the command's arena, is in force. */
enum imap_next imap_notify_set(struct imap_cmd *cmd, struct notify *n);
void imap_notify_forget(struct imap_session *s);
/* Before a command is waited for: what was opened since is watched, too.  false:
 * BYE was sent. */
bool imap_notify_prepare(struct imap_session *s);
/* Readable when imap_notify_wake() is due; -1: never. */
int imap_notify_fd(const struct imap_session *s);
/* Tells what changed, between commands or in IDLE.  false: BYE was sent. */
bool imap_notify_wake(struct imap_session *s, bool in_command);
/* Tells what changed in other mailboxes.  enum store_rc. */
int imap_notify_look(struct imap_session *s);
/* Are others' changes of the selected mailbox not to be seen at all?  Changes
 * of flags? */
bool imap_notify_frozen(const struct imap_session *s);
bool imap_notify_flags(const struct imap_session *s);
/* Was it asked for changes of annotations there? */
bool imap_notify_annotations(const struct imap_session *s);
/* The FETCH responses for messages of the view that are new, from an index on. */
void imap_notify_new(struct imap_session *s, size_t from);

/* ---- the commands, one file a family ----------------------------------- */

enum imap_next cmd_append(struct imap_cmd *cmd);
enum imap_next cmd_authenticate(struct imap_cmd *cmd);
enum imap_next cmd_cancelupdate(struct imap_cmd *cmd);
enum imap_next cmd_capability(struct imap_cmd *cmd);
enum imap_next cmd_check(struct imap_cmd *cmd);
enum imap_next cmd_close(struct imap_cmd *cmd);
enum imap_next cmd_comparator(struct imap_cmd *cmd);
enum imap_next cmd_compress(struct imap_cmd *cmd);
enum imap_next cmd_copy(struct imap_cmd *cmd);
enum imap_next cmd_create(struct imap_cmd *cmd);
enum imap_next cmd_delete(struct imap_cmd *cmd);
enum imap_next cmd_enable(struct imap_cmd *cmd);
enum imap_next cmd_deleteacl(struct imap_cmd *cmd);
enum imap_next cmd_esearch(struct imap_cmd *cmd);
enum imap_next cmd_examine(struct imap_cmd *cmd);
enum imap_next cmd_expunge(struct imap_cmd *cmd);
enum imap_next cmd_fetch(struct imap_cmd *cmd);
enum imap_next cmd_getjmapaccess(struct imap_cmd *cmd);
enum imap_next cmd_getacl(struct imap_cmd *cmd);
enum imap_next cmd_getmetadata(struct imap_cmd *cmd);
enum imap_next cmd_getquota(struct imap_cmd *cmd);
enum imap_next cmd_getquotaroot(struct imap_cmd *cmd);
enum imap_next cmd_id(struct imap_cmd *cmd);
enum imap_next cmd_idle(struct imap_cmd *cmd);
enum imap_next cmd_language(struct imap_cmd *cmd);
enum imap_next cmd_list(struct imap_cmd *cmd);
enum imap_next cmd_listrights(struct imap_cmd *cmd);
enum imap_next cmd_login(struct imap_cmd *cmd);
enum imap_next cmd_logout(struct imap_cmd *cmd);
enum imap_next cmd_lsub(struct imap_cmd *cmd);
enum imap_next cmd_move(struct imap_cmd *cmd);
enum imap_next cmd_myrights(struct imap_cmd *cmd);
enum imap_next cmd_namespace(struct imap_cmd *cmd);
enum imap_next cmd_noop(struct imap_cmd *cmd);
enum imap_next cmd_notify(struct imap_cmd *cmd);
enum imap_next cmd_rename(struct imap_cmd *cmd);
enum imap_next cmd_replace(struct imap_cmd *cmd);
enum imap_next cmd_search(struct imap_cmd *cmd);
enum imap_next cmd_select(struct imap_cmd *cmd);
enum imap_next cmd_setacl(struct imap_cmd *cmd);
enum imap_next cmd_setmetadata(struct imap_cmd *cmd);
enum imap_next cmd_setquota(struct imap_cmd *cmd);
enum imap_next cmd_sort(struct imap_cmd *cmd);
enum imap_next cmd_starttls(struct imap_cmd *cmd);
enum imap_next cmd_status(struct imap_cmd *cmd);
enum imap_next cmd_store(struct imap_cmd *cmd);
enum imap_next cmd_subscribe(struct imap_cmd *cmd);
enum imap_next cmd_thread(struct imap_cmd *cmd);
enum imap_next cmd_uidbatches(struct imap_cmd *cmd);
enum imap_next cmd_unauthenticate(struct imap_cmd *cmd);
enum imap_next cmd_unselect(struct imap_cmd *cmd);
enum imap_next cmd_unsubscribe(struct imap_cmd *cmd);
enum imap_next cmd_xlist(struct imap_cmd *cmd);

extern const struct imap_stream append_stream;

#endif
