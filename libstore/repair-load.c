/* libstore/repair-load.c - the rows of a damaged account, as far as they are */
#include "config.h"

#include "libstore/repair.h"

typedef int row_fn(struct repair *r, struct slice key, struct slice val);

/* Calls fn for each row of the kind; what it can't decode is left out. */
static int
each(struct repair *r, int kind, row_fn *fn)
{
	struct row_key from = row_key_kind(kind), to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t bad = 0;
	int rc;

	rc = kv_scan_open(r->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		arena_reset(r->tmp);
		if ((rc = fn(r, key, val)) == STORE_E_CORRUPT) {
			bad++;
			rc = 0;
		}
	}
	kv_scan_close(&s);
	if (bad > 0)
		rp_say(r, "%zu rows '%c' make no sense and are dropped", bad,
		    kind);
	return rc;
}

static int
load_head(struct repair *r, struct slice key, struct slice val)
{
	int rc;

	if (key.n != 1)
		return STORE_E_CORRUPT;
	if ((rc = row_head_get(val, &r->head)) < 0)
		return rc;
	r->have_head = true;
	rp_seen(r, r->head.email_modseq);
	rp_seen(r, r->head.mailbox_modseq);
	rp_seen(r, r->head.thread_modseq);
	rp_seen(r, r->head.swept);
	return 0;
}

static int
load_keywords(struct repair *r, struct slice key, struct slice val)
{
	struct slice name[ROW_KEYWORDS];
	size_t n;
	int rc;

	if (key.n != 1)
		return STORE_E_CORRUPT;
	if ((rc = row_keywords_get(val, name, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		r->keyword[i] = arena_slice(r->a, name[i]);
	r->n_keyword = n;
	return 0;
}

static int
load_subscription(struct repair *r, struct slice key, struct slice val)
{
	struct slice path;
	int rc;

	if ((rc = row_path_get(val, &path)) < 0)
		return rc;
	if (!subscription_ok(key, path, r->tmp))
		return STORE_E_CORRUPT;
	r->subscribed = arena_grow(r->a, r->subscribed, &r->cap_subscribed,
	    r->n_subscribed + 1, sizeof(*r->subscribed));
	r->subscribed[r->n_subscribed++] = arena_slice(r->a, path);
	return 0;
}

static int
load_mailbox(struct repair *r, struct slice key, struct slice val)
{
	struct row_mailbox row;
	struct rp_mailbox *m;
	uint64_t id;
	int rc;

	if (!row_key_get_u64(key, ROW_K_MAILBOX, &id) || id == 0)
		return STORE_E_CORRUPT;
	if ((rc = row_mailbox_get(val, &row)) < 0)
		return rc;
	if (row.role >= STORE_ROLES || row.uidnext == 0)
		return STORE_E_CORRUPT;
	m = rp_mailbox(r, id);
	m->row = row;
	m->row.name = arena_slice(r->a, row.name);
	m->lost = false;
	rp_seen(r, row_id_modseq(id));
	rp_seen(r, row.highestmodseq);
	rp_seen(r, row.counted);
	if (row.uidvalidity > r->head.uidvalidity)
		r->head.uidvalidity = row.uidvalidity;
	return 0;
}

static int
load_role(struct repair *r, struct slice key, struct slice val)
{
	uint64_t id, *p;
	int rc;

	if (key.n != 2 || (unsigned char)key.p[1] >= STORE_ROLES)
		return STORE_E_CORRUPT;
	if ((rc = row_u64_get(val, &id)) < 0)
		return rc;
	p = arena_alloc(r->a, sizeof(*p));
	*p = id;
	umap_add(&r->roles, (unsigned char)key.p[1], 0, p);
	return 0;
}

/* A right that can't be read is not given: the owner gives it again. */
static int
load_acl(struct repair *r, struct slice key, struct slice val)
{
	struct rp_mailbox *m;
	struct row_acl *v;
	uint64_t id;
	size_t n;
	int rc;

	if (!row_key_get_u64(key, ROW_K_ACL, &id))
		return STORE_E_CORRUPT;
	if ((rc = row_acl_get(val, r->a, &v, &n)) < 0)
		return rc;
	if ((m = umap_get(&r->mailboxes, id, 0)) == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!store_acl_who_ok(v[i].who))
			continue;
		v[m->n_acl] = v[i];
		v[m->n_acl++].who = arena_slice(r->a, v[i].who);
	}
	m->acl = v;
	return 0;
}

static int
load_meta(struct repair *r, struct slice key, struct slice val)
{
	unsigned char hash[ROW_NAME_HASH];
	struct rp_meta *e;
	struct row_meta m;
	uint64_t mailbox;
	int rc;

	if (key.n == 1)		/* the sum is made anew */
		return 0;
	if (!row_key_get_meta(key, &mailbox, hash))
		return STORE_E_CORRUPT;
	if ((rc = row_meta_get(arena_slice(r->a, val), &m)) < 0)
		return rc;
	if (!store_metadata_name_ok(m.name))
		return STORE_E_CORRUPT;
	r->meta = arena_grow(r->a, r->meta, &r->cap_meta, r->n_meta + 1,
	    sizeof(*r->meta));
	e = &r->meta[r->n_meta++];
	e->mailbox = mailbox;
	e->m = m;
	return 0;
}

/* ---- messages ----------------------------------------------------------- */

static int
tomb_note(void *arg, const struct row_tomb *t)
{
	struct repair *r = arg;

	if (t->kind == ROW_TOMB_MAILBOX) {
		if (!umap_get(&r->gone, t->mailbox, 0))
			umap_add(&r->gone, t->mailbox, 0, r);
		return 0;
	}
	if (!umap_get(&r->removed, t->mailbox, t->uid))
		umap_add(&r->removed, t->mailbox, t->uid, r);
	if (t->kind == ROW_TOMB_DESTROYED && !umap_get(&r->dead, t->email, 0))
		umap_add(&r->dead, t->email, 0, r);
	return 0;
}

static int
load_tombs(struct repair *r, struct slice key, struct slice val)
{
	uint64_t modseq;
	uint32_t part;
	int64_t when;

	if (!row_key_get_u64_u32(key, ROW_K_TOMB, &modseq, &part))
		return STORE_E_CORRUPT;
	rp_seen(r, modseq);
	return row_tombs_get(val, &when, tomb_note, r);
}

static void
slot_message(struct repair *r, struct rp_mailbox *m, const struct row_hot *h,
    const struct row_cold *d)
{
	struct rp_email *e = rp_email(r, d->email);
	struct rp_msg *g = rp_msg(r, m, h->uid, e);

	g->flags = h->flags & ~UINT64_C(0x20);
	g->modseq = h->modseq;
	g->saved = d->saved;
	e->thread = d->thread;
	e->received = d->received;
	memcpy(e->ref, d->ref, sizeof(e->ref));
	rp_seen(r, row_id_modseq(d->email));
	rp_seen(r, row_id_modseq(d->thread));
}

static void
slot_note(struct repair *r, struct rp_mailbox *m, const struct row_hot *h,
    const struct row_cold *d)
{
	struct rp_slot *s;

	if (umap_get(&r->slots, m->id, h->uid))
		return;		/* two chunks that overlap */
	s = arena_alloc(r->a, sizeof(*s));
	s->dead = (h->marks & ROW_DEAD) != 0;
	s->flags = h->flags & ~UINT64_C(0x20);
	s->modseq = h->modseq;
	umap_add(&r->slots, m->id, h->uid, s);
	rp_seen(r, h->modseq);
	if (h->uid > m->last_uid)
		m->last_uid = h->uid;
	if (!s->dead && d && d->email != 0)
		slot_message(r, m, h, d);
}

/* The counts tell whether changes of it were lost in between. */
static bool
chunk_counts(const struct row_chunk *c)
{
	struct row_hot h;
	uint32_t live = 0;

	for (size_t i = 0; i < c->used; i++) {
		row_hot_slot(c, i, &h);
		live += !(h.marks & ROW_DEAD);
		if (h.modseq > c->max)
			return false;
	}
	return live == c->live;
}

static int
load_chunk(struct repair *r, struct slice key, struct slice val)
{
	struct row_chunk hot, cold;
	struct row_cold d;
	struct row_hot h;
	struct rp_mailbox *m;
	struct row_key k;
	struct slice v;
	uint32_t first;
	uint64_t mb;
	bool both;
	int rc;

	if (!row_key_get_u64_u32(key, ROW_K_HOT, &mb, &first) || mb == 0)
		return STORE_E_CORRUPT;
	if ((rc = row_hot_check(val, first, &hot)) < 0)
		return rc;
	if (!chunk_counts(&hot))
		return STORE_E_CORRUPT;
	k = row_key_u64_u32(ROW_K_COLD, mb, first);
	rc = kv_get(r->t, r->tmp, row_key(&k), &v);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	both = rc == 0 && (rc = row_cold_check(v, &cold)) == 0 &&
	    cold.cap == hot.cap;
	if (rc == STORE_E_VERSION)
		return rc;
	m = rp_mailbox(r, mb);
	for (size_t i = 0; i < hot.used; i++) {
		row_hot_slot(&hot, i, &h);
		if (both)
			row_cold_slot(&cold, i, &d);
		slot_note(r, m, &h, both ? &d : NULL);
	}
	return 0;
}

static int
load_email(struct repair *r, struct slice key, struct slice val)
{
	struct row_email row;
	struct rp_email *e;
	uint64_t id;
	int rc;

	if (!row_key_get_u64(key, ROW_K_EMAIL, &id) || id == 0)
		return STORE_E_CORRUPT;
	if ((rc = row_email_get(val, r->a, &row)) < 0)
		return rc;
	e = rp_email(r, id);
	e->row = row;
	e->has_row = true;
	e->thread = row.thread;
	e->received = row.received;
	e->hash = row.hash;
	e->n_hash = row.n_hash;
	e->content = rp_content(r, row.blob);
	rp_seen(r, row_id_modseq(id));
	rp_seen(r, row.modseq);
	for (size_t i = 0; i < row.n_in; i++) {
		struct rp_mailbox *m;

		/* A lost chunk may have been its mailbox's last one. */
		m = umap_get(&r->mailboxes, row.in[i].mailbox, 0);
		if (m && row.in[i].uid > m->last_uid)
			m->last_uid = row.in[i].uid;
	}
	return 0;
}

/* ---- blobs -------------------------------------------------------------- */

static int
load_blob(struct repair *r, struct slice key, struct slice val)
{
	unsigned char id[ROW_BLOBID_LEN];
	struct rp_content *c;
	struct row_blob b;
	int rc;

	if (!row_key_get_blob(key, id))
		return STORE_E_CORRUPT;
	if ((rc = row_blob_get(val, &b)) < 0)
		return rc;
	c = rp_content(r, id);
	c->row = true;
	c->marks = b.marks;
	c->due = b.due;
	c->waiting = b.count == 0;
	memcpy(c->ref, b.ref, sizeof(c->ref));
	return 0;
}

static int
load_due(struct repair *r, struct slice key, struct slice val)
{
	unsigned char id[ROW_BLOBID_LEN];
	struct rp_content *c;
	struct rp_dying *y;
	struct rp_blob *b;
	struct row_due d;
	int64_t due;
	int rc;

	if (!row_key_get_due(key, &due, id))
		return STORE_E_CORRUPT;
	if ((rc = row_due_get(val, &d)) < 0)
		return rc;
	if (d.state == ROW_DUE_WAITING) {
		c = rp_content(r, id);
		c->waiting = true;
		if (!c->row)
			memcpy(c->ref, d.ref, sizeof(c->ref));
		if (c->due == 0)
			c->due = due;
	} else if ((b = rp_blob(r, d.ref)) != NULL) {
		b->known = true;
		r->dying = arena_grow(r->a, r->dying, &r->cap_dying,
		    r->n_dying + 1, sizeof(*r->dying));
		y = &r->dying[r->n_dying++];
		memcpy(y->id, id, sizeof(y->id));
		memcpy(y->ref, d.ref, sizeof(y->ref));
		y->due = due;
	}
	return 0;
}

/* Kinds that are derived anew are not read, but not thrown away either if a
 * newer program wrote them. */
static int
load_nothing(struct repair *r, struct slice key, struct slice val)
{
	int rc = val.n > 0 ? row_version((unsigned char)val.p[0],
	    "a kind that is derived") : 0;

	(void)r;
	(void)key;
	return rc == STORE_E_VERSION ? rc : 0;
}

int
rp_load(struct repair *r)
{
	static const struct {
		int kind;
		row_fn *fn;
	} kinds[] = {
		{ ROW_K_HEAD, load_head }, { ROW_K_KEYWORDS, load_keywords },
		{ ROW_K_MAILBOX, load_mailbox }, { ROW_K_ROLE, load_role },
		{ ROW_K_TOMB, load_tombs }, { ROW_K_HOT, load_chunk },
		{ ROW_K_EMAIL, load_email }, { ROW_K_BLOB, load_blob },
		{ ROW_K_SUBSCRIPTION, load_subscription },
		{ ROW_K_DUE, load_due }, { ROW_K_ACL, load_acl },
		{ ROW_K_META, load_meta },
		{ ROW_K_IDENTITY, rp_load_identity },
		{ ROW_K_SUBMISSION, rp_load_submission },
		{ ROW_K_VACATION, rp_load_vacation },
		{ ROW_K_PUSH, rp_load_push },
		{ ROW_K_ONCE, rp_load_once }
	};
	static const int derived[] = {
		ROW_K_COLD, ROW_K_NAME, ROW_K_CHANGED, ROW_K_THREAD, ROW_K_MEMBER,
		ROW_K_MSGID, ROW_K_JOB
	};
	int rc;

	for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
		if ((rc = each(r, derived[i], load_nothing)) < 0)
			return rc;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((rc = each(r, kinds[i].kind, kinds[i].fn)) < 0)
			return rc;
	return 0;
}
