/* imapd/sync.c - telling the client what others changed */
#include "config.h"

#include "imapd/imap.h"

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
	if (recent != s->view.told_recent) {
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, recent);
		enc_raw(&s->out, " RECENT");
		enc_eol(&s->out);
	}
	s->view.told_exists = s->view.n;
	s->view.told_recent = recent;
}

/* From the last to the first: each number is still what it was. */
static void
tell_expunged(struct imap_session *s)
{
	struct view *v = &s->view;
	size_t i = v->n, next;

	while ((next = view_gone_before(v, i)) != i) {
		i = next;
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, i + 1);
		enc_raw(&s->out, " EXPUNGE");
		enc_eol(&s->out);
	}
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
	return *at < q->n && q->uids[*at] == uid && q->flags[*at] == flags;
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
		enc_raw(&s->out, "* ");
		enc_u64(&s->out, (uint64_t)k + 1);
		enc_raw(&s->out, " FETCH (UID ");
		enc_u64(&s->out, uids[i]);
		enc_raw(&s->out, " FLAGS");
		imap_flags_put(s, v->m[k].flags, view_is_recent(v, uids[i]));
		enc_close(&s->out);
		enc_eol(&s->out);
	}
}

int
imap_sync(struct imap_session *s, bool expunge, const struct imap_quiet *quiet)
{
	uint32_t *changed;
	size_t n;
	int rc;

	if (s->view.mailbox == 0)
		return 0;
	arena_reset(s->scratch);
	if ((rc = store_refresh(s->x->store)) < 0)
		return rc;
	if ((rc = view_merge(&s->view, s->x->store, s->scratch, &changed, &n)) < 0)
		return rc;
	if (expunge && s->view.n_gone > 0)
		tell_expunged(s);
	imap_tell_counts(s);
	tell_flags(s, changed, n, quiet);
	return 0;
}
