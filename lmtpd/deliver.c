/* lmtpd/deliver.c - the message is there, and goes to each recipient */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "libbase/log.h"
#include "libbase/text.h"
#include "libmime/mime.h"
#include "lmtpd/lmtp.h"
#include "lmtpd/report.h"

enum {
	IDLE_EVERY = 64,	/* deliveries to an open store */
	ONCE_NAME_MAX = 998	/* octets; what is longer is no Message-ID */
};

/* Makes l->s->store the account's.  A handle stays open for the next message:
 * mail often comes in runs. */
int
lmtp_account(struct lmtp *l, const char *account)
{
	struct session *s = l->s;

	if (s->store != NULL &&
	    strcmp(store_account_name(s->store), account) == 0)
		return 0;
	if (s->store != NULL)
		store_idle(s->store, false);
	store_close(&s->store);
	l->delivered = 0;
	return login_open(s->conf, &s->store_conf, account, &s->store);
}

/* ---- the mailbox ------------------------------------------------------- */

/* RFC 4314 4: p on a mailbox says who may send mail to its address, and from
 * here everybody is "anyone". */
static int
may_post(struct lmtp *l, uint64_t mailbox)
{
	struct store_acl *v;
	unsigned rights = 0, taken = 0;
	size_t n;
	int rc;

	if (l->s->conf->lmtp_detail_folder != CONF_DETAIL_POSTED)
		return 1;
	rc = store_acl_get(l->s->store, l->arena, mailbox, &v, &n);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].who, SLICE_LIT(STORE_ANYONE)))
			rights = v[i].rights;
		else if (slice_eq(v[i].who, SLICE_LIT("-" STORE_ANYONE)))
			taken = v[i].rights;
	return (rights & ~taken & STORE_RIGHT_POST) != 0;
}

/* MTAs like to change the case of addresses: the first one whose path is the
 * same without it.  1: found, 0, enum store_rc. */
static int
find_any_case(struct lmtp *l, struct slice path, uint64_t *id_r)
{
	struct store *st = l->s->store;
	struct arena *a = arena_new(0);
	struct store_mailbox *mb;
	struct slice want, got;
	size_t n;
	int rc = 0;

	if (utf8_fold(path, a, &want) < 0)
		goto out;
	rc = store_mailbox_list(st, a, &mb, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = store_mailbox_path(st, a, mb[i].id, &got);
		if (rc == 0 && utf8_fold(got, a, &got) == 0 &&
		    slice_eq(got, want)) {
			*id_r = mb[i].id;
			rc = 1;
		}
	}
out:
	arena_free(&a);
	return rc;
}

/* The mailbox that the detail names, else the inbox.  0 or enum store_rc. */
static int
find_mailbox(struct lmtp *l, const struct lmtp_rcpt *r, uint64_t *id_r)
{
	struct store *st = l->s->store;
	struct store_mailbox mb;
	int rc;

	if (r->detail.n > 0) {
		rc = store_mailbox_find(st, l->arena, r->detail, &mb);
		if (rc == 0) {
			*id_r = mb.id;
			rc = 1;
		} else if (rc == STORE_E_NOTFOUND || rc == STORE_E_INVALID)
			rc = find_any_case(l, r->detail, id_r);
		if (rc > 0)
			rc = may_post(l, *id_r);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	if ((rc = store_mailbox_find(st, l->arena, SLICE_LIT("INBOX"), &mb)) == 0)
		*id_r = mb.id;
	return rc;
}

/* ---- one recipient ----------------------------------------------------- */

/* The message with this recipient's name on it. */
static int
own_copy(struct lmtp *l, const struct lmtp_rcpt *r, struct store_spool **sp_r)
{
	struct slice octets = store_spool_octets(l->spool);
	struct store_spool *sp;
	int rc;

	sp = store_spool_new(&l->s->store_conf, true, 0);
	lmtp_trace(l, sp, r);
	rc = octets.n > 0 ? store_spool_add(sp, octets.p, octets.n) : 0;
	if (rc == 0)
		rc = store_spool_done(sp);
	if (rc < 0)
		store_spool_free(&sp);
	else
		*sp_r = sp;
	return rc;
}

static int
add(struct lmtp *l, struct lmtp_rcpt *r)
{
	struct store_new new = { .spool = l->spool,
		.received_at = l->arrived, .mailboxes = &r->mailbox,
		.n_mailboxes = 1, .once = l->once,
		.once_s = l->s->conf->lmtp_once_s };
	struct store_spool *own = NULL;
	struct store_added added;
	int rc;

	if (l->apart) {
		if ((rc = own_copy(l, r, &own)) < 0)
			return rc;
		new.spool = own;
	}
	rc = store_email_add(l->s->store, &new, 1, &added, NULL);
	store_spool_free(&own);
	if (rc == STORE_E_EXISTS && l->once.n > 0) {
		log_info("duplicate: from=<%.*s> to=<%.*s> account=%s "
			 "message-id=%.*s",
		    (int)l->sender.n, l->sender.p, (int)r->address.n,
		    r->address.p, r->account, (int)l->once.n, l->once.p);
		r->duplicate = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	log_info("delivered: from=<%.*s> to=<%.*s> account=%s size=%" PRIu64
		 " uid=%" PRIu32,
	    (int)l->sender.n, l->sender.p, (int)r->address.n, r->address.p,
	    r->account, added.size, added.uid);
	r->blob = added.blob;
	return 0;
}

/* Another detail may have led to the same mailbox: whose answer it was. */
static const struct lmtp_rcpt *
find_same(const struct lmtp *l, const struct lmtp_rcpt *r)
{
	for (const struct lmtp_rcpt *o = l->rcpt; o < r; o++)
		if (o->mailbox == r->mailbox &&
		    strcmp(o->account, r->account) == 0)
			return o;
	return NULL;
}

static int
deliver(struct lmtp *l, struct lmtp_rcpt *r)
{
	const struct lmtp_rcpt *same;
	uint64_t mailbox = 0;
	int rc;

	if ((rc = lmtp_account(l, r->account)) < 0 ||
	    (rc = find_mailbox(l, r, &mailbox)) < 0)
		/* The user is there, so the mail waits for its store. */
		return rc == STORE_E_NOTFOUND ? STORE_E_IO : rc;
	r->mailbox = mailbox;
	if ((same = find_same(l, r)) != NULL) {
		r->same = (size_t)(same - l->rcpt);
		return same->rc;
	}
	if ((rc = add(l, r)) < 0 || r->duplicate)
		return rc;
	vacation_note(l, r, l->arrived);
	if (++l->delivered % IDLE_EVERY == 0)
		store_idle(l->s->store, false);
	return 0;
}

/* What cannot be said of a recipient to a sender is only for the log. */
static void
log_failure(const struct lmtp *l, const struct lmtp_rcpt *r)
{
	const char *detail = l->s->store != NULL ? store_errmsg(l->s->store) :
						   "";

	log_err("not delivered: from=<%.*s> to=<%.*s> account=%s: %s%s%s",
	    (int)l->sender.n, l->sender.p, (int)r->address.n, r->address.p,
	    r->account, store_error(r->rc)->text, *detail ? ": " : "", detail);
}

/* ---- all of them ------------------------------------------------------- */

void
lmtp_failure(struct lmtp *l, int rc)
{
	const struct conf *c = l->s->conf;

	if (rc == STORE_E_QUOTA && c->lmtp_over_quota == CONF_PERMANENT)
		lmtp_reply(l, "552 5.2.2 %s", store_error(rc)->text);
	else if (rc == STORE_E_NOSPACE && c->lmtp_disk_full == CONF_PERMANENT)
		lmtp_reply(l, "552 5.3.1 No space left");
	else
		lmtp_reply(l, "%s %s", store_error(rc)->lmtp,
		    store_error(rc)->text);
}

/* RFC 2033 4.2: an answer for each recipient, in their order. */
static void
answer_all(struct lmtp *l, int rc)
{
	for (size_t i = 0; i < l->n_rcpt; i++) {
		struct lmtp_rcpt *r = &l->rcpt[i];

		if (r->same != i)
			r->rc = l->rcpt[r->same].rc;
		else if ((r->rc = rc) == 0 && (r->rc = deliver(l, r)) < 0)
			log_failure(l, r);
		if (r->rc >= 0)
			lmtp_reply(l, "250 2.0.0 Delivered");
		else
			lmtp_failure(l, r->rc);
		/* The next one may take a while. */
		sio_flush(l->s->io);
	}
}

/* A report about what a recipient had submitted (RFC 8621 7, dsnBlobIds). */
static void
take_report(struct lmtp *l, struct slice octets)
{
	struct report report;
	uint64_t id;
	int rc;

	if (l->sender.n > 0 || !report_parse(octets, l->arena, &report))
		return;
	for (size_t i = 0; i < l->n_rcpt; i++) {
		const struct lmtp_rcpt *r = &l->rcpt[i];
		struct store **st = &l->s->store;

		if (r->same != i || r->rc < 0 || r->duplicate ||
		    lmtp_account(l, r->account) < 0 ||
		    store_submission_from_envid(*st, report.envid, &id) < 0)
			continue;
		rc = store_submission_report(*st, id, report.rcpt, report.n,
		    &r->blob);
		if (rc < 0 && rc != STORE_E_NOTFOUND)
			log_err("account=%s: report of S%" PRIx64 ": %s",
			    r->account, id, store_error(rc)->text);
	}
}

/* The Message-ID, where duplicates are to be known by it. */
static void
take_once(struct lmtp *l, struct slice octets)
{
	struct mime_fields it;
	struct mime_field f;

	if (l->s->conf->lmtp_once_s == 0)
		return;
	mime_fields_init(&it, octets);
	while (mime_fields_next(&it, &f))
		if (slice_ieq(f.name, SLICE_LIT("Message-ID"))) {
			f.value = slice_trim(f.value);
			if (f.value.n > 0 && f.value.n <= ONCE_NAME_MAX)
				l->once = f.value;
			return;
		}
}

void
lmtp_finish(struct lmtp *l, int rc)
{
	if (rc == 0)
		rc = store_spool_done(l->spool);
	if (rc < 0)
		log_err("message from=<%.*s>: %s", (int)l->sender.n,
		    l->sender.p, store_error(rc)->text);
	if (rc == 0)
		take_once(l, store_spool_octets(l->spool));
	answer_all(l, rc);
	if (rc == 0) {
		vacation_answer(l, store_spool_octets(l->spool), l->arrived);
		take_report(l, store_spool_octets(l->spool));
	}
	lmtp_reset(l);
}
