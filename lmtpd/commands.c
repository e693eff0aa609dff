/* lmtpd/commands.c - the table of commands, and the simple ones */
#include "config.h"

#include <inttypes.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "lmtpd/lmtp.h"

static const struct lmtp_command commands[] = {
	/* clang-format off */
	{ "BDAT",	cmd_bdat },
	{ "DATA",	cmd_data },
	{ "EHLO",	cmd_hello },
	{ "HELO",	cmd_hello },
	{ "HELP",	cmd_help },
	{ "LHLO",	cmd_lhlo },
	{ "MAIL",	cmd_mail },
	{ "NOOP",	cmd_noop },
	{ "QUIT",	cmd_quit },
	{ "RCPT",	cmd_rcpt },
	{ "RSET",	cmd_rset },
	{ "VRFY",	cmd_vrfy },
	/* SMTP knows them, we don't. */
	{ "AUTH",	cmd_unknown },
	{ "ETRN",	cmd_unknown },
	{ "EXPN",	cmd_unknown },
	{ "STARTTLS",	cmd_unknown },
	/* clang-format on */
};

const struct lmtp_command *
lmtp_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_ieq(name, slice_str(commands[i].name)))
			return &commands[i];
	return NULL;
}

/* RFC 2033 4.1 */
enum lmtp_next
cmd_lhlo(struct lmtp *l, struct slice args)
{
	struct sio *io = l->s->io;

	args = slice_trim(args);
	if (args.n == 0)
		return lmtp_reply(l, "501 5.5.4 LHLO needs a domain");
	for (size_t i = 0; i < args.n; i++)
		if ((unsigned char)args.p[i] <= 0x20 || args.p[i] == 0x7f)
			return lmtp_reply(l, "501 5.5.4 Not a domain");
	if (!utf8_valid(args))
		return lmtp_reply(l, "501 5.5.4 Not a domain");
	lmtp_reset(l);
	xfree(l->client_mem);
	l->client_mem = xstrndup(args.p, args.n);
	l->client = slice_make(l->client_mem, args.n);
	sio_printf(io, "250-%s\r\n", l->s->conf->hostname);
	sio_puts(io, "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
		     "250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n");
	sio_printf(io, "250 SIZE %" PRIu64 "\r\n", l->s->conf->max_message);
	return LMTP_CONT;
}

/* RFC 2033 4.1: HELO and EHLO are refused, so that no SMTP client takes this
 * for an SMTP server. */
enum lmtp_next
cmd_hello(struct lmtp *l, struct slice args)
{
	(void)args;
	return lmtp_reply(l, "500 5.5.1 This is LMTP: LHLO");
}

enum lmtp_next
cmd_unknown(struct lmtp *l, struct slice args)
{
	(void)args;
	return lmtp_reply(l, "502 5.5.1 Not implemented");
}

enum lmtp_next
cmd_help(struct lmtp *l, struct slice args)
{
	(void)args;
	return lmtp_reply(l,
	    "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP");
}

enum lmtp_next
cmd_noop(struct lmtp *l, struct slice args)
{
	(void)args;
	return lmtp_reply(l, "250 2.0.0 Nothing done");
}

enum lmtp_next
cmd_rset(struct lmtp *l, struct slice args)
{
	if (slice_trim(args).n > 0)
		return lmtp_reply(l, "501 5.5.4 RSET takes no argument");
	lmtp_reset(l);
	return lmtp_reply(l, "250 2.0.0 Forgotten");
}

/* RFC 5321 3.5.3: neither yes nor no. */
enum lmtp_next
cmd_vrfy(struct lmtp *l, struct slice args)
{
	if (slice_trim(args).n == 0)
		return lmtp_reply(l, "501 5.5.4 VRFY needs a name");
	return lmtp_reply(l, "252 2.5.0 Try RCPT");
}

enum lmtp_next
cmd_quit(struct lmtp *l, struct slice args)
{
	if (slice_trim(args).n > 0)
		return lmtp_reply(l, "501 5.5.4 QUIT takes no argument");
	lmtp_reply(l, "221 2.0.0 Goodbye");
	return LMTP_BYE;
}
