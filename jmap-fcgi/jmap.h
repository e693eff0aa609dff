/* jmap-fcgi/jmap.h - what the files of jmap-fcgi share: the request engine */
#ifndef JMAP_JMAP_H
#define JMAP_JMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "jmap-fcgi/json.h"
#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/store.h"

struct pool;		/* pool.c */
struct account;		/* account.h */

enum {
	/* Of one response, as js_size() counts; a method that would exceed
	 * it is told requestTooLarge. */
	JMAP_RESPONSE_MAX = 64 << 20
};

enum jmap_cap {	/* the capabilities that there are */
	CAP_CORE = 1, CAP_MAIL = 2, CAP_SUBMISSION = 4, CAP_VACATION = 8,
	CAP_QUOTA = 16, CAP_BLOB = 32, CAP_MDN = 64, CAP_VAPID = 128
};
struct jmap_capability {
	enum jmap_cap bit;
	const char *uri;
	bool sends;		/* only where mail can be sent */
	bool pushes;		/* only where there is jmap-push */
};
/* Is it there in this server? */
bool jmap_capability_ok(const struct conf *cf,
    const struct jmap_capability *cap);
extern const struct jmap_capability jmap_capabilities[];
extern const size_t n_jmap_capabilities;

struct poller;
struct limits;
struct logins;
struct workers;

/* What all requests of the process share; not changed after the start. */
struct jmap_env {
	const struct conf *conf;
	const struct conf_listener *listener;
	struct store_conf store_conf;
	struct pool *pool;
	struct limits *limits;
	struct logins *logins;
	bool local;		/* the web server's connections are local ones */
	const char *vapid;	/* public key for push services; or NULL */
	int stats;	/* of stats_open() */
	struct query_cache *queries;	/* NULL: none are kept */
	struct poller *poller;
	struct workers *workers;
};

/* Who asks, and the account that it may use, open for this request. */
struct jmap_user {
	const char *name;	/* as it was given at login */
	const char *by;		/* for login_credential() */
	int64_t until;		/* of the token that it was; see login_who */
	const char *account;	/* the account's name */
	const char *account_id;	/* of JMAP */
	struct store *st;
	struct account *accounts;	/* see accounts_list() */
	const unsigned char *credential;	/* see push_credential() */
	bool broken;		/* set by the request: st has to be closed */
	bool changed;		/* set by the request: upkeep may be due */
	/* Does nobody wait for the answer any more?  NULL: who knows. */
	bool (*gone)(void *arg);
	void *gone_arg;
};

/* Method-level errors, RFC 8620 3.6.2.  A handler may also return an enum
 * store_rc, which the engine maps and logs. */
enum jmap_rc {
	JMAP_E_ARGS = -100,	/* invalidArguments; see jmap_bad() */
	JMAP_E_REF = -101,	/* invalidResultReference */
	JMAP_E_UNKNOWN = -102,	/* unknownMethod */
	JMAP_E_ACCOUNT = -103,	/* accountNotFound */
	JMAP_E_FROM_ACCOUNT = -104,	/* fromAccountNotFound */
	JMAP_E_READONLY = -105,	/* accountReadOnly */
	JMAP_E_TOOLARGE = -106,	/* requestTooLarge */
	JMAP_E_STATE = -107,	/* stateMismatch */
	JMAP_E_CHANGES = -108,	/* cannotCalculateChanges */
	JMAP_E_ANCHOR = -109,	/* anchorNotFound */
	JMAP_E_SORT = -110,	/* unsupportedSort */
	JMAP_E_FILTER = -111,	/* unsupportedFilter */
	JMAP_E_FAIL = -112,	/* serverFail */
	JMAP_E_TOO_MANY = -113,	/* tooManyChanges */
	JMAP_E_UNSUPPORTED = -115,	/* accountNotSupportedByMethod */
	JMAP_E_DATA_TYPE = -114,	/* unknownDataType (RFC 9404 4.3) */
	JMAP_E_GONE = -116,	/* see jmap_gone() */
	JMAP_E_PARTIAL = -117	/* serverPartialFail */
};

/* One API request, all of its calls. */
struct jmap_req {
	const struct jmap_env *env;
	struct jmap_user *user;
	struct arena *arena;	/* of the request */
	struct arena *scratch;	/* of one object; reset by whoever uses it */
	json_t *responses;
	json_t *created;	/* creation id -> id */
	unsigned using;		/* enum jmap_cap, or-ed */
	struct account *acct;	/* of the call that runs, or NULL */
	size_t left;		/* octets that the response may still take */
	size_t reserved;	/* of limits_reserve() */
	size_t writes;		/* calls to come that change something */
	int64_t next_look;	/* when to look again whether the client is gone */
	bool gone;
};

struct jmap_method;

/* One method call. */
struct jmap_call {
	struct jmap_req *req;
	const struct jmap_method *method;
	json_t *args;		/* checked against method->args */
	json_t *out;		/* the response's arguments */
	struct account *acct;	/* accountId's */
	struct store *st;	/* the same, at the request's snapshot */
	struct arena *arena;	/* the request's */
	const char *desc;	/* of the error */
	int failed;		/* see type_fail() */
	/* A call that this one implies: its response comes after this one's,
	 * with the same id.  accountId is put in: then_account, or (NULL) that
	 * of this call. */
	const char *then, *then_account;
	json_t *then_args;
};

enum jmap_arg_type {
	ARG_ID,			/* a string; whether it exists is seen later */
	ARG_IDS,		/* String[] */
	ARG_STRING,
	ARG_BOOL,
	ARG_INT,
	ARG_UINT,
	ARG_OBJECT,
	ARG_ARRAY
};
enum {
	ARG_NULL = 1,		/* null is allowed, and is the default */
	ARG_NEED = 2		/* may not be left out */
};
struct jmap_arg {
	const char *name;
	enum jmap_arg_type type;
	unsigned flags;
};

enum {
	METHOD_ACCOUNT = 1,	/* takes accountId; call->st is set */
	METHOD_WRITE = 2,	/* changes the account */
	METHOD_SHARED = 8,	/* works on other users' accounts, too */
	METHOD_ANY = 4		/* arguments are not checked (Core/echo) */
};
struct jmap_method {
	const char *name;
	enum jmap_cap cap;
	int (*fn)(struct jmap_call *c);
	const struct jmap_arg *args;	/* ended by a NULL name */
	const struct jmap_arg *more;	/* the same, or NULL */
	unsigned flags;
};
/* The row of a name, or NULL. */
const struct jmap_method *jmap_method(struct slice name);
extern const struct jmap_method jmap_methods[];
extern const size_t n_jmap_methods;

/* ---- the engine (engine.c) --------------------------------------------- */

struct jmap_problem {	/* RFC 8620 3.6.1 */
	int status;		/* of HTTP */
	const char *type;	/* "notJSON", ...; NULL: about:blank */
	const char *limit;	/* for type "limit" */
	const char *detail;
};

/*
 * Runs the API request in body and appends the Response object to *out.  0, or
 * -1 with *p_r filled (its strings live in the arena or are constant).
 */
int engine_run(const struct jmap_env *env, struct jmap_user *user,
    const char *session_state, struct slice body, struct arena *a,
    struct buf *out, struct jmap_problem *p_r);

/* n octets more for responses that are being made; false: they would be more
 * than max in all (limits.c). */
bool limits_reserve(struct limits *l, size_t n, uint64_t max);
void limits_release(struct limits *l, size_t n);

/* Fails with invalidArguments and a description. */
int jmap_bad(struct jmap_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes n octets from what the response may still take: JMAP_E_TOOLARGE; and all
 * responses together: STORE_E_NOMEM. */
int jmap_charge(struct jmap_call *c, size_t n);
/*
 * Is the client gone, so that the work is for nobody?  Then the call fails with
 * JMAP_E_GONE.  false as long as a call of the request that changes something is
 * not over: what was asked for is done.
 */
bool jmap_gone(struct jmap_call *c);
/* The error's name for a method-level or store code. */
const char *jmap_error_name(int rc);
/* Logs a store failure; returns rc. */
int jmap_store_failed(struct jmap_req *r, const char *what, int rc);

/* The open account of fromAccountId. */
int jmap_from_account(struct jmap_call *c, struct account **ac_r);
/* The argument's value; NULL where it is absent or null. */
json_t *jmap_arg(const struct jmap_call *c, const char *name);
bool jmap_arg_bool(const struct jmap_call *c, const char *name);

/* ---- pointers and references (pointer.c, refs.c) ----------------------- */

/*
 * Evaluates an RFC 6901 pointer with RFC 8620's "*" (3.7).  A new reference, or
 * NULL.  *left bounds the work.
 */
json_t *pointer_get(json_t *v, struct slice path, size_t *left);
/*
 * Splits a pointer without its leading slash into unescaped tokens in the
 * arena; -1 for a bad escape or more than max tokens.
 */
int pointer_split(struct arena *a, struct slice path, struct slice *tok,
    size_t max, size_t *n_r);
/* Replaces the "#name" arguments of args by what they refer to. */
int refs_resolve(struct jmap_call *c, json_t *args);

/* ---- ids (ids.c) ------------------------------------------------------- */

json_t *id_json(char prefix, uint64_t id);
/* As store_id_from(); "#x" is looked up among the request's created ids first. */
int id_resolve(const struct jmap_req *r, char prefix, struct slice s,
    uint64_t *id_r);
/* "#x" is the id that was created as x, if there is one; others as they are. */
struct slice id_text(const struct jmap_req *r, struct slice s);
/* State strings: the modseq in decimal. */
json_t *state_json(uint64_t modseq);
int state_parse(struct slice s, uint64_t *modseq_r);

/* ---- open stores (pool.c) ---------------------------------------------- */

struct pool *pool_new(const struct store_conf *cf, size_t max_idle);
void pool_free(struct pool **p);
/* An open handle of that account for this thread alone, at its newest state. */
int pool_get(struct pool *p, const char *account, struct store **st_r);
/* Gives it back; broken: it is closed. */
void pool_put(struct pool *p, struct store **st, bool broken);
/* "A" and the store's account id. */
const char *account_id(struct arena *a, const struct store *st);
/* Closes what was not used for max_age_ms. */
void pool_expire(struct pool *p, int64_t max_age_ms);

#endif
