/*
 * lmtpd/vacation.c - vacation responses (RFC 8621 8)
 *
 * After a message was delivered and that was said.  The memory of who got one
 * is durable before the response is handed over, which another process does:
 * whatever becomes of it, the next message need not wait.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libsession/mta.h"
#include "lmtpd/lmtp.h"
#include "lmtpd/vacation.h"

enum { HAND_OVER_S = 60 };

struct owner {
	struct lmtp *l;
	const struct lmtp_rcpt *r;
};

/* One of the account's addresses, or the one that this came to. */
static bool
is_mine(void *arg, struct slice address)
{
	const struct owner *o = arg;

	return slice_ieq(address, o->r->address) ||
	    login_sender(o->l->s->conf, o->r->account, address,
	    o->l->arena) == LOGIN_OK;
}

void
vacation_note(struct lmtp *l, struct lmtp_rcpt *r, int64_t now)
{
	struct store_vacation *v;

	if (!mta_configured(l->s->conf) || l->sender.n == 0)
		return;
	v = arena_alloc(l->txn, sizeof(*v));
	if (store_vacation_get(l->s->store, l->txn, v) < 0) {
		log_err("account=%s: vacation response: %s", r->account,
		    store_errmsg(l->s->store));
		return;
	}
	if (v->enabled && (!v->has_from || v->from <= now) &&
	    (!v->has_to || now < v->to))
		r->vacation = v;
}

/* ---- handing over ------------------------------------------------------ */

/* In a process of its own: nothing of the session's is left. */
static void __attribute__((noreturn))
hand_over(const struct conf *c, struct mta_mail *m, const char *account)
{
	struct arena *a = arena_new(0);
	int null = open("/dev/null", O_RDWR);
	bool to_stderr = strcmp(c->log, "stderr") == 0;

	log_close();
	for (int fd = 0; fd < 3; fd++)
		if (null >= 0 && (fd < 2 || !to_stderr))
			dup2(null, fd);
#ifdef HAVE_CLOSE_RANGE
	close_range(3, ~0U, 0);
#endif
	log_open("lmtpd", c->log, c->log_level);
	if (mta_send(c, m, a) != MTA_OK)
		log_warn("account=%s: the vacation response to <%.*s> was not "
		    "sent: %.*s", account, (int)m->rcpt[0].address.n,
		    m->rcpt[0].address.p, (int)m->reply.n,
		    m->reply.n > 0 ? m->reply.p : "");
	else
		log_info("account=%s: vacation response to <%.*s>", account,
		    (int)m->rcpt[0].address.n, m->rcpt[0].address.p);
	_exit(0);
}

static void
send_reply(struct lmtp *l, const struct lmtp_rcpt *r, struct slice octets)
{
	struct mta_rcpt to = { .address = l->sender };
	struct mta_mail m = { .rcpt = &to, .n_rcpt = 1, .octets = octets,
		.timeout_s = HAND_OVER_S };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		/* Whose child it is init will see. */
		pid = fork();
		if (pid == 0)
			hand_over(l->s->conf, &m, r->account);
		_exit(pid < 0);
	}
	if (pid < 0) {
		log_err("fork: %s", strerror(errno));
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* ---- one recipient ----------------------------------------------------- */

static void
answer(struct lmtp *l, const struct lmtp_rcpt *r, struct slice octets,
    int64_t now)
{
	const struct conf *c = l->s->conf;
	struct owner o = { l, r };
	struct vacation_reply reply = { .v = r->vacation, .octets = octets,
		.to = l->sender, .hostname = c->hostname, .now = now };
	struct slice own, mine, text;
	const char *why = vacation_refusal(octets, l->sender);
	int rc;

	if (why == NULL && is_mine(&o, l->sender))
		why = "the user sent it";
	if (why == NULL && !vacation_addressed(octets, is_mine, &o, l->arena,
	    &mine))
		why = "it is not addressed to the user";
	if (why != NULL) {
		log_debug("account=%s: no vacation response: %s", r->account,
		    why);
		return;
	}
	if (login_own_address(c, r->account, l->arena, &own,
	    &reply.from_name) != LOGIN_OK)
		return;
	reply.from = login_sender(c, r->account, mine, l->arena) == LOGIN_OK ?
	    mine : own;
	text = vacation_compose(&reply, l->arena);
	if (text.p == NULL) {
		log_err("account=%s: the vacation response can't be written",
		    r->account);
		return;
	}
	rc = store_vacation_claim(l->s->store, l->sender, now,
	    c->vacation_interval_s);
	if (rc < 0)
		log_err("account=%s: vacation response: %s", r->account,
		    store_errmsg(l->s->store));
	if (rc > 0)
		send_reply(l, r, text);
}

void
vacation_answer(struct lmtp *l, struct slice octets, int64_t now)
{
	for (size_t i = 0; i < l->n_rcpt; i++) {
		const struct lmtp_rcpt *r = &l->rcpt[i];

		if (r->vacation == NULL)
			continue;
		if (lmtp_account(l, r->account) == 0)
			answer(l, r, octets, now);
	}
}
