/*
 * imapd/cmd-expunge.c - EXPUNGE and UID EXPUNGE (RFC 3501 6.4.3, RFC 4315,
 * RFC 7162 3.2.7)
 */
#include "config.h"

#include "imapd/imap.h"

/* Only those with \Deleted count for the limit. */
static size_t
limit(struct imap_cmd *cmd, uint32_t **uids, size_t n)
{
	const struct view *v = &cmd->s->view;
	uint32_t most = cmd->s->x->conf->imap_message_limit;
	size_t deleted = 0;

	if (most == 0 || n <= most)
		return n;
	for (size_t i = 0; i < n; i++)
		if (v->m[view_find(v, (*uids)[i])].flags & STORE_DELETED)
			(*uids)[deleted++] = (*uids)[i];
	return imap_limit(cmd, uids, deleted);
}

enum imap_next
imap_ok_expunged(struct imap_cmd *cmd, const char *text)
{
	struct imap_session *s = cmd->s;
	int rc;

	if (!(s->enabled & IMAP_QRESYNC))
		return imap_ok(cmd, text);
	if ((rc = imap_sync(s, true, NULL)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok_code(cmd, arena_printf(cmd->a, "HIGHESTMODSEQ %llu",
	    (unsigned long long)s->view.highest), text);
}

enum imap_next
cmd_expunge(struct imap_cmd *cmd)
{
	struct view *v = &cmd->s->view;
	uint32_t *uids = NULL, *gone;
	size_t n = 0, n_gone = 0;
	struct seqset set;
	int rc;

	if (cmd->uid) {
		if (!imap_set(cmd, &set))
			return IMAP_DONE;
		uids = view_uids(v, &set, true, cmd->a, &n, NULL);
	}
	if (!imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!imap_may(cmd->s, STORE_RIGHT_EXPUNGE))
		return imap_no(cmd, "NOPERM", "You may not expunge here");
	if (cmd->uid)
		n = limit(cmd, &uids, n);
	if (v->dead || (cmd->uid && n == 0))
		return imap_ok(cmd, "Nothing to expunge");
	rc = store_msgs_expunge(imap_store(cmd->s), cmd->a, v->mailbox, uids, n,
	    &gone, &n_gone, NULL);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return imap_store_failed(cmd, rc);
	if (n_gone == 0)
		return imap_ok(cmd, "Expunged");
	return imap_ok_expunged(cmd, "Expunged");
}
