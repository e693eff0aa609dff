/* imapd/cmd-mailbox.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE */
#include "config.h"

#include "imapd/list.h"

/* [(USE (\Sent))]: RFC 6154 3.  A mailbox has one use here, and a use one
 * mailbox.  false: answered. */
static bool
parse_use(struct imap_cmd *cmd, enum store_role *role_r)
{
	struct imap_args *v = &cmd->args, in, uses;
	int n = 0;

	if (v->next == NULL)
		return true;
	if (!imap_args_list(v, &in, "a list of parameters") ||
	    !imap_args_end(v)) {
		imap_bad_args(cmd);
		return false;
	}
	if ((!imap_args_word(&in, "USE") && !imap_args_expected(&in, "USE")) ||
	    !imap_args_list(&in, &uses, "a list of special uses") ||
	    !imap_args_end(&in)) {
		imap_bad(cmd, in.err);
		return false;
	}
	for (; uses.next != NULL; uses.next = uses.next->next, n++)
		if (uses.next->type != IMAP_ARG_ATOM ||
		    (*role_r = listing_role_from(uses.next->s)) ==
		    STORE_ROLE_NONE || n > 0) {
			imap_no(cmd, "USEATTR",
			    "That special use can't be given");
			return false;
		}
	return true;
}

static bool
role_taken(struct imap_cmd *cmd, struct store *st, enum store_role role)
{
	struct store_mailbox *mb;
	size_t n;

	if (store_mailbox_list(st, cmd->a, &mb, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (mb[i].role == role)
			return true;
	return false;
}

enum imap_next
cmd_create(struct imap_cmd *cmd)
{
	enum store_role role = STORE_ROLE_NONE;
	char text[STORE_ID_TEXT];
	struct imap_place p;
	struct slice name, raw;
	uint64_t id;
	int rc;

	if (!imap_args_name(&cmd->args, &name, &raw))
		return imap_bad_args(cmd);
	if (!parse_use(cmd, &role))
		return IMAP_DONE;
	/* RFC 3501 6.3.3: a separator at the end says that names below are
	 * going to be created; all our mailboxes can have them. */
	if (name.n > 1 && name.p[name.n - 1] == '/') {
		name.n--;
		raw.n--;
	}
	rc = imap_new_mailbox(cmd, name, &p);
	if (rc >= 0 && role != STORE_ROLE_NONE &&
	    (!p.own || role_taken(cmd, p.st, role)))
		return imap_no(cmd, "USEATTR",
		    "Another mailbox has that special use");
	if (rc < 0 || (rc = store_mailbox_create_path(p.st, p.path, role,
	    &id)) < 0)
		return imap_store_failed(cmd, rc);
	(void)imap_list_put(cmd, p.st, id, raw, false);
	return imap_ok_code(cmd, arena_printf(cmd->a, "MAILBOXID (%s)",
	    store_id_text('M', id, text)), "Created");
}

/* The name of a mailbox for this user. */
static int
full_name(struct imap_cmd *cmd, const struct imap_place *p,
    struct slice *name_r)
{
	int rc = store_mailbox_path(p->st, cmd->a, p->mb.id, name_r);

	if (rc >= 0 && !p->own)
		*name_r = slice_str(arena_printf(cmd->a, IMAP_OTHERS
		    "/%s/%.*s", store_account_name(p->st), (int)name_r->n,
		    name_r->p));
	return rc;
}

enum imap_next
cmd_delete(struct imap_cmd *cmd)
{
	struct slice name, raw;
	struct imap_place p;
	int rc;

	if (!imap_args_name(&cmd->args, &name, &raw) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_DELETE, &p)) < 0)
		return imap_store_failed(cmd, rc);
	if (p.mb.role == STORE_ROLE_INBOX)
		return imap_no(cmd, "CANNOT", "INBOX can't be deleted");
	if ((rc = full_name(cmd, &p, &name)) < 0 ||
	    (rc = store_mailbox_delete(p.st, p.mb.id)) < 0)
		return imap_store_failed(cmd, rc);
	imap_list_deleted(cmd, name, raw);
	return imap_ok(cmd, "Deleted");
}

/* RFC 9051 6.3.6: if one of the names isn't the mailbox's own, before or now,
 * the client is told what it is called now. */
static void
tell_renamed(struct imap_cmd *cmd, struct slice from, struct slice raw_from,
    struct slice to, struct slice raw_to)
{
	struct imap_place p;
	struct slice name;

	if (cmd->s->enabled & IMAP_REV2 &&
	    imap_mailbox(cmd, to, 0, &p) >= 0 &&
	    full_name(cmd, &p, &name) >= 0 &&
	    (!slice_eq(from, raw_from) || !slice_eq(name, raw_to)))
		(void)imap_list_put(cmd, p.st, p.mb.id, raw_from, true);
}

enum imap_next
cmd_rename(struct imap_cmd *cmd)
{
	struct slice from, to, raw_from, raw_to;
	struct imap_place p, q;
	int rc;

	if (!imap_args_name(&cmd->args, &from, &raw_from) ||
	    !imap_args_name(&cmd->args, &to, &raw_to) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if ((rc = imap_mailbox(cmd, from, STORE_RIGHT_DELETE, &p)) < 0 ||
	    (rc = full_name(cmd, &p, &from)) < 0 ||
	    (rc = imap_new_mailbox(cmd, to, &q)) < 0)
		return imap_store_failed(cmd, rc);
	if (p.st != q.st || (!p.own && p.mb.role == STORE_ROLE_INBOX))
		return imap_no(cmd, "CANNOT",
		    "It can't be moved between accounts");
	if ((rc = store_mailbox_rename(p.st, p.mb.id, q.path)) < 0)
		return imap_store_failed(cmd, rc);
	tell_renamed(cmd, from, raw_from, to, raw_to);
	return imap_ok(cmd, "Renamed");
}

/* A name in another user's tree: the subscription is one's own. */
static int
subscribe_other(struct imap_cmd *cmd, struct slice name, bool on)
{
	struct store *own = cmd->s->x->store;
	struct imap_place p;
	int rc = imap_mailbox(cmd, name, STORE_RIGHT_LOOKUP, &p);

	if (rc >= 0)
		rc = full_name(cmd, &p, &name);
	if (on)
		return rc < 0 ? rc : store_subscribe_name(own, name);
	rc = store_subscribe(own, name, false);
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

static enum imap_next
subscribe(struct imap_cmd *cmd, bool on)
{
	struct imap_place p;
	struct slice name;
	int rc;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	rc = imap_account(cmd, name, &p);
	if (!p.own)
		rc = subscribe_other(cmd, name, on);
	else if (rc >= 0)	/* RFC 9051 6.3.7: the mailbox may be gone */
		rc = store_subscribe(p.st, p.path, on);
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, on ? "Subscribed" : "Unsubscribed");
}

enum imap_next
cmd_subscribe(struct imap_cmd *cmd)
{
	return subscribe(cmd, true);
}

enum imap_next
cmd_unsubscribe(struct imap_cmd *cmd)
{
	return subscribe(cmd, false);
}
