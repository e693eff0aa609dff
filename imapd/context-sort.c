/* imapd/context-sort.c - results in a sort's order: positions count from 1, and
 * each change is told as if it alone were made (RFC 5267 4.3.3, 4.3.4) */
#include "config.h"

#include <stdlib.h>

#include "imapd/context.h"
#include "libbase/xalloc.h"

static void
put_pair(struct imap_session *s, const struct context *c, const char *what,
    bool first, size_t position, uint32_t uid)
{
	if (first) {
		context_put_head(s, c);
		enc_raw(&s->out, what);
		enc_raw(&s->out, " (");
	} else
		enc_raw(&s->out, " ");
	enc_u64(&s->out, position);
	enc_raw(&s->out, " ");
	enc_u64(&s->out, context_number(s, c, uid));
}

static void
put_end(struct imap_session *s)
{
	enc_raw(&s->out, ")");
	enc_eol(&s->out);
}

/* From the last to the first: each position is still what it was. */
void
context_sorted_remove(struct imap_session *s, struct context *c,
    const bool *mark)
{
	bool first = true;
	size_t out = 0;

	for (size_t i = c->n; i-- > 0;)
		if (mark[i]) {
			put_pair(s, c, " REMOVEFROM", first, i + 1, c->m[i]);
			first = false;
		}
	if (first)
		return;
	put_end(s);
	for (size_t i = 0; i < c->n; i++)
		if (!mark[i])
			c->m[out++] = c->m[i];
	c->n = out;
}

/* ---- new ones ---------------------------------------------------------- */

struct keys {
	struct imap_session *s;
	const struct sort_order *o;
	struct arena *a;
	struct key_value v[CRITERIA_MAX];
	int rc;
	bool found;
};

/* store_msg_scan()'s. */
static int
on_info(void *arg, const struct store_msg_info *info)
{
	struct keys *k = arg;
	struct fetch_msg m = {
		.st = imap_store(k->s), .a = k->s->scratch, .info = info
	};

	arena_reset(k->s->scratch);
	k->rc = order_get(k->o, &m, k->a, k->v);
	k->found = true;
	fetch_msg_release(&m);
	return k->rc < 0;
}

static int
load(struct keys *k, struct imap_session *s, const struct context *c,
    struct arena *a, uint32_t uid)
{
	const struct store_range r = { uid, uid };
	int rc;

	*k = (struct keys){ .s = s, .o = &c->o, .a = a };
	rc = store_msg_scan(imap_store(s), s->view.mailbox, &r, 1, on_info, k);
	if (rc == 1)
		return k->rc;
	return rc < 0 ? rc : k->found ? 0 : STORE_E_NOTFOUND;
}

struct added {
	uint32_t uid;
	size_t at;		/* before which of the result it belongs */
	struct keys k;
};

/* Where it belongs in the result; equal ones are in the mailbox's order. */
static int
place(struct imap_session *s, const struct context *c, struct added *n)
{
	struct arena *a = arena_new(0);
	size_t lo = 0, hi = c->n;
	struct keys other;
	int rc = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d;

		arena_reset(a);
		if ((rc = load(&other, s, c, a, c->m[mid])) < 0)
			break;
		d = order_compare(&c->o, other.v, n->k.v);
		if (d < 0 || (d == 0 && c->m[mid] < n->uid))
			lo = mid + 1;
		else
			hi = mid;
	}
	arena_free(&a);
	n->at = lo;
	return rc < 0 ? rc : 0;
}

static int
compare(const void *va, const void *vb, void *arg)
{
	const struct added *a = va, *b = vb;
	int d;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	d = order_compare(arg, a->k.v, b->k.v);
	return d != 0 ? d : a->uid < b->uid ? -1 : a->uid > b->uid;
}

static void
insert(struct imap_session *s, struct context *c, const struct added *v,
    size_t n)
{
	size_t i = c->n, k = n, out = c->n + n;

	for (size_t x = 0; x < n; x++)
		put_pair(s, c, " ADDTO", x == 0, v[x].at + x + 1, v[x].uid);
	put_end(s);
	context_grow(c, n);
	while (k > 0) {
		if (i > v[k - 1].at)
			c->m[--out] = c->m[--i];
		else
			c->m[--out] = v[--k].uid;
	}
	c->n += n;
}

int
context_sorted_add(struct imap_session *s, struct context *c,
    const uint32_t *uids, size_t n)
{
	struct added *v = xcalloc(n + 1, sizeof(*v));
	struct arena *a = arena_new(0);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		v[i].uid = uids[i];
		if ((rc = load(&v[i].k, s, c, a, uids[i])) >= 0)
			rc = place(s, c, &v[i]);
	}
	if (rc >= 0 && n > 0) {
		qsort_r(v, n, sizeof(*v), compare, &c->o);
		insert(s, c, v, n);
	}
	arena_free(&a);
	xfree(v);
	return rc;
}
