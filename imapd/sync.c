/* imapd/sync.c - telling the client what others changed */
#include "config.h"

#include "imapd/annotate.h"

void
imap_tell_counts(struct imap_session *s)
{
	size_t recent = view_count_recent(&s->view);

	if (s->view.n != s->view.told_exists) {
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, s->view.n);
		enc_raw(&s->out, " EXISTS");
		enc_eol(&s->out);
	}
	if (recent != s->view.told_recent && !(s->enabled & IMAP_REV2)) {
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, recent);
		enc_raw(&s->out, " RECENT");
		enc_eol(&s->out);
	}
	s->view.told_exists = s->view.n;
	s->view.told_recent = recent;
}

void
imap_modseq_put(struct imap_session *s, uint64_t modseq)
{
	enc_sp(&s->out);
	enc_raw(&s->out, "MODSEQ (");
	enc_u64(&s->out, modseq);
	enc_close(&s->out);
}

void
imap_modseqs(struct imap_session *s)
{
	s->view.modseqs = s->enabled & IMAP_CONDSTORE || s->view.annotate ||
	    imap_notify_annotations(s);
}

void
imap_enable(struct imap_session *s, unsigned what)
{
	bool fresh = (what & ~s->enabled & IMAP_CONDSTORE) != 0;

	if (what & ~s->enabled & IMAP_UIDONLY)
		imap_contexts_uidonly(s);
	s->enabled |= what;
	imap_modseqs(s);
	s->out.utf8 = (s->enabled & (IMAP_REV2 | IMAP_UTF8)) != 0;
	if (!fresh || s->view.mailbox == 0)
		return;
	enc_raw(&s->out, "* OK [HIGHESTMODSEQ ");
	enc_u64(&s->out, s->view.highest);
	enc_raw(&s->out, "] ");
	enc_say(&s->out, "CONDSTORE is on");
	enc_eol(&s->out);
}

void
imap_vanished_put(struct imap_session *s, bool earlier,
    const struct store_range *r, size_t n)
{
	struct enc *e = &s->out;

	if (n == 0)
		return;
	enc_raw(e, earlier ? "* VANISHED (EARLIER) " : "* VANISHED ");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			enc_raw(e, ",");
		enc_u64(e, r[i].from);
		if (r[i].to > r[i].from) {
			enc_raw(e, ":");
			enc_u64(e, r[i].to);
		}
	}
	enc_eol(e);
}

/* By UID, all at once (RFC 7162 3.2.10); none more than are in view: clients count
 * them. */
static void
tell_vanished(struct imap_session *s)
{
	struct view *v = &s->view;
	struct store_range *r = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (!(v->m[i].flags & VIEW_GONE))
			continue;
		if (n > 0 && r[n - 1].to + 1 == v->m[i].uid) {
			r[n - 1].to = v->m[i].uid;
			continue;
		}
		r = arena_grow(s->scratch, r, &cap, n + 1, sizeof(*r));
		r[n++] = (struct store_range){ v->m[i].uid, v->m[i].uid };
	}
	imap_vanished_put(s, false, r, n);
}

/* From the last to the first: each number is still what it was. */
static void
tell_expunge(struct imap_session *s)
{
	size_t i = s->view.n, next;

	while ((next = view_gone_before(&s->view, i)) != i) {
		i = next;
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, i + 1);
		enc_raw(&s->out, " EXPUNGE");
		enc_eol(&s->out);
	}
}

static void
tell_expunged(struct imap_session *s)
{
	struct view *v = &s->view;

	if (s->enabled & (IMAP_QRESYNC | IMAP_UIDONLY))
		tell_vanished(s);
	else
		tell_expunge(s);
	v->told_exists -= v->n_gone;
	view_drop_gone(v);
	v->told_recent = view_count_recent(v);
}

static bool
expected(const struct imap_quiet *q, size_t *at, uint32_t uid, uint64_t flags)
{
	if (q == NULL)
		return false;
	while (*at < q->n && q->uids[*at] < uid)
		(*at)++;
	return *at < q->n && q->uids[*at] == uid &&
	    (q->flags == NULL || q->flags[*at] == flags);
}

void
imap_fetch_open(struct imap_session *s, size_t i)
{
	struct enc *e = &s->out;

	enc_raw(e, "* ");
	if (s->enabled & IMAP_UIDONLY) {
		enc_u64(e, s->view.m[i].uid);
		enc_raw(e, " UIDFETCH");
	} else {
		enc_u64(e, (uint64_t)i + 1);
		enc_raw(e, " FETCH");
	}
	enc_open(e);
}

void
imap_tell_flags(struct imap_session *s, size_t i, bool uid, bool flags)
{
	const struct store_msg *m = &s->view.m[i];
	struct enc *e = &s->out;

	imap_fetch_open(s, i);
	if (uid && !(s->enabled & IMAP_UIDONLY)) {
		enc_sp(e);
		enc_raw(e, "UID ");
		enc_u64(e, m->uid);
	}
	if (flags) {
		enc_sp(e);
		enc_raw(e, "FLAGS");
		imap_flags_put(s, m->flags, view_is_recent(&s->view, m->uid));
	}
	if (s->enabled & IMAP_CONDSTORE)
		imap_modseq_put(s, m->modseq);
	enc_close(e);
	enc_eol(e);
}

static void
tell_flags(struct imap_session *s, const uint32_t *uids, size_t n,
    const struct imap_quiet *quiet)
{
	struct view *v = &s->view;
	uint64_t all = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		if (k >= 0)
			all |= v->m[k].flags;
	}
	imap_flags_announce(s, all);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		if (k < 0 || v->m[k].flags & VIEW_GONE ||
		    expected(quiet, &at, uids[i], v->m[k].flags))
			continue;
		imap_tell_flags(s, (size_t)k, true, true);
	}
}

/* Is there nothing that the client wants to see (RFC 5465)?  What it changes
 * itself, it does. */
static bool
is_frozen(const struct imap_session *s)
{
	uint64_t from, to;

	if (!imap_notify_frozen(s))
		return false;
	store_own(imap_store(s), &from, &to);
	return to <= s->view.modseq;
}

/* Did all that the view doesn't show yet come from this session? */
static bool
is_own(const struct imap_session *s)
{
	uint64_t from, to;

	store_own(imap_store(s), &from, &to);
	return to == store_modseq(imap_store(s)) &&
	    from <= s->view.modseq + 1;
}

/* The index of the first message with that UID or a greater one. */
static size_t
first_from(const struct view *v, uint32_t uid)
{
	size_t i = v->n;

	while (i > 0 && v->m[i - 1].uid >= uid)
		i--;
	return i;
}

int
imap_sync(struct imap_session *s, bool expunge, const struct imap_quiet *quiet)
{
	struct view *v = &s->view;
	uint32_t *changed, next = v->uidnext;
	uint64_t since = v->modseq;
	size_t n;
	bool own;
	int rc;

	if (v->mailbox == 0)
		return 0;
	arena_reset(s->scratch);
	if ((rc = store_refresh(imap_store(s))) < 0 ||
	    (rc = imap_rights_check(s)) < 0)
		return rc;
	if (is_frozen(s)) {
		imap_contexts_update(s);
		return 0;
	}
	own = is_own(s);
	if ((rc = view_merge(v, imap_store(s), s->scratch, &changed, &n)) < 0)
		return rc;
	imap_contexts_gone(s);
	if (expunge && v->n_gone > 0)
		tell_expunged(s);
	imap_tell_counts(s);
	if (imap_notify_flags(s))
		tell_flags(s, changed, n, quiet);
	if (!own && n > 0 && (v->annotate || imap_notify_annotations(s)))
		annotate_tell(s, changed, n, since);
	imap_contexts_stale(s, changed, n);
	/* Of quiet ones the command tells, before what comes of them. */
	if (quiet == NULL)
		imap_contexts_update(s);
	if (!own && v->uidnext != next)
		imap_notify_new(s, first_from(v, next));
	return 0;
}
