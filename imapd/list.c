/* imapd/list.c - the account's mailboxes with their paths */
#include "config.h"

#include "imapd/list.h"

/* RFC 6154 2, RFC 8457. */
const char *
listing_role(enum store_role role)
{
	switch (role) {
	case STORE_ROLE_ARCHIVE:
		return "\\Archive";
	case STORE_ROLE_DRAFTS:
		return "\\Drafts";
	case STORE_ROLE_FLAGGED:
		return "\\Flagged";
	case STORE_ROLE_IMPORTANT:
		return "\\Important";
	case STORE_ROLE_JUNK:
		return "\\Junk";
	case STORE_ROLE_SENT:
		return "\\Sent";
	case STORE_ROLE_TRASH:
		return "\\Trash";
	case STORE_ROLE_ALL:
		return "\\All";
	default:
		return NULL;
	}
}

enum store_role
listing_role_from(struct slice name)
{
	for (int r = STORE_ROLE_NONE + 1; r < STORE_ROLES; r++) {
		const char *s = listing_role((enum store_role)r);

		if (s != NULL && slice_ieq(name, slice_str(s)))
			return (enum store_role)r;
	}
	return STORE_ROLE_NONE;
}

/* ---- paths ------------------------------------------------------------- */

static struct slice
join(struct arena *a, struct slice parent, struct slice name)
{
	char *p = arena_alloc(a, parent.n + 1 + name.n + 1);

	memcpy(p, parent.p, parent.n);
	p[parent.n] = '/';
	memcpy(p + parent.n + 1, name.p, name.n);
	return slice_make(p, parent.n + 1 + name.n);
}

/* Index of a mailbox id: a table open to linear probing. */
struct index {
	size_t *slot;		/* position + 1, 0 is empty */
	size_t mask;
	const struct store_mailbox *mb;
};

static size_t *
index_slot(const struct index *x, uint64_t id)
{
	size_t i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (i &= x->mask; x->slot[i] != 0; i = (i + 1) & x->mask)
		if (x->mb[x->slot[i] - 1].id == id)
			break;
	return &x->slot[i];
}

int
listing_load(struct imap_cmd *cmd, struct listing *l)
{
	struct store_mailbox *mb;
	struct index x = { 0 };
	int rc;

	l->st = cmd->s->x->store;
	if ((rc = store_refresh(l->st)) < 0 ||
	    (rc = store_mailbox_list(l->st, cmd->a, &mb, &l->n)) < 0)
		return rc;
	l->e = arena_calloc(cmd->a, l->n, sizeof(*l->e));
	for (x.mask = 15; x.mask < l->n * 2; x.mask = x.mask * 2 + 1)
		;
	x.slot = arena_calloc(cmd->a, x.mask + 1, sizeof(*x.slot));
	x.mb = mb;
	for (size_t i = 0; i < l->n; i++) {
		struct entry *e = &l->e[i];
		bool inbox = mb[i].role == STORE_ROLE_INBOX;
		size_t up = mb[i].parent && !inbox ?
		    *index_slot(&x, mb[i].parent) : 0;

		*index_slot(&x, mb[i].id) = i + 1;
		e->mb = &mb[i];
		e->parent = up ? up - 1 : SIZE_MAX;
		if (up == 0)
			e->path = inbox ? SLICE_LIT("INBOX") : mb[i].name;
		else {
			e->path = join(cmd->a, l->e[up - 1].path, mb[i].name);
			l->e[up - 1].has_children = true;
		}
	}
	return 0;
}
