/* jmap-fcgi/submission-check.c - may this Email be sent, and to whom (RFC 8621
 * 7.5)? */
#include "config.h"

#include <inttypes.h>
#include <time.h>

#include "jmap-fcgi/email.h"
#include "jmap-fcgi/submission.h"
#include "libbase/text.h"
#include "libsession/mta.h"
#include "libsession/session.h"

enum { ADDRS_MAX = 10000 };

struct checking {
	struct jmap_call *c;
	struct submission_change *ch;
	struct store_identity identity;
	struct email em;
	const struct mime_env *env;
	struct slice header;
};

static json_t *
invalid_email(const char *prop, const char *desc)
{
	json_t *e = set_error("invalidEmail", desc), *list = json_array();

	json_array_append_new(list, json_string(prop));
	js_put(e, "properties", list);
	return e;
}

json_t *
submission_too_large(struct jmap_call *c)
{
	json_t *e = set_error("tooLarge", NULL);

	js_put(e, "maxSize",
	    json_integer((json_int_t)c->req->env->conf->max_message));
	return e;
}

/* NULL; else "forbidden..." or that it can't be told just now. */
static json_t *
may_send_as(struct checking *k, struct slice address, const char *error)
{
	struct jmap_call *c = k->c;

	switch (login_sender(c->req->env->conf, c->req->user->account, address,
	    c->arena)) {
	case LOGIN_OK:
		return NULL;
	case LOGIN_E_TEMP:
		return set_error_store(c, STORE_E_IO);
	default:
		return set_error(error, arena_printf(c->arena,
		    "you may not send as %.*s", (int)address.n, address.p));
	}
}

/* ---- the Email --------------------------------------------------------- */

static json_t *
load(struct checking *k)
{
	struct submission_change *ch = k->ch;
	struct jmap_call *c = k->c;
	int rc;

	if (!ch->has_identity)
		return set_error_prop("identityId", "missing");
	if (!ch->has_email)
		return set_error_prop("emailId", "missing");
	rc = store_identity_get(c->st, c->arena, ch->v.identity, &k->identity);
	if (rc == STORE_E_NOTFOUND)
		return set_error_prop("identityId", "no such identity");
	if (rc < 0)
		return set_error_store(c, rc);
	arena_reset(c->req->scratch);
	rc = email_load(c, c->req->scratch, ch->v.email, &k->em.e);
	if (rc == STORE_E_NOTFOUND)
		return set_error_prop("emailId", "no such Email");
	if (rc < 0 || (rc = email_mime(c, &k->em)) < 0 ||
	    (rc = email_part_header(c, &k->em, k->em.mime->root,
	    &k->header)) < 0)
		return set_error_store(c, rc);
	k->env = k->em.mime->root->env;
	ch->v.thread = k->em.e.thread;
	ch->v.blob = k->em.e.blob;
	return k->em.e.size > c->req->env->conf->max_message ?
	    submission_too_large(c) : NULL;
}

static unsigned
count_fields(const struct checking *k, const char *name)
{
	struct mime_fields it;
	struct mime_field f;
	unsigned n = 0;

	mime_fields_init(&it, k->header);
	while (mime_fields_next(&it, &f))
		n += slice_ieq(f.name, slice_str(name));
	return n;
}

/* The addresses of a list from i on, groups opened. */
static struct slice *
emails(struct checking *k, const struct mime_addrs *l, uint32_t i, size_t *n_r)
{
	struct slice *v = arena_calloc(k->c->arena, l->n, sizeof(*v));
	size_t n = 0;

	for (; i < l->n; i++)
		if (l->a[i].kind == MIME_ADDR)
			v[n++] = mime_addr_email(&l->a[i], k->c->arena);
	*n_r = n;
	return v;
}

static json_t *
check_fields(struct checking *k)
{
	json_t *list = json_array(), *e;
	struct slice *from;
	size_t n;
	bool ok;

	from = emails(k, &k->env->from, 0, &n);
	ok = n > 0;
	for (size_t i = 0; i < n; i++)
		ok = ok && mta_address_ok(from[i]);
	if (!ok)
		json_array_append_new(list, json_string("from"));
	/* RFC 5322 3.6.2 */
	if (k->env->sender.present &&
	    (emails(k, &k->env->sender, 0, &n), n != 1))
		json_array_append_new(list, json_string("sender"));
	if (k->env->date.p == NULL)
		json_array_append_new(list, json_string("sentAt"));
	if (json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	e = set_error("invalidEmail", "a header field is missing or not "
	    "as it has to be");
	js_put(e, "properties", list);
	return e;
}

/* RFC 5322 3.6.6: who sends it once more says who he is. */
static bool
resent_by_user(struct checking *k)
{
	struct arena *a = k->c->arena;
	struct mime_addrs l;
	struct mime_field f;
	struct slice *v;
	json_t *e;
	size_t n;

	if (mime_field_find(k->header, "Resent-From", 0, &f) != 1)
		return false;
	mime_addrs_parse(mime_unfold(a, f.value), ADDRS_MAX, a, &l);
	v = emails(k, &l, 0, &n);
	for (size_t i = 0; i < n; i++) {
		e = may_send_as(k, v[i], "forbiddenFrom");
		json_decref(e);
		if (e != NULL)
			return false;
	}
	return n > 0;
}

static json_t *
check_from(struct checking *k)
{
	struct slice *v;
	json_t *e;
	size_t n;

	if ((e = may_send_as(k, k->identity.email, "forbiddenFrom")) != NULL)
		return e;
	v = emails(k, &k->env->from, 0, &n);
	for (size_t i = 0; i < n && e == NULL; i++)
		e = may_send_as(k, v[i], "forbiddenFrom");
	if (e == NULL || !resent_by_user(k))
		return e;
	json_decref(e);
	return NULL;
}

/* ---- the envelope ------------------------------------------------------ */

static bool
has(const struct submission_change *ch, struct slice email)
{
	for (size_t i = 0; i < ch->v.n_rcpt; i++)
		if (slice_ieq(ch->v.rcpt[i].to.email, email))
			return true;
	return false;
}

/* RFC 8621 7, "envelope". */
static json_t *
make_envelope(struct checking *k)
{
	const struct mime_env *env = k->env;
	const struct mime_addrs *lists[] = { &env->to, &env->cc, &env->bcc };
	bool sender = env->sender.present;
	const struct mime_addrs *l = sender ? &env->sender : &env->from;
	struct store_submission *v = &k->ch->v;
	uint32_t max = k->c->req->env->conf->max_recipients;
	struct slice *a;
	size_t n;

	a = emails(k, l, l->last, &n);
	if (n != 1 || count_fields(k, sender ? "Sender" : "From") != 1)
		return invalid_email(sender ? "sender" : "from",
		    "it is not clear who sends it: give an envelope");
	v->from.email = slice_ieq(a[0], k->identity.email) ? a[0] :
	    k->identity.email;
	v->rcpt = arena_calloc(k->c->arena, (size_t)env->to.n + env->cc.n +
	    env->bcc.n, sizeof(*v->rcpt));
	for (size_t i = 0; i < 3; i++) {
		a = emails(k, lists[i], 0, &n);
		for (size_t j = 0; j < n; j++)
			if (v->n_rcpt <= max && !has(k->ch, a[j]))
				v->rcpt[v->n_rcpt++].to.email = a[j];
	}
	return NULL;
}

/* FUTURERELEASE (RFC 4865): what is asked for in seconds, or -1. */
static int
take_hold(struct checking *k, const struct store_param *p)
{
	int64_t now = (int64_t)time(NULL), t;
	uint64_t s;

	if (slice_ieq(p->name, SLICE_LIT("HOLDFOR"))) {
		if (slice_uint(p->value, INT32_MAX, &s) < 0)
			return -1;
		k->ch->hold = (int64_t)s;
	} else {
		if (p->value.p == NULL ||
		    time_rfc3339_parse(p->value, &t, NULL) < 0)
			return -1;
		k->ch->hold = t - now;
	}
	return k->ch->hold >= 0 && k->ch->hold <=
	    (int64_t)k->c->req->env->conf->max_delayed_send_s ? 0 : -1;
}

/* The others say what we find out by ourselves: BODY (RFC 6152, RFC 3030), SIZE
 * (RFC 1870), SMTPUTF8 (RFC 6531). */
static bool
param_ok(const struct store_param *p)
{
	uint64_t size;

	if (slice_ieq(p->name, SLICE_LIT("BODY")))
		return slice_ieq(p->value, SLICE_LIT("7BIT")) ||
		    slice_ieq(p->value, SLICE_LIT("8BITMIME")) ||
		    slice_ieq(p->value, SLICE_LIT("BINARYMIME"));
	if (slice_ieq(p->name, SLICE_LIT("SIZE")))
		return slice_uint(p->value, UINT64_MAX, &size) == 0;
	return slice_ieq(p->name, SLICE_LIT("SMTPUTF8")) &&
	    p->value.p == NULL;
}

/* The parameters that we know what to do with. */
static json_t *
check_params(struct checking *k)
{
	const struct store_path *from = &k->ch->v.from;
	bool held = false;

	for (size_t i = 0; i < from->n_param; i++) {
		const struct store_param *p = &from->param[i];

		if (slice_ieq(p->name, SLICE_LIT("HOLDFOR")) ||
		    slice_ieq(p->name, SLICE_LIT("HOLDUNTIL"))) {
			if (held || take_hold(k, p) < 0)
				return set_error_prop("envelope", "the time "
				    "is not one, gone, or too far away");
			held = true;
		} else if (!param_ok(p)) {
			return set_error_prop("envelope", "a parameter that "
			    "is not known, or its value is wrong");
		}
	}
	for (size_t i = 0; i < k->ch->v.n_rcpt; i++)
		if (k->ch->v.rcpt[i].to.n_param > 0)
			return set_error_prop("envelope",
			    "recipients have no parameters here");
	return NULL;
}

static json_t *
check_mail_from(struct checking *k)
{
	struct slice from = k->ch->v.from.email;

	if (from.n == 0)	/* the null sender */
		return NULL;
	if (!mta_address_ok(from))
		return set_error_prop("envelope", "mailFrom is no address");
	return may_send_as(k, from, "forbiddenMailFrom");
}

static json_t *
too_many(uint32_t max)
{
	json_t *e = set_error("tooManyRecipients", NULL);

	js_put(e, "maxRecipients", json_integer(max));
	return e;
}

static json_t *
check_recipients(struct checking *k)
{
	const struct store_submission *v = &k->ch->v;
	uint32_t max = k->c->req->env->conf->max_recipients;
	json_t *bad, *e;

	if (v->n_rcpt == 0)
		return set_error("noRecipients", NULL);
	if (v->n_rcpt > max)
		return too_many(max);
	bad = json_array();
	for (size_t i = 0; i < v->n_rcpt; i++)
		if (!mta_address_ok(v->rcpt[i].to.email))
			json_array_append_new(bad,
			    js_str(v->rcpt[i].to.email));
	if (json_array_size(bad) == 0) {
		json_decref(bad);
		return NULL;
	}
	e = set_error("invalidRecipients", NULL);
	js_put(e, "invalidRecipients", bad);
	return e;
}

/* A recipient that is named twice gets it once. */
static void
unite_recipients(struct store_submission *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_rcpt; i++) {
		size_t j = 0;

		while (j < n && !slice_ieq(v->rcpt[j].to.email,
		    v->rcpt[i].to.email))
			j++;
		if (j == n)
			v->rcpt[n++] = v->rcpt[i];
	}
	v->n_rcpt = n;
}

json_t *
submission_check(struct jmap_call *c, struct submission_change *ch)
{
	struct checking k = { .c = c, .ch = ch };
	struct store_submission *v = &ch->v;
	json_t *e;

	if (login_may_send(c->req->env->conf, c->req->user->account,
	    c->arena) != LOGIN_OK)
		return set_error("forbiddenToSend",
		    "this account may not send mail");
	if ((e = load(&k)) != NULL || (e = check_fields(&k)) != NULL ||
	    (e = check_from(&k)) != NULL ||
	    (!ch->has_envelope && (e = make_envelope(&k)) != NULL) ||
	    (e = check_params(&k)) != NULL ||
	    (e = check_mail_from(&k)) != NULL ||
	    (e = check_recipients(&k)) != NULL)
		return e;
	unite_recipients(v);
	v->send_at = v->next_try = (int64_t)time(NULL) + ch->hold;
	for (size_t i = 0; i < v->n_rcpt; i++)
		v->rcpt[i].reply = SLICE_LIT("250 2.0.0 Waiting to be sent");
	return NULL;
}
