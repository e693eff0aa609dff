/* libstore/undelete.c - destroyed Emails that are still kept: list, bring back */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

/* ---- listing ----------------------------------------------------------- */

struct gone_one {
	struct store_gone g;
	bool out;		/* the same content went once more, later */
};

struct listing {
	struct store *st;
	struct kv_txn *t;
	struct arena *a;	/* of the result */
	struct arena *tmp, *row;
	struct gone_one **v;
	size_t n, cap;
	struct umap dead;	/* by Email id */
	struct umap blobs;	/* of those that live: any pointer */
	struct umap newest;	/* by blob: struct gone_one */
	struct umap paths;	/* by mailbox: struct slice */
	uint64_t modseq;
	int64_t when;
};

/* Enough of a blob id to tell contents apart. */
static void
blob_key(const unsigned char *id, uint64_t *a_r, uint32_t *b_r)
{
	*a_r = row_get64(id);
	*b_r = row_get32(id + 8);
}

static int
tomb_take(void *arg, const struct row_tomb *t)
{
	struct listing *l = arg;
	struct gone_one *o;
	struct slice *path;

	if (t->kind == ROW_TOMB_MAILBOX && !umap_get(&l->paths, t->mailbox, 0)) {
		path = arena_alloc(l->tmp, sizeof(*path));
		*path = arena_slice(l->a, t->path);
		umap_add(&l->paths, t->mailbox, 0, path);
	}
	if (t->kind != ROW_TOMB_DESTROYED || umap_get(&l->dead, t->email, 0))
		return 0;
	o = arena_alloc(l->tmp, sizeof(*o));
	o->g.email = t->email;
	o->g.mailbox = t->mailbox;
	o->g.uid = t->uid;
	o->g.flags = t->flags & ~STORE_DELETED;
	o->g.modseq = l->modseq;
	o->g.gone_at = l->when;
	umap_add(&l->dead, t->email, 0, o);
	l->v = arena_grow(l->tmp, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = o;
	return 0;
}

static int
tombs_take(struct listing *l)
{
	struct row_key from = row_key_kind(ROW_K_TOMB);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint32_t part;
	int rc;

	rc = kv_scan_open(l->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u32(key, ROW_K_TOMB, &l->modseq, &part) ||
		    row_tombs_when(val, &l->when) < 0)
			rc = STORE_E_CORRUPT;
		else
			rc = row_tombs_get(val, &l->when, tomb_take, l);
	}
	kv_scan_close(&s);
	return rc;
}

/* One Email's row: what is known of a dead one, or a content that lives. */
static void
email_take(struct listing *l, uint64_t id, const struct row_email *e)
{
	struct gone_one *o = umap_get(&l->dead, id, 0), *before;
	uint64_t a;
	uint32_t b;

	blob_key(e->blob, &a, &b);
	if (!o) {
		if (!umap_get(&l->blobs, a, b))
			umap_add(&l->blobs, a, b, l);
		return;
	}
	memcpy(o->g.blob.h, e->blob, sizeof(o->g.blob.h));
	memcpy(o->g.ref, e->ref, sizeof(o->g.ref));
	o->g.received_at = e->received;
	o->g.size = e->size;
	o->g.kept = true;
	before = umap_get(&l->newest, a, b);
	if (before && before->g.modseq >= o->g.modseq) {
		o->out = true;
		return;
	}
	if (before) {
		/* The later one takes the place of the earlier. */
		struct store_gone g = before->g;

		before->g = o->g;
		o->g = g;
		o->out = true;
		return;
	}
	umap_add(&l->newest, a, b, o);
}

static int
emails_take(struct listing *l)
{
	struct row_key from = row_key_kind(ROW_K_EMAIL);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_email e;
	uint64_t id;
	int rc;

	rc = kv_scan_open(l->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		arena_reset(l->row);
		if (!row_key_get_u64(key, ROW_K_EMAIL, &id))
			rc = STORE_E_CORRUPT;
		else if ((rc = row_email_get(val, l->row, &e)) == 0)
			email_take(l, id, &e);
	}
	kv_scan_close(&s);
	return rc;
}

static int
path_take(struct listing *l, struct store_gone *g)
{
	struct slice *path = umap_get(&l->paths, g->mailbox, 0);
	int rc;

	if (path) {
		g->path = *path;
		g->mailbox_gone = true;
		return 0;
	}
	rc = store_mailbox_path(l->st, l->a, g->mailbox, &g->path);
	if (rc == STORE_E_NOTFOUND) {
		/* Its tombstone is too old to be there. */
		g->path = SLICE_LIT("");
		g->mailbox_gone = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	return 0;
}

static int
by_modseq(const void *a, const void *b)
{
	const struct store_gone *x = a, *y = b;

	if (x->modseq != y->modseq)
		return x->modseq < y->modseq ? -1 : 1;
	return x->email < y->email ? -1 : x->email > y->email;
}

static int
list_make(struct listing *l, struct store_gone **g_r, size_t *n_r)
{
	struct store_gone *g;
	size_t n = 0;
	uint64_t a;
	uint32_t b;
	int rc;

	if ((rc = tombs_take(l)) < 0 || (rc = emails_take(l)) < 0)
		return rc;
	g = arena_calloc(l->a, l->n, sizeof(*g));
	for (size_t i = 0; i < l->n; i++) {
		struct gone_one *o = l->v[i];

		blob_key(o->g.blob.h, &a, &b);
		if (!o->g.kept || o->out || umap_get(&l->blobs, a, b))
			continue;
		if ((rc = path_take(l, &o->g)) < 0)
			return rc;
		g[n++] = o->g;
	}
	if (n > 1)
		qsort(g, n, sizeof(*g), by_modseq);
	*g_r = g;
	*n_r = n;
	return 0;
}

int
store_gone_list(struct store *st, struct arena *a, struct store_gone **g_r,
    size_t *n_r)
{
	struct listing l = { .st = st, .a = a };
	int rc;

	if ((rc = ro_begin(st, &l.t)) < 0)
		return rc;
	l.tmp = arena_new(0);
	l.row = arena_new(0);
	umap_init(&l.dead, l.tmp);
	umap_init(&l.blobs, l.tmp);
	umap_init(&l.newest, l.tmp);
	umap_init(&l.paths, l.tmp);
	rc = list_make(&l, g_r, n_r);
	arena_free(&l.tmp);
	arena_free(&l.row);
	ro_end(st);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "tombstones", 0) : rc;
}

/* ---- bringing back ----------------------------------------------------- */

struct undelete_arg {
	const struct store_gone *g;
	const uint64_t *mailbox;
	size_t n, pos, next;
	struct store_added *added;
	int *rc;
};

/* As a new Email, which takes over what the dead one kept. */
static int
undelete_one(struct work *w, const struct store_gone *g, uint64_t mailbox,
    struct store_added *added)
{
	struct email_seed s = { 0 };
	struct w_mailbox *m;
	struct row_email dead;
	struct row_blob b;
	struct msgids ids;
	struct w_email *e;
	int rc;

	if ((rc = email_read(w->t, w->a, g->email, &dead)) < 0)
		return rc;
	if ((rc = email_alive(w->t, &dead)) != 0)
		return rc < 0 ? rc : STORE_E_NOTFOUND;
	if ((rc = w_mailbox(w, mailbox, &m)) < 0 ||
	    (rc = quota_room(w, dead.size)) < 0 ||
	    (rc = keywords_known(w, g->flags)) < 0)
		return rc;
	if ((rc = blob_row(w->t, w->a, dead.blob, &b)) < 0)
		return store_corrupt(w->st, "blob of email", g->email);
	ids.n = dead.n_hash;
	if (ids.n > 0)
		memcpy(ids.hash, dead.hash, ids.n * sizeof(ids.hash[0]));
	s.blob = dead.blob;
	s.ref = b.ref;
	s.size = dead.size;
	s.received = dead.received;
	s.ids = &ids;
	if ((rc = blob_use(w, dead.blob, &b)) < 0 ||
	    (rc = email_make(w, &s, &e)) < 0 ||
	    (rc = email_join(w, e, m, g->flags & ~STORE_DELETED,
	    &added->uid)) < 0 || (rc = dead_clean(w, g->email)) < 0)
		return rc;
	added->email = e->id;
	added->thread = e->row.thread;
	added->size = dead.size;
	memcpy(added->blob.h, dead.blob, sizeof(added->blob.h));
	return 0;
}

static int
undelete_portion(struct work *w, void *arg)
{
	struct undelete_arg *u = arg;
	int rc;

	for (u->next = u->pos; u->next < u->n && !work_full(w); u->next++) {
		size_t i = u->next;

		rc = undelete_one(w, &u->g[i], u->mailbox[i], &u->added[i]);
		u->rc[i] = rc;
		/* These are said before anything is changed. */
		if (rc < 0 && rc != STORE_E_NOTFOUND && rc != STORE_E_QUOTA &&
		    rc != STORE_E_INVALID)
			return rc;
	}
	return u->next < u->n;
}

int
store_undelete(struct store *st, const struct store_gone *g,
    const uint64_t *mailbox, size_t n, struct store_added *added_r, int *rc_r)
{
	struct undelete_arg u = {
		.g = g, .mailbox = mailbox, .n = n, .added = added_r,
		.rc = rc_r
	};
	int rc;

	do {
		rc = store_run(st, 0, undelete_portion, &u, NULL);
		u.pos = u.next;
	} while (rc > 0);
	return rc;
}
