/* imapd/set.c - the messages that a command is for (RFC 9051 sequence-set) */
#include "config.h"

#include "imapd/imap.h"

bool
imap_set(struct imap_cmd *cmd, struct seqset *set_r)
{
	struct view *v = &cmd->s->view;

	if (imap_args_word(&cmd->args, "$")) {
		*set_r = view_saved(v, cmd->uid, cmd->a);
		return true;
	}
	if (!imap_args_seqset(&cmd->args, view_star(v, cmd->uid), set_r)) {
		imap_bad_args(cmd);
		return false;
	}
	if (!cmd->uid && !view_in_range(v, set_r)) {
		imap_bad(cmd, "no message has that sequence number");
		return false;
	}
	return true;
}
