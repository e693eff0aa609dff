/* culver/culver.h - the administrator's tool: what its subcommands share */
#ifndef CULVER_CULVER_H
#define CULVER_CULVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/store.h"

/* ---- options ----------------------------------------------------------- */

enum { ARGS_OPTS_MAX = 16 };

/* One "--name" or "--name=ARG" of a subcommand; the table ends with name NULL. */
struct opt {
	const char *name;
	const char *arg;	/* what to call its argument; NULL: a switch */
	const char *help;
};

struct args {
	/* By the option's row: NULL where it wasn't given, "" for a switch. */
	const char *val[ARGS_OPTS_MAX];
	const char **pos;	/* the others, in order; xmalloc'ed */
	size_t n;
	bool help;
};

/*
 * Options and other arguments may be mixed; "--" ends the options.  0, or -1
 * after a complaint.  args_release() in either case.
 */
int args_parse(const struct opt *opts, int argc, char **argv,
    struct args *a_r);
void args_release(struct args *a);
/* The number in an option's argument, min..max.  0, or -1 after a complaint. */
int args_uint(const struct opt *o, const char *text, uint64_t min,
    uint64_t max, uint64_t *v_r);

/* The time in an option's argument: RFC 3339, or ISO 8601 in local time, of
 * which the seconds or the time of day may be left out.  0, or -1 after a
 * complaint. */
int args_time(const struct opt *o, const char *text, int64_t *t_r);
/* The protocols in an option's argument, "imap,jmap,pop3".  0, or -1 after a
 * complaint. */
int args_protocols(const struct opt *o, const char *list, unsigned *set_r);
/* A JSON array of them. */
struct json_t *protocols_json(unsigned set);
/* Prints such a time, in local time. */
void put_time(int64_t t);

/* ---- subcommands ------------------------------------------------------- */

struct culver {
	struct conf *conf;	/* NULL for a command that needs none */
	struct store_conf store_conf;
	const char *conf_path;
};

struct command {
	const char *name;	/* one or two words: "user add" */
	const char *args;	/* for the usage */
	const char *help;	/* one line */
	const struct opt *opts;
	size_t min, max;	/* arguments that aren't options */
	/* The exit code: 0, EXIT_PERM, EXIT_TEMP. */
	int (*run)(struct culver *c, const struct args *a);
};

extern const struct command cmd_acl_delete, cmd_acl_list, cmd_acl_set;
extern const struct command cmd_mailbox_create, cmd_mailbox_delete,
    cmd_mailbox_rename, cmd_mailbox_status, cmd_mailbox_subscribe,
    cmd_mailbox_unsubscribe;
extern const struct command cmd_quota_recalc, cmd_quota_set, cmd_quota_show;
extern const struct command cmd_message_copy, cmd_message_expunge,
    cmd_message_fetch, cmd_message_flag, cmd_message_move, cmd_message_save,
    cmd_message_search;
extern const struct command cmd_stats;
extern const struct command cmd_import_imap, cmd_user_show;
extern const struct command cmd_doctor, cmd_health, cmd_listeners;
extern const struct command cmd_kick, cmd_who;
extern const struct command cmd_auth_test, cmd_pw;
extern const struct command cmd_user_add, cmd_user_passwd, cmd_user_list,
    cmd_user_del, cmd_mailbox_list, cmd_import, cmd_export, cmd_check,
    cmd_backup, cmd_restore, cmd_undelete, cmd_sweep, cmd_config,
    cmd_spool, cmd_token_add, cmd_token_del, cmd_token_list;

/* ---- accounts ---------------------------------------------------------- */

/* The name as the store has it (see passwd_name), xmalloc'ed; NULL after a
 * complaint. */
char *account_name(struct slice given);
/* 0, or the exit code after a complaint. */
int account_open(struct culver *c, const char *given, struct store **st_r);

struct names {		/* of accounts */
	char **v;
	size_t n, cap;
};
void names_add(struct names *l, const char *name, size_t len);
void names_release(struct names *l);
/* Those given as arguments; 0, or the exit code after complaints about some. */
int names_given(struct names *l, const char *const *v, size_t n);
/* Every directory and, with logins, every login, each once, in order. */
int names_all(struct culver *c, bool logins, struct names *l);

/* Takes back the tokens of an account, as the caller.  0, or the exit code. */
int tokens_delete(struct culver *c, const char *account);

struct new_account {
	const char *name;	/* from account_name() */
	int rc;			/* how it went: 0, STORE_E_EXISTS, ... */
};
/* Makes the directories, with the configured quota. */
void accounts_create(struct culver *c, struct new_account *v, size_t n);

/* ---- talking ----------------------------------------------------------- */

/* "culver: text" on stderr; control octets are shown as \xNN, for names and
 * paths come from anywhere. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* complain() with what a result code of libstore means; st may be NULL.
 * Returns the exit code. */
int complain_store(const char *what, int rc, const struct store *st);
/* The worse of two exit codes: temporary wins over permanent over 0. */
int worse(int a, int b);
/* Writes text so that it can't move the cursor. */
void put_clean(struct slice s);
/* Flushes stdout; EXIT_TEMP and a complaint if what was printed got lost. */
int finish_output(int code);

/* ---- who we are -------------------------------------------------------- */

/*
 * Started as root with "user" in the configuration, all work on the store is
 * done as that user, and the caller's own files are opened as root.  No-ops
 * otherwise.  priv_init: 0, or -1 after a complaint.
 */
int priv_init(const struct conf *c);
void priv_service(void);
void priv_caller(void);

/* ---- passwords --------------------------------------------------------- */

enum { PASSWORD_MAX = 511 };	/* what crypt(3) takes */

/*
 * Asks on the terminal, twice, without echo.  0 and the password in *pw_r
 * (xmalloc'ed; end it with xfree_secret), or -1 after a complaint.
 */
int password_ask(const char *account, char **pw_r);
/* Asks for the one there is, once.  The same. */
int password_once(const char *account, char **pw_r);
/* The first line of descriptor 0. */
int password_stdin(char **pw_r);
/* A new one of 100 random bits, easy to type. */
char *password_random(void);
/* UTF-8, no control characters, not empty, not too long.  0, or -1 after a
 * complaint. */
int password_ok(const char *pw);
/* From --password-stdin, --random (both as in args), or by asking; prints a
 * random one.  0, or -1 after a complaint. */
int password_get(const char *account, bool from_stdin, bool random,
    char **pw_r);

/* ---- a progress bar on the terminal ------------------------------------ */

struct progress {
	bool on;
	uint64_t total, done, items;
	int64_t started, shown;
};

/* Off unless stderr is a terminal. */
void progress_start(struct progress *p, uint64_t total);
void progress_add(struct progress *p, uint64_t octets, uint64_t items);
/* Takes the bar off the line (before other output, and at the end). */
void progress_clear(struct progress *p);

/* ---- keywords and names ------------------------------------------------ */

#endif
