/*
 * imapd/cmd-quota.c - GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208)
 *
 * An account has one quota root, "account", for all its mailboxes; another
 * user's is "Other Users/NAME".  Who is one of the configuration's admins may
 * read and set all of them.
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

/* In 1,024 octets; the configuration's, for all accounts. */
static uint64_t
annotation_limit(const struct imap_cmd *cmd)
{
	return (cmd->s->x->conf->metadata_size + 1023) / 1024;
}

/* Resources without a limit aren't told of. */
static int
put_quota(struct imap_cmd *cmd, struct store *st, struct slice name)
{
	struct enc *e = &cmd->s->out;
	struct store_usage u;
	uint64_t annotations;
	int rc;

	if ((rc = store_usage(st, &u)) < 0 ||
	    (rc = store_metadata_size(st, &annotations)) < 0)
		return rc;
	enc_raw(e, "* QUOTA ");
	enc_astring(e, name);
	enc_open(e);
	put_resource(e, "STORAGE", (u.size + 1023) / 1024,
	    (u.size_limit + 1023) / 1024);
	put_resource(e, "MESSAGE", u.messages, u.message_limit);
	put_resource(e, "MAILBOX", u.mailboxes, u.mailbox_limit);
	put_resource(e, "ANNOTATION-STORAGE", (annotations + 1023) / 1024,
	    annotation_limit(cmd));
	enc_close(e);
	enc_eol(e);
	return 0;
}

bool
imap_is_admin(const struct imap_session *s)
{
	const struct conf *c = s->x->conf;
	const char *user = store_account_name(s->x->store);

	for (size_t i = 0; i < c->n_admins; i++)
		if (strcmp(c->admins[i], user) == 0)
			return true;
	return false;
}

/* The account of a quota root, in its newest state; false: answered. */
static bool
find(struct imap_cmd *cmd, struct slice name, struct store **st_r)
{
	struct slice others = SLICE_LIT(IMAP_OTHERS "/");
	int rc = STORE_E_NOTFOUND;

	*st_r = cmd->s->x->store;
	if (slice_eq(name, root)) {
		rc = store_refresh(*st_r);
	} else if (slice_starts(name, others)) {
		/* Rights are on mailboxes, and a root has many. */
		if (!imap_is_admin(cmd->s)) {
			imap_no(cmd, "NOPERM", "GETQUOTAROOT tells");
			return false;
		}
		rc = imap_other(cmd->s, slice_make(name.p + others.n,
		    name.n - others.n), st_r);
	}
	if (rc == STORE_E_NOTFOUND)
		imap_no(cmd, "NONEXISTENT", "No such quota root");
	else if (rc < 0)
		imap_store_failed(cmd, rc);
	return rc >= 0;
}

enum imap_next
cmd_getquota(struct imap_cmd *cmd)
{
	struct store *st;
	struct slice name;
	int rc;

	if (!imap_args_astring(&cmd->args, &name, "a quota root") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!find(cmd, name, &st))
		return IMAP_DONE;
	if ((rc = put_quota(cmd, st, name)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Done");
}

struct limits {
	uint64_t storage, message, mailbox, annotation;
	bool has_storage, has_message, has_mailbox, has_annotation;
	bool unknown;
};

static bool
parse_limits(struct imap_args *in, struct limits *l)
{
	struct slice name;
	uint64_t n;

	while (in->next != NULL) {
		if (!imap_args_atom(in, &name, "a resource") ||
		    !imap_args_number64(in, &n, "a limit"))
			return false;
		if (slice_ieq(name, SLICE_LIT("STORAGE"))) {
			l->storage = n;
			l->has_storage = true;
		} else if (slice_ieq(name, SLICE_LIT("MESSAGE"))) {
			l->message = n;
			l->has_message = true;
		} else if (slice_ieq(name, SLICE_LIT("MAILBOX"))) {
			l->mailbox = n;
			l->has_mailbox = true;
		} else if (slice_ieq(name, SLICE_LIT("ANNOTATION-STORAGE"))) {
			l->annotation = n;
			l->has_annotation = true;
		} else {
			l->unknown = true;
		}
	}
	return true;
}

/* What of it can't be, or NULL. */
static const char *
check_limits(const struct limits *l, const struct store_usage *u,
    uint64_t annotations)
{
	if (l->unknown)
		return "There is no limit for such a resource";
	if (l->has_mailbox && l->mailbox != u->mailbox_limit)
		return "The limit of mailboxes is the server's";
	if (l->has_annotation && l->annotation != annotations)
		return "The limit of annotations is the server's";
	if ((l->has_storage && l->storage == 0) ||
	    (l->has_message && l->message == 0))
		return "A limit is 1 at least; what isn't named has none";
	if (l->storage > INT64_MAX / 1024 || l->message > UINT32_MAX)
		return "That limit is too great";
	return NULL;
}

/* RFC 9208 4.1.3: a resource that isn't named has no limit any more. */
enum imap_next
cmd_setquota(struct imap_cmd *cmd)
{
	struct limits l = { 0 };
	struct store_usage u;
	struct imap_args in;
	struct slice name;
	struct store *st;
	const char *wrong;
	int rc;

	if (!imap_args_astring(&cmd->args, &name, "a quota root") ||
	    !imap_args_list(&cmd->args, &in, "a list of limits") ||
	    !imap_args_end(&cmd->args))
		return imap_bad_args(cmd);
	if (!parse_limits(&in, &l)) {
		cmd->args.err = in.err;
		return imap_bad_args(cmd);
	}
	if (!imap_is_admin(cmd->s))
		return imap_no(cmd, "NOPERM", "Only admins set quotas");
	if (!find(cmd, name, &st))
		return IMAP_DONE;
	if ((rc = store_usage(st, &u)) < 0)
		return imap_store_failed(cmd, rc);
	if ((wrong = check_limits(&l, &u,
	    annotation_limit(cmd))) != NULL)
		return imap_no(cmd, "CANNOT", wrong);
	if ((rc = store_quota_set(st, l.storage * 1024, l.message)) < 0 ||
	    (rc = store_refresh(st)) < 0 ||
	    (rc = put_quota(cmd, st, name)) < 0)
		return imap_store_failed(cmd, rc);
	return imap_ok(cmd, "Set");
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
