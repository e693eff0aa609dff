/* pop3d/auth.c - the AUTHORIZATION state: USER, PASS, AUTH, STLS */
#include "config.h"

#include "libbase/buf.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "pop3d/pop3.h"

/* Answers a finished login; on success locks and opens the maildrop. */
static enum pop3_next
logged_in(struct pop3 *p, int rc)
{
	switch (rc) {
	case LOGIN_OK:
		break;
	case LOGIN_E_BAD:
		return pop3_err(p, "AUTH", "Wrong name or password");
	case LOGIN_E_DENIED:
		return pop3_err(p, "AUTH", "This account may not log in here");
	case LOGIN_E_SYNTAX:
		return pop3_err(p, NULL, "Malformed authentication data");
	case LOGIN_E_MECH:
		return pop3_err(p, NULL, "Unknown mechanism");
	case LOGIN_E_CRYPT:
		return pop3_err(p, NULL, "Use STLS first");
	case LOGIN_E_TOOMANY:
		pop3_err(p, "AUTH", "Too many failures");
		return POP3_BYE;
	case LOGIN_E_CORRUPT:
		return pop3_err(p, "SYS/PERM", "The stored data is damaged");
	default:
		return pop3_err(p, "SYS/TEMP", "Try again later");
	}
	if ((rc = drop_open(p)) < 0) {
		if (rc == STORE_E_BUSY)
			pop3_err(p, "IN-USE",
			    "Another session has the maildrop");
		else if (rc == DROP_E_DELAY)
			pop3_err(p, "LOGIN-DELAY",
			    "The last login was a moment ago");
		else if (rc == STORE_E_NOTFOUND)
			pop3_err(p, "SYS/PERM", "There is no maildrop");
		else
			pop3_store_err(p, rc, "open maildrop");
		login_forget(p->s);
		return POP3_CONT;
	}
	p->state = POP3_TRANSACTION;
	return pop3_ok(p, "%zu messages (%llu octets)", p->drop.n,
	    (unsigned long long)p->drop.live_size);
}

/* RFC 1939 section 7.  Every name is accepted here: PASS answers for both. */
enum pop3_next
cmd_user(struct pop3 *p, struct slice args)
{
	if (!p->s->plaintext_ok)
		return pop3_err(p, NULL, "Use STLS first");
	xfree(p->user);
	p->user = xstrndup(args.p, args.n);
	return pop3_ok(p, "Send PASS");
}

enum pop3_next
cmd_pass(struct pop3 *p, struct slice args)
{
	char *user = p->user;
	int rc;

	if (user == NULL)
		return pop3_err(p, NULL, "USER goes first");
	p->user = NULL;
	rc = login_password(p->s, slice_str(user), args);
	xfree(user);
	return logged_in(p, rc);
}

static enum pop3_next
auth_step(struct pop3 *p, struct slice in)
{
	struct slice challenge = { NULL, 0 };
	struct buf b;
	int rc;

	rc = sasl_step(p->sasl, p->arena, in, &challenge);
	if (rc != LOGIN_MORE) {
		sasl_free(&p->sasl);
		return logged_in(p, rc);
	}
	buf_init(&b, 65536);
	base64_encode(&b, challenge);
	sio_puts(p->s->io, "+ ");
	sio_put_slice(p->s->io, buf_slice(&b));
	sio_puts(p->s->io, "\r\n");
	buf_release(&b);
	return POP3_CONT;
}

enum pop3_next
auth_line(struct pop3 *p, struct slice line)
{
	struct slice in;

	if (slice_eq(line, SLICE_LIT("*"))) {
		sasl_free(&p->sasl);
		return pop3_err(p, NULL, "Authentication cancelled");
	}
	if (base64_decode(line, p->arena, &in) < 0) {
		sasl_free(&p->sasl);
		return pop3_err(p, NULL, "Malformed base64");
	}
	if (in.p == NULL)
		in = SLICE_LIT("");
	return auth_step(p, in);
}

/* RFC 5034: AUTH mechanism [initial-response]; RFC 1734's bare AUTH lists the
 * mechanisms. */
enum pop3_next
cmd_auth(struct pop3 *p, struct slice args)
{
	struct slice mech = args, first = { NULL, 0 };
	const char *sp;
	int rc;

	if (args.n == 0) {
		const char *m = sasl_mechanisms(p->s), *end;

		pop3_ok(p, "Mechanisms follow");
		for (; *m != '\0'; m = *end == ' ' ? end + 1 : end) {
			end = m + strcspn(m, " ");
			sio_put(p->s->io, m, (size_t)(end - m));
			sio_puts(p->s->io, "\r\n");
		}
		sio_puts(p->s->io, ".\r\n");
		return POP3_CONT;
	}
	if ((sp = memchr(args.p, ' ', args.n)) != NULL) {
		mech.n = (size_t)(sp - args.p);
		first = slice_make(sp + 1, args.n - mech.n - 1);
	}
	if ((rc = sasl_start(p->s, mech, &p->sasl)) < 0)
		return logged_in(p, rc);
	if (first.p == NULL)
		return auth_step(p, first);
	if (slice_eq(first, SLICE_LIT("=")))
		first = SLICE_LIT("");
	return auth_line(p, first);
}

/* RFC 6856 2.1. */
enum pop3_next
cmd_utf8(struct pop3 *p, struct slice args)
{
	(void)args;
	p->utf8 = true;
	return pop3_ok(p, "UTF-8 it is");
}

/* RFC 2595 section 4. */
enum pop3_next
cmd_stls(struct pop3 *p, struct slice args)
{
	(void)args;
	if (!p->s->tls_offered)
		return pop3_err(p, NULL,
		    sio_secure(p->s->io) ? "TLS is active already" :
					   "TLS is not available");
	if (p->utf8)	/* RFC 6856 2.1 */
		return pop3_err(p, NULL, "STLS goes before UTF8");
	pop3_ok(p, "Begin TLS negotiation");
	if (session_starttls(p->s) < 0)
		return POP3_BYE;
	/* What was said before TLS is not believed. */
	xfree(p->user);
	p->user = NULL;
	return POP3_CONT;
}
