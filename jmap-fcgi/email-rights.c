/* jmap-fcgi/email-rights.c - what may be done to Emails in other users'
 * mailboxes (RFC 8621 2, myRights) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

enum { REMOVE = STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE };

static json_t *
forbidden(const char *desc)
{
	return set_error("forbidden", desc);
}

/* Do these flags take no more than the rights? */
static bool
flags_ok(uint64_t flags, unsigned rights)
{
	return ((flags & STORE_SEEN) == 0 ||
	    (rights & STORE_RIGHT_SEEN) != 0) &&
	    ((flags & ~STORE_SEEN) == 0 || (rights & STORE_RIGHT_WRITE) != 0);
}

json_t *
email_rights_add(struct jmap_call *c, const uint64_t *mailboxes, size_t n,
    uint64_t flags)
{
	unsigned rights;

	for (size_t i = 0; i < n; i++) {
		rights = account_rights(c->acct, mailboxes[i]);
		if ((rights & STORE_RIGHT_LOOKUP) == 0)
			return set_error_prop("mailboxIds", "no such mailbox");
		if ((rights & STORE_RIGHT_INSERT) == 0)
			return forbidden("mayAddItems is false");
		if (!flags_ok(flags, rights))
			return forbidden("these keywords may not be set");
	}
	return NULL;
}

/* The flags that will be other ones. */
static uint64_t
flags_changed(const struct store_email *e, const struct store_email_set *s)
{
	if (s->set_flags)
		return e->flags ^ s->flags_add;
	return (s->flags_add & ~e->flags) | (s->flags_del & e->flags);
}

static bool
leaves(const struct store_email_set *s, uint64_t mailbox)
{
	for (size_t i = 0; i < s->n_del; i++)
		if (s->mailboxes_del[i] == mailbox)
			return true;
	return s->destroy;
}

/* The rights on all of its mailboxes count, also on those that are hidden. */
json_t *
email_rights_change(struct jmap_call *c, const struct store_email_set *s)
{
	struct store_email e;
	uint64_t changed;
	int rc;

	if (account_is_own(c->acct))
		return NULL;
	rc = store_email_get(c->st, c->req->scratch, s->id, &e);
	if (rc < 0)
		return set_error_store(c, rc);
	changed = s->destroy ? 0 : flags_changed(&e, s);
	for (size_t i = 0; i < e.n_in; i++) {
		unsigned rights = account_rights(c->acct, e.in[i].mailbox);

		if (leaves(s, e.in[i].mailbox) && (REMOVE & ~rights) != 0)
			return forbidden("mayRemoveItems is false");
		if (!flags_ok(changed, rights))
			return forbidden("these keywords may not be changed");
	}
	return email_rights_add(c, s->mailboxes_add, s->n_add, 0);
}
