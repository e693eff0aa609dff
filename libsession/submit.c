/* libsession/submit.c - sending what accounts have in their outboxes */
#include "config.h"

#include <inttypes.h>
#include <time.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/submit.h"

enum {
	WAIT_MAX_S = 7200, DOUBLINGS_MAX = 20,
	RECORD_TRIES = 5, RECORD_WAIT_MS = 100
};

struct sending {
	const struct conf *c;
	struct store *st;
	struct store_outbox *o;
	struct arena *a;	/* of one submission */
	struct arena *out;	/* the caller's */
	int64_t now;
	struct submit_result *want;
};

struct commit_arg {
	struct store_outbox *o;
	uint64_t id;
	int rc;
};

static int
commit(void *arg)
{
	struct commit_arg *k = arg;

	return k->rc = store_outbox_commit(k->o, k->id);
}

/* Those who are still to get it. */
static void
settle_all(struct store_submission *v, enum store_delivered d,
    struct slice reply)
{
	v->undo = STORE_UNDO_FINAL;
	for (size_t i = 0; i < v->n_rcpt; i++) {
		if (v->rcpt[i].delivered != STORE_DELIVERED_QUEUED)
			continue;
		v->rcpt[i].delivered = d;
		if (reply.p != NULL)
			v->rcpt[i].reply = reply;
	}
}

static int
record(const struct sending *s, const struct store_submission *v)
{
	struct timespec pause = { 0, RECORD_WAIT_MS * 1000000L };
	int rc;

	/* What isn't recorded will be told as unknown. */
	for (int i = 0; (rc = store_outbox_done(s->o, v)) < 0 &&
	    i < RECORD_TRIES; i++)
		nanosleep(&pause, NULL);
	if (rc < 0)
		log_err("%s: submission S%" PRIx64 ": %s",
		    store_account_name(s->st), v->id, store_errmsg(s->st));
	return rc;
}

/* Later, or never. */
static void
put_off(const struct sending *s, struct store_submission *v)
{
	unsigned n = v->attempts < DOUBLINGS_MAX ? v->attempts :
	    DOUBLINGS_MAX;
	int64_t wait = (int64_t)s->c->send_retry_s << n;

	if (s->now >= v->send_at + (int64_t)s->c->send_give_up_s) {
		settle_all(v, STORE_DELIVERED_NO, slice_make(NULL, 0));
		log_warn("%s: submission S%" PRIx64 " is given up",
		    store_account_name(s->st), v->id);
		return;
	}
	v->attempts++;
	v->next_try = s->now + (wait < WAIT_MAX_S ? wait : WAIT_MAX_S);
}

/* Those who are still to get it; how many. */
static size_t
recipients(struct store_submission *v, struct mta_rcpt *to,
    struct store_rcpt **of)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_rcpt; i++) {
		if (v->rcpt[i].delivered != STORE_DELIVERED_QUEUED)
			continue;
		to[n].address = v->rcpt[i].to.email;
		of[n++] = &v->rcpt[i];
	}
	return n;
}

/* 1: some may get it later. */
static int
take_replies(struct store_rcpt **of, const struct mta_mail *m)
{
	int later = 0;

	for (size_t i = 0; i < m->n_rcpt; i++) {
		int class = m->rcpt[i].code / 100;

		of[i]->reply = m->rcpt[i].reply;
		/* Where it goes from the MTA on nobody tells us. */
		of[i]->delivered = class == 2 ? STORE_DELIVERED_UNKNOWN :
		    class == 4 ? STORE_DELIVERED_QUEUED : STORE_DELIVERED_NO;
		later |= class == 4;
	}
	return later;
}

static void
tell(const struct sending *s, const struct store_submission *v,
    const struct mta_mail *m, int rc)
{
	log_info("%s: submission S%" PRIx64 " from=<%.*s> recipients=%zu: "
	    "%s: %.*s", store_account_name(s->st), v->id,
	    (int)v->from.email.n, v->from.email.p, m->n_rcpt,
	    rc == MTA_OK ? "sent" : rc == MTA_E_TEMP ? "put off" : "refused",
	    (int)m->reply.n, m->reply.n > 0 ? m->reply.p : "");
	if (s->want != NULL && s->want->id == v->id) {
		s->want->tried = true;
		s->want->rc = rc;
		s->want->stage = m->stage;
		s->want->reply = arena_slice(s->out, m->reply);
	}
}

static int
hand_over(struct sending *s, struct store_submission *v, struct slice octets)
{
	struct commit_arg k = { .o = s->o, .id = v->id };
	struct mta_mail m = { .from = v->from.email, .commit = commit,
		.arg = &k };
	char envid[STORE_ENVID_TEXT];
	struct store_rcpt **of;
	int rc, later;

	store_submission_envid(s->st, v->id, envid);
	m.envid = slice_str(envid);
	m.octets = mta_message(octets, s->a);
	m.rcpt = arena_calloc(s->a, v->n_rcpt, sizeof(*m.rcpt));
	of = arena_calloc(s->a, v->n_rcpt, sizeof(*of));
	m.n_rcpt = recipients(v, m.rcpt, of);
	rc = mta_send(s->c, &m, s->a);
	if (rc == MTA_E_STOPPED)	/* canceled, or not to be written */
		return k.rc == STORE_E_DENIED || k.rc == STORE_E_NOTFOUND ?
		    0 : k.rc;
	later = take_replies(of, &m);
	/* Once somebody got it, it can't be canceled any more. */
	if (rc == MTA_OK || !later)
		v->undo = STORE_UNDO_FINAL;
	if (later)
		put_off(s, v);
	tell(s, v, &m, rc);
	return record(s, v);
}

static int
send_one(struct sending *s, struct store_submission *v)
{
	struct store_blob *b = NULL;
	struct slice octets;
	int rc;

	if ((rc = store_blob_open(s->st, &v->blob, &b)) == 0)
		rc = store_blob_octets(b, &octets);
	if (rc == 0) {
		rc = hand_over(s, v, octets);
	} else if (rc == STORE_E_CORRUPT || rc == STORE_E_NOTFOUND) {
		log_err("%s: submission S%" PRIx64 ": its message can't be "
		    "read", store_account_name(s->st), v->id);
		settle_all(v, STORE_DELIVERED_NO,
		    SLICE_LIT("554 5.3.0 The message can't be read"));
		rc = record(s, v);
	}
	store_blob_close(&b);
	return rc;
}

/* Somebody died while the MTA had all but the last word, or that too. */
static int
left_over(struct sending *s, struct store_submission *v)
{
	log_warn("%s: submission S%" PRIx64 " was interrupted; whether it was "
	    "sent is not known", store_account_name(s->st), v->id);
	settle_all(v, STORE_DELIVERED_UNKNOWN,
	    SLICE_LIT("451 4.3.0 Interrupted; it may have been sent"));
	return record(s, v);
}

/* 1: one was due. */
static int
next(struct sending *s)
{
	struct store_submission *v, *due = NULL;
	size_t n;
	int rc;

	if ((rc = store_outbox_list(s->o, s->a, &v, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (v[i].phase == STORE_PHASE_COMMITTED) {
			if ((rc = left_over(s, &v[i])) < 0)
				return rc;
			continue;
		}
		if (v[i].next_try > s->now)
			continue;
		if (due == NULL || (s->want != NULL && !s->want->tried &&
		    v[i].id == s->want->id))
			due = &v[i];
	}
	if (due == NULL)
		return 0;
	return (rc = send_one(s, due)) < 0 ? rc : 1;
}

int
submit_account(const struct conf *c, struct store *st, struct arena *a,
    struct submit_result *want)
{
	struct sending s = { .c = c, .st = st, .out = a, .want = want };
	int rc, rc2;

	if ((rc = store_outbox_open(st, &s.o)) < 0)
		return rc;
	s.a = arena_new(0);
	do {
		arena_reset(s.a);
		s.now = (int64_t)time(NULL);
	} while ((rc = next(&s)) > 0);
	arena_free(&s.a);
	rc2 = store_outbox_settle(s.o);
	store_outbox_close(&s.o);
	return rc < 0 ? rc : rc2;
}

/* ---- all accounts ------------------------------------------------------ */

struct all {
	const struct conf *c;
	const struct store_conf *sc;
	bool (*stop)(void *arg);
	void *arg;
	char **name;
	size_t n, cap;
};

static int
note(void *arg, const char *account)
{
	struct all *l = arg;

	if (l->n == l->cap) {
		l->cap = l->cap * 2 + 16;
		l->name = xreallocarray(l->name, l->cap, sizeof(*l->name));
	}
	l->name[l->n++] = xstrdup(account);
	return 0;
}

static void
one(const struct all *l, const char *account)
{
	struct arena *a = arena_new(0);
	struct store *st = NULL;
	int rc;

	if ((rc = store_open(l->sc, account, &st)) == 0)
		rc = submit_account(l->c, st, a, NULL);
	if (rc < 0 && rc != STORE_E_BUSY)
		log_err("%s: outbox: %s", account, st != NULL &&
		    *store_errmsg(st) != '\0' ? store_errmsg(st) :
		    store_error(rc)->text);
	store_close(&st);
	arena_free(&a);
}

int
submit_all(const struct conf *c, const struct store_conf *sc,
    bool (*stop)(void *arg), void *arg, size_t *n_r)
{
	struct all l = { .c = c, .sc = sc, .stop = stop, .arg = arg };
	int rc = store_outbox_each(sc, (int64_t)time(NULL), note, &l);
	bool ended = false;

	for (size_t i = 0; i < l.n; i++) {
		ended = ended || (stop != NULL && stop(arg));
		if (!ended)
			one(&l, l.name[i]);
		xfree(l.name[i]);
	}
	xfree(l.name);
	*n_r = l.n;
	return rc;
}
