/* imapd/place.c - where a mailbox name leads, and what may be done there */
#include "config.h"

#include "imapd/imap.h"

int
imap_account(struct imap_cmd *cmd, struct slice name, struct imap_place *p_r)
{
	struct store *st = cmd->s->x->store;
	int rc;

	if ((rc = store_refresh(st)) < 0)
		return rc;
	*p_r = (struct imap_place){ .st = st, .path = name, .own = true };
	return 0;
}

int
imap_mailbox(struct imap_cmd *cmd, struct slice name, unsigned need,
    struct imap_place *p_r)
{
	int rc;

	if ((rc = imap_account(cmd, name, p_r)) < 0 ||
	    (rc = store_mailbox_find(p_r->st, cmd->a, p_r->path,
	    &p_r->mb)) < 0)
		return rc;
	p_r->rights = STORE_RIGHTS_ALL;
	return (need & ~p_r->rights) == 0 ? 0 : STORE_E_DENIED;
}

struct store *
imap_store(const struct imap_session *s)
{
	return s->view.st != NULL ? s->view.st : s->x->store;
}

bool
imap_may(const struct imap_session *s, unsigned need)
{
	return (need & ~s->view.rights) == 0;
}
