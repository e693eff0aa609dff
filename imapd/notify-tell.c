/* imapd/notify-tell.c - what NOTIFY tells of other mailboxes (RFC 5465 5) */
#include "config.h"

#include <stdlib.h>

#include "imapd/notify.h"

struct tell {
	struct imap_session *s;
	struct imap_cmd cmd;
	const struct notify_look *old, *new;
	/* of new's entries */
	size_t *was;		/* index in old of the same mailbox; SIZE_MAX */
	bool *list;		/* a LIST response is due */
	struct slice *oldname;
	/* of old's entries */
	bool *found;		/* the same mailbox is still there */
	/* old's and new's entries, by path */
	const struct entry **old_path, **new_path;
};

/* ---- finding entries --------------------------------------------------- */

static int
compare_owner(const struct entry *a, const struct entry *b)
{
	if (a->owner == NULL || b->owner == NULL)
		return (a->owner != NULL) - (b->owner != NULL);
	return strcmp(a->owner, b->owner);
}

static int
by_id(const void *va, const void *vb)
{
	const struct entry *a = *(const struct entry *const *)va;
	const struct entry *b = *(const struct entry *const *)vb;
	int c = compare_owner(a, b);

	if (c != 0)
		return c;
	return a->mb->id < b->mb->id ? -1 : a->mb->id > b->mb->id;
}

static int
by_path(const void *va, const void *vb)
{
	const struct entry *a = *(const struct entry *const *)va;
	const struct entry *b = *(const struct entry *const *)vb;

	return slice_cmp(a->path, b->path);
}

static const struct entry **
sorted(const struct notify_look *k, struct arena *a,
    int (*compare)(const void *, const void *))
{
	const struct entry **v = arena_calloc(a, k->l.n + 1, sizeof(*v));

	for (size_t i = 0; i < k->l.n; i++)
		v[i] = &k->l.e[i];
	if (k->l.n > 0)
		qsort(v, k->l.n, sizeof(*v), compare);
	return v;
}

static const struct entry *
find_path(const struct entry **v, size_t n, struct slice path)
{
	struct entry key = { .path = path };
	const struct entry *k = &key, **at;

	if (n == 0)
		return NULL;
	at = bsearch(&k, v, n, sizeof(*v), by_path);
	return at != NULL ? *at : NULL;
}

static bool
exists(const struct entry *e)
{
	return e != NULL && !e->nonexistent && e->mb->id != 0;
}

/* Which mailboxes are the same. */
static void
match(struct tell *t)
{
	struct arena *a = t->new->a;
	const struct entry **o = sorted(t->old, a, by_id);
	const struct entry **n = sorted(t->new, a, by_id);
	size_t i = 0, k = 0;

	t->was = arena_calloc(a, t->new->l.n + 1, sizeof(*t->was));
	t->list = arena_calloc(a, t->new->l.n + 1, sizeof(*t->list));
	t->oldname = arena_calloc(a, t->new->l.n + 1, sizeof(*t->oldname));
	t->found = arena_calloc(a, t->old->l.n + 1, sizeof(*t->found));
	for (size_t x = 0; x < t->new->l.n; x++)
		t->was[x] = SIZE_MAX;
	while (i < t->old->l.n && k < t->new->l.n) {
		int c = by_id(&o[i], &n[k]);

		if (c == 0 && exists(o[i]) && exists(n[k])) {
			t->was[n[k] - t->new->l.e] =
			    (size_t)(o[i] - t->old->l.e);
			t->found[o[i] - t->old->l.e] = true;
		}
		i += c <= 0;
		k += c >= 0;
	}
	t->old_path = sorted(t->old, a, by_path);
	t->new_path = sorted(t->new, a, by_path);
}

static unsigned
events_of(const struct notify_look *k, const struct entry *e)
{
	return k->events[e - k->l.e];
}

/* Is it all this session's own doing, or not even in view any more? */
static bool
is_silent(const struct tell *t, const char *owner)
{
	const struct notify_account *n = notify_account_of(t->new, owner);

	return n == NULL || n->own;
}

static bool
is_selected(const struct imap_session *s, const struct entry *e)
{
	const struct store *st = s->view.st;

	if (s->view.mailbox == 0 || s->view.mailbox != e->mb->id)
		return false;
	return e->owner == NULL ? st == s->x->store :
	    strcmp(store_account_name(st), e->owner) == 0;
}

static bool
is_readable(const struct entry *e)
{
	return (e->rights & STORE_RIGHT_READ) != 0;
}

/* ---- LIST -------------------------------------------------------------- */

static void
put_list(struct imap_cmd *cmd, const struct entry *e, struct slice oldname)
{
	const char *extra = NULL;

	if (e->mb->subscribed)
		extra = "\\Subscribed";
	if (exists(e) && !is_readable(e))
		extra = extra ? "\\Subscribed \\NoAccess" : "\\NoAccess";
	list_entry_put(cmd, "* LIST", e, extra, false, oldname);
}

/* A mailbox came or went: its parent may have other attributes now. */
static void
mark_parent(struct tell *t, struct slice path)
{
	const struct entry *e;

	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	if (path.n == 0)
		return;
	path.n--;
	e = find_path(t->new_path, t->new->l.n, path);
	if (exists(e) && events_of(t->new, e) & NOTIFY_NAME)
		t->list[e - t->new->l.e] = true;
}

/* What isn't there any more, or not for the user. */
static void
tell_gone(struct tell *t, const struct entry *e)
{
	static const struct store_mailbox nobody;
	const struct entry *now = find_path(t->new_path, t->new->l.n, e->path);
	struct entry gone = { .mb = &nobody, .path = e->path,
		.nonexistent = true };

	mark_parent(t, e->path);
	if (now == NULL)
		put_list(&t->cmd, &gone, slice_make(NULL, 0));
	else
		t->list[now - t->new->l.e] = true;
}

static void
names(struct tell *t)
{
	for (size_t i = 0; i < t->old->l.n; i++) {
		const struct entry *e = &t->old->l.e[i];

		if (exists(e) && !t->found[i] &&
		    t->old->events[i] & NOTIFY_NAME &&
		    !is_silent(t, e->owner))
			tell_gone(t, e);
	}
	for (size_t i = 0; i < t->new->l.n; i++) {
		const struct entry *e = &t->new->l.e[i], *was;
		unsigned events = t->new->events[i];

		if (!exists(e) || is_silent(t, e->owner))
			continue;
		if (t->was[i] == SIZE_MAX) {
			if (!(events & NOTIFY_NAME))
				continue;
			t->list[i] = true;
			mark_parent(t, e->path);
			continue;
		}
		was = &t->old->l.e[t->was[i]];
		events |= t->old->events[t->was[i]];
		if (events & NOTIFY_NAME && (e->mb->parent != was->mb->parent ||
		    !slice_eq(e->mb->name, was->mb->name))) {
			t->list[i] = true;
			t->oldname[i] = was->path;
		}
		if (events & (NOTIFY_MESSAGES | NOTIFY_METADATA) &&
		    is_readable(e) != is_readable(was))
			t->list[i] = true;
	}
}

/* Subscriptions are of names, and all in the user's own account. */
static void
subscriptions(struct tell *t)
{
	if (is_silent(t, NULL))
		return;
	for (size_t i = 0; i < t->new->l.n; i++) {
		const struct entry *e = &t->new->l.e[i];
		const struct entry *was = find_path(t->old_path, t->old->l.n,
		    e->path);
		unsigned events = t->new->events[i] |
		    (was ? events_of(t->old, was) : 0);

		if (events & NOTIFY_SUBSCRIPTION &&
		    e->mb->subscribed != (was && was->mb->subscribed))
			t->list[i] = true;
	}
	for (size_t i = 0; i < t->old->l.n; i++) {
		const struct entry *e = &t->old->l.e[i];

		/* tell_gone() told of those that existed. */
		if (e->mb->subscribed && (!exists(e) ||
		    !(t->old->events[i] & NOTIFY_NAME)) &&
		    t->old->events[i] & NOTIFY_SUBSCRIPTION &&
		    find_path(t->new_path, t->new->l.n, e->path) == NULL)
			tell_gone(t, e);
	}
}

/* ---- STATUS ------------------------------------------------------------ */

static int
put_status(struct tell *t, const struct entry *e, unsigned want)
{
	if (want == 0)
		return 0;
	return imap_status_put(&t->cmd, t->s->x->store, e->mb, e->path, want);
}

/* What is to be told of a mailbox that was like that. */
static unsigned
status_items(const struct tell *t, const struct store_mailbox *was,
    const struct store_mailbox *mb, unsigned events)
{
	bool condstore = (t->s->enabled & IMAP_CONDSTORE) != 0;
	unsigned want = 0;

	if (events & NOTIFY_NEW && (mb->uidnext != was->uidnext ||
	    mb->total != was->total)) {
		want |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT |
		    IMAP_STATUS_UIDVALIDITY;
		want |= condstore ? IMAP_STATUS_HIGHESTMODSEQ : 0;
	}
	if (events & (NOTIFY_FLAGS | NOTIFY_ANNOTATIONS) && condstore &&
	    mb->highestmodseq != was->highestmodseq)
		want |= IMAP_STATUS_UIDVALIDITY | IMAP_STATUS_HIGHESTMODSEQ;
	if (events & NOTIFY_FLAGS && mb->unseen != was->unseen)
		want |= IMAP_STATUS_UIDVALIDITY | IMAP_STATUS_UNSEEN;
	if (events & NOTIFY_MESSAGES && mb->uidvalidity != was->uidvalidity)
		want |= IMAP_STATUS_UIDVALIDITY;
	return want;
}

static int
statuses(struct tell *t)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < t->new->l.n; i++) {
		const struct entry *e = &t->new->l.e[i];
		const struct store_mailbox empty = {
			.uidvalidity = e->mb->uidvalidity, .uidnext = 1
		}, *was = &empty;

		if (!exists(e) || !is_readable(e) || is_selected(t->s, e) ||
		    is_silent(t, e->owner))
			continue;
		if (t->was[i] != SIZE_MAX)
			was = t->old->l.e[t->was[i]].mb;
		rc = put_status(t, e, status_items(t, was, e->mb,
		    t->new->events[i]));
	}
	return rc;
}

/* ---- METADATA ---------------------------------------------------------- */

/* "* METADATA INBOX /shared/comment": names alone (RFC 5464 4.4.2) */
static void
put_metadata(struct tell *t, struct slice path, const struct store_metadata *v,
    size_t n, bool special)
{
	struct enc *e = &t->s->out;

	if (n == 0 && !special)
		return;
	enc_raw(e, "* METADATA ");
	if (path.n == 0)
		enc_raw(e, "\"\"");
	else
		enc_mailbox(e, path);
	if (special)
		enc_raw(e, " /private/specialuse");
	for (size_t i = 0; i < n; i++) {
		enc_raw(e, " ");
		enc_astring(e, slice_str(arena_printf(t->new->a, "%s%.*s",
		    v[i].shared ? "/shared" : "/private", (int)v[i].name.n,
		    v[i].name.p)));
	}
	enc_eol(e);
}

/* Of one mailbox, or of the server: id 0, path empty. */
static int
metadata_of(struct tell *t, const char *owner, uint64_t id, struct slice path,
    bool special)
{
	const struct notify_account *n = notify_account_of(t->new, owner);
	struct store *st = t->s->x->store;
	struct store_metadata *v = NULL;
	size_t count = 0;
	int rc = 0;

	if (n == NULL || n->own || n->since == 0)
		return 0;
	if (n->metadata > n->since && (owner == NULL ||
	    (rc = imap_other(t->s, slice_str(owner), &st)) >= 0))
		rc = store_metadata_changes(st, t->new->a, id,
		    t->s->x->account, n->since, &v, &count);
	if (rc >= 0)
		put_metadata(t, path, v, count, special);
	return rc;
}

static int
metadata(struct tell *t)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < t->new->l.n; i++) {
		const struct entry *e = &t->new->l.e[i], *was = NULL;

		if (!exists(e) || !is_readable(e) ||
		    !(t->new->events[i] & NOTIFY_METADATA))
			continue;
		if (t->was[i] != SIZE_MAX)
			was = &t->old->l.e[t->was[i]];
		rc = metadata_of(t, e->owner, e->mb->id, e->path,
		    was != NULL && was->mb->role != e->mb->role);
		/* Another's account may be gone meanwhile. */
		if (rc == STORE_E_NOTFOUND)
			rc = 0;
	}
	if (rc >= 0 && t->s->notify->events & NOTIFY_SERVER)
		rc = metadata_of(t, NULL, 0, slice_make(NULL, 0), false);
	return rc;
}

/* ---- all of it --------------------------------------------------------- */

int
notify_tell(struct imap_session *s, const struct notify_look *old,
    const struct notify_look *new)
{
	struct tell t = {
		.s = s, .cmd = { .s = s, .a = new->a }, .old = old, .new = new
	};
	int rc;

	match(&t);
	names(&t);
	subscriptions(&t);
	for (size_t i = 0; i < new->l.n; i++)
		if (t.list[i])
			put_list(&t.cmd, &new->l.e[i], t.oldname[i]);
	if ((rc = statuses(&t)) < 0)
		return rc;
	return metadata(&t);
}

int
notify_tell_first(struct imap_session *s, const struct notify_look *k)
{
	struct tell t = {
		.s = s, .cmd = { .s = s, .a = k->a }, .old = k, .new = k
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < k->l.n; i++) {
		const struct entry *e = &k->l.e[i];
		unsigned events = k->events[i], want = 0;

		if (!exists(e) || !(events & (NOTIFY_MESSAGES |
		    NOTIFY_METADATA)))
			continue;
		if (!is_readable(e)) {
			put_list(&t.cmd, e, slice_make(NULL, 0));
			continue;
		}
		if (!s->notify->status || is_selected(s, e))
			continue;
		if (events & NOTIFY_NEW)
			want |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT |
			    IMAP_STATUS_UIDVALIDITY;
		if (events & (NOTIFY_FLAGS | NOTIFY_ANNOTATIONS))
			want |= IMAP_STATUS_UIDVALIDITY |
			    IMAP_STATUS_HIGHESTMODSEQ;
		rc = put_status(&t, e, want);
	}
	return rc;
}
