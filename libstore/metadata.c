/*
 * libstore/metadata.c - annotations of mailboxes and of the account (RFC 5464),
 * and of Emails (RFC 5257): what has no id in common is told apart by its id
 */
#include "config.h"

#include <stdlib.h>

#include "libbase/io.h"
#include "libstore/store-int.h"

enum { GONE_MAX = 100, ENTRIES_MAX = 1000, VALUE_MAX = 32 << 10, SIZE_MAX_ALL = 16 << 20 };

static size_t
entries_max(const struct store *st)
{
	uint32_t n = st->cf->meta_entries;

	return n != 0 ? n : ENTRIES_MAX;
}

size_t
store_metadata_max(const struct store *st)
{
	uint32_t n = st->cf->meta_value;

	return n != 0 ? n : VALUE_MAX;
}

static uint64_t
size_max(const struct store *st)
{
	uint64_t n = st->cf->meta_size;

	return n != 0 ? n : SIZE_MAX_ALL;
}

/* Names are compared without case (RFC 5464 3). */
struct row_key
meta_key(uint64_t mailbox, struct slice user, struct slice name)
{
	unsigned char hash[SHA256_LEN];
	struct sha256 *h = sha256_new();

	sha256_add(h, user.p, user.n);
	sha256_add(h, "", 1);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c += 32;
		sha256_add(h, &c, 1);
	}
	sha256_finish(&h, hash);
	return row_key_meta(mailbox, hash);
}

uint64_t
meta_size(const struct row_meta *m)
{
	return m->gone ? 0 : m->name.n + m->value.n;
}

/* ---- reading ----------------------------------------------------------- */

static int
by_name(const void *va, const void *vb)
{
	const struct store_metadata *a = va, *b = vb;

	return a->shared != b->shared ? a->shared - b->shared :
	    slice_cmp(a->name, b->name);
}

/* Those of a mailbox that the user may see; with since, what changed after it
 * and what was removed. */
static int
collect(struct kv_scan *s, struct arena *a, struct slice user,
    const uint64_t *since, struct store_metadata **v_r, size_t *n_r)
{
	struct slice key, val;
	struct row_meta m;
	size_t cap = 0;
	int rc;

	while ((rc = kv_scan_next(s, &key, &val)) > 0) {
		if ((rc = row_meta_get(val, &m)) < 0)
			return rc;
		if ((m.user.n > 0 && !slice_eq(m.user, user)) ||
		    (since == NULL ? m.gone : m.modseq <= *since))
			continue;
		*v_r = arena_grow(a, *v_r, &cap, *n_r + 1, sizeof(**v_r));
		(*v_r)[(*n_r)++] = (struct store_metadata){
			.shared = m.user.n == 0, .modseq = m.modseq,
			.name = arena_slice(a, m.name),
			.value = m.gone ? slice_make(NULL, 0) :
			    arena_slice(a, m.value)
		};
	}
	return rc;
}

static int
read_all(struct store *st, struct arena *a, uint64_t mailbox, const char *user,
    const uint64_t *since, struct store_metadata **v_r, size_t *n_r)
{
	struct row_key from = row_key_u64(ROW_K_META, mailbox);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct kv_txn *t;
	int rc;

	*v_r = NULL;
	*n_r = 0;
	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s)) == 0)
		rc = collect(s, a, slice_str(user), since, v_r, n_r);
	kv_scan_close(&s);
	ro_end(st);
	if (rc == STORE_E_CORRUPT)
		return store_corrupt(st, "an annotation of mailbox", mailbox);
	if (rc == 0 && *n_r > 0)
		qsort(*v_r, *n_r, sizeof(**v_r), by_name);
	return rc;
}

int
store_metadata_get(struct store *st, struct arena *a, uint64_t mailbox,
    const char *user, struct store_metadata **v_r, size_t *n_r)
{
	return read_all(st, a, mailbox, user, NULL, v_r, n_r);
}

int
store_metadata_changes(struct store *st, struct arena *a, uint64_t mailbox,
    const char *user, uint64_t since, struct store_metadata **v_r, size_t *n_r)
{
	return read_all(st, a, mailbox, user, &since, v_r, n_r);
}

static int
sum_get(struct store *st, struct row_meta_sum *sum)
{
	struct row_key k = row_key_kind(ROW_K_META);
	struct kv_txn *t;
	struct slice v;
	int rc;

	*sum = (struct row_meta_sum){ 0, 0 };
	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = kv_get(t, st->ra, row_key(&k), &v)) == 0)
		rc = row_meta_sum_get(v, sum);
	ro_end(st);
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

int
store_metadata_size(struct store *st, uint64_t *size_r)
{
	struct row_meta_sum sum;
	int rc = sum_get(st, &sum);

	*size_r = sum.size;
	return rc;
}

int
store_metadata_modseq(struct store *st, uint64_t *modseq_r)
{
	struct row_meta_sum sum;
	int rc = sum_get(st, &sum);

	*modseq_r = sum.modseq;
	return rc;
}

/* ---- changing ---------------------------------------------------------- */

static int
sum_read(struct work *w, struct row_meta_sum *sum)
{
	struct slice v;
	int rc;

	*sum = (struct row_meta_sum){ 0, 0 };
	rc = work_get(w, row_key_kind(ROW_K_META), &v);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	return rc < 0 ? rc : row_meta_sum_get(v, sum);
}

static int
sum_write(struct work *w, struct row_meta_sum *sum)
{
	int rc;

	sum->modseq = w->modseq;
	if ((rc = row_meta_sum_put(&w->st->val, sum)) < 0)
		return rc;
	return work_put(w, row_key_kind(ROW_K_META));
}

/*
 * Takes out the rows of a mailbox, or with only_gone those that stand for what
 * was removed.
 */
static int
meta_clear(struct work *w, uint64_t mailbox, bool only_gone,
    struct row_meta_sum *sum)
{
	struct row_key from = row_key_u64(ROW_K_META, mailbox);
	struct row_key to = row_key_after(from), *dead = NULL;
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_meta m;
	size_t n = 0, cap = 0;
	int rc;

	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if ((rc = row_meta_get(val, &m)) < 0)
			break;
		if (only_gone && !m.gone)
			continue;
		sum->size -= meta_size(&m);
		dead = arena_grow(w->a, dead, &cap, n + 1, sizeof(*dead));
		memcpy(dead[n].b, key.p, key.n);
		dead[n++].n = key.n;
	}
	kv_scan_close(&s);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = work_del(w, dead[i]);
	return rc;
}

int
meta_drop(struct work *w, uint64_t mailbox)
{
	struct row_meta_sum sum;
	uint64_t before;
	int rc;

	if ((rc = sum_read(w, &sum)) < 0)
		return rc;
	before = sum.size;
	if ((rc = meta_clear(w, mailbox, false, &sum)) < 0)
		return rc;
	return sum.size != before ? sum_write(w, &sum) : 0;
}

/* How many a mailbox has, and how many rows stand for what was removed. */
static int
meta_count(struct work *w, uint64_t mailbox, size_t *n_r, size_t *gone_r)
{
	struct row_key from = row_key_u64(ROW_K_META, mailbox);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_meta m;
	int rc;

	*n_r = *gone_r = 0;
	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if ((rc = row_meta_get(val, &m)) < 0)
			break;
		++*(m.gone ? gone_r : n_r);
	}
	kv_scan_close(&s);
	return rc;
}

struct set_arg {
	uint64_t mailbox;
	struct slice user;
	const struct store_metadata *v;
	size_t n;
};

static int
put_one(struct work *w, const struct set_arg *s, const struct store_metadata *v,
    struct row_meta_sum *sum, size_t *added)
{
	struct row_meta m = { .name = v->name }, old;
	struct row_key k;
	struct slice val;
	int rc;

	m.user = v->shared ? slice_make(NULL, 0) : s->user;
	m.modseq = w->modseq;
	m.gone = v->value.p == NULL;
	m.value = v->value;
	k = meta_key(s->mailbox, m.user, m.name);
	rc = work_get(w, k, &val);
	if (rc == STORE_E_NOTFOUND) {
		if (m.gone)
			return 0;
		(*added)++;
	} else if (rc < 0 || (rc = row_meta_get(val, &old)) < 0) {
		return rc;
	} else {
		if (old.gone && m.gone)
			return 0;
		sum->size -= meta_size(&old);
		*added += old.gone;
	}
	sum->size += meta_size(&m);
	if ((rc = row_meta_put(&w->st->val, &m)) < 0)
		return rc;
	return work_put(w, k);
}

/* Of one object; *sum counts along. */
static int
set_on(struct work *w, const struct set_arg *s, struct row_meta_sum *sum)
{
	size_t added = 0, have, gone;
	int rc;

	for (size_t i = 0; i < s->n; i++)
		if ((rc = put_one(w, s, &s->v[i], sum, &added)) < 0)
			return rc;
	if (!w->dirty)
		return 0;
	if ((rc = meta_count(w, s->mailbox, &have, &gone)) < 0)
		return rc;
	if (added > 0 && have > entries_max(w->st))
		return STORE_E_LIMIT;
	/* Not at once: who is notified looks for them. */
	return gone > GONE_MAX ? meta_clear(w, s->mailbox, true, sum) : 0;
}

static int
sum_settle(struct work *w, struct row_meta_sum *sum, uint64_t before)
{
	if (!w->dirty)
		return 0;
	if (sum->size > before && sum->size > size_max(w->st))
		return STORE_E_QUOTA;
	return sum_write(w, sum);
}

static int
set_all(struct work *w, void *arg)
{
	const struct set_arg *s = arg;
	struct row_meta_sum sum;
	struct w_mailbox *m;
	uint64_t before;
	int rc;

	if (s->mailbox != 0 && (rc = w_mailbox(w, s->mailbox, &m)) < 0)
		return rc;
	if ((rc = sum_read(w, &sum)) < 0)
		return rc;
	before = sum.size;
	if ((rc = set_on(w, s, &sum)) < 0)
		return rc;
	if (s->mailbox != 0 && w->dirty) {	/* RFC 7162 3.2 */
		m->row.highestmodseq = w->modseq;
		m->dirty = true;
	}
	return sum_settle(w, &sum, before);
}

bool
store_metadata_name_ok(struct slice name)
{
	if (name.n < 2 || name.n > ROW_META_NAME_MAX || name.p[0] != '/' ||
	    name.p[name.n - 1] == '/')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c < 32 || c > 126 || c == '*' || c == '%' ||
		    (c == '/' && i > 0 && name.p[i - 1] == '/'))
			return false;
	}
	return true;
}

static int
values_check(const struct store *st, const struct store_metadata *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!store_metadata_name_ok(v[i].name))
			return STORE_E_INVALID;
		if (v[i].value.n > store_metadata_max(st))
			return STORE_E_TOOBIG;
	}
	return 0;
}

int
store_metadata_set(struct store *st, uint64_t mailbox, const char *user,
    const struct store_metadata *v, size_t n)
{
	struct set_arg s = { mailbox, slice_str(user), v, n };
	int rc;

	if ((rc = values_check(st, v, n)) < 0)
		return rc;
	rc = store_run(st, 0, set_all, &s, NULL);
	return rc == STORE_E_CORRUPT ? store_corrupt(st,
	    "the annotations of mailbox", mailbox) : rc;
}

/* ---- of Emails --------------------------------------------------------- */

struct annotate_arg {
	uint64_t mailbox;
	const uint32_t *uid;
	size_t n, pos, next;
	struct set_arg set;
	uint64_t unchanged_since;
	uint32_t *modified;
	size_t n_modified, had;
};

static int
annotate_one(struct work *w, struct annotate_arg *x, struct w_msg *g,
    struct row_meta_sum *sum)
{
	struct row_cold d;
	bool dirty = w->dirty;
	int rc;

	if ((rc = w_msg_cold(w, g, &d)) < 0)
		return rc;
	x->set.mailbox = d.email;
	w->dirty = false;
	rc = set_on(w, &x->set, sum);
	if (rc >= 0 && w->dirty)
		rc = msg_touch(w, g);
	w->dirty = w->dirty || dirty;
	return rc;
}

/* 1: more to do. */
static int
annotate_portion(struct work *w, void *arg)
{
	struct annotate_arg *x = arg;
	struct row_meta_sum sum;
	struct w_msg g = { 0 };
	struct w_mailbox *m;
	uint64_t before;
	int rc;

	x->n_modified = x->had;
	x->next = x->pos;
	if ((rc = w_mailbox(w, x->mailbox, &m)) < 0 ||
	    (rc = sum_read(w, &sum)) < 0)
		return rc;
	before = sum.size;
	for (; x->next < x->n && !work_full(w); x->next++) {
		rc = w_msg(w, m, x->uid[x->next], &g);
		if (rc == STORE_E_NOTFOUND)
			continue;
		if (rc < 0)
			return rc;
		if (g.hot.modseq > x->unchanged_since) {
			x->modified[x->n_modified++] = x->uid[x->next];
			continue;
		}
		if ((rc = annotate_one(w, x, &g, &sum)) < 0)
			return rc;
	}
	if ((rc = sum_settle(w, &sum, before)) < 0)
		return rc;
	return x->next < x->n;
}

int
store_msgs_annotate(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, const char *user,
    const struct store_metadata *v, size_t n_v, uint64_t unchanged_since,
    uint32_t **modified_r, size_t *n_modified_r)
{
	struct annotate_arg x = {
		.mailbox = mailbox, .uid = uids, .n = n,
		.set = { .user = slice_str(user), .v = v, .n = n_v },
		.unchanged_since = unchanged_since
	};
	int rc;

	if ((rc = values_check(st, v, n_v)) < 0)
		return rc;
	x.modified = arena_calloc(a, unchanged_since == UINT64_MAX ? 0 : n,
	    sizeof(*x.modified));
	do {
		rc = store_run(st, 0, annotate_portion, &x, NULL);
		x.pos = x.next;
		x.had = x.n_modified;
	} while (rc > 0);
	*modified_r = x.modified;
	*n_modified_r = x.n_modified;
	return rc == STORE_E_CORRUPT ? store_corrupt(st,
	    "the annotations of messages in mailbox", mailbox) : rc;
}

int
meta_email_drop(struct work *w, uint64_t email)
{
	struct row_meta_sum sum;
	int rc;

	if (w->no_meta)
		return 0;
	if ((rc = sum_read(w, &sum)) < 0)
		return rc;
	w->no_meta = sum.modseq == 0;
	return w->no_meta ? 0 : meta_drop(w, email);
}

struct copy_arg {
	uint64_t from, to;
};

int
meta_copy_to(struct work *w, uint64_t source, uint64_t target)
{
	struct row_key from = row_key_u64(ROW_K_META, source);
	struct row_key to = row_key_after(from);
	struct row_meta_sum sum;
	struct row_meta *list = NULL, m;
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t n = 0, cap = 0;
	int rc;

	if ((rc = sum_read(w, &sum)) < 0)
		return rc;
	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if ((rc = row_meta_get(arena_slice(w->a, val), &m)) < 0)
			break;
		list = arena_grow(w->a, list, &cap, n + 1, sizeof(*list));
		list[n++] = m;
	}
	kv_scan_close(&s);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		if (list[i].gone)
			continue;
		list[i].modseq = w->modseq;
		sum.size += meta_size(&list[i]);
		if ((rc = row_meta_put(&w->st->val, &list[i])) == 0)
			rc = work_put(w, meta_key(target, list[i].user,
			    list[i].name));
	}
	return rc < 0 || n == 0 ? rc : sum_write(w, &sum);
}

static int
copy_all(struct work *w, void *arg)
{
	const struct copy_arg *c = arg;

	return meta_copy_to(w, c->from, c->to);
}

int
meta_copy(struct store *st, uint64_t from, uint64_t to)
{
	struct copy_arg c = { from, to };

	return store_run(st, 0, copy_all, &c, NULL);
}
