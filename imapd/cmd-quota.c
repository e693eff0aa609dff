/*
 * imapd/cmd-quota.c - GETQUOTA, GETQUOTAROOT (RFC 9208)
 *
 * An account has one quota root, "account", for all its mailboxes; another
 * user's is "Other Users/NAME".  Limits are the administrator's to set.
 */
#include "config.h"

#include "imapd/imap.h"

static const struct slice root = { "account", 7 };

static void
put_resource(struct enc *e, const char *name, uint64_t usage, uint64_t limit)
{
	if (limit == 0)
		return;
	enc_sp(e);
	enc_raw(e, name);
	enc_raw(e, " ");
	enc_u64(e, usage);
	enc_raw(e, " ");
	enc_u64(e, limit);
}

/* Resources without a limit aren't told of. */
static int
put_quota(struct imap_cmd *cmd, struct store *st, struct slice name)
{
	struct enc *e = &cmd->s->out;
	struct store_usage u;
	int rc;

	if ((rc = store_usage(st, &u)) < 0)
		return rc;
	enc_raw(e, "* QUOTA ");
	enc_astring(e, name);
	enc_open(e);
	put_resource(e, "STORAGE", (u.size + 1023) / 1024,
	    (u.size_limit + 1023) / 1024);
	put_resource(e, "MESSAGE", u.messages, u.message_limit);
	put_resource(e, "MAILBOX", u.mailboxes, u.mailbox_limit);
	enc_close(e);
	enc_eol(e);
	return 0;
}

enum imap_next
cmd_getquota(struct imap_cmd *cmd)
{
	struct store *st = cmd->s->x->store;
	struct slice name;
	int rc;

	if (!imap_args_astring(&cmd->args, &name, "a quota root") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	/* Rights are on mailboxes; a root alone is nobody's but the owner's. */
	if (slice_starts(name, SLICE_LIT(IMAP_OTHERS "/")))
		return imap_no(cmd, "NOPERM", "GETQUOTAROOT tells");
	if (!slice_eq(name, root))
		return imap_no(cmd, "NONEXISTENT", "No such quota root");
	if ((rc = store_refresh(st)) < 0 ||
	    (rc = put_quota(cmd, st, root)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Done");
}

enum imap_next
cmd_getquotaroot(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	struct slice name, of;
	struct imap_place p;
	int rc;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_READ, &p)) < 0)
		return imap_store_failed(cmd, rc);
	enc_raw(e, "* QUOTAROOT ");
	enc_mailbox(e, name);
	enc_raw(e, " ");
	of = p.own ? root : slice_str(arena_printf(cmd->a, IMAP_OTHERS "/%s",
	    store_account_name(p.st)));
	enc_astring(e, of);
	enc_eol(e);
	if ((rc = put_quota(cmd, p.st, of)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Done");
}
