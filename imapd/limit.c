/*
 * imapd/limit.c - MESSAGELIMIT and SAVELIMIT (RFC 9738): how many messages one
 * command may be about
 *
 * MESSAGELIMIT is for all commands: of more messages than that the newest ones
 * are processed and the answer says where it ended; COPY, APPEND, SORT and
 * THREAD, of which a part is of no use, are refused.  SAVELIMIT is for COPY and
 * APPEND alone; it is offered where there is no MESSAGELIMIT.
 */
#include "config.h"

#include "imapd/imap.h"

uint32_t
imap_limit_save(const struct imap_session *s)
{
	uint32_t most = s->x->conf->imap_message_limit;

	return most ? most : s->x->conf->imap_save_limit;
}

size_t
imap_limit(struct imap_cmd *cmd, uint32_t **uids, size_t n)
{
	uint32_t most = cmd->s->x->conf->imap_message_limit;

	if (most == 0 || n <= most)
		return n;
	*uids += n - most;
	cmd->limited = **uids;
	return most;
}

enum imap_next
imap_over_limit(struct imap_cmd *cmd, uint32_t most)
{
	return imap_no(cmd, arena_printf(cmd->a, "MESSAGELIMIT %u",
	    (unsigned)most), "Too many messages for one command");
}

void
imap_limit_tell(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	const char *code;

	if (cmd->limited == 0 || cmd->status != IMAP_S_OK)
		return;
	code = arena_printf(cmd->a, "MESSAGELIMIT %u %u",
	    (unsigned)cmd->s->x->conf->imap_message_limit,
	    (unsigned)cmd->limited);
	if (cmd->code == NULL) {
		cmd->code = code;
		cmd->text = "Done for the newest of these messages";
		return;
	}
	enc_raw(e, "* NO [");
	enc_raw(e, code);
	enc_raw(e, "] ");
	enc_say(e, "Done for the newest of these messages");
	enc_eol(e);
}
