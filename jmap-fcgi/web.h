/* jmap-fcgi/web.h - one HTTP request that came by FastCGI */
#ifndef JMAP_WEB_H
#define JMAP_WEB_H

#include <fcgiapp.h>

#include "jmap-fcgi/jmap.h"

enum { WEB_VARS = 3, WEB_IO = 64 << 10, WEB_TIMEOUT_S = 60 };

struct login_who;

struct web {
	FCGX_Request *fcgi;
	const struct jmap_env *env;
	struct arena *arena;	/* of this request */
	const char *method, *peer;
	struct slice path, query;	/* raw */
	struct slice var[WEB_VARS];	/* of the route's pattern, decoded */
	struct buf head;	/* header fields of the answer */
	struct jmap_user user;	/* once authenticated */
	struct buf *capture;	/* the answer goes there, if not NULL */
	bool parked;		/* the connection went to the poller */
	unsigned methods;	/* that the resource knows, WEB_* */
	int status;		/* of the answer, for the log */
	uint64_t sent;		/* octets of the answer's body */
};

enum { WEB_GET = 1, WEB_HEAD = 2, WEB_POST = 4 };
struct web_route {
	const char *pattern;
	unsigned methods;
	void (*fn)(struct web *w);
};
extern const struct web_route web_routes[];	/* ended by a NULL pattern */

/* Answers the request that FCGX_Accept_r got. */
void web_serve(const struct jmap_env *env, FCGX_Request *fcgi,
    struct arena *a);

/* A CGI variable, {NULL, 0} where there is none. */
struct slice web_env(const struct web *w, const char *name);
/* Adds a header field to the answer: "Name: value", no line end. */
void web_header(struct web *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "GET, HEAD" */
const char *web_methods(unsigned methods);
/* Adds what a page of another origin needs, if it may use us. */
void cors_head(const struct web *w, struct buf *out);
/* Sends the header; the body's length is known.  Then web_write(). */
void web_begin(struct web *w, int status, const char *type, uint64_t len);
/* -1: the peer is gone. */
int web_write(struct web *w, const void *p, size_t n);
/* A whole answer. */
void web_send(struct web *w, int status, const char *type, struct slice body);
/* An RFC 7807 problem document; type as in struct jmap_problem. */
void web_problem(struct web *w, const struct jmap_problem *p);
void web_fail(struct web *w, int status, const char *detail);
/* 503, after a store's failure that is logged. */
void web_store_failed(struct web *w, const char *what, int rc);
/* Takes the connection out of fcgi2's hands: it is the caller's (w->parked). */
void web_take(struct web *w, int *fd_r, int *request_id_r);
/* The length that the client announced.  1: none; -1: not a number. */
int web_length(const struct web *w, uint64_t *n_r);
/* Did the web server close the connection, as it does when its client did? */
bool web_gone(const struct web *w);
/* Up to n octets of the body; 0 at its end, -1: broken off. */
int web_read(struct web *w, void *p, size_t n);
/* Is there an If-None-Match with that tag?  Then 304 is sent. */
bool web_not_modified(struct web *w, const char *etag);
/* The account of the path's first variable; otherwise 404 is sent.  shared:
 * another user's is fine, too.  ac_r may be NULL. */
bool web_account(struct web *w, bool shared, struct account **ac_r);

/* Basic (RFC 7617) or Bearer (RFC 6750); answers itself where it returns
 * false. */
bool auth_check(struct web *w);

/* ---- logins of a moment ago (logins.c) --------------------------------- */

struct logins *logins_new(const struct conf *cf);
void logins_free(struct logins **l);
/* Was this value of Authorization right, and are passwords and tokens the same? */
bool logins_get(struct logins *l, struct slice header, struct arena *a,
    struct login_who *who_r);
void logins_put(struct logins *l, struct slice header,
    const struct login_who *who);
/* Another number as soon as the passwords or tokens are others, and after a
 * minute, for what ends by itself. */
uint64_t logins_generation(struct logins *l);

/* ---- resources --------------------------------------------------------- */

/* Scheme, host and port of our URLs; NULL (answered): the Host is bad. */
const char *session_base(struct web *w);
/* The session object's state: changes when anything in it does. */
const char *session_state(struct web *w, const char *base);

void session_serve(struct web *w);
void api_serve(struct web *w);
void upload_serve(struct web *w);
void download_serve(struct web *w);
void eventsource_serve(struct web *w);

/* ---- limits of concurrent requests (limits.c) -------------------------- */

enum limit_kind { LIMIT_API, LIMIT_UPLOAD, LIMIT_STREAM, LIMIT_KINDS };
struct limits *limits_new(void);
void limits_free(struct limits **l);
/* One more for that account; false: there are max already. */
bool limits_enter(struct limits *l, enum limit_kind k, const char *account,
    uint32_t max);
void limits_leave(struct limits *l, enum limit_kind k, const char *account);

/* ---- threads (workers.c) ----------------------------------------------- */

struct workers *workers_new(const struct jmap_env *env, uint32_t n);
/* No more requests; waits for those that run, at most so long.  Clears *w. */
void workers_free(struct workers **w, int wait_ms);
/* Milliseconds since there was a request; 0 while there is one. */
int64_t workers_idle_ms(struct workers *w);
/*
 * The calling thread may now be busy for long (an upload): another one takes
 * its place meanwhile.  false: there are too many such.
 */
bool workers_long_begin(struct workers *w);
void workers_long_end(struct workers *w);

/* ---- the outbox (outbox.c) --------------------------------------------- */

struct outbox;
/* A thread that sends what is due; NULL where nothing is to be sent. */
struct outbox *outbox_new(const struct jmap_env *env);
/* Clears *o unless the thread doesn't end in time. */
void outbox_free(struct outbox **o, int wait_ms);

/* ---- connections without a thread (poller.c) --------------------------- */

enum { DELAYED_MAX = 1024 };

struct poller *poller_new(const struct jmap_env *env);
/* Ends all streams, then its thread. */
void poller_free(struct poller **p);

/* How many connections wait. */
size_t poller_count(struct poller *p);

struct park_seen {	/* the modseq of an account that the client knows */
	char *account;
	uint64_t since;
};
struct park {
	const char *account;	/* NULL: a delayed answer */
	const char *by;		/* for login_credential() */
	int64_t until;		/* of a token; see struct login_who */
	const unsigned char *credential;
	uint64_t logins;	/* logins_generation() */
	unsigned types;		/* CHANGED_* that are wanted */
	bool once;		/* closeafter=state */
	uint32_t ping_s;	/* 0: none */
	/* Of an account that is not among them the client knows nothing. */
	const struct park_seen *seen;
	size_t n_seen;
	struct slice octets;	/* FastCGI output to send at once or delayed */
	uint32_t delay_ms;
};
/*
 * Takes the connection of w (w->parked) with what is still to be done on it.
 * false: there are too many; w is as before.
 */
bool poller_park(struct poller *p, struct web *w, const struct park *k);

#endif
