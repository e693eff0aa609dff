/* imapd/list.c - the account's mailboxes with their paths */
#include "config.h"

#include "imapd/list.h"
#include "libbase/log.h"

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

/* What is only the way to something that the user may see. */
static const struct store_mailbox nobody;

static struct entry *
add_entry(struct imap_cmd *cmd, struct listing *l, size_t parent)
{
	struct entry *e;

	l->e = arena_grow(cmd->a, l->e, &l->cap, l->n + 1, sizeof(*l->e));
	e = &l->e[l->n++];
	*e = (struct entry){ .mb = &nobody, .parent = parent,
		.nonexistent = true };
	return e;
}

/* Tells the parents, from the end to first, who has children to be seen. */
static void
tell_parents(struct listing *l, size_t first)
{
	for (size_t i = l->n; i > first; i--) {
		const struct entry *e = &l->e[i - 1];

		if (e->parent != SIZE_MAX &&
		    (!e->nonexistent || e->has_children))
			l->e[e->parent].has_children = true;
	}
}

/* What the user may know of another's mailbox. */
static int
fill_other(struct imap_cmd *cmd, struct store *st, struct entry *e,
    const struct store_mailbox *mb)
{
	struct store_mailbox *copy;
	int rc;

	if ((rc = imap_rights(cmd->s, st, mb->id, &e->rights)) < 0)
		return rc;
	e->nonexistent = !(e->rights & STORE_RIGHT_LOOKUP);
	if (e->nonexistent)
		return 0;
	copy = arena_alloc(cmd->a, sizeof(*copy));
	*copy = *mb;
	copy->role = STORE_ROLE_NONE;	/* the owner's, not the user's */
	copy->subscribed = false;
	e->mb = copy;
	return 0;
}

/* Adds the mailboxes of st, below the entry top. */
static int
add_account(struct imap_cmd *cmd, struct listing *l, struct store *st,
    size_t top)
{
	bool own = top == SIZE_MAX;
	const char *owner = own ? NULL : arena_strdup(cmd->a,
	    store_account_name(st));
	size_t n, base = l->n;
	struct store_mailbox *mb;
	struct index x = { 0 };
	int rc;

	if ((rc = store_mailbox_list(st, cmd->a, &mb, &n)) < 0)
		return rc;
	for (x.mask = 15; x.mask < n * 2; x.mask = x.mask * 2 + 1)
		;
	x.slot = arena_calloc(cmd->a, x.mask + 1, sizeof(*x.slot));
	x.mb = mb;
	for (size_t i = 0; i < n; i++) {
		bool inbox = mb[i].role == STORE_ROLE_INBOX;
		size_t up = mb[i].parent && !inbox ?
		    *index_slot(&x, mb[i].parent) : 0;
		struct slice name = inbox ? SLICE_LIT("INBOX") : mb[i].name;
		struct entry *e = add_entry(cmd, l, up ? base + up - 1 : top);

		*index_slot(&x, mb[i].id) = i + 1;
		e->owner = owner;
		e->path = e->parent == SIZE_MAX ? name :
		    join(cmd->a, l->e[e->parent].path, name);
		if (!own && (rc = fill_other(cmd, st, e, &mb[i])) < 0)
			return rc;
		if (own) {
			e->mb = &mb[i];
			e->nonexistent = false;
			e->rights = STORE_RIGHTS_ALL;
		}
	}
	tell_parents(l, base);
	return 0;
}

int
listing_load(struct imap_cmd *cmd, struct listing *l)
{
	struct store *st = cmd->s->x->store;
	int rc;

	*l = (struct listing){ 0 };
	if ((rc = store_refresh(st)) < 0)
		return rc;
	return add_account(cmd, l, st, SIZE_MAX);
}

int
listing_owner(struct imap_cmd *cmd, struct listing *l, struct store *st)
{
	size_t was = l->n, top = l->others;
	struct entry *e;
	int rc;

	if (!l->has_others) {
		top = l->n;
		e = add_entry(cmd, l, SIZE_MAX);
		e->path = slice_str(IMAP_OTHERS);
	}
	e = add_entry(cmd, l, top);
	e->path = join(cmd->a, l->e[top].path,
	    slice_str(arena_strdup(cmd->a, store_account_name(st))));
	rc = add_account(cmd, l, st, l->n - 1);
	if (rc < 0 || !l->e[l->has_others ? was : was + 1].has_children) {
		l->n = was;	/* he may see nothing */
		return rc;
	}
	l->e[top].has_children = true;
	l->others = top;
	l->has_others = true;
	return 1;
}

int
listing_others(struct imap_cmd *cmd, struct listing *l)
{
	struct imap_session *s = cmd->s;
	struct store *own = s->x->store, *st;
	const char **owners;
	size_t n;
	int rc;

	if ((rc = store_shares(own, cmd->a, &owners, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = imap_other(s, slice_str(owners[i]), &st);
		if (rc == STORE_E_NOTFOUND)
			store_shares_forget(own, owners[i]);
		else if (rc >= 0 && (rc = listing_owner(cmd, l, st)) == 0)
			store_shares_review(st, store_account_name(own));
		/* One that is damaged or locked doesn't hide the others. */
		if (rc < 0 && rc != STORE_E_NOTFOUND)
			log_warn("%s: the mailboxes of %s: %s",
			    cmd->row->name, owners[i], store_error(rc)->text);
	}
	return 0;
}

/* ---- names without a mailbox ------------------------------------------- */

static size_t
entry_of(const struct listing *l, struct slice path)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->e[i].path, path))
			return i;
	return SIZE_MAX;
}

/* The entry of a path; what is missing is made, parents before children. */
static size_t
entry_make(struct imap_cmd *cmd, struct listing *l, struct slice path)
{
	size_t at = entry_of(l, path), up = SIZE_MAX, n = path.n;

	if (at != SIZE_MAX)
		return at;
	while (n > 0 && path.p[n - 1] != '/')
		n--;
	if (n > 0)
		up = entry_make(cmd, l, slice_make(path.p, n - 1));
	add_entry(cmd, l, up)->path = path;
	return l->n - 1;
}

int
listing_subscribed(struct imap_cmd *cmd, struct listing *l, bool add)
{
	struct store_mailbox *copy;
	struct slice *path;
	size_t n, at;
	int rc;

	rc = store_subscriptions(cmd->s->x->store, cmd->a, &path, &n);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		at = add ? entry_make(cmd, l, path[i]) : entry_of(l, path[i]);
		if (at == SIZE_MAX)
			continue;
		copy = arena_alloc(cmd->a, sizeof(*copy));
		*copy = *l->e[at].mb;
		copy->subscribed = true;
		l->e[at].mb = copy;
	}
	return rc < 0 ? rc : 0;
}
