/* imapd/cmd-auth.c - STARTTLS, LOGIN, AUTHENTICATE (RFC 3501 6.2, RFC 4959),
 * UNAUTHENTICATE (RFC 8437) */
#include "config.h"

#include "imapd/imap.h"
#include "imapd/language.h"
#include "libbase/text.h"

/* ---- STARTTLS ---------------------------------------------------------- */

static void
do_starttls(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;

	/* What came before the handshake is thrown away, not believed. */
	enc_spill(&s->out);
	if (session_starttls(s->x) < 0)
		s->bye = true;
}

enum imap_next
cmd_starttls(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!cmd->s->x->tls_offered)
		return imap_bad(cmd, sio_secure(cmd->s->x->io) ?
		    "TLS is active already" : "TLS isn't available");
	cmd->after = do_starttls;
	return imap_ok(cmd, "Begin TLS now");
}

/* ---- the result of a login --------------------------------------------- */

static enum imap_next
logged_in(struct imap_cmd *cmd)
{
	struct buf caps;
	const char *code;

	cmd->s->bad = 0;
	buf_init(&caps, 4096);
	imap_capabilities(cmd->s, &caps);
	code = arena_printf(cmd->a, "CAPABILITY %.*s", (int)caps.n, caps.p);
	buf_release(&caps);
	return imap_ok_code(cmd, code, "Logged in");
}

static enum imap_next
login_result(struct imap_cmd *cmd, int rc)
{
	switch (rc) {
	case LOGIN_OK:
		return logged_in(cmd);
	case LOGIN_E_BAD:
		return imap_no(cmd, "AUTHENTICATIONFAILED",
		    "Wrong name or password");
	case LOGIN_E_DENIED:
		return imap_no(cmd, "AUTHORIZATIONFAILED",
		    "This account may not log in here");
	case LOGIN_E_SYNTAX:
		return imap_bad(cmd, "Malformed authentication message");
	case LOGIN_E_MECH:
		return imap_no(cmd, "CANNOT",
		    "That mechanism isn't available");
	case LOGIN_E_CRYPT:
		return imap_no(cmd, "PRIVACYREQUIRED", "Start TLS first");
	case LOGIN_E_TOOMANY:
		imap_no(cmd, "AUTHENTICATIONFAILED", "Wrong name or password");
		imap_bye(cmd->s, NULL, "Too many failed logins");
		return IMAP_BYE;
	case LOGIN_E_CORRUPT:
		return imap_no(cmd, "CORRUPTION",
		    "The stored data is damaged");
	default:
		return imap_no(cmd, "UNAVAILABLE",
		    "Can't check that now, try later");
	}
}

enum imap_next
cmd_login(struct imap_cmd *cmd)
{
	struct slice user, pass;

	if (!imap_args_astring(&cmd->args, &user, "a user name") ||
	    !imap_args_astring(&cmd->args, &pass, "a password") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!cmd->s->x->plaintext_ok)
		return login_result(cmd, LOGIN_E_CRYPT);
	return login_result(cmd, login_password(cmd->s->x, user, pass));
}

/* ---- AUTHENTICATE ------------------------------------------------------ */

static void
free_sasl(void *p)
{
	struct sasl *sasl = p;

	sasl_free(&sasl);
}

/* in: decoded; {NULL, 0}: the client has said nothing yet. */
static enum imap_next
sasl_next(struct imap_cmd *cmd, struct slice in)
{
	struct slice challenge = { NULL, 0 };
	struct enc *e = &cmd->s->out;
	struct buf b64;
	int rc;

	rc = sasl_step(cmd->state, cmd->a, in, &challenge);
	if (rc != LOGIN_MORE)
		return login_result(cmd, rc);
	buf_init(&b64, 64 * 1024);
	base64_encode(&b64, challenge);
	enc_raw(e, "+ ");
	enc_text(e, buf_slice(&b64));
	enc_eol(e);
	buf_release(&b64);
	return IMAP_MORE;
}

static enum imap_next
sasl_line(struct imap_cmd *cmd, struct slice line)
{
	struct slice in;

	if (slice_eq(line, SLICE_LIT("*")))
		return imap_bad(cmd, "Authentication canceled");
	if (base64_decode(line, cmd->a, &in) < 0)
		return imap_bad(cmd, "expected base64, or '*' to cancel");
	return sasl_next(cmd, in);
}

enum imap_next
cmd_authenticate(struct imap_cmd *cmd)
{
	struct slice mech, text, in = { NULL, 0 };
	struct sasl *sasl;
	int rc;

	if (!imap_args_atom(&cmd->args, &mech, "a SASL mechanism"))
		return imap_bad_args(cmd);
	if (cmd->args.next != NULL) {	/* RFC 4959: "=" is an empty one */
		if (!imap_args_astring(&cmd->args, &text,
		    "an initial response in base64") ||
		    !imap_args_end(&cmd->args))
			return imap_bad_args(cmd);
		if (slice_eq(text, SLICE_LIT("=")))
			in = SLICE_LIT("");
		else if (base64_decode(text, cmd->a, &in) < 0)
			return imap_bad(cmd, "expected base64 or '='");
	}
	if ((rc = sasl_start(cmd->s->x, mech, &sasl)) < 0)
		return login_result(cmd, rc);
	arena_defer(cmd->a, free_sasl, sasl);
	cmd->state = sasl;
	cmd->line = sasl_line;
	return sasl_next(cmd, in);
}

/* ---- UNAUTHENTICATE ---------------------------------------------------- */

/* All that the user brought about is forgotten but TLS and ID. */
static void
forget_user(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;

	imap_notify_forget(s);
	imap_unselect(s);
	imap_others_close(s);
	imap_flags_forget(s);
	language_reset();
	s->enabled = 0;
	s->collation = COLLATION_UNICODE;
	s->descending = false;
	s->out.utf8 = false;
	s->bad = 0;
	login_forget(s->x);
	s->deadline = time_mono_ms() +
	    (int64_t)s->x->listener->login_timeout_s * 1000;
}

enum imap_next
cmd_unauthenticate(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (cmd->s->compressed) {	/* NO isn't allowed, BYE is */
		imap_bye(cmd->s, NULL, "Connect anew: compression is active");
		return IMAP_BYE;
	}
	cmd->after = forget_user;
	return imap_ok(cmd, "Who are you?");
}
