/*
 * imapd/notify.c - NOTIFY in force (RFC 5465): what is watched, and when the
 * client is told
 *
 * Of the selected mailbox imap_sync() tells, as far as it is wanted.  All others
 * are looked at when one of the accounts has changed, and compared to the last
 * look.  What this session did itself isn't told of, where no one else changed
 * something at the same time.
 */
#include "config.h"

#include "imapd/notify.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

/* ---- what is watched --------------------------------------------------- */

static bool
is_watched(const struct notify *n, const char *account)
{
	for (size_t i = 0; i < n->n_watched; i++)
		if (strcmp(n->watched[i], account) == 0)
			return true;
	return false;
}

/* 1: it is new. */
static int
watch(struct notify *n, struct store *st)
{
	int rc;

	if (is_watched(n, store_account_name(st)))
		return 0;
	if ((rc = store_watch_add(n->watch, st, NULL)) < 0)
		return rc;
	n->watched = xreallocarray(n->watched, n->n_watched + 1,
	    sizeof(*n->watched));
	n->watched[n->n_watched++] = xstrdup(store_account_name(st));
	return 1;
}

static int
watch_others(struct imap_session *s, struct arena *a)
{
	struct notify *n = s->notify;
	const char **owner;
	struct store *st;
	size_t n_owners;
	int rc = notify_owners(s, a, &owner, &n_owners), any = 0;

	for (size_t i = 0; rc >= 0 && i < n_owners; i++) {
		rc = imap_other(s, slice_str(owner[i]), &st);
		if (rc >= 0 && (rc = watch(n, st)) == 1)
			any = 1;
		if (rc == STORE_E_NOTFOUND)
			rc = 0;
	}
	return rc < 0 ? rc : any;
}

/* Watches what isn't watched yet.  1: something came. */
static int
watch_all(struct imap_session *s)
{
	struct notify *n = s->notify;
	struct arena *a;
	int rc = 0, any = 0;

	if (n->selected == 0 && n->events == 0)
		return 0;
	if (n->watch == NULL &&
	    (rc = store_watch_new(&s->x->store_conf, false, &n->watch)) < 0)
		return rc;
	if ((rc = watch(n, s->x->store)) < 0)
		return rc;
	any = rc;
	if (s->view.st != NULL) {
		if ((rc = watch(n, s->view.st)) < 0)
			return rc;
		any = any || rc;
	}
	if (n->events == 0)
		return any;
	a = arena_new(0);
	rc = watch_others(s, a);
	arena_free(&a);
	return rc < 0 ? rc : any || rc;
}

static void
unwatch(struct notify *n)
{
	store_watch_free(&n->watch);
	for (size_t i = 0; i < n->n_watched; i++)
		xfree(n->watched[i]);
	xfree(n->watched);
	n->watched = NULL;
	n->n_watched = 0;
}

void
imap_notify_forget(struct imap_session *s)
{
	struct notify *n = s->notify;
	struct arena *a;

	if (n == NULL)
		return;
	s->notify = NULL;
	unwatch(n);
	notify_look_free(&n->last);
	a = n->a;		/* n is in it */
	arena_free(&a);
}

int
imap_notify_fd(const struct imap_session *s)
{
	return s->notify != NULL && s->notify->watch != NULL ?
	    store_watch_fd(s->notify->watch) : -1;
}

/* ---- the selected mailbox ---------------------------------------------- */

bool
imap_notify_frozen(const struct imap_session *s)
{
	return s->notify != NULL && !(s->notify->selected & NOTIFY_NEW);
}

bool
imap_notify_flags(const struct imap_session *s)
{
	return s->notify == NULL || s->notify->selected & NOTIFY_FLAGS;
}

bool
imap_notify_annotations(const struct imap_session *s)
{
	return s->notify != NULL && s->notify->selected & NOTIFY_ANNOTATIONS;
}

void
imap_notify_new(struct imap_session *s, size_t from)
{
	const struct notify *n = s->notify;
	struct view *v = &s->view;
	uint32_t *uids;
	size_t count = 0;

	if (n == NULL || n->fetch == NULL || from >= v->n)
		return;
	uids = xcalloc(v->n - from, sizeof(*uids));
	for (size_t i = from; i < v->n; i++)
		if (!(v->m[i].flags & VIEW_GONE))
			uids[count++] = v->m[i].uid;
	fetch_tell(s, n->fetch, uids, count);
	xfree(uids);
}

/* ---- looking ----------------------------------------------------------- */

static void
overflow(struct imap_session *s)
{
	struct notify *n = s->notify;

	enc_raw(&s->out, "* OK [NOTIFICATIONOVERFLOW] ");
	enc_say(&s->out, "There is too much to be notified of");
	enc_eol(&s->out);
	n->n = 0;
	n->events = n->selected = 0;
	n->fetch = NULL;
	unwatch(n);
	notify_look_free(&n->last);
}

int
imap_notify_look(struct imap_session *s)
{
	struct notify *n = s->notify;
	struct notify_look now;
	int rc;

	if (n == NULL || n->events == 0)
		return 0;
	rc = notify_look(s, &now);
	if (rc == STORE_E_LIMIT && n->last.a != NULL) {
		overflow(s);
		return 0;
	}
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (n->last.a != NULL)
		rc = notify_tell(s, &n->last, &now);
	else
		rc = notify_tell_first(s, &now);
	notify_look_free(&n->last);
	n->last = now;
	return rc;
}

static int
both(struct imap_session *s, bool expunge)
{
	int rc = imap_sync(s, expunge, NULL);

	return rc < 0 ? rc : imap_notify_look(s);
}

/* Failures that pass are logged and the next change is waited for. */
static bool
go_on(struct imap_session *s, int rc)
{
	if (rc >= 0)
		return true;
	log_err("NOTIFY: looking for changes: %s: %s", store_error(rc)->text,
	    store_errmsg(imap_store(s)));
	if (rc != STORE_E_FENCED && rc != STORE_E_UNKNOWN)
		return true;
	imap_bye(s, "UNAVAILABLE", store_error(rc)->text);
	return false;
}

bool
imap_notify_wake(struct imap_session *s, bool in_command)
{
	struct notify *n = s->notify;
	void *cookie;

	while (n->watch != NULL && store_watch_next(n->watch, &cookie) > 0)
		;
	return go_on(s, both(s, in_command || !n->delayed));
}

bool
imap_notify_prepare(struct imap_session *s)
{
	struct notify *n = s->notify;
	int rc;

	if (n == NULL || (n->selected == 0 && n->events == 0))
		return true;
	/* First watch, then look: nothing falls between. */
	if ((rc = watch_all(s)) == 1)
		return imap_notify_wake(s, false);
	if (rc == STORE_E_LIMIT) {
		overflow(s);
		return true;
	}
	return go_on(s, rc);
}

/* ---- NOTIFY ------------------------------------------------------------ */

/* What is watched goes on to be, with the same descriptor. */
static void
hand_over(struct notify *from, struct notify *to)
{
	if (from == NULL)
		return;
	to->watch = from->watch;
	to->watched = from->watched;
	to->n_watched = from->n_watched;
	from->watch = NULL;
	from->watched = NULL;
	from->n_watched = 0;
}

static int
begin(struct imap_session *s, struct notify *n)
{
	int rc = 0;

	s->notify = NULL;
	/* An implicit NOOP (RFC 5465 3.1), by the rules without NOTIFY. */
	if (n->n > 0 && (rc = imap_sync(s, true, NULL)) < 0)
		return rc;
	s->notify = n;
	if (n->events == 0 && n->selected == 0)
		return 0;
	if ((rc = watch_all(s)) >= 0)
		rc = imap_notify_look(s);
	return rc < 0 ? rc : 0;
}

enum imap_next
imap_notify_set(struct imap_cmd *cmd, struct notify *n)
{
	struct imap_session *s = cmd->s;
	struct notify *old = s->notify;
	int rc;

	hand_over(old, n);
	if ((rc = begin(s, n)) < 0) {
		if (old != NULL)
			hand_over(n, old);
		unwatch(n);
		notify_look_free(&n->last);
		s->notify = old;
		return rc == STORE_E_LIMIT ? imap_no(cmd,
		    "NOTIFICATIONOVERFLOW", "Too many mailboxes") :
		    imap_store_failed(cmd, rc);
	}
	/* The arguments stay: they take their arena with them. */
	n->a = s->a;
	s->a = arena_new(0);
	s->notify = old;
	imap_notify_forget(s);
	s->notify = n;
	if (n->events == 0 && n->selected == 0)
		unwatch(n);
	imap_modseqs(s);
	return imap_ok(cmd, n->n == 0 ? "Silence" : "You will be told");
}
