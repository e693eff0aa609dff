/* pop3d/commands.c - the table of commands */
#include "config.h"

#include "pop3d/pop3.h"

enum { ANY = POP3_AUTHORIZATION | POP3_TRANSACTION };

static const struct pop3_command commands[] = {
	/* clang-format off */
	/* name, handler, states, wants arguments, takes arguments */
	{ "AUTH",	cmd_auth,	POP3_AUTHORIZATION,	false,	true },
	{ "CAPA",	cmd_capa,	ANY,			false,	false },
	{ "DELE",	cmd_dele,	POP3_TRANSACTION,	true,	true },
	{ "LANG",	cmd_lang,	ANY,			false,	true },
	{ "LIST",	cmd_list,	POP3_TRANSACTION,	false,	true },
	{ "NOOP",	cmd_noop,	POP3_TRANSACTION,	false,	false },
	{ "PASS",	cmd_pass,	POP3_AUTHORIZATION,	true,	true },
	{ "QUIT",	cmd_quit,	ANY,			false,	false },
	{ "RETR",	cmd_retr,	POP3_TRANSACTION,	true,	true },
	{ "RSET",	cmd_rset,	POP3_TRANSACTION,	false,	false },
	{ "STAT",	cmd_stat,	POP3_TRANSACTION,	false,	false },
	{ "STLS",	cmd_stls,	POP3_AUTHORIZATION,	false,	false },
	{ "TOP",	cmd_top,	POP3_TRANSACTION,	true,	true },
	{ "UIDL",	cmd_uidl,	POP3_TRANSACTION,	false,	true },
	{ "USER",	cmd_user,	POP3_AUTHORIZATION,	true,	true },
	{ "UTF8",	cmd_utf8,	POP3_AUTHORIZATION,	false,	false },
	/* clang-format on */
};

const struct pop3_command *
pop3_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_ieq(name, slice_str(commands[i].name)))
			return &commands[i];
	return NULL;
}
