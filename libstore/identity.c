/* libstore/identity.c - identities: whom mail may be sent as (RFC 8621 6) */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

/* ---- reading ----------------------------------------------------------- */

static struct store_addresses
addresses_out(const struct row_addresses *l, struct arena *a)
{
	struct store_addresses out = { .present = l->present, .n = l->n };

	out.a = arena_calloc(a, l->n, sizeof(*out.a));
	for (size_t i = 0; i < l->n; i++) {
		out.a[i].name = arena_slice(a, l->a[i].name);
		out.a[i].email = arena_slice(a, l->a[i].email);
	}
	return out;
}

static int
identity_out(uint64_t id, struct slice val, struct arena *a,
    struct store_identity *v_r)
{
	struct row_identity r;
	int rc;

	if ((rc = row_identity_get(val, a, &r)) < 0)
		return rc;
	*v_r = (struct store_identity){
		.id = id, .modseq = r.modseq, .is_default = r.is_default,
		.name = arena_slice(a, r.name), .email = arena_slice(a, r.email),
		.text_signature = arena_slice(a, r.text),
		.html_signature = arena_slice(a, r.html),
		.reply_to = addresses_out(&r.reply_to, a),
		.bcc = addresses_out(&r.bcc, a)
	};
	return 0;
}

struct list {
	struct arena *a;
	struct store_identity *v;
	size_t n, cap;
};

static int
list_note(void *arg, uint64_t id, struct slice val)
{
	struct list *l = arg;
	uint64_t modseq;
	bool gone;
	int rc;

	if ((rc = row_object_get(val, &modseq, &gone)) < 0 || gone)
		return rc;
	l->v = arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	return identity_out(id, val, l->a, &l->v[l->n++]);
}

int
store_identity_list(struct store *st, struct arena *a,
    struct store_identity **v_r, size_t *n_r)
{
	struct list l = { .a = a };
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = objects_each(t, ROW_K_IDENTITY, list_note, &l);
	ro_end(st);
	*v_r = l.v;
	*n_r = l.n;
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "identities", 0) : rc;
}

int
store_identity_get(struct store *st, struct arena *a, uint64_t id,
    struct store_identity *v_r)
{
	struct kv_txn *t;
	struct slice val;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = object_read(t, a, ROW_K_IDENTITY, id, &val)) == 0)
		rc = identity_out(id, val, a, v_r);
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "identity", id) : rc;
}

/* ---- changing ---------------------------------------------------------- */

static struct row_addresses
addresses_in(const struct store_addresses *l, struct arena *a)
{
	struct row_addresses out = { .present = l->present, .n = l->n };

	out.a = arena_calloc(a, l->n, sizeof(*out.a));
	for (size_t i = 0; i < l->n; i++) {
		out.a[i].name = l->a[i].name;
		out.a[i].email = l->a[i].email;
	}
	return out;
}

static void
take(struct row_identity *r, const struct store_identity *v, unsigned set,
    struct arena *a)
{
	if (set & STORE_IDENTITY_NAME)
		r->name = v->name;
	if (set & STORE_IDENTITY_TEXT)
		r->text = v->text_signature;
	if (set & STORE_IDENTITY_HTML)
		r->html = v->html_signature;
	if (set & STORE_IDENTITY_REPLY_TO)
		r->reply_to = addresses_in(&v->reply_to, a);
	if (set & STORE_IDENTITY_BCC)
		r->bcc = addresses_in(&v->bcc, a);
}

/* A row for a change. */
static int
change_begin(struct work *w, uint64_t id, struct row_identity *r)
{
	struct slice val;
	int rc;

	rc = object_read(w->t, w->a, ROW_K_IDENTITY, id, &val);
	return rc < 0 ? rc : row_identity_get(val, w->a, r);
}

static int
write_row(struct work *w, uint64_t id, struct row_identity *r, bool fresh)
{
	r->modseq = w->modseq;
	if (row_identity_put(&w->st->val, r) < 0)
		return STORE_E_TOOBIG;
	return object_put(w, ROW_K_IDENTITY, id, fresh);
}

struct change {
	const struct store_identity *v;
	unsigned set;
	uint64_t id;
};

static bool
lists_ok(const struct store_identity *v)
{
	return v->reply_to.n <= STORE_IDENTITY_ADDRESSES_MAX &&
	    v->bcc.n <= STORE_IDENTITY_ADDRESSES_MAX;
}

static int
create(struct work *w, void *arg)
{
	struct change *c = arg;
	struct row_identity r;
	struct row_objects sum;
	int rc;

	if ((rc = objects_read(w->t, w->a, ROW_K_IDENTITY, &sum)) < 0)
		return rc;
	if (sum.n >= STORE_IDENTITIES_MAX)
		return STORE_E_LIMIT;
	memset(&r, 0, sizeof(r));
	r.is_default = c->v->is_default;
	r.email = c->v->email;
	take(&r, c->v, STORE_IDENTITY_ALL, w->a);
	c->id = work_id(w);
	return write_row(w, c->id, &r, true);
}

int
store_identity_create(struct store *st, const struct store_identity *v,
    uint64_t *id_r)
{
	struct change c = { .v = v };
	int rc;

	if (v->email.n == 0 || !lists_ok(v))
		return STORE_E_INVALID;
	if ((rc = store_run(st, 0, create, &c, NULL)) == 0)
		*id_r = c.id;
	return rc;
}

static int
update(struct work *w, void *arg)
{
	struct change *c = arg;
	struct row_identity r;
	int rc;

	if ((rc = change_begin(w, c->id, &r)) < 0)
		return rc;
	take(&r, c->v, c->set, w->a);
	return c->set != 0 ? write_row(w, c->id, &r, false) : 0;
}

int
store_identity_update(struct store *st, uint64_t id,
    const struct store_identity *v, unsigned set)
{
	struct change c = { .v = v, .set = set, .id = id };

	return lists_ok(v) ? store_run(st, 0, update, &c, NULL) :
	    STORE_E_INVALID;
}

static int
destroy(struct work *w, void *arg)
{
	struct change *c = arg;
	struct row_identity r;
	int rc;

	if ((rc = change_begin(w, c->id, &r)) < 0)
		return rc;
	return r.is_default ? STORE_E_DENIED :
	    object_gone(w, ROW_K_IDENTITY, c->id);
}

int
store_identity_destroy(struct store *st, uint64_t id)
{
	struct change c = { .id = id };

	return store_run(st, 0, destroy, &c, NULL);
}

/* ---- the default ------------------------------------------------------- */

/* The one of another address is like any other from now on. */
static int
demote(struct work *w, const struct store_identity *v)
{
	struct row_identity r;
	int rc;

	if ((rc = change_begin(w, v->id, &r)) < 0)
		return rc;
	r.is_default = false;
	return write_row(w, v->id, &r, false);
}

static int
make_default(struct work *w, void *arg)
{
	struct change *c = arg;
	struct list l = { .a = w->a };
	struct row_identity r;
	bool have = false;
	int rc;

	if ((rc = objects_each(w->t, ROW_K_IDENTITY, list_note, &l)) < 0)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		if (!l.v[i].is_default)
			continue;
		if (!have && slice_ieq(l.v[i].email, c->v->email))
			have = true;
		else if ((rc = demote(w, &l.v[i])) < 0)
			return rc;
	}
	if (have)
		return 0;
	memset(&r, 0, sizeof(r));
	r.is_default = true;
	r.email = c->v->email;
	r.name = c->v->name;
	return write_row(w, work_id(w), &r, true);
}

int
store_identity_default(struct store *st, struct slice name,
    struct slice email)
{
	struct store_identity v = { .name = name, .email = email };
	struct change c = { .v = &v };
	struct arena *a;
	struct store_identity *all;
	size_t n, have = 0;
	int rc;

	if (email.n == 0)
		return STORE_E_INVALID;
	a = arena_new(0);
	if ((rc = store_identity_list(st, a, &all, &n)) == 0)
		for (size_t i = 0; i < n; i++)
			have += !all[i].is_default ? 0 :
			    slice_ieq(all[i].email, email) ? 1 : 2;
	arena_free(&a);
	return rc < 0 || have == 1 ? rc :
	    store_run(st, 0, make_default, &c, NULL);
}
