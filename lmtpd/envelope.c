/* lmtpd/envelope.c - MAIL and RCPT */
#include "config.h"

#include <string.h>

#include "libbase/log.h"
#include "lmtpd/address.h"
#include "lmtpd/dsn.h"
#include "lmtpd/lmtp.h"

/* Takes "FROM:" or "TO:" (any case) from the front. */
static bool
take_word(struct slice *args, struct slice word)
{
	while (args->n > 0 && args->p[0] == ' ') {
		args->p++;
		args->n--;
	}
	if (!slice_istarts(*args, word))
		return false;
	args->p += word.n;
	args->n -= word.n;
	return true;
}

struct mail_params {
	bool size, body, utf8;	/* given */
	int dsn;		/* DSN_* that were given */
	uint64_t octets;
};

/* What dsn_*_param() said of one: NULL, or the refusal. */
static const char *
dsn_refusal(int rc, int *given)
{
	if (rc == 0)
		return "555 5.5.4 Unknown parameter";
	if (rc < 0 || (*given & rc))
		return "501 5.5.4 A parameter for reports is malformed";
	*given |= rc;
	return NULL;
}

/* One parameter of MAIL: NULL, or the refusal. */
static const char *
mail_param(const struct param *p, struct mail_params *m)
{
	if (slice_ieq(p->keyword, SLICE_LIT("SIZE"))) {
		if (m->size || p->value.p == NULL || p->value.n > 20 ||
		    slice_uint(p->value, UINT64_MAX, &m->octets) < 0)
			return "501 5.5.4 SIZE is malformed";
		m->size = true;
	} else if (slice_ieq(p->keyword, SLICE_LIT("BODY"))) {
		if (m->body ||
		    (!slice_ieq(p->value, SLICE_LIT("7BIT")) &&
			!slice_ieq(p->value, SLICE_LIT("8BITMIME"))))
			return "501 5.5.4 BODY is 7BIT or 8BITMIME";
		m->body = true;
	} else if (slice_ieq(p->keyword, SLICE_LIT("SMTPUTF8"))) {
		if (m->utf8 || p->value.p != NULL)
			return "501 5.5.4 SMTPUTF8 takes no value";
		m->utf8 = true;
	} else
		return dsn_refusal(dsn_mail_param(p), &m->dsn);
	return NULL;
}

enum lmtp_next
cmd_mail(struct lmtp *l, struct slice args)
{
	struct mail_params m = { .size = false };
	struct param param;
	struct path path;
	const char *why;
	int rc;

	if (l->client.p == NULL)
		return lmtp_reply(l, "503 5.5.1 LHLO goes first");
	if (l->mail)
		return lmtp_reply(l, "503 5.5.1 There is a sender already");
	if (!take_word(&args, SLICE_LIT("FROM:")))
		return lmtp_reply(l, "501 5.5.4 MAIL FROM:<address>");
	if (path_parse(&args, &path) < 0)
		return lmtp_reply(l, "501 5.1.7 Malformed address");
	while ((rc = param_parse(&args, &param)) > 0)
		if ((why = mail_param(&param, &m)) != NULL)
			return lmtp_reply(l, "%s", why);
	if (rc < 0)
		return lmtp_reply(l, "501 5.5.4 Malformed parameter");
	if (!path.ascii && !m.utf8)	/* RFC 6531 3.5 */
		return lmtp_reply(l, "553 5.6.7 The address needs SMTPUTF8");
	if (m.octets > l->s->conf->max_message)	/* RFC 1870 6.1 */
		return lmtp_reply(l, "552 5.3.4 Message too large");
	l->mail = true;
	l->utf8 = m.utf8;
	l->sender = arena_slice(l->txn, path.mailbox);
	return lmtp_reply(l, "250 2.1.0 Sender accepted");
}

static void
add_rcpt(struct lmtp *l, struct slice address, struct slice account,
    struct slice detail)
{
	struct lmtp_rcpt *r;
	size_t i;

	if (l->s->conf->lmtp_detail_folder == CONF_DETAIL_NONE)
		detail.n = 0;
	for (i = 0; i < l->n_rcpt; i++)
		if (slice_eq(slice_str(l->rcpt[i].account), account) &&
		    slice_eq(l->rcpt[i].detail, detail))
			break;
	l->rcpt = arena_grow(l->txn, l->rcpt, &l->cap_rcpt, l->n_rcpt + 1,
	    sizeof(*l->rcpt));
	r = &l->rcpt[l->n_rcpt];
	r->address = arena_slice(l->txn, address);
	r->account = arena_strndup(l->txn, account.p, account.n);
	r->detail = detail.n > 0 ? arena_slice(l->txn, detail) : detail;
	r->mailbox = 0;
	r->same = i;
	r->rc = 0;
	r->duplicate = false;
	r->vacation = NULL;
	l->n_rcpt++;
}

enum lmtp_next
cmd_rcpt(struct lmtp *l, struct slice args)
{
	struct slice account, detail;
	struct param param;
	struct path path;
	const char *why;
	int rc, dsn = 0;

	if (!l->mail)
		return lmtp_reply(l, "503 5.5.1 MAIL goes first");
	if (l->chunked)
		return lmtp_reply(l, "503 5.5.1 The message has begun");
	if (!take_word(&args, SLICE_LIT("TO:")))
		return lmtp_reply(l, "501 5.5.4 RCPT TO:<address>");
	if (path_parse(&args, &path) < 0 || path.mailbox.n == 0)
		return lmtp_reply(l, "501 5.1.3 Malformed address");
	while ((rc = param_parse(&args, &param)) > 0)
		if ((why = dsn_refusal(dsn_rcpt_param(&param), &dsn)) != NULL)
			return lmtp_reply(l, "%s", why);
	if (rc < 0)
		return lmtp_reply(l, "501 5.5.4 Malformed parameter");
	if (!path.ascii && !l->utf8)
		return lmtp_reply(l, "553 5.6.7 The address needs SMTPUTF8");
	if (l->n_rcpt >= LMTP_RCPT_MAX || arena_full(l->txn))
		return lmtp_reply(l, "452 4.5.3 Too many recipients");
	rc = login_recipient(l->s->conf, path.mailbox, l->arena, &account,
	    &detail);
	if (rc == LOGIN_E_TEMP)
		return lmtp_reply(l, "451 4.3.0 Try again later");
	if (rc != LOGIN_OK) {
		log_info("no recipient <%.*s>", (int)path.mailbox.n,
		    path.mailbox.p);
		return lmtp_reply(l, "550 5.1.1 No such user here");
	}
	add_rcpt(l, path.mailbox, account, detail);
	return lmtp_reply(l, "250 2.1.5 Recipient accepted");
}
