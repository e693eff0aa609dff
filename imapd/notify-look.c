/* imapd/notify-look.c - the mailboxes that NOTIFY is about, as they are now */
#include "config.h"

#include <stdlib.h>

#include "imapd/notify.h"
#include "libbase/log.h"

enum { OWNERS_MAX = IMAP_STORES_MAX };

void
notify_look_free(struct notify_look *r)
{
	arena_free(&r->a);
	*r = (struct notify_look){ 0 };
}

/* ---- accounts ---------------------------------------------------------- */

struct owners {
	struct arena *a;
	const char **name;
	size_t n, cap;
};

static int
add_owner(struct owners *o, struct slice name)
{
	for (size_t i = 0; i < o->n; i++)
		if (slice_eq(name, slice_str(o->name[i])))
			return 0;
	if (o->n == OWNERS_MAX)
		return STORE_E_LIMIT;
	o->name = arena_grow(o->a, o->name, &o->cap, o->n + 1,
	    sizeof(*o->name));
	o->name[o->n++] = arena_strndup(o->a, name.p, name.n);
	return 0;
}

/* "Other Users/NAME/PATH": NAME.  1: it is above the names. */
static int
add_owner_of(struct owners *o, struct slice path)
{
	struct slice top = slice_str(IMAP_OTHERS), name;
	const char *sl;

	if (!slice_starts(path, top) || (path.n > top.n &&
	    path.p[top.n] != '/'))
		return 0;
	if (path.n <= top.n + 1)
		return 1;
	name = slice_make(path.p + top.n + 1, path.n - top.n - 1);
	if ((sl = memchr(name.p, '/', name.n)) != NULL)
		name.n = (size_t)(sl - name.p);
	return store_account_ok(name) ? add_owner(o, name) : 0;
}

static int
add_sharing(struct imap_session *s, struct owners *o)
{
	const char **names;
	size_t n;
	int rc = store_shares(s->x->store, o->a, &names, &n);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_owner(o, slice_str(names[i]));
	return rc;
}

static int
add_subscribed(struct imap_session *s, struct owners *o)
{
	struct slice *path;
	size_t n;
	int rc = store_subscriptions(s->x->store, o->a, &path, &n);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_owner_of(o, path[i]);
	return rc < 0 ? rc : 0;
}

int
notify_owners(struct imap_session *s, struct arena *a, const char ***owner_r,
    size_t *n_r)
{
	const struct notify *n = s->notify;
	struct owners o = { .a = a };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n->n; i++) {
		const struct notify_group *g = &n->group[i];

		if (g->events == 0)
			continue;
		if (g->filter == NOTIFY_SUBSCRIBED)
			rc = add_subscribed(s, &o);
		for (size_t k = 0; rc >= 0 && k < g->n; k++)
			if ((rc = add_owner_of(&o, g->name[k])) == 1)
				rc = g->filter == NOTIFY_SUBTREE ?
				    add_sharing(s, &o) : 0;
	}
	*owner_r = o.name;
	*n_r = o.n;
	return rc;
}

const struct notify_account *
notify_account_of(const struct notify_look *k, const char *owner)
{
	for (size_t i = 0; i < k->n_accounts; i++) {
		const char *o = k->accounts[i].owner;

		if (owner == o || (owner != NULL && o != NULL &&
		    strcmp(owner, o) == 0))
			return &k->accounts[i];
	}
	return NULL;
}

static int
look_at(struct imap_session *s, struct notify_look *r, struct store *st,
    const char *owner)
{
	const struct notify_account *was = notify_account_of(&s->notify->last,
	    owner);
	struct notify_account *n = &r->accounts[r->n_accounts++];
	uint64_t from, to;

	*n = (struct notify_account){ .owner = owner,
		.modseq = store_modseq(st) };
	if (was != NULL) {
		n->since = was->modseq;
		store_own(st, &from, &to);
		n->own = n->modseq > was->modseq && to >= n->modseq &&
		    from <= was->modseq + 1;
	}
	return store_metadata_modseq(st, &n->metadata);
}

/* ---- which events ------------------------------------------------------ */

static bool
is_under(struct slice path, struct slice top)
{
	return slice_starts(path, top) && (path.n == top.n ||
	    path.p[top.n] == '/');
}

static bool
applies(const struct notify_group *g, const struct entry *e)
{
	switch (g->filter) {
	case NOTIFY_SELECTED:
	case NOTIFY_SELECTED_DELAYED:
		return false;
	case NOTIFY_INBOXES:
		return e->mb->role == STORE_ROLE_INBOX && e->owner == NULL;
	case NOTIFY_PERSONAL:
		return e->owner == NULL &&
		    !is_under(e->path, slice_str(IMAP_OTHERS));
	case NOTIFY_SUBSCRIBED:
		return e->mb->subscribed;
	default:
		break;
	}
	for (size_t i = 0; i < g->n; i++)
		if (g->filter == NOTIFY_SUBTREE ?
		    is_under(e->path, g->name[i]) :
		    slice_eq(e->path, g->name[i]))
			return true;
	return false;
}

static void
find_events(const struct notify *n, struct notify_look *r)
{
	r->events = arena_calloc(r->a, r->l.n + 1, sizeof(*r->events));
	for (size_t i = 0; i < r->l.n; i++)
		for (size_t k = 0; k < n->n; k++)
			if (applies(&n->group[k], &r->l.e[i]))
				r->events[i] |= n->group[k].events;
}

/* ---- the look ---------------------------------------------------------- */

/* Did any of the accounts move since the last look? */
static int
moved(struct imap_session *s, const char **owner, size_t n)
{
	const struct notify_look *last = &s->notify->last;
	const struct notify_account *was = notify_account_of(last, NULL);
	struct store *st = s->x->store;
	int rc;

	if ((rc = store_refresh(st)) < 0)
		return rc;
	if (was == NULL || was->modseq != store_modseq(st))
		return 1;
	if (last->n_accounts != n + 1)
		return 1;
	for (size_t i = 0; i < n; i++) {
		was = notify_account_of(last, owner[i]);
		rc = imap_other(s, slice_str(owner[i]), &st);
		if (rc == STORE_E_NOTFOUND)
			return 1;
		if (rc < 0)
			return rc;
		if (was == NULL || was->modseq != store_modseq(st))
			return 1;
	}
	return 0;
}

static int
load(struct imap_session *s, struct notify_look *r, const char **owner,
    size_t n)
{
	struct imap_cmd cmd = {
		.s = s, .a = r->a,
		.row = imap_command_find(SLICE_LIT("NOTIFY"))
	};
	struct store *st;
	int rc;

	r->accounts = arena_calloc(r->a, n + 1, sizeof(*r->accounts));
	if ((rc = listing_load(&cmd, &r->l)) < 0 ||
	    (rc = look_at(s, r, s->x->store, NULL)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = imap_other(s, slice_str(owner[i]), &st);
		if (rc == STORE_E_NOTFOUND)
			continue;
		if (rc < 0 || (rc = listing_owner(&cmd, &r->l, st)) < 0 ||
		    (rc = look_at(s, r, st, owner[i])) < 0)
			log_warn("NOTIFY: the mailboxes of %s: %s", owner[i],
			    store_error(rc)->text);
	}
	rc = listing_subscribed(&cmd, &r->l, true);
	return rc >= 0 && r->l.n > s->x->conf->imap_notify_max ?
	    STORE_E_LIMIT : rc;
}

int
notify_look(struct imap_session *s, struct notify_look *r)
{
	const char **owner;
	size_t n;
	int rc;

	*r = (struct notify_look){ .a = arena_new(0) };
	if ((rc = notify_owners(s, r->a, &owner, &n)) >= 0 &&
	    (rc = moved(s, owner, n)) == 1 &&
	    (rc = load(s, r, owner, n)) >= 0) {
		find_events(s->notify, r);
		return 0;
	}
	notify_look_free(r);
	return rc == 0 ? 1 : rc;
}
