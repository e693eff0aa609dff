/* lmtpd/data.c - DATA: the message comes in, and goes to each recipient */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "lmtpd/dots.h"
#include "lmtpd/lmtp.h"
#include "lmtpd/report.h"

enum {
	HEAD_MAX = 8192,	/* of the header fields that we add */
	IDLE_EVERY = 64		/* deliveries to an open store */
};

/* RFC 5322 3.3, in universal time. */
static void
add_date(struct buf *b, int64_t t)
{
	static const char *const day[] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" }, *const month[] = { "Jan", "Feb", "Mar", "Apr",
		"May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int y, m, d, s;
	int64_t days = time_day(t, &s);

	time_civil(days, &y, &m, &d);
	buf_printf(b, "%s, %d %s %04d %02d:%02d:%02d +0000", day[days % 7], d,
	    month[m - 1], y, s / 3600, s / 60 % 60, s % 60);
}

/*
 * The trace of RFC 5321 4.4.  One copy serves all recipients, so none is named
 * in it: blind copies stay blind.
 */
static void
add_head(struct lmtp *l)
{
	const struct session *s = l->s;
	struct buf b;

	buf_init(&b, HEAD_MAX);
	buf_printf(&b, "Return-Path: <%.*s>\r\n", (int)l->sender.n,
	    l->sender.p);
	buf_printf(&b, "Received: from %.*s (%s)\r\n\tby %s with %s;\r\n\t",
	    (int)(l->client.n < 255 ? l->client.n : 255), l->client.p, s->peer,
	    s->conf->hostname, l->utf8 ? "UTF8LMTP" : "LMTP");
	add_date(&b, l->arrived);
	buf_add_str(&b, "\r\n");
	store_spool_add(l->spool, b.p, b.n);	/* a failure stays */
	buf_release(&b);
}

/*
 * Reads the message to its dot.  0: it is all read, *rc_r tells how the spool
 * took it; SIO_*: the connection is over.
 */
static int
receive(struct lmtp *l, int *rc_r)
{
	struct sio *io = l->s->io;
	int timeout = (int)l->s->listener->idle_timeout_s * 1000, rc;
	uint64_t total = 0, limit = l->s->conf->max_message * LMTP_EXCESS;
	struct dots d;

	*rc_r = 0;
	dots_init(&d);
	for (;;) {
		struct slice in = sio_input(io), out;
		size_t used = 0;

		while (used < in.n && !d.done) {
			used += dots_next(&d,
			    slice_make(in.p + used, in.n - used), &out);
			total += out.n;
			if (*rc_r == 0 && out.n > 0)
				*rc_r = store_spool_add(l->spool, out.p,
				    out.n);
		}
		sio_consume(io, used);
		if (d.done)
			return 0;
		if (total > limit) {
			lmtp_reply(l, "421 4.3.4 Message far too large");
			return SIO_ERROR;
		}
		if ((rc = sio_fill(io, timeout)) < 0)
			return rc;
	}
}

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

static int
deliver(struct lmtp *l, struct lmtp_rcpt *r)
{
	struct session *s = l->s;
	struct store_new new = { .spool = l->spool,
		.received_at = l->arrived, .n_mailboxes = 1 };
	struct store_mailbox inbox;
	struct store_added added;
	int rc;

	if ((rc = lmtp_account(l, r->account)) < 0 ||
	    (rc = store_mailbox_find(s->store, l->arena, SLICE_LIT("INBOX"),
		 &inbox)) < 0)
		/* The user is there, so the mail waits for its store. */
		return rc == STORE_E_NOTFOUND ? STORE_E_IO : rc;
	new.mailboxes = &inbox.id;
	if ((rc = store_email_add(s->store, &new, 1, &added, NULL)) < 0)
		return rc;
	log_info("delivered: from=<%.*s> to=<%.*s> account=%s size=%" PRIu64
		 " uid=%" PRIu32,
	    (int)l->sender.n, l->sender.p, (int)r->address.n, r->address.p,
	    r->account, added.size, added.uid);
	r->blob = added.blob;
	vacation_note(l, r, l->arrived);
	if (++l->delivered % IDLE_EVERY == 0)
		store_idle(s->store, false);
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

/* RFC 2033 4.2: an answer for each recipient, in their order. */
static void
answer_all(struct lmtp *l, int rc)
{
	for (size_t i = 0; i < l->n_rcpt; i++) {
		struct lmtp_rcpt *r = &l->rcpt[i];

		if (r->same != i)
			r->rc = l->rcpt[r->same].rc;
		else if ((r->rc = rc) == 0 &&
		    (r->rc = deliver(l, r)) < 0)
			log_failure(l, r);
		if (r->rc >= 0)
			lmtp_reply(l, "250 2.0.0 Delivered");
		else
			lmtp_reply(l, "%s %s", store_error(r->rc)->lmtp,
			    store_error(r->rc)->text);
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

		if (r->same != i || r->rc < 0 ||
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

void
lmtp_begin(struct lmtp *l)
{
	l->spool = store_spool_new(&l->s->store_conf, true, 0);
	l->arrived = (int64_t)time(NULL);
	add_head(l);
}

void
lmtp_finish(struct lmtp *l, int rc)
{
	if (rc == 0)
		rc = store_spool_done(l->spool);
	if (rc < 0)
		log_err("message from=<%.*s>: %s", (int)l->sender.n,
		    l->sender.p, store_error(rc)->text);
	answer_all(l, rc);
	if (rc == 0) {
		vacation_answer(l, store_spool_octets(l->spool), l->arrived);
		take_report(l, store_spool_octets(l->spool));
	}
	lmtp_reset(l);
}

enum lmtp_next
cmd_data(struct lmtp *l, struct slice args)
{
	int rc;

	if (slice_trim(args).n > 0)
		return lmtp_reply(l, "501 5.5.4 DATA takes no argument");
	if (!l->mail)
		return lmtp_reply(l, "503 5.5.1 MAIL goes first");
	if (l->chunked)	/* RFC 3030 section 3 */
		return lmtp_reply(l, "503 5.5.1 BDAT goes on");
	if (l->n_rcpt == 0)
		return lmtp_reply(l, "503 5.5.1 No valid recipients");
	lmtp_reply(l, "354 End with a dot");
	lmtp_begin(l);
	if ((l->end = receive(l, &rc)) < 0)
		return LMTP_BYE;
	lmtp_finish(l, rc);
	return LMTP_CONT;
}
