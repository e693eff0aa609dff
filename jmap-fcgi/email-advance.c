/* jmap-fcgi/email-advance.c - a kept result of Email/query, moved on */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

enum { MOVED_FEW = 1000, MOVED_PART = 8 };

static const struct thread_flags *
flags_of(struct query *q, uint64_t thread)
{
	struct jmap_call *c = q->c;
	struct thread_flags *tf = arena_alloc(c->arena, sizeof(*tf));
	struct store_email e;
	uint64_t *ids;
	bool any = false;
	size_t n;

	*tf = (struct thread_flags){ thread, UINT64_MAX, 0 };
	if (store_thread_get(c->st, c->arena, thread, &ids, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		if (email_load(c, c->req->scratch, ids[i], &e) == 0) {
			tf->all &= e.flags;
			tf->some |= e.flags;
			any = true;
		}
		arena_reset(c->req->scratch);
	}
	if (!any)
		tf->all = 0;
	return tf;
}

int
query_item_load(struct query *q, uint64_t email, struct query_item *it)
{
	struct jmap_call *c = q->c;
	struct store_email e;
	bool in = q->mailbox == 0;
	int rc = email_load(c, c->req->scratch, email, &e);

	for (size_t i = 0; rc == 0 && i < e.n_in && !in; i++)
		in = e.in[i].mailbox == q->mailbox;
	arena_reset(c->req->scratch);
	if (rc < 0 || !in)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	*it = (struct query_item){ e.id, e.thread, e.flags, e.size,
		e.received_at, NULL, NULL };
	if (q->want_threads)
		it->tf = flags_of(q, e.thread);
	return 1;
}

static void
take_out(struct query_list *l, const struct moved *m)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (moved_find(m, l->email[i]) != NULL)
			continue;
		l->email[n] = l->email[i];
		l->thread[n++] = l->thread[i];
	}
	l->n = n;
}

/* Where it belongs, those of the list being loaded that it meets. */
static int
place(struct query *q, const struct query_item *it, size_t *at_r)
{
	const struct query_list *l = &q->entry->list;
	size_t lo = 0, hi = l->n, mid;
	struct query_item other;
	int rc;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		rc = query_item_load(q, l->email[mid], &other);
		if (rc == 1)
			rc = sort_load(q, q->sort, &other, 1) < 0 ? -1 : 1;
		if (rc != 1)	/* it should have been taken out */
			return STORE_E_CONFLICT;
		if (sort_compare(q->sort, it, &other) < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	*at_r = lo;
	return 0;
}

static int
put_in(struct query *q, uint64_t email)
{
	struct query_item it;
	size_t at = 0;
	int rc;

	if ((rc = query_item_load(q, email, &it)) <= 0 ||
	    (rc = filter_match(q, &it)) <= 0)
		return rc;
	if ((rc = sort_load(q, q->sort, &it, 1)) < 0 ||
	    (rc = place(q, &it, &at)) < 0)
		return rc;
	query_list_insert(&q->entry->list, at, it.email, it.thread);
	return 0;
}

int
email_query_advance(struct query *q)
{
	struct query_entry *e = q->entry;
	struct jmap_call *c = q->c;
	struct moved m = { NULL, 0, 0, 0 };
	uint64_t now;
	int rc;

	if (e == NULL || !e->whole || type_state(c, &email_type, &now) < 0 ||
	    e->state > now || e->rights != account_rights_modseq(c->acct))
		return 0;
	if (e->state == now)
		return 1;
	rc = moved_since(c, &m, e->state, q->want_threads);
	if (rc == 0 && m.n > MOVED_FEW && m.n > e->list.n / MOVED_PART)
		rc = STORE_E_LIMIT;
	if (rc == 0) {
		e->whole = false;	/* until it is done */
		take_out(&e->list, &m);
		for (size_t i = 0; i < m.n && rc == 0; i++)
			rc = put_in(q, m.v[i].id);
	}
	moved_free(&m);
	if (rc < 0)
		return 0;
	e->whole = true;
	e->state = now;
	return 1;
}
