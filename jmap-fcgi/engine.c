/* jmap-fcgi/engine.c - an API request: checks, calls, errors (RFC 8620 3) */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "jmap-fcgi/account.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libsession/mta.h"

/* A request may cost this much more memory than it has octets. */
enum { COST_FACTOR = 6, COST_MIN = 1 << 20 };
enum { RESERVE_STEP = 1 << 20 };
enum { GONE_MS = 50 };	/* how often is looked whether the client is there */

const struct jmap_capability jmap_capabilities[] = {
	{ CAP_CORE, "urn:ietf:params:jmap:core", false, false },
	{ CAP_MAIL, "urn:ietf:params:jmap:mail", false, false },
	{ CAP_SUBMISSION, "urn:ietf:params:jmap:submission", true, false },
	{ CAP_VACATION, "urn:ietf:params:jmap:vacationresponse", true, false },
	{ CAP_QUOTA, "urn:ietf:params:jmap:quota", false, false },
	{ CAP_BLOB, "urn:ietf:params:jmap:blob", false, false },
	{ CAP_MDN, "urn:ietf:params:jmap:mdn", true, false },
	{ CAP_VAPID, "urn:ietf:params:jmap:webpush-vapid", false, true },
};
const size_t n_jmap_capabilities =
    sizeof(jmap_capabilities) / sizeof(jmap_capabilities[0]);

bool
jmap_capability_ok(const struct conf *cf, const struct jmap_capability *cap)
{
	return (!cap->sends || mta_configured(cf)) &&
	    (!cap->pushes || cf->push_socket != NULL);
}

static const struct {
	int rc;
	const char *name;
} errors[] = {
	/* clang-format off */
	{ JMAP_E_ARGS,		"invalidArguments" },
	{ JMAP_E_REF,		"invalidResultReference" },
	{ JMAP_E_UNKNOWN,	"unknownMethod" },
	{ JMAP_E_ACCOUNT,	"accountNotFound" },
	{ JMAP_E_FROM_ACCOUNT,	"fromAccountNotFound" },
	{ JMAP_E_READONLY,	"accountReadOnly" },
	{ JMAP_E_TOOLARGE,	"requestTooLarge" },
	{ JMAP_E_STATE,		"stateMismatch" },
	{ JMAP_E_CHANGES,	"cannotCalculateChanges" },
	{ JMAP_E_TOO_MANY,	"tooManyChanges" },
	{ JMAP_E_ANCHOR,	"anchorNotFound" },
	{ JMAP_E_SORT,		"unsupportedSort" },
	{ JMAP_E_FILTER,	"unsupportedFilter" },
	{ JMAP_E_UNSUPPORTED,	"accountNotSupportedByMethod" },
	{ JMAP_E_DATA_TYPE,	"unknownDataType" },
	{ JMAP_E_FAIL,		"serverFail" },
	{ STORE_E_IO,		"serverUnavailable" },
	{ STORE_E_BUSY,		"serverUnavailable" },
	{ STORE_E_CONFLICT,	"serverUnavailable" },
	{ STORE_E_NOSPACE,	"serverUnavailable" },
	{ STORE_E_NOMEM,	"serverUnavailable" },
	{ STORE_E_FENCED,	"serverUnavailable" },
	{ STORE_E_UNKNOWN,	"serverPartialFail" },
	{ JMAP_E_PARTIAL,	"serverPartialFail" },
	{ STORE_E_DENIED,	"forbidden" },
	/* clang-format on */
};

const char *
jmap_error_name(int rc)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].rc == rc)
			return errors[i].name;
	return "serverFail";
}

int
jmap_bad(struct jmap_call *c, const char *fmt, ...)
{
	va_list ap;
	char text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->desc = arena_strdup(c->arena, text);
	return JMAP_E_ARGS;
}

/* So much in all has to be ours, of what all requests together may take. */
static int
reserve(struct jmap_call *c, size_t need)
{
	const struct jmap_env *env = c->req->env;
	size_t more;

	if (need <= c->req->reserved || env->limits == NULL)
		return 0;
	more = need - c->req->reserved;
	more += RESERVE_STEP - more % RESERVE_STEP;
	if (!limits_reserve(env->limits, more, env->conf->jmap_max_memory)) {
		c->desc = "too many large responses are being made";
		return STORE_E_NOMEM;
	}
	c->req->reserved += more;
	return 0;
}

int
jmap_charge(struct jmap_call *c, size_t n)
{
	int rc;

	if (n > c->req->left) {
		c->desc = "the response would be too large";
		return JMAP_E_TOOLARGE;
	}
	if ((rc = reserve(c, JMAP_RESPONSE_MAX - c->req->left + n)) == 0)
		c->req->left -= n;
	return rc;
}

bool
jmap_gone(struct jmap_call *c)
{
	struct jmap_req *r = c->req;
	int64_t now;

	if (r->gone || r->writes > 0 || r->user->gone == NULL)
		return r->gone;
	now = time_mono_ms();
	if (now < r->next_look)
		return false;
	r->next_look = now + GONE_MS;
	r->gone = r->user->gone(r->user->gone_arg);
	if (r->gone)
		log_info("%s: the client is gone: %s stops",
		    r->user->account, c->method->name);
	return r->gone;
}

int
jmap_store_failed(struct jmap_req *r, const char *what, int rc)
{
	bool own = account_is_own(r->acct);
	struct store *st = own ? r->user->st : r->acct->st;

	if (rc == JMAP_E_GONE)
		return rc;
	log_err("%s: %s: %s%s%s (%d)", r->user->account, what,
	    own ? "" : r->acct->name, own ? "" : ": ", store_errmsg(st), rc);
	if (rc == STORE_E_FENCED || rc == STORE_E_UNKNOWN ||
	    rc == STORE_E_CORRUPT)
		*(own ? &r->user->broken : &r->acct->broken) = true;
	return rc;
}

json_t *
jmap_arg(const struct jmap_call *c, const char *name)
{
	json_t *v = json_object_get(c->args, name);

	return json_is_null(v) ? NULL : v;
}

bool
jmap_arg_bool(const struct jmap_call *c, const char *name)
{
	return json_is_true(json_object_get(c->args, name));
}

/* ---- arguments --------------------------------------------------------- */

static bool
strings(const json_t *v)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return false;
	json_array_foreach(v, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static const char *
type_fault(const struct jmap_arg *a, const json_t *v)
{
	int64_t i;
	uint64_t u;

	switch (a->type) {
	case ARG_ID:
	case ARG_STRING:
		return json_is_string(v) ? NULL : "a string";
	case ARG_IDS:
		return strings(v) ? NULL : "an array of strings";
	case ARG_BOOL:
		return json_is_boolean(v) ? NULL : "true or false";
	case ARG_INT:
		return js_int(v, &i) == 0 ? NULL : "an integer";
	case ARG_UINT:
		return js_uint(v, &u) == 0 ? NULL : "an unsigned integer";
	case ARG_OBJECT:
		return json_is_object(v) ? NULL : "an object";
	case ARG_ARRAY:
		return json_is_array(v) ? NULL : "an array";
	}
	return NULL;
}

static const struct jmap_arg *
arg_find(const struct jmap_arg *a, const char *name)
{
	for (; a != NULL && a->name != NULL; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static int
args_needed(struct jmap_call *c, const struct jmap_arg *a)
{
	for (; a != NULL && a->name != NULL; a++)
		if ((a->flags & ARG_NEED) != 0 &&
		    json_object_get(c->args, a->name) == NULL)
			return jmap_bad(c, "%s is missing", a->name);
	return 0;
}

static int
args_check(struct jmap_call *c)
{
	const struct jmap_method *m = c->method;
	const struct jmap_arg *a;
	const char *key, *fault;
	json_t *v;
	int rc;

	json_object_foreach(c->args, key, v) {
		if ((m->flags & METHOD_ACCOUNT) != 0 &&
		    strcmp(key, "accountId") == 0)
			continue;
		if ((a = arg_find(m->args, key)) == NULL &&
		    (a = arg_find(m->more, key)) == NULL)
			return jmap_bad(c, "%s is not an argument of %s",
			    key, m->name);
		if (json_is_null(v) && (a->flags & ARG_NULL) != 0)
			continue;
		if ((fault = type_fault(a, v)) != NULL)
			return jmap_bad(c, "%s must be %s", key, fault);
	}
	if ((rc = args_needed(c, m->args)) < 0)
		return rc;
	return args_needed(c, m->more);
}

static int
account_open(struct jmap_call *c)
{
	struct slice id = js_slice(json_object_get(c->args, "accountId"));
	struct jmap_req *r = c->req;

	if (id.p == NULL)
		return jmap_bad(c, "accountId must be an Id");
	c->acct = accounts_find(r->env, r->user, r->arena, id);
	if (c->acct == NULL)
		return JMAP_E_ACCOUNT;
	if (!c->acct->own && (c->method->flags & METHOD_SHARED) == 0)
		return JMAP_E_UNSUPPORTED;
	if ((c->method->flags & METHOD_WRITE) != 0 &&
	    account_read_only(c->acct))
		return JMAP_E_READONLY;
	c->st = c->acct->st;
	r->acct = c->acct;
	js_put_str(c->out, "accountId", c->acct->id);
	return 0;
}

int
jmap_from_account(struct jmap_call *c, struct account **ac_r)
{
	struct slice id = js_slice(jmap_arg(c, "fromAccountId"));
	struct jmap_req *r = c->req;

	*ac_r = accounts_find(r->env, r->user, r->arena, id);
	if (*ac_r == NULL)
		return JMAP_E_FROM_ACCOUNT;
	js_put_str(c->out, "fromAccountId", (*ac_r)->id);
	return 0;
}

/* ---- calls ------------------------------------------------------------- */

static int
call_run(struct jmap_call *c)
{
	int rc;

	if (c->method == NULL || (c->req->using & c->method->cap) == 0)
		return JMAP_E_UNKNOWN;
	if ((rc = refs_resolve(c, c->args)) < 0)
		return rc;
	if ((c->method->flags & METHOD_ACCOUNT) != 0 &&
	    (rc = account_open(c)) < 0)
		return rc;
	if ((c->method->flags & METHOD_ANY) == 0 && (rc = args_check(c)) < 0)
		return rc;
	if ((c->method->flags & METHOD_WRITE) != 0)
		c->req->user->changed = true;
	else if (jmap_gone(c))
		return JMAP_E_GONE;
	rc = c->method->fn(c);
	c->req->acct = NULL;
	arena_reset(c->req->scratch);
	return rc;
}

static json_t *
error_object(const struct jmap_call *c, int rc)
{
	const char *name = jmap_error_name(rc);
	json_t *e = json_object();

	js_put_str(e, "type", name);
	if (c->desc != NULL)
		js_put(e, "description", js_str(slice_str(c->desc)));
	else if (strcmp(name, "serverFail") == 0)
		js_put_str(e, "description", "see the server's log");
	return e;
}

static void
respond(struct jmap_req *r, json_t *name, json_t *args, json_t *call_id)
{
	json_t *inv = json_array();

	json_array_append_new(inv, name);
	json_array_append_new(inv, args);
	json_array_append(inv, call_id);
	json_array_append_new(r->responses, inv);
}

/* Runs one call and its implied one, which may be of any capability. */
static void
call_method(struct jmap_req *r, json_t *name, json_t *args, json_t *call_id,
    bool implied)
{
	struct jmap_call c;
	unsigned using = r->using;
	int rc;

	memset(&c, 0, sizeof(c));
	c.req = r;
	c.arena = r->arena;
	c.method = jmap_method(js_slice(name));
	c.args = args;
	c.out = json_object();
	if (implied && c.method != NULL)
		r->using |= c.method->cap;
	rc = call_run(&c);
	r->using = using;
	if (rc < 0) {
		json_decref(c.out);
		json_decref(c.then_args);
		respond(r, json_string("error"), error_object(&c, rc),
		    call_id);
		return;
	}
	respond(r, json_incref(name), c.out, call_id);
	if (c.then == NULL)
		return;
	name = json_string(c.then);
	js_put_str(c.then_args, "accountId", c.then_account != NULL ?
	    c.then_account : c.acct->id);
	call_method(r, name, c.then_args, call_id, true);
	json_decref(name);
	json_decref(c.then_args);
}

static bool
writes(json_t *invocation)
{
	const struct jmap_method *m;

	m = jmap_method(js_slice(json_array_get(invocation, 0)));
	return m != NULL && (m->flags & METHOD_WRITE) != 0;
}

static void
call(struct jmap_req *r, json_t *invocation)
{
	call_method(r, json_array_get(invocation, 0),
	    json_array_get(invocation, 1), json_array_get(invocation, 2),
	    false);
	if (writes(invocation))
		r->writes--;
}

static void
call_all(struct jmap_req *r, json_t *calls)
{
	json_t *v;
	size_t i;

	json_array_foreach(calls, i, v)
		r->writes += writes(v);
	json_array_foreach(calls, i, v)
		call(r, v);
}

/* ---- the request ------------------------------------------------------- */

static int
problem(struct jmap_problem *p, const char *type, const char *limit,
    const char *detail)
{
	p->status = 400;
	p->type = type;
	p->limit = limit;
	p->detail = detail;
	return -1;
}

static int
check_using(const struct conf *cf, json_t *request, unsigned *using_r,
    struct arena *a, struct jmap_problem *p)
{
	json_t *v = json_object_get(request, "using"), *uri;
	size_t i, k;

	if (!strings(v))
		return problem(p, "notRequest", NULL,
		    "\"using\" must be an array of strings.");
	*using_r = 0;
	json_array_foreach(v, i, uri) {
		for (k = 0; k < n_jmap_capabilities; k++)
			if (slice_eq(js_slice(uri),
			    slice_str(jmap_capabilities[k].uri)) &&
			    jmap_capability_ok(cf, &jmap_capabilities[k]))
				break;
		if (k == n_jmap_capabilities)
			return problem(p, "unknownCapability", NULL,
			    arena_printf(a, "The Request object used "
			    "capability '%.200s', which is not supported by "
			    "this server.", json_string_value(uri)));
		*using_r |= jmap_capabilities[k].bit;
	}
	return 0;
}

static int
check_calls(const struct conf *cf, json_t *calls, struct jmap_problem *p)
{
	json_t *v;
	size_t i;

	if (!json_is_array(calls))
		return problem(p, "notRequest", NULL,
		    "\"methodCalls\" must be an array.");
	json_array_foreach(calls, i, v)
		if (!json_is_array(v) || json_array_size(v) != 3 ||
		    !json_is_string(json_array_get(v, 0)) ||
		    !json_is_object(json_array_get(v, 1)) ||
		    !json_is_string(json_array_get(v, 2)))
			return problem(p, "notRequest", NULL, "Each method "
			    "call must be [String, Object, String].");
	if (json_array_size(calls) > cf->jmap_max_calls)
		return problem(p, "limit", "maxCallsInRequest",
		    "The request has too many method calls.");
	return 0;
}

static int
check_created(json_t *created, struct jmap_problem *p)
{
	const char *key;
	json_t *v;

	if (created == NULL)
		return 0;
	if (!json_is_object(created))
		return problem(p, "notRequest", NULL,
		    "\"createdIds\" must be an object.");
	json_object_foreach(created, key, v)
		if (!js_is_id(slice_str(key)) || !js_is_id(js_slice(v)))
			return problem(p, "notRequest", NULL,
			    "\"createdIds\" must map ids to ids.");
	return 0;
}

static int
check_request(const struct jmap_env *env, json_t *request, struct arena *a,
    unsigned *using_r, struct jmap_problem *p)
{
	if (!json_is_object(request))
		return problem(p, "notRequest", NULL,
		    "The request is not an object.");
	if (check_created(json_object_get(request, "createdIds"), p) < 0)
		return -1;
	if (check_calls(env->conf, json_object_get(request, "methodCalls"),
	    p) < 0)
		return -1;
	return check_using(env->conf, request, using_r, a, p);
}

static int
parse(const struct conf *cf, struct slice body, json_t **request_r,
    struct jmap_problem *p)
{
	switch (js_parse(body, COST_MIN + COST_FACTOR *
	    (size_t)cf->jmap_max_size_request, request_r)) {
	case 0:
		return 0;
	case JS_E_DEPTH:
		return problem(p, "notRequest", NULL,
		    "The request is nested too deeply.");
	case JS_E_VALUE:
		return problem(p, "notRequest", NULL,
		    "A number is out of all bounds, or a key has a NUL.");
	case JS_E_COST:
		return problem(p, "limit", "maxSizeRequest",
		    "The request is larger than the server is willing to "
		    "process.");
	default:
		return problem(p, "notJSON", NULL,
		    "The request did not parse as I-JSON.");
	}
}

static int
finish(struct jmap_req *r, bool created_given, const char *session_state,
    struct buf *out, struct jmap_problem *p)
{
	json_t *resp = json_object();
	int rc;

	js_put(resp, "methodResponses", json_incref(r->responses));
	if (created_given)
		js_put(resp, "createdIds", json_incref(r->created));
	js_put_str(resp, "sessionState", session_state);
	rc = js_write(out, resp);
	json_decref(resp);
	if (rc < 0) {
		problem(p, NULL, NULL, "The response would be too large.");
		p->status = 500;
	}
	return rc;
}

int
engine_run(const struct jmap_env *env, struct jmap_user *user,
    const char *session_state, struct slice body, struct arena *a,
    struct buf *out, struct jmap_problem *p_r)
{
	struct jmap_req r;
	json_t *request, *given;
	int rc;

	if (parse(env->conf, body, &request, p_r) < 0)
		return -1;
	memset(&r, 0, sizeof(r));
	if (check_request(env, request, a, &r.using, p_r) < 0) {
		json_decref(request);
		return -1;
	}
	r.env = env;
	r.user = user;
	r.arena = a;
	r.scratch = arena_new(0);
	r.left = JMAP_RESPONSE_MAX;
	r.responses = json_array();
	given = json_object_get(request, "createdIds");
	r.created = given ? json_incref(given) : json_object();
	call_all(&r, json_object_get(request, "methodCalls"));
	accounts_release(env, user);
	rc = finish(&r, given != NULL, session_state, out, p_r);
	json_decref(request);
	json_decref(r.responses);
	json_decref(r.created);
	arena_free(&r.scratch);
	if (r.reserved > 0)
		limits_release(env->limits, r.reserved);
	return rc;
}
