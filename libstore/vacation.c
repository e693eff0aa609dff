/* libstore/vacation.c - the vacation response, and who got it (RFC 8621 8) */
#include "config.h"

#include "libbase/io.h"
#include "libstore/store-int.h"

enum { SENDERS_MAX = 1000 };	/* that are remembered */

/* ---- the response ------------------------------------------------------ */

static int
vacation_read(struct kv_txn *t, struct arena *a, struct row_vacation *r)
{
	struct row_key k = row_key_kind(ROW_K_VACATION);
	struct slice v;
	int rc;

	memset(r, 0, sizeof(*r));
	rc = kv_get(t, a, row_key(&k), &v);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	return rc < 0 ? rc : row_vacation_get(v, r);
}

uint64_t
vacation_modseq(struct kv_txn *t, struct arena *a, int *rc_r)
{
	struct row_vacation r;

	*rc_r = vacation_read(t, a, &r);
	return r.modseq;
}

int
store_vacation_get(struct store *st, struct arena *a,
    struct store_vacation *v_r)
{
	struct row_vacation r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = vacation_read(t, st->ra, &r)) == 0)
		*v_r = (struct store_vacation){
			.modseq = r.modseq, .enabled = r.enabled,
			.has_from = r.has_from, .from = r.from,
			.has_to = r.has_to, .to = r.to,
			.subject = arena_slice(a, r.subject),
			.text = arena_slice(a, r.text),
			.html = arena_slice(a, r.html)
		};
	ro_end(st);
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "vacation response", 0) : rc;
}

/* ---- who got it -------------------------------------------------------- */

struct senders {
	struct arena *a;
	struct row_key *key;
	int64_t *when;
	size_t n, cap, cap_when;
};

static int
senders_read(struct work *w, struct senders *l)
{
	struct row_key from = row_key_kind(ROW_K_VACATION);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t when;
	int rc;

	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (key.n == 1)		/* the response */
			continue;
		if (key.n > ROW_KEY_MAX)
			rc = STORE_E_CORRUPT;
		if (rc < 0 || (rc = row_u64_get(val, &when)) < 0)
			break;
		l->key = arena_grow(l->a, l->key, &l->cap, l->n + 1,
		    sizeof(*l->key));
		l->when = arena_grow(l->a, l->when, &l->cap_when, l->n + 1,
		    sizeof(*l->when));
		memcpy(l->key[l->n].b, key.p, key.n);
		l->key[l->n].n = key.n;
		l->when[l->n++] = (int64_t)when;
	}
	kv_scan_close(&s);
	return rc;
}

/* Those of before a time; the oldest, where there are too many. */
static int
senders_drop(struct work *w, int64_t before)
{
	struct senders l = { .a = w->a };
	size_t left, oldest = 0;
	int rc;

	if ((rc = senders_read(w, &l)) < 0)
		return rc;
	left = l.n;
	for (size_t i = 0; i < l.n; i++) {
		if (l.when[i] < l.when[oldest])
			oldest = i;
		if (l.when[i] >= before)
			continue;
		if ((rc = work_del(w, l.key[i])) < 0)
			return rc;
		left--;
	}
	return left >= SENDERS_MAX ? work_del(w, l.key[oldest]) : 0;
}

/* Addresses are compared without case. */
struct row_key
vacation_key(struct slice sender)
{
	unsigned char hash[SHA256_LEN];
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < sender.n; i++) {
		char c = sender.p[i];

		if (c >= 'A' && c <= 'Z')
			c += 32;
		sha256_add(h, &c, 1);
	}
	sha256_finish(&h, hash);
	return row_key_sender(hash);
}

struct claim {
	struct slice sender;
	int64_t now, since;
};

static int
claim(struct work *w, void *arg)
{
	const struct claim *c = arg;
	struct row_key k = vacation_key(c->sender);
	struct slice v;
	uint64_t when;
	int rc;

	rc = work_get(w, k, &v);
	if (rc == 0 && (rc = row_u64_get(v, &when)) == 0 &&
	    (int64_t)when >= c->since && (int64_t)when <= c->now)
		return 0;
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	if ((rc = senders_drop(w, c->since)) < 0)
		return rc;
	row_u64_put(&w->st->val, (uint64_t)c->now);
	return (rc = work_put(w, k)) < 0 ? rc : 1;
}

int
store_vacation_claim(struct store *st, struct slice sender, int64_t now,
    int64_t interval_s)
{
	struct claim c = { sender, now, now - interval_s + 1 };

	return store_run(st, 0, claim, &c, NULL);
}

/* ---- changing ---------------------------------------------------------- */

struct set_arg {
	const struct store_vacation *v;
	unsigned set;
};

static int
set(struct work *w, void *arg)
{
	const struct set_arg *s = arg;
	const struct store_vacation *v = s->v;
	struct row_vacation r;
	int rc;

	if ((rc = vacation_read(w->t, w->a, &r)) < 0)
		return rc;
	if (s->set & STORE_VACATION_ENABLED)
		r.enabled = v->enabled;
	if (s->set & STORE_VACATION_FROM) {
		r.has_from = v->has_from;
		r.from = v->from;
	}
	if (s->set & STORE_VACATION_TO) {
		r.has_to = v->has_to;
		r.to = v->to;
	}
	if (s->set & STORE_VACATION_SUBJECT)
		r.subject = v->subject;
	if (s->set & STORE_VACATION_TEXT)
		r.text = v->text;
	if (s->set & STORE_VACATION_HTML)
		r.html = v->html;
	r.modseq = w->modseq;
	/* It is another one, that nobody got yet (RFC 5230 4.2). */
	if ((rc = senders_drop(w, INT64_MAX)) < 0)
		return rc;
	if (row_vacation_put(&w->st->val, &r) < 0)
		return STORE_E_TOOBIG;
	return work_put(w, row_key_kind(ROW_K_VACATION));
}

int
store_vacation_set(struct store *st, const struct store_vacation *v,
    unsigned what)
{
	struct set_arg s = { v, what };

	return what != 0 ? store_run(st, 0, set, &s, NULL) : 0;
}
