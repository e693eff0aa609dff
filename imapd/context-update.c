/* imapd/context-update.c - ADDTO and REMOVEFROM (RFC 5267 4.3) */
#include "config.h"

#include <stdlib.h>

#include "imapd/context.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* ---- the response ------------------------------------------------------ */

void
context_put_head(struct imap_session *s, const struct context *c)
{
	enc_raw(&s->out, "* ESEARCH (TAG ");
	enc_string(&s->out, c->tag);
	enc_raw(&s->out, c->uid ? ") UID" : ")");
}

uint32_t
context_number(const struct imap_session *s, const struct context *c,
    uint32_t uid)
{
	return c->uid ? uid : (uint32_t)view_find(&s->view, uid) + 1;
}

void
context_put_set(struct imap_session *s, const struct context *c,
    const char *what, const uint32_t *uids, size_t n)
{
	uint32_t *no;
	struct buf text;

	if (n == 0)
		return;
	no = xcalloc(n, sizeof(*no));
	for (size_t i = 0; i < n; i++)
		no[i] = context_number(s, c, uids[i]);
	context_put_head(s, c);
	enc_raw(&s->out, what);
	enc_raw(&s->out, " (0 ");
	buf_init(&text, 64 * 1024 * 1024);
	seqset_print(&text, no, n);
	enc_text(&s->out, buf_slice(&text));
	enc_raw(&s->out, ")");
	enc_eol(&s->out);
	buf_release(&text);
	xfree(no);
}

/* ---- results in the mailbox's order ------------------------------------ */

bool
context_finds(const struct context *c, uint32_t uid, size_t *at_r)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->m[mid] < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at_r = lo;
	return lo < c->n && c->m[lo] == uid;
}

/* All of uids (ascending) are in it. */
static void
plain_remove(struct imap_session *s, struct context *c, const uint32_t *uids,
    size_t n)
{
	size_t out = 0, k = 0;

	context_put_set(s, c, " REMOVEFROM", uids, n);
	for (size_t i = 0; i < c->n; i++) {
		if (k < n && c->m[i] == uids[k])
			k++;
		else
			c->m[out++] = c->m[i];
	}
	c->n = out;
}

/* None of uids (ascending) is in it. */
static void
plain_add(struct imap_session *s, struct context *c, const uint32_t *uids,
    size_t n)
{
	size_t i = c->n, k = n, out = c->n + n;

	context_put_set(s, c, " ADDTO", uids, n);
	context_grow(c, n);
	while (k > 0) {
		if (i > 0 && c->m[i - 1] > uids[k - 1])
			c->m[--out] = c->m[--i];
		else
			c->m[--out] = uids[--k];
	}
	c->n += n;
}

/* ---- messages that are gone -------------------------------------------- */

static uint32_t *
gone(const struct view *v, size_t *n_r)
{
	uint32_t *uids = xcalloc(v->n_gone + 1, sizeof(*uids));
	size_t n = 0;

	for (size_t i = 0; i < v->n && n < v->n_gone; i++)
		if (v->m[i].flags & VIEW_GONE)
			uids[n++] = v->m[i].uid;
	*n_r = n;
	return uids;
}

static void
remove_gone(struct imap_session *s, struct context *c, const uint32_t *uids,
    size_t n)
{
	uint32_t *in;
	size_t n_in = 0, at;
	bool *mark;

	if (c->sorted) {
		mark = xcalloc(c->n + 1, sizeof(*mark));
		for (size_t i = 0; i < c->n; i++)
			mark[i] = bsearch(&c->m[i], uids, n, sizeof(*uids),
			    compare) != NULL;
		context_sorted_remove(s, c, mark);
		xfree(mark);
		return;
	}
	in = xcalloc(n + 1, sizeof(*in));
	for (size_t i = 0; i < n; i++)
		if (context_finds(c, uids[i], &at))
			in[n_in++] = uids[i];
	plain_remove(s, c, in, n_in);
	xfree(in);
}

void
imap_contexts_gone(struct imap_session *s)
{
	uint32_t *uids;
	size_t n;

	if (s->contexts == NULL || s->view.n_gone == 0)
		return;
	uids = gone(&s->view, &n);
	for (struct context *c = s->contexts; c != NULL && n > 0; c = c->next)
		if (c->state == CONTEXT_LIVE)
			remove_gone(s, c, uids, n);
	xfree(uids);
}

void
imap_contexts_stale(struct imap_session *s, const uint32_t *uids, size_t n)
{
	if (s->contexts == NULL || n == 0)
		return;
	if (s->n_stale + n > s->cap_stale) {
		s->cap_stale = s->n_stale + n + s->n_stale / 2;
		s->stale = xreallocarray(s->stale, s->cap_stale,
		    sizeof(*s->stale));
	}
	memcpy(s->stale + s->n_stale, uids, n * sizeof(*uids));
	s->n_stale += n;
}

/* ---- messages that changed or are new ---------------------------------- */

struct look {
	struct imap_session *s;
	struct context *c;
	struct arena *a;
	uint32_t *uid;		/* ascending */
	bool *yes;		/* it meets the conditions */
	size_t n, at;
	int rc;
};

/* What names are for now. */
static void
renew(struct search_node *n, struct look *l)
{
	struct imap_session *s = l->s;

	for (struct search_node *k = n->child; k != NULL; k = k->next)
		renew(k, l);
	if (n->kind == SEARCH_FLAG && n->flag == 0 && n->name.n > 0 &&
	    store_keyword_bit(imap_store(s), n->name, false, &n->flag) < 0)
		n->flag = 0;
	/* "*" is the last message, whichever that is. */
	if (n->kind == SEARCH_UID && n->name.n > 0 &&
	    memchr(n->name.p, '*', n->name.n) != NULL &&
	    seqset_parse(n->name, view_star(&s->view, true), l->a,
	    &n->set) < 0)
		n->set = (struct seqset){ 0 };
}

/* To be looked at: what changed, and what the context hasn't seen. */
static void
gather(struct look *l)
{
	struct imap_session *s = l->s;
	struct view *v = &s->view;
	size_t from = v->n;

	while (from > 0 && v->m[from - 1].uid > l->c->last)
		from--;
	l->uid = arena_calloc(l->a, s->n_stale + v->n - from + 1,
	    sizeof(*l->uid));
	for (size_t i = 0; i < s->n_stale; i++) {
		ptrdiff_t k = view_find(v, s->stale[i]);

		if (k >= 0 && (size_t)k < from &&
		    !(v->m[k].flags & VIEW_GONE) &&
		    (l->n == 0 || l->uid[l->n - 1] != s->stale[i]))
			l->uid[l->n++] = s->stale[i];
	}
	for (size_t i = from; i < v->n; i++)
		if (!(v->m[i].flags & VIEW_GONE))
			l->uid[l->n++] = v->m[i].uid;
	l->yes = arena_calloc(l->a, l->n + 1, sizeof(*l->yes));
}

static int
eval(struct look *l, size_t i, const struct store_msg_info *info)
{
	struct imap_session *s = l->s;
	struct search_msg m = {
		.s = s, .index = (size_t)view_find(&s->view, l->uid[i]),
		.m = { .st = imap_store(s), .a = s->scratch, .info = info }
	};
	int v;

	arena_reset(s->scratch);
	v = search_eval(l->c->root, &m);
	fetch_msg_release(&m.m);
	if (m.rc < 0)
		l->rc = m.rc;
	return v;
}

/* store_msg_scan()'s. */
static int
on_info(void *arg, const struct store_msg_info *info)
{
	struct look *l = arg;

	while (l->at < l->n && l->uid[l->at] < info->uid)
		l->at++;
	if (l->at < l->n && l->uid[l->at] == info->uid)
		l->yes[l->at] = eval(l, l->at, info) == 1;
	return l->rc < 0;
}

static int
evaluate(struct look *l)
{
	struct imap_session *s = l->s;
	struct seqset ask = { 0 };
	size_t cap = 0;
	int rc;

	renew(l->c->root, l);
	for (size_t i = 0; i < l->n; i++) {
		int v = eval(l, i, NULL);

		l->yes[i] = v == 1;
		if (v < 0)
			seqset_add(&ask, &cap, l->a, l->uid[i]);
	}
	if (ask.n == 0 || s->view.dead)
		return 0;
	rc = store_msg_scan(imap_store(s), s->view.mailbox, ask.r, ask.n,
	    on_info, l);
	return rc == 1 ? l->rc : rc;
}

/* Which positions of a sorted result are of messages that were looked at; -1:
 * it isn't in it. */
static ptrdiff_t *
positions(struct look *l)
{
	ptrdiff_t *at = arena_calloc(l->a, l->n + 1, sizeof(*at));
	const uint32_t *k;

	for (size_t i = 0; i < l->n; i++)
		at[i] = -1;
	for (size_t i = 0; i < l->c->n && l->n > 0; i++)
		if ((k = bsearch(&l->c->m[i], l->uid, l->n, sizeof(*k),
		    compare)) != NULL)
			at[k - l->uid] = (ptrdiff_t)i;
	return at;
}

/* RFC 5465 7: data items of what is new in the mailbox and in the result. */
static void
tell_items(struct look *l, const uint32_t *add, size_t n)
{
	size_t from = 0;

	while (from < n && add[from] <= l->c->last)
		from++;
	if (l->c->fetch != NULL && from < n)
		fetch_tell(l->s, l->c->fetch, add + from, n - from);
}

static int
apply(struct look *l)
{
	struct context *c = l->c;
	uint32_t *add = arena_calloc(l->a, l->n + 1, sizeof(*add));
	uint32_t *del = arena_calloc(l->a, l->n + 1, sizeof(*del));
	bool *mark = arena_calloc(l->a, c->n + 1, sizeof(*mark));
	ptrdiff_t *at = c->sorted ? positions(l) : NULL;
	size_t n_add = 0, n_del = 0, k = 0;
	int rc = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool in = c->sorted ? at[i] >= 0 :
		    context_finds(c, l->uid[i], &k);

		if (l->yes[i] && !in)
			add[n_add++] = l->uid[i];
		if (!l->yes[i] && in) {
			del[n_del++] = l->uid[i];
			mark[c->sorted ? (size_t)at[i] : k] = true;
		}
	}
	tell_items(l, add, n_add);
	if (c->sorted) {
		context_sorted_remove(l->s, c, mark);
		rc = context_sorted_add(l->s, c, add, n_add);
	} else {
		plain_remove(l->s, c, del, n_del);
		plain_add(l->s, c, add, n_add);
	}
	return rc;
}

static void
update(struct imap_session *s, struct context *c)
{
	struct look l = { .s = s, .c = c, .a = arena_new(0) };
	int rc = 0;

	gather(&l);
	if (l.n > 0 && (rc = evaluate(&l)) >= 0)
		rc = apply(&l);
	if (rc < 0) {
		log_err("a search that goes on: %s: %s", store_error(rc)->text,
		    store_errmsg(imap_store(s)));
		context_fail(s, c, "A message can't be read");
	}
	if (view_star(&s->view, true) > c->last)
		c->last = view_star(&s->view, true);
	arena_free(&l.a);
}

/* "UID *" and "UID 9:*" mean other messages when another is the last: that one,
 * or the one that was. */
static void
look_at_last(struct imap_session *s)
{
	const uint32_t last[2] = { s->star, view_star(&s->view, true) };

	if (last[0] != last[1])
		imap_contexts_stale(s, last, 2);
	s->star = last[1];
}

void
imap_contexts_update(struct imap_session *s)
{
	if (s->contexts == NULL || s->view.mailbox == 0)
		return;
	look_at_last(s);
	if (s->n_stale > 1)
		qsort(s->stale, s->n_stale, sizeof(*s->stale), compare);
	for (struct context *c = s->contexts; c != NULL; c = c->next)
		if (c->state == CONTEXT_LIVE)
			update(s, c);
	s->n_stale = 0;
}
