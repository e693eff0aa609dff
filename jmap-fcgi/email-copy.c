/* jmap-fcgi/email-copy.c - Email/copy (RFC 8620 5.4, RFC 8621 4.7) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { PIECE = 64 << 10 };

const struct jmap_arg email_copy_args[] = {
	{ "fromAccountId", ARG_ID, ARG_NEED },
	{ "ifFromInState", ARG_STRING, ARG_NULL },
	{ "ifInState", ARG_STRING, ARG_NULL },
	{ "create", ARG_OBJECT, ARG_NEED },
	{ "onSuccessDestroyOriginal", ARG_BOOL, 0 },
	{ "destroyFromIfInState", ARG_STRING, ARG_NULL },
	{ NULL, 0, 0 }
};

struct copy {
	struct jmap_call *c;
	struct jmap_call from;	/* as if it were on the other account */
	json_t *originals;	/* ids of what was copied */
};

/* One Email that is wanted. */
struct wanted {
	uint64_t id, flags;
	uint64_t *mailboxes;
	size_t n_mailboxes;
	int64_t received_at;
	bool has_id, has_mailboxes, has_keywords, has_time;
};

/* 0, -1: not acceptable; LIMIT. */
static int
take(struct copy *cp, struct wanted *w, const char *key, json_t *v)
{
	struct slice s = js_slice(v);
	int rc;

	if (strcmp(key, "id") == 0) {
		w->has_id = true;
		if (s.p == NULL)
			return -1;
		if (id_resolve(cp->c->req, 'E', s, &w->id) < 0)
			w->id = 0;	/* there is no such Email */
		return 0;
	}
	if (strcmp(key, "mailboxIds") == 0) {
		w->has_mailboxes = true;
		return email_mailboxes_parse(cp->c, v, &w->mailboxes,
		    &w->n_mailboxes);
	}
	if (strcmp(key, "keywords") == 0) {
		w->has_keywords = true;
		rc = email_flags_parse(cp->c, v, &w->flags);
		return rc == STORE_E_LIMIT ? rc : rc < 0 ? -1 : 0;
	}
	if (strcmp(key, "receivedAt") == 0) {
		w->has_time = true;
		return s.n > 0 && s.p[s.n - 1] == 'Z' ?
		    time_rfc3339_parse(s, &w->received_at, NULL) : -1;
	}
	return -1;
}

static json_t *
check(struct copy *cp, json_t *o, struct wanted *w)
{
	json_t *bad = json_array(), *v;
	const char *key;
	int rc = 0;

	memset(w, 0, sizeof(*w));
	json_object_foreach(o, key, v) {
		if ((rc = take(cp, w, key, v)) == STORE_E_LIMIT)
			break;
		if (rc < 0)
			json_array_append_new(bad, json_string(key));
	}
	if (!w->has_id)
		json_array_append_new(bad, json_string("id"));
	if (!w->has_mailboxes)
		json_array_append_new(bad, json_string("mailboxIds"));
	if (rc != STORE_E_LIMIT && json_array_size(bad) > 0)
		return set_error_props(bad, NULL);
	json_decref(bad);
	return rc == STORE_E_LIMIT ? set_error("tooManyKeywords", NULL) : NULL;
}

/* The octets as they are. */
static int
fill(struct copy *cp, const struct store_email *e, struct store_spool *sp)
{
	struct store_blob *b;
	char *p;
	uint64_t size;
	int rc;

	if ((rc = store_blob_open_ref(cp->from.st, e->ref, &b)) < 0)
		return rc;
	p = xmalloc(PIECE);
	size = store_blob_size(b);
	for (uint64_t at = 0; at < size && rc == 0; at += PIECE) {
		size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;

		if ((rc = store_blob_read(b, at, p, n)) == 0)
			rc = store_spool_add(sp, p, n);
	}
	xfree(p);
	store_blob_close(&b);
	return rc == 0 ? store_spool_done(sp) : rc;
}

/* The keywords of the original, which are other bits in this account, as far as
 * they may be set there (as RFC 4314 4 has it for COPY). */
static int
map_flags(struct copy *cp, const struct store_email *e, struct wanted *w)
{
	uint64_t flags = e->flags;
	json_t *v;
	int rc;

	for (size_t i = 0; i < w->n_mailboxes; i++) {
		if (!account_may(cp->c->acct, w->mailboxes[i],
		    STORE_RIGHT_SEEN))
			flags &= ~STORE_SEEN;
		if (!account_may(cp->c->acct, w->mailboxes[i],
		    STORE_RIGHT_WRITE))
			flags &= STORE_SEEN;
	}
	if ((v = email_keywords(&cp->from, flags, &rc)) == NULL)
		return rc;
	rc = email_flags_parse(cp->c, v, &w->flags);
	json_decref(v);
	return rc;
}

static json_t *
add(struct copy *cp, const struct store_email *e, const struct wanted *w,
    struct store_added *ad)
{
	struct jmap_call *c = cp->c;
	struct store_spool *sp;
	struct store_new v;
	int rc;

	memset(&v, 0, sizeof(v));
	v.mailboxes = w->mailboxes;
	v.n_mailboxes = w->n_mailboxes;
	v.flags = w->flags;
	v.received_at = w->received_at;
	sp = store_spool_new(&c->req->env->store_conf, true, 0);
	v.spool = sp;
	c->req->acct = cp->from.acct;
	rc = fill(cp, e, sp);
	c->req->acct = c->acct;
	if (rc == 0) {
		rc = store_email_add(c->st, &v, 1, ad, NULL);
		if (rc == STORE_E_NOTFOUND) {
			store_spool_free(&sp);
			return set_error_prop("mailboxIds", "no such mailbox");
		}
	}
	store_spool_free(&sp);
	return rc < 0 ? set_error_store(c, rc) : NULL;
}

/* NULL and the copy, or a SetError. */
static json_t *
copy_one(struct copy *cp, json_t *o, struct store_added *ad)
{
	struct jmap_call *c = cp->c;
	struct store_email e;
	struct wanted w;
	json_t *err;
	int rc;

	if ((err = check(cp, o, &w)) != NULL)
		return err;
	rc = w.id != 0 ? email_load(&cp->from, c->req->scratch, w.id, &e) :
	    STORE_E_NOTFOUND;
	if (rc < 0)
		return set_error_store(c, rc);
	if (!w.has_keywords && (rc = map_flags(cp, &e, &w)) < 0)
		return rc == STORE_E_LIMIT ?
		    set_error("tooManyKeywords", NULL) :
		    set_error_store(c, rc == JMAP_E_ARGS ? STORE_E_DENIED : rc);
	if (!w.has_time)
		w.received_at = e.received_at;
	err = email_rights_add(c, w.mailboxes, w.n_mailboxes, w.flags);
	if (err == NULL && (err = add(cp, &e, &w, ad)) == NULL)
		json_array_append_new(cp->originals, id_json('E', e.id));
	return err;
}

static int
check_from_state(struct copy *cp)
{
	json_t *want = jmap_arg(cp->c, "ifFromInState"), *now;
	uint64_t state;
	bool same;
	int rc;

	if (want == NULL)
		return 0;
	if ((rc = type_state(&cp->from, &email_type, &state)) < 0)
		return rc;
	now = state_json(state);
	same = json_equal(want, now);
	json_decref(now);
	return same ? 0 : JMAP_E_STATE;
}

static void
copy_all(struct copy *cp, json_t *done, json_t *failed)
{
	struct store_added ad;
	const char *key;
	json_t *o, *err;

	json_object_foreach(jmap_arg(cp->c, "create"), key, o) {
		arena_reset(cp->c->req->scratch);
		if ((err = copy_one(cp, o, &ad)) != NULL) {
			js_put(failed, key, err);
			continue;
		}
		js_put(done, key, email_created(&ad));
		js_put(cp->c->req->created, key, id_json('E', ad.email));
	}
}

/* RFC 8620 5.4: one Email/set, after the response. */
static void
destroy_originals(struct copy *cp)
{
	struct jmap_call *c = cp->c;
	json_t *state = jmap_arg(c, "destroyFromIfInState");

	if (!jmap_arg_bool(c, "onSuccessDestroyOriginal") ||
	    json_array_size(cp->originals) == 0)
		return;
	c->then = "Email/set";
	c->then_account = cp->from.acct->id;
	c->then_args = json_object();
	js_put(c->then_args, "destroy", json_incref(cp->originals));
	if (state != NULL)
		js_put(c->then_args, "ifInState", json_incref(state));
}

static int
check_create(struct jmap_call *c)
{
	json_t *create = jmap_arg(c, "create"), *o;
	const char *key;

	if (json_object_size(create) >
	    c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	json_object_foreach(create, key, o)
		if (!js_is_id(slice_str(key)) || !json_is_object(o))
			return jmap_bad(c, "create must map ids to objects");
	return 0;
}

int
email_copy(struct jmap_call *c)
{
	struct copy cp = { .c = c };
	json_t *done, *failed;
	int rc;

	cp.from = *c;
	if ((rc = jmap_from_account(c, &cp.from.acct)) < 0)
		return rc;
	if (cp.from.acct == c->acct)
		return jmap_bad(c, "the accounts must not be the same");
	cp.from.st = cp.from.acct->st;
	if ((rc = check_create(c)) < 0 || (rc = check_from_state(&cp)) < 0 ||
	    (rc = set_check_state(c, &email_type)) < 0)
		return rc;
	done = json_object();
	failed = json_object();
	cp.originals = json_array();
	copy_all(&cp, done, failed);
	js_put_some(c->out, "created", done);
	js_put_some(c->out, "notCreated", failed);
	if ((rc = set_new_state(c, &email_type)) == 0)
		destroy_originals(&cp);
	json_decref(cp.originals);
	return rc;
}
