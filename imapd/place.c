/* imapd/place.c - where a mailbox name leads, and what may be done there */
#include "config.h"

#include "imapd/imap.h"

/* ---- other users' stores ----------------------------------------------- */

static void
forget(struct imap_stores *o, size_t i)
{
	store_close(&o->v[i].st);
	o->v[i] = o->v[--o->n];
}

void
imap_others_close(struct imap_session *s)
{
	while (s->others.n > 0)
		forget(&s->others, s->others.n - 1);
}

/* Closes the one that wasn't asked for longest. */
static void
make_room(struct imap_session *s)
{
	struct imap_stores *o = &s->others;
	size_t oldest = SIZE_MAX;

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].st != s->view.st && o->v[i].st != o->held &&
		    (oldest == SIZE_MAX ||
		    o->v[i].used < o->v[oldest].used))
			oldest = i;
	if (oldest != SIZE_MAX)
		forget(o, oldest);
}

static int
open_other(struct imap_session *s, struct slice owner, struct store **st_r)
{
	struct imap_stores *o = &s->others;
	char name[STORE_ACCOUNT_MAX + 1];
	int rc;

	memcpy(name, owner.p, owner.n);
	name[owner.n] = '\0';
	if ((rc = store_open(&s->x->store_conf, name, st_r)) < 0)
		return rc;
	if (o->n == IMAP_STORES_MAX)
		make_room(s);
	o->v[o->n].st = *st_r;
	o->v[o->n++].used = ++o->tick;
	return 0;
}

int
imap_other(struct imap_session *s, struct slice owner, struct store **st_r)
{
	struct imap_stores *o = &s->others;
	const char *user = store_account_name(s->x->store);
	int rc;

	if (!store_account_ok(owner) || slice_eq(owner, slice_str(user)))
		return STORE_E_NOTFOUND;
	for (size_t i = 0; i < o->n; i++) {
		struct store *st = o->v[i].st;

		if (!slice_eq(slice_str(store_account_name(st)), owner))
			continue;
		rc = store_refresh(st);
		if (rc == STORE_E_FENCED && st != s->view.st &&
		    st != o->held) {	/* another took its place */
			forget(o, i);
			break;
		}
		o->v[i].used = ++o->tick;
		*st_r = st;
		return rc < 0 ? rc : 0;
	}
	return open_other(s, owner, st_r);
}

/* ---- names ------------------------------------------------------------- */

int
imap_account(struct imap_cmd *cmd, struct slice name, struct imap_place *p_r)
{
	struct slice top = slice_str(IMAP_OTHERS), rest;
	struct store *st = cmd->s->x->store;
	const char *sl;
	int rc;

	*p_r = (struct imap_place){ .st = st, .path = name };
	if (!slice_starts(name, top) || (name.n > top.n &&
	    name.p[top.n] != '/')) {
		p_r->own = true;
		return (rc = store_refresh(st)) < 0 ? rc : 0;
	}
	if (name.n <= top.n + 1)
		return STORE_E_INVALID;
	rest = slice_make(name.p + top.n + 1, name.n - top.n - 1);
	if ((sl = memchr(rest.p, '/', rest.n)) == NULL ||
	    sl + 1 == rest.p + rest.n)
		return STORE_E_INVALID;
	p_r->path = slice_make(sl + 1, (size_t)(rest.p + rest.n - sl - 1));
	return imap_other(cmd->s, slice_make(rest.p, (size_t)(sl - rest.p)),
	    &p_r->st);
}

int
imap_rights(struct imap_session *s, struct store *st, uint64_t mailbox,
    unsigned *rights_r)
{
	return store_rights(st, mailbox, store_account_name(s->x->store),
	    rights_r);
}

int
imap_mailbox(struct imap_cmd *cmd, struct slice name, unsigned need,
    struct imap_place *p_r)
{
	int rc = imap_account(cmd, name, p_r);

	if (rc == STORE_E_INVALID)
		return STORE_E_NOTFOUND;
	if (rc < 0 || (rc = store_mailbox_find(p_r->st, cmd->a, p_r->path,
	    &p_r->mb)) < 0 || (rc = imap_rights(cmd->s, p_r->st, p_r->mb.id,
	    &p_r->rights)) < 0)
		return rc;
	if ((need & ~p_r->rights) == 0)
		return 0;
	return p_r->rights & STORE_RIGHT_LOOKUP ? STORE_E_DENIED :
	    STORE_E_NOTFOUND;
}

/* RFC 4314 4: right k on the nearest parent that there is. */
int
imap_new_mailbox(struct imap_cmd *cmd, struct slice name,
    struct imap_place *p_r)
{
	struct store_mailbox up;
	struct slice path;
	unsigned rights = 0;
	int rc = imap_account(cmd, name, p_r);

	if (rc == STORE_E_NOTFOUND)
		return STORE_E_DENIED;
	if (rc < 0 || p_r->own)
		return rc;
	for (path = p_r->path; path.n > 0; path.n--) {
		if (path.p[path.n - 1] != '/')
			continue;
		rc = store_mailbox_find(p_r->st, cmd->a, slice_make(path.p,
		    path.n - 1), &up);
		if (rc == STORE_E_NOTFOUND || rc == STORE_E_INVALID)
			continue;
		if (rc < 0 || (rc = imap_rights(cmd->s, p_r->st, up.id,
		    &rights)) < 0)
			return rc;
		break;
	}
	return rights & STORE_RIGHT_CREATE ? 0 : STORE_E_DENIED;
}

/* ---- the selected mailbox ---------------------------------------------- */

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

int
imap_rights_check(struct imap_session *s)
{
	struct view *v = &s->view;
	unsigned rights;
	int rc;

	if (v->mailbox == 0 || v->dead || v->st == s->x->store)
		return 0;
	if ((rc = store_refresh(v->st)) < 0)
		return rc;
	rc = imap_rights(s, v->st, v->mailbox, &rights);
	if (rc == STORE_E_NOTFOUND)
		return 0;	/* view_merge() will see */
	if (rc < 0 || rights == v->rights)
		return rc;
	v->rights = rights;
	if (rights & STORE_RIGHT_READ)
		imap_flags_tell(s);
	else
		view_kill(v);
	return 0;
}

uint64_t
imap_flags_allowed(unsigned rights)
{
	uint64_t flags = 0;

	if (rights & STORE_RIGHT_SEEN)
		flags |= STORE_SEEN;
	if (rights & STORE_RIGHT_TRASH)
		flags |= STORE_DELETED;
	if (rights & STORE_RIGHT_WRITE)
		flags |= ~(STORE_SEEN | STORE_DELETED | IMAP_NO_FLAG);
	return flags;
}
