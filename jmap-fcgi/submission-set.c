/* jmap-fcgi/submission-set.c - EmailSubmission/set (RFC 8621 7.5) */
#include "config.h"

#include <time.h>

#include "jmap-fcgi/submission.h"
#include "jmap-fcgi/web.h"
#include "libsession/submit.h"

enum { BUSY_WAIT_MS = 50, BUSY_WAITS = 60 };

const struct jmap_arg submission_set_args[] = {
	{ "onSuccessUpdateEmail", ARG_OBJECT, ARG_NULL },
	{ "onSuccessDestroyEmail", ARG_IDS, ARG_NULL },
	{ NULL, 0, 0 }
};

struct set {
	struct jmap_set s;
	json_t *emails;		/* submission's id -> its Email's: of what was
				 * done */
};

/* ---- create ------------------------------------------------------------ */

/* The mail system refused all of it at once, so there is no submission. */
static json_t *
refused_error(struct jmap_call *c, const struct store_submission *v,
    const struct submit_result *r)
{
	const char *desc = arena_strndup(c->arena, r->reply.p, r->reply.n);
	json_t *e, *list;

	if (slice_starts(r->reply, SLICE_LIT("552")))
		return submission_too_large(c);
	if (r->stage == MTA_AT_MAIL)
		return set_error("forbiddenMailFrom", desc);
	if (r->stage != MTA_AT_RCPT)
		return set_error("forbiddenToSend", desc);
	e = set_error("invalidRecipients", desc);
	list = json_array();
	for (size_t i = 0; i < v->n_rcpt; i++)
		json_array_append_new(list, js_str(v->rcpt[i].to.email));
	js_put(e, "invalidRecipients", list);
	return e;
}

/* Another request of the user may be at it: it may send this one, too. */
static int
send_account(struct jmap_call *c, struct submit_result *r,
    struct store_submission *v)
{
	struct timespec pause = { 0, BUSY_WAIT_MS * 1000000L };
	int rc, rc2;

	for (int i = 0; i < BUSY_WAITS; i++) {
		rc = submit_account(c->req->env->conf, c->st, c->arena, r);
		if (rc < 0 && rc != STORE_E_BUSY)
			jmap_store_failed(c->req, "outbox", rc);
		if ((rc2 = store_refresh(c->st)) < 0 ||
		    (rc2 = store_submission_get(c->st, c->arena, r->id,
		    v)) < 0)
			return rc2;
		if (rc != STORE_E_BUSY || v->undo != STORE_UNDO_PENDING)
			break;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* What is due now goes at once; else, or if it can't, it stays pending. */
static json_t *
send_now(struct jmap_call *c, struct store_submission *v)
{
	struct submit_result r = { .id = v->id };
	struct workers *w = c->req->env->workers;
	bool other = w != NULL && workers_long_begin(w);
	int rc = send_account(c, &r, v);

	if (other)
		workers_long_end(w);
	if (rc < 0)
		return set_error_store(c, rc);
	if (!r.tried || r.rc != MTA_E_PERM || v->undo != STORE_UNDO_FINAL)
		return NULL;
	if ((rc = store_submission_destroy(c->st, v->id)) < 0)
		jmap_store_failed(c->req, "submission", rc);
	return refused_error(c, v, &r);
}

static json_t *
try_create(void *arg, const char *key, json_t *given)
{
	struct set *set = arg;
	struct jmap_call *c = set->s.c;
	struct submission_change ch;
	char id[STORE_ID_TEXT];
	json_t *err;
	int rc;

	memset(&ch, 0, sizeof(ch));
	ch.create = true;
	if ((err = set_patch(c, &submission_type, NULL, &ch, given)) != NULL ||
	    (err = submission_check(c, &ch)) != NULL)
		return err;
	rc = store_submission_create(c->st, &ch.v, &ch.v.id);
	if (rc == STORE_E_TOOBIG) {
		err = set_error("tooManyRecipients",
		    "their addresses are too long");
		js_put(err, "maxRecipients",
		    json_integer((json_int_t)(ch.v.n_rcpt / 2)));
		return err;
	}
	if (rc == STORE_E_LIMIT)
		return set_error("forbiddenToSend",
		    "too many messages are waiting to be sent");
	if (rc < 0)
		return set_error_store(c, rc);
	arena_reset(c->req->scratch);
	if (ch.hold == 0 && (err = send_now(c, &ch.v)) != NULL)
		return err;
	if ((rc = store_submission_get(c->st, c->arena, ch.v.id, &ch.v)) < 0)
		return set_error_store(c, rc);
	set_created(&set->s, key, given, ch.v.id, &ch.v);
	js_put(set->emails, store_id_text('S', ch.v.id, id),
	    id_json('E', ch.v.email));
	return NULL;
}

/* ---- update, destroy --------------------------------------------------- */

static json_t *
load(struct set *set, const char *key, struct store_submission *v)
{
	struct jmap_call *c = set->s.c;
	uint64_t id;
	int rc;

	if (id_resolve(c->req, 'S', slice_str(key), &id) < 0)
		return set_error("notFound", NULL);
	rc = store_submission_get(c->st, c->arena, id, v);
	return rc < 0 ? set_error_store(c, rc) : NULL;
}

static json_t *
try_update(void *arg, const char *key, json_t *patch)
{
	struct set *set = arg;
	struct jmap_call *c = set->s.c;
	struct submission_change ch;
	struct store_submission v;
	char id[STORE_ID_TEXT];
	json_t *err;
	int rc;

	if ((err = load(set, key, &v)) != NULL)
		return err;
	memset(&ch, 0, sizeof(ch));
	if ((err = set_patch(c, &submission_type, &v, &ch, patch)) != NULL)
		return err;
	if (ch.cancel) {
		rc = store_submission_cancel(c->st, v.id);
		if (rc == STORE_E_DENIED)
			return set_error("cannotUnsend", NULL);
		if (rc < 0)
			return set_error_store(c, rc);
	}
	store_id_text('S', v.id, id);
	js_put(set->s.updated, id, json_null());
	js_put(set->emails, id, id_json('E', v.email));
	return NULL;
}

static json_t *
try_destroy(void *arg, const char *key)
{
	struct set *set = arg;
	struct store_submission v;
	char id[STORE_ID_TEXT];
	json_t *err;
	int rc;

	if ((err = load(set, key, &v)) != NULL)
		return err;
	rc = store_submission_destroy(set->s.c->st, v.id);
	if (rc == STORE_E_DENIED)
		return set_error("forbidden", "it is still to be sent");
	if (rc < 0)
		return set_error_store(set->s.c, rc);
	store_id_text('S', v.id, id);
	json_array_append_new(set->s.destroyed, json_string(id));
	js_put(set->emails, id, id_json('E', v.email));
	return NULL;
}

static const struct set_ops ops = {
	.create = try_create, .update = try_update, .destroy = try_destroy
};

/* ---- the implied Email/set --------------------------------------------- */

/* The id of the Email of a submission that was a success, or NULL. */
static json_t *
email_of(struct set *set, struct slice key)
{
	char id[STORE_ID_TEXT];
	uint64_t n;

	if (id_resolve(set->s.c->req, 'S', key, &n) < 0)
		return NULL;
	return json_object_get(set->emails, store_id_text('S', n, id));
}

static void
imply(struct set *set)
{
	struct jmap_call *c = set->s.c;
	json_t *update = json_object(), *destroy = json_array();
	json_t *v, *email, *patch;
	const char *key;
	size_t i;

	json_object_foreach(jmap_arg(c, "onSuccessUpdateEmail"), key, v) {
		if ((email = email_of(set, slice_str(key))) == NULL)
			continue;
		/* Several submissions of one Email. */
		patch = json_object_get(update, json_string_value(email));
		if (patch != NULL)
			json_object_update(patch, v);
		else
			js_put(update, json_string_value(email),
			    json_copy(v));
	}
	json_array_foreach(jmap_arg(c, "onSuccessDestroyEmail"), i, v)
		if ((email = email_of(set, js_slice(v))) != NULL)
			json_array_append(destroy, email);
	if (json_object_size(update) + json_array_size(destroy) == 0) {
		json_decref(update);
		json_decref(destroy);
		return;
	}
	c->then = "Email/set";
	c->then_args = json_object();
	js_put(c->then_args, "update", update);
	js_put(c->then_args, "destroy", destroy);
}

int
submission_set(struct jmap_call *c)
{
	struct set set = { .emails = NULL };
	const char *key;
	json_t *v;
	int rc;

	json_object_foreach(jmap_arg(c, "onSuccessUpdateEmail"), key, v)
		if (!json_is_object(v))
			return jmap_bad(c, "onSuccessUpdateEmail/%.100s must "
			    "be an object", key);
	if ((rc = set_begin(c, &submission_type, &set.s)) < 0)
		return rc;
	set.emails = json_object();
	set_items(&set.s, &ops, &set);
	imply(&set);
	json_decref(set.emails);
	return set_end(&set.s, 0);
}
