/* imapd/cmd-copy.c - COPY and MOVE (RFC 3501 6.4.7, RFC 4315, RFC 6851) */
#include "config.h"

#include "imapd/copy.h"
#include "libbase/xalloc.h"

/* "COPYUID validity sources targets" */
static const char *
copyuid(struct imap_cmd *cmd, uint32_t validity, const struct store_pair *p,
    size_t n)
{
	uint32_t *side = xcalloc(n, sizeof(*side));
	struct buf text;
	const char *code;

	buf_init(&text, 64 * 1024 * 1024);
	buf_printf(&text, "COPYUID %u ", (unsigned)validity);
	for (size_t i = 0; i < n; i++)
		side[i] = p[i].from;
	seqset_print(&text, side, n);
	buf_addc(&text, ' ');
	for (size_t i = 0; i < n; i++)
		side[i] = p[i].to;
	seqset_print(&text, side, n);
	code = arena_strndup(cmd->a, text.p, text.n);
	buf_release(&text);
	xfree(side);
	return code;
}

static enum imap_next
copied(struct imap_cmd *cmd, const struct imap_place *to,
    const struct store_pair *p, size_t n, bool move)
{
	const char *code = NULL;

	if (n == 0)
		return imap_ok(cmd, "There was nothing of that");
	/* RFC 4315 3: the UIDs are none of his business who may not select
	 * the mailbox. */
	if (to->rights & STORE_RIGHT_READ)
		code = copyuid(cmd, to->mb.uidvalidity, p, n);
	if (!move)
		return imap_ok_code(cmd, code, "Copied");
	if (code == NULL)
		return imap_ok_expunged(cmd, "Moved");
	enc_raw(&cmd->s->out, "* OK [");
	enc_raw(&cmd->s->out, code);
	enc_raw(&cmd->s->out, "] ");
	enc_say(&cmd->s->out, "Moved");
	enc_eol(&cmd->s->out);
	return imap_ok_expunged(cmd, "Moved");
}

static enum imap_next
copy(struct imap_cmd *cmd, bool move)
{
	struct imap_session *s = cmd->s;
	struct view *v = &s->view;
	struct imap_place to;
	struct store_pair *pairs = NULL;
	struct seqset set;
	struct slice name;
	size_t n, n_pairs = 0, missing;
	uint32_t *uids;
	int rc;

	if (!imap_set(cmd, &set))
		return IMAP_DONE;
	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	/* RFC 4314 has no MOVE: it is COPY, STORE \Deleted and EXPUNGE. */
	if (move && !imap_may(s, STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE))
		return imap_no(cmd, "NOPERM",
		    "You may not remove messages here");
	/* Learns who is gone; EXPUNGE comes when it may. */
	if ((rc = imap_sync(s, false, NULL)) < 0)
		return imap_store_failed(cmd, rc);
	uids = view_uids(v, &set, cmd->uid, cmd->a, &n, &missing);
	if (missing > 0 && !cmd->uid)
		return imap_no(cmd, "EXPUNGEISSUED",
		    "Some of the messages were expunged");
	if (move)
		n = imap_limit(cmd, &uids, n);
	else if (imap_limit_save(s) != 0 && n > imap_limit_save(s))
		return imap_over_limit(cmd, imap_limit_save(s));
	rc = imap_mailbox(cmd, name, STORE_RIGHT_INSERT, &to);
	if (rc == STORE_E_NOTFOUND && to.own)
		return imap_no(cmd, "TRYCREATE", "There is no such mailbox");
	if (rc >= 0 && n > 0 && to.st == v->st &&
	    imap_flags_allowed(to.rights) == imap_flags_allowed(
	    STORE_RIGHTS_ALL))
		rc = store_msgs_copy(v->st, cmd->a, v->mailbox, uids, n,
		    to.mb.id, move, &pairs, &n_pairs, NULL);
	else if (rc >= 0 && n > 0)
		rc = copy_across(cmd, &to, uids, n, move, &pairs, &n_pairs);
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	return copied(cmd, &to, pairs, n_pairs, move);
}

enum imap_next
cmd_copy(struct imap_cmd *cmd)
{
	return copy(cmd, false);
}

enum imap_next
cmd_move(struct imap_cmd *cmd)
{
	return copy(cmd, true);
}
