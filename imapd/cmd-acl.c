/* imapd/cmd-acl.c - SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314) */
#include "config.h"

#include "imapd/imap.h"
#include "libsession/passwd.h"

static void
put_rights(struct enc *e, unsigned rights)
{
	char text[STORE_RIGHTS_TEXT];

	enc_raw(e, " ");
	enc_astring(e, slice_str(store_rights_text(rights, true, text)));
}

/* A mailbox of which the user may change the rights.  false: answered. */
static bool
find(struct imap_cmd *cmd, struct slice name, struct imap_place *p_r)
{
	int rc = imap_mailbox(cmd, name, STORE_RIGHT_ADMIN, p_r);

	if (rc < 0)
		imap_store_failed(cmd, rc);
	return rc >= 0;
}

/* An identifier as accounts are called, whatever case it is written in.  false:
 * answered. */
static bool
canonical(struct imap_cmd *cmd, struct slice *who)
{
	bool minus = who->n > 0 && who->p[0] == '-';
	struct slice name = *who;

	if (minus)
		name = slice_make(who->p + 1, who->n - 1);
	if (passwd_name(name, cmd->a, &name) < 0) {
		imap_no(cmd, "CANNOT", "That is no account's name");
		return false;
	}
	*who = slice_str(arena_printf(cmd->a, "%s%.*s", minus ? "-" : "",
	    (int)name.n, name.p));
	return true;
}

/* Is that the owner, or what is taken from him? */
static bool
is_owner(const struct imap_place *p, struct slice who, bool *minus_r)
{
	*minus_r = who.n > 0 && who.p[0] == '-';
	if (*minus_r)
		who = slice_make(who.p + 1, who.n - 1);
	return slice_eq(who, slice_str(store_account_name(p->st)));
}

/* "lr", "+lr", "-lr".  false: args.err is set. */
static bool
parse_change(struct imap_cmd *cmd, enum store_acl_op *op_r, unsigned *rights_r)
{
	struct slice s;

	if (!imap_args_astring(&cmd->args, &s, "rights") ||
	    !imap_args_end(&cmd->args))
		return false;
	*op_r = STORE_ACL_SET;
	if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
		*op_r = s.p[0] == '+' ? STORE_ACL_ADD : STORE_ACL_DEL;
		s = slice_make(s.p + 1, s.n - 1);
	}
	if (store_rights_from(s, rights_r) < 0) {
		cmd->args.err = "there is no such right";
		return false;
	}
	return true;
}

static enum imap_next
change(struct imap_cmd *cmd, struct slice name, struct slice who,
    enum store_acl_op op, unsigned rights)
{
	struct imap_place p;
	bool minus;
	int rc;

	if (!find(cmd, name, &p) || !canonical(cmd, &who))
		return IMAP_DONE;
	if (is_owner(&p, who, &minus)) {
		if (!minus && (op == STORE_ACL_ADD ||
		    (op == STORE_ACL_SET && rights == STORE_RIGHTS_ALL)))
			return imap_ok(cmd, "The owner has all rights");
		return imap_no(cmd, "CANNOT", "The owner has all rights");
	}
	rc = store_acl_set(p.st, p.mb.id, who, op, rights);
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Done");
}

enum imap_next
cmd_setacl(struct imap_cmd *cmd)
{
	struct slice name, who;
	enum store_acl_op op;
	unsigned rights;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_astring(&cmd->args, &who, "an identifier") ||
	    !parse_change(cmd, &op, &rights))
		return imap_bad_args(cmd);
	return change(cmd, name, who, op, rights);
}

enum imap_next
cmd_deleteacl(struct imap_cmd *cmd)
{
	struct slice name, who;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_astring(&cmd->args, &who, "an identifier") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	return change(cmd, name, who, STORE_ACL_SET, 0);
}

enum imap_next
cmd_getacl(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	struct imap_place p;
	struct store_acl *v;
	struct slice name;
	size_t n;
	int rc;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!find(cmd, name, &p))
		return IMAP_DONE;
	if ((rc = store_acl_get(p.st, cmd->a, p.mb.id, &v, &n)) < 0)
		return imap_store_failed(cmd, rc);
	enc_raw(e, "* ACL ");
	enc_mailbox(e, name);
	enc_raw(e, " ");
	enc_astring(e, slice_str(store_account_name(p.st)));
	put_rights(e, STORE_RIGHTS_ALL);
	for (size_t i = 0; i < n; i++) {
		enc_raw(e, " ");
		enc_astring(e, v[i].who);
		put_rights(e, v[i].rights);
	}
	enc_eol(e);
	return imap_ok(cmd, "Listed");
}

/* No right is tied to another. */
static void
put_optional(struct enc *e)
{
	char all[STORE_RIGHTS_TEXT];

	store_rights_text(STORE_RIGHTS_ALL, true, all);
	enc_raw(e, " \"\"");
	for (size_t i = 0; all[i] != '\0'; i++) {
		enc_raw(e, " ");
		enc_text(e, slice_make(all + i, 1));
	}
}

enum imap_next
cmd_listrights(struct imap_cmd *cmd)
{
	struct enc *e = &cmd->s->out;
	struct slice name, who, given;
	struct imap_place p;
	bool minus;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_astring(&cmd->args, &who, "an identifier") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	given = who;	/* RFC 4314 3.4: as the client wrote it */
	if (!find(cmd, name, &p) || !canonical(cmd, &who))
		return IMAP_DONE;
	enc_raw(e, "* LISTRIGHTS ");
	enc_mailbox(e, name);
	enc_raw(e, " ");
	enc_astring(e, given);
	if (!is_owner(&p, who, &minus))
		put_optional(e);
	else	/* he has all or, of what is taken, nothing */
		put_rights(e, minus ? 0 : STORE_RIGHTS_ALL);
	enc_eol(e);
	return imap_ok(cmd, "Listed");
}

void
imap_myrights_put(struct imap_cmd *cmd, struct slice name, unsigned rights)
{
	struct enc *e = &cmd->s->out;

	enc_raw(e, "* MYRIGHTS ");
	enc_mailbox(e, name);
	put_rights(e, rights);
	enc_eol(e);
}

enum imap_next
cmd_myrights(struct imap_cmd *cmd)
{
	const unsigned any = STORE_RIGHT_LOOKUP | STORE_RIGHT_READ |
	    STORE_RIGHT_INSERT | STORE_RIGHT_CREATE | STORE_RIGHT_DELETE |
	    STORE_RIGHT_ADMIN;
	struct imap_place p;
	struct slice name;
	int rc;

	if (!imap_args_mailbox(&cmd->args, &name) ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	rc = imap_mailbox(cmd, name, 0, &p);
	if (rc >= 0 && (p.rights & any) == 0)
		rc = STORE_E_NOTFOUND;
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	imap_myrights_put(cmd, name, p.rights);
	return imap_ok(cmd, "Listed");
}
