/* libstore/submission.c - what was, and is to be, sent (RFC 8621 7) */
#include "config.h"

#include <stdlib.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libstore/store-int.h"

enum {
	DROP_AT_ONCE = 100,	/* old ones, to make room */
	REPLY_SPARE = 60	/* octets for each recipient's reply */
};

/* ---- reading ----------------------------------------------------------- */

static struct store_path
path_out(const struct row_path *p, struct arena *a)
{
	struct store_path out = { .email = arena_slice(a, p->email) };

	out.n_param = p->n_param;
	out.param = arena_calloc(a, p->n_param, sizeof(*out.param));
	for (size_t i = 0; i < p->n_param; i++) {
		out.param[i].name = arena_slice(a, p->param[i].name);
		if (p->param[i].value.p != NULL)
			out.param[i].value = arena_slice(a,
			    p->param[i].value);
	}
	return out;
}

static int
submission_out(uint64_t id, struct slice val, struct arena *a,
    struct store_submission *v_r)
{
	struct row_submission r;
	int rc;

	if ((rc = row_submission_get(val, a, &r)) < 0)
		return rc;
	*v_r = (struct store_submission){
		.id = id, .modseq = r.modseq, .identity = r.identity,
		.email = r.email, .thread = r.thread,
		.undo = (enum store_undo)r.undo,
		.phase = (enum store_phase)r.phase, .send_at = r.send_at,
		.next_try = r.next_try, .attempts = r.attempts,
		.from = path_out(&r.from, a), .n_rcpt = r.n_rcpt
	};
	memcpy(v_r->blob.h, r.blob, sizeof(r.blob));
	v_r->rcpt = arena_calloc(a, r.n_rcpt, sizeof(*v_r->rcpt));
	for (size_t i = 0; i < r.n_rcpt; i++) {
		v_r->rcpt[i].to = path_out(&r.rcpt[i].to, a);
		v_r->rcpt[i].delivered =
		    (enum store_delivered)r.rcpt[i].delivered;
		v_r->rcpt[i].reply = arena_slice(a, r.rcpt[i].reply);
	}
	v_r->n_dsn = r.n_dsn;
	v_r->dsn = arena_calloc(a, r.n_dsn, sizeof(*v_r->dsn));
	for (size_t i = 0; i < r.n_dsn; i++)
		memcpy(v_r->dsn[i].h, r.dsn + i * ROW_BLOBID_LEN,
		    ROW_BLOBID_LEN);
	return 0;
}

bool
store_submission_open(const struct store_submission *v)
{
	if (v->undo == STORE_UNDO_PENDING)
		return true;
	for (size_t i = 0; v->undo == STORE_UNDO_FINAL && i < v->n_rcpt; i++)
		if (v->rcpt[i].delivered == STORE_DELIVERED_QUEUED)
			return true;
	return false;
}

struct list {
	struct arena *a;
	bool open;		/* those alone that are to be sent */
	struct store_submission *v;
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
	if ((rc = submission_out(id, val, l->a, &l->v[l->n])) < 0)
		return rc;
	l->n += !l->open || store_submission_open(&l->v[l->n]);
	return 0;
}

int
submissions_read(struct store *st, struct arena *a, bool open,
    struct store_submission **v_r, size_t *n_r)
{
	struct list l = { .a = a, .open = open };
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = objects_each(t, ROW_K_SUBMISSION, list_note, &l);
	ro_end(st);
	*v_r = l.v;
	*n_r = l.n;
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "submissions", 0) : rc;
}

int
store_submission_list(struct store *st, struct arena *a,
    struct store_submission **v_r, size_t *n_r)
{
	return submissions_read(st, a, false, v_r, n_r);
}

int
store_submission_get(struct store *st, struct arena *a, uint64_t id,
    struct store_submission *v_r)
{
	struct kv_txn *t;
	struct slice val;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = object_read(t, a, ROW_K_SUBMISSION, id, &val)) == 0)
		rc = submission_out(id, val, a, v_r);
	ro_end(st);
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "submission", id) : rc;
}

/* ---- writing ----------------------------------------------------------- */

static int
write_row(struct work *w, uint64_t id, struct row_submission *r, bool fresh)
{
	r->modseq = w->modseq;
	/* There is always room for short replies. */
	if (row_submission_put_max(&w->st->val, r, STORE_REPLY_MAX) < 0 &&
	    row_submission_put_max(&w->st->val, r, REPLY_SPARE) < 0)
		return STORE_E_TOOBIG;
	return object_put(w, ROW_K_SUBMISSION, id, fresh);
}

/* A row for a change; its blob is used only while it is open. */
static int
change_begin(struct work *w, uint64_t id, struct row_submission *r)
{
	struct slice val;
	int rc;

	rc = object_read(w->t, w->a, ROW_K_SUBMISSION, id, &val);
	return rc < 0 ? rc : row_submission_get(val, w->a, r);
}

/* One that was open. */
static int
finish(struct work *w, uint64_t id, struct row_submission *r)
{
	int rc;

	r->phase = STORE_PHASE_WAITING;
	if (!row_submission_open(r) && (rc = blob_unuse(w, r->blob)) < 0)
		return rc;
	return write_row(w, id, r, false);
}

static struct row_path
path_in(const struct store_path *p, struct arena *a)
{
	struct row_path out = { .email = p->email, .n_param = p->n_param };

	out.param = arena_calloc(a, p->n_param, sizeof(*out.param));
	for (size_t i = 0; i < p->n_param; i++) {
		out.param[i].name = p->param[i].name;
		out.param[i].value = p->param[i].value;
	}
	return out;
}

/* Of those that are done the oldest go. */
static int
make_room(struct work *w)
{
	struct list l = { .a = w->a };
	struct row_objects sum;
	size_t dropped = 0;
	int rc;

	rc = objects_read(w->t, w->a, ROW_K_SUBMISSION, &sum);
	if (rc < 0 || sum.n < STORE_SUBMISSIONS_MAX)
		return rc;
	if ((rc = objects_each(w->t, ROW_K_SUBMISSION, list_note, &l)) < 0)
		return rc;
	for (size_t i = 0; i < l.n && dropped < DROP_AT_ONCE; i++) {
		if (store_submission_open(&l.v[i]))
			continue;
		rc = object_gone(w, ROW_K_SUBMISSION, l.v[i].id);
		if (rc < 0)
			return rc;
		dropped++;
	}
	return dropped > 0 ? 0 : STORE_E_LIMIT;
}

struct create_arg {
	const struct store_submission *v;
	uint64_t id;
};

static int
create(struct work *w, void *arg)
{
	struct create_arg *c = arg;
	const struct store_submission *v = c->v;
	struct row_submission r = {
		.identity = v->identity, .email = v->email,
		.thread = v->thread, .send_at = v->send_at,
		.next_try = v->next_try, .n_rcpt = v->n_rcpt
	};
	struct row_blob b;
	int rc;

	memcpy(r.blob, v->blob.h, sizeof(r.blob));
	r.from = path_in(&v->from, w->a);
	r.rcpt = arena_calloc(w->a, v->n_rcpt, sizeof(*r.rcpt));
	for (size_t i = 0; i < v->n_rcpt; i++) {
		r.rcpt[i].to = path_in(&v->rcpt[i].to, w->a);
		r.rcpt[i].delivered = (uint8_t)v->rcpt[i].delivered;
		r.rcpt[i].reply = v->rcpt[i].reply;
	}
	if (row_submission_put_max(&w->st->val, &r, 0) < 0 ||
	    w->st->val.n + v->n_rcpt * REPLY_SPARE > ROW_BUF_MAX)
		return STORE_E_TOOBIG;
	if ((rc = make_room(w)) < 0 ||
	    (rc = blob_row(w->t, w->a, r.blob, &b)) < 0 ||
	    (rc = blob_use(w, r.blob, &b)) < 0)
		return rc;
	c->id = work_id(w);
	return write_row(w, c->id, &r, true);
}

int
store_submission_create(struct store *st, const struct store_submission *v,
    uint64_t *id_r)
{
	struct create_arg c = { .v = v };
	int rc;

	if (v->n_rcpt == 0 || v->n_rcpt > STORE_RCPTS_MAX)
		return v->n_rcpt == 0 ? STORE_E_INVALID : STORE_E_TOOBIG;
	/* Again afterwards: somebody may have found nothing to do and taken
	 * the account out in between. */
	if ((rc = outbox_hint(st, v->next_try)) < 0 ||
	    (rc = store_run(st, 0, create, &c, NULL)) < 0)
		return rc;
	*id_r = c.id;
	(void)outbox_hint(st, v->next_try);
	return 0;
}

static int
cancel(struct work *w, void *arg)
{
	const uint64_t *id = arg;
	struct row_submission r;
	int rc;

	if ((rc = change_begin(w, *id, &r)) < 0)
		return rc;
	if (r.undo == STORE_UNDO_CANCELED)
		return 0;
	if (r.undo != STORE_UNDO_PENDING || r.phase != STORE_PHASE_WAITING)
		return STORE_E_DENIED;
	r.undo = STORE_UNDO_CANCELED;
	return finish(w, *id, &r);
}

int
store_submission_cancel(struct store *st, uint64_t id)
{
	return store_run(st, 0, cancel, &id, NULL);
}

static int
destroy(struct work *w, void *arg)
{
	const uint64_t *id = arg;
	struct row_submission r;
	int rc;

	if ((rc = change_begin(w, *id, &r)) < 0)
		return rc;
	return row_submission_open(&r) ? STORE_E_DENIED :
	    object_gone(w, ROW_K_SUBMISSION, *id);
}

int
store_submission_destroy(struct store *st, uint64_t id)
{
	return store_run(st, 0, destroy, &id, NULL);
}

/* ---- for who sends it -------------------------------------------------- */

static int
commit(struct work *w, void *arg)
{
	const uint64_t *id = arg;
	struct row_submission r;
	int rc;

	if ((rc = change_begin(w, *id, &r)) < 0)
		return rc;
	if (!row_submission_open(&r))
		return STORE_E_DENIED;
	r.phase = STORE_PHASE_COMMITTED;
	return write_row(w, *id, &r, false);
}

int
submission_commit(struct store *st, uint64_t id)
{
	return store_run(st, 0, commit, &id, NULL);
}

static int
done(struct work *w, void *arg)
{
	const struct store_submission *v = arg;
	struct row_submission r;
	int rc;

	if ((rc = change_begin(w, v->id, &r)) < 0)
		return rc;
	/* Canceled before it was committed to. */
	if (!row_submission_open(&r) || r.n_rcpt != v->n_rcpt)
		return 0;
	for (size_t i = 0; i < r.n_rcpt; i++) {
		r.rcpt[i].delivered = (uint8_t)v->rcpt[i].delivered;
		r.rcpt[i].reply = v->rcpt[i].reply;
	}
	r.next_try = v->next_try;
	r.attempts = v->attempts;
	r.undo = (uint8_t)v->undo;
	return finish(w, v->id, &r);
}

int
submission_done(struct store *st, const struct store_submission *v)
{
	return store_run(st, 0, done, (void *)(uintptr_t)v, NULL);
}

/* ---- reports ----------------------------------------------------------- */

void
store_submission_envid(struct store *st, uint64_t id,
    char buf[STORE_ENVID_TEXT])
{
	unsigned char mac[SHA256_LEN];
	char text[STORE_ID_TEXT];
	struct buf b;

	store_id_text('S', id, text);
	hmac_sha256(slice_str(st->id), slice_str(text), mac);
	buf_init(&b, STORE_ENVID_TEXT - 1);
	buf_add_str(&b, text);
	buf_addc(&b, '-');
	hex_encode(&b, slice_make((const char *)mac, 8));
	memcpy(buf, b.p, b.n);
	buf[b.n] = '\0';
	buf_release(&b);
}

int
store_submission_from_envid(struct store *st, struct slice envid,
    uint64_t *id_r)
{
	const char *dash = envid.n > 0 ? memchr(envid.p, '-', envid.n) : NULL;
	char text[STORE_ENVID_TEXT];

	if (dash == NULL || store_id_from('S', slice_make(envid.p,
	    (size_t)(dash - envid.p)), id_r) < 0)
		return STORE_E_NOTFOUND;
	store_submission_envid(st, *id_r, text);
	return slice_eq(envid, slice_str(text)) ? 0 : STORE_E_NOTFOUND;
}

struct report_arg {
	uint64_t id;
	const struct store_rcpt *rcpt;
	size_t n;
	const struct store_blobid *blob;
};

static void
take_report(struct row_submission *r, const struct store_rcpt *told)
{
	for (size_t i = 0; i < r->n_rcpt; i++) {
		struct row_rcpt *to = &r->rcpt[i];

		if (told->delivered == STORE_DELIVERED_UNKNOWN ||
		    to->delivered != STORE_DELIVERED_UNKNOWN ||
		    !slice_ieq(to->to.email, told->to.email))
			continue;
		to->delivered = (uint8_t)told->delivered;
		to->reply = told->reply;
	}
}

static int
report(struct work *w, void *arg)
{
	const struct report_arg *a = arg;
	struct row_submission r;
	unsigned char *dsn;
	int rc;

	if ((rc = change_begin(w, a->id, &r)) < 0)
		return rc;
	for (size_t i = 0; i < r.n_dsn; i++)
		if (memcmp(r.dsn + i * ROW_BLOBID_LEN, a->blob->h,
		    ROW_BLOBID_LEN) == 0)
			return 0;
	if (r.n_dsn == ROW_DSN_MAX)
		return STORE_E_LIMIT;
	for (size_t i = 0; i < a->n; i++)
		take_report(&r, &a->rcpt[i]);
	dsn = arena_alloc(w->a, (r.n_dsn + 1) * ROW_BLOBID_LEN);
	if (r.n_dsn > 0)
		memcpy(dsn, r.dsn, r.n_dsn * ROW_BLOBID_LEN);
	memcpy(dsn + r.n_dsn++ * ROW_BLOBID_LEN, a->blob->h, ROW_BLOBID_LEN);
	r.dsn = dsn;
	return write_row(w, a->id, &r, false);
}

int
store_submission_report(struct store *st, uint64_t id,
    const struct store_rcpt *rcpt, size_t n, const struct store_blobid *blob)
{
	struct report_arg a = { id, rcpt, n, blob };

	return store_run(st, 0, report, &a, NULL);
}

/*
 * In an account that was restored: what it says is to be sent may have been
 * sent since, so it isn't sent again.
 */
int
submissions_stop(struct work *w)
{
	struct list l = { .a = w->a, .open = true };
	struct row_submission r;
	int rc;

	if ((rc = objects_each(w->t, ROW_K_SUBMISSION, list_note, &l)) < 0)
		return rc;
	for (size_t i = 0; i < l.n; i++) {
		if ((rc = change_begin(w, l.v[i].id, &r)) < 0)
			return rc;
		row_submission_stop(&r);
		if ((rc = finish(w, l.v[i].id, &r)) < 0)
			return rc;
	}
	return 0;
}
