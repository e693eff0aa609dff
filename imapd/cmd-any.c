/* imapd/cmd-any.c - CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE, NAMESPACE,
 * GETJMAPACCESS */
#include "config.h"

#include "imapd/imap.h"
#include "libbase/log.h"

enum {	/* RFC 2971 3.3 */
	ID_PAIRS = 30, ID_FIELD = 30, ID_VALUE = 1024
};

enum imap_next
cmd_capability(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	struct buf caps;

	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	buf_init(&caps, 4096);
	imap_capabilities(cmd->s, &caps);
	enc_raw(e, "* CAPABILITY ");
	enc_text(e, buf_slice(&caps));
	enc_eol(e);
	buf_release(&caps);
	return imap_ok(cmd, "Listed");
}

enum imap_next
cmd_noop(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	return imap_ok(cmd, "Done");
}

enum imap_next
cmd_check(struct imap_cmd *cmd)
{
	return cmd_noop(cmd);	/* every change is durable when it is told */
}

enum imap_next
cmd_logout(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	imap_bye(cmd->s, NULL, "See you");
	imap_ok(cmd, "Logged out");
	return IMAP_BYE;
}

/* ---- ID ---------------------------------------------------------------- */

static bool
parse_id(struct imap_cmd *cmd, struct buf *text)
{
	struct imap_args in;
	struct slice name, value;
	unsigned n = 0;

	if (imap_args_word(&cmd->args, "NIL"))
		return imap_args_end(&cmd->args);
	if (!imap_args_list(&cmd->args, &in, "NIL or a list") ||
	    !imap_args_end(&cmd->args))
		return false;
	while (in.next != NULL) {
		if (!imap_args_string(&in, &name, "a field's name") ||
		    !imap_args_nstring(&in, &value, "its value"))
			break;
		if (++n > ID_PAIRS || name.n > ID_FIELD || value.n > ID_VALUE) {
			in.err = "more or longer fields than ID allows";
			break;
		}
		buf_printf(text, " %.*s=%.*s", (int)name.n, name.p,
		    (int)value.n, value.p ? value.p : "");
	}
	cmd->args.err = in.err;
	return in.err == NULL;
}

enum imap_next
cmd_id(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	struct buf text;
	bool ok;

	buf_init(&text, 64 * 1024);
	ok = parse_id(cmd, &text);
	if (ok && text.n > 0 && !cmd->s->id_given) {
		log_info("client:%.*s", (int)text.n, text.p);
		cmd->s->id_given = true;
	}
	buf_release(&text);
	if (!ok)
		return imap_bad_args(cmd);
	/* No version: before login it would help only attackers. */
	enc_raw(e, "* ID (\"name\" \"Culver\")");
	enc_eol(e);
	return imap_ok(cmd, "Pleased to meet you");
}

/* RFC 9698: the same mail, names, passwords and ids by JMAP. */
enum imap_next
cmd_getjmapaccess(struct imap_cmd *cmd)
{
	const char *url = cmd->s->x->conf->jmap_url;
	struct enc *e = &cmd->s->out;

	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (url == NULL)
		return imap_bad(cmd, "JMAPACCESS isn't offered here");
	enc_raw(e, "* JMAPACCESS ");
	enc_string(e, slice_str(arena_printf(cmd->a, "%s/.well-known/jmap",
	    url)));
	enc_eol(e);
	return imap_ok(cmd, "That is where");
}

/* ---- ENABLE (RFC 5161) ------------------------------------------------- */

enum imap_next
cmd_enable(struct imap_cmd *cmd)
{
	static const struct {
		const char *name;
		unsigned what;
	} known[] = {
		{ "CONDSTORE", IMAP_CONDSTORE },
		{ "QRESYNC", IMAP_QRESYNC | IMAP_CONDSTORE },
		{ "IMAP4REV2", IMAP_REV2 },
		{ "UIDONLY", IMAP_UIDONLY },
		{ "UTF8=ACCEPT", IMAP_UTF8 },
	};
	struct enc *e = &cmd->s->out;
	unsigned before = cmd->s->enabled, wanted = 0;
	struct slice cap;

	/* What isn't known is passed over, as RFC 5161 3.1 says. */
	do {
		if (!imap_args_atom(&cmd->args, &cap, "a capability"))
			return imap_bad_args(cmd);
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (slice_ieq(cap, slice_str(known[i].name)))
				wanted |= 1u << i;
	} while (cmd->args.next != NULL);
	enc_raw(e, "* ENABLED");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (wanted & 1u << i && known[i].what & ~before) {
			enc_raw(e, " ");
			enc_raw(e, known[i].name);
		}
	enc_eol(e);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (wanted & 1u << i)
			imap_enable(cmd->s, known[i].what);
	return imap_ok(cmd, "Enabled what there is");
}

enum imap_next
cmd_namespace(struct imap_cmd *cmd)
{
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	enc_raw(&cmd->s->out, "* NAMESPACE ((\"\" \"/\")) "
	    "((\"" IMAP_OTHERS "/\" \"/\")) NIL");
	enc_eol(&cmd->s->out);
	return imap_ok(cmd, "Listed");
}
