/* libstore/repair-object.c - identities, submissions of a damaged account */
#include "config.h"

#include "libstore/repair.h"

static void
note(struct repair *r, int kind, uint64_t id, struct slice val)
{
	r->object = arena_grow(r->a, r->object, &r->cap_object,
	    r->n_object + 1, sizeof(*r->object));
	r->object[r->n_object++] = (struct rp_object){
		.kind = kind, .id = id, .val = arena_slice(r->a, val)
	};
}

/* 1: it is one that lives. */
static int
head_of(struct repair *r, int kind, struct slice key, struct slice val,
    uint64_t *id_r)
{
	uint64_t modseq;
	bool gone;
	int rc;

	if (key.n == 1)		/* the sum is made anew */
		return 0;
	if (!row_key_get_u64(key, kind, id_r) || *id_r == 0)
		return STORE_E_CORRUPT;
	if ((rc = row_object_get(val, &modseq, &gone)) < 0)
		return rc;
	rp_seen(r, modseq);
	rp_seen(r, row_id_modseq(*id_r));
	return !gone;
}

int
rp_load_identity(struct repair *r, struct slice key, struct slice val)
{
	struct row_identity i;
	uint64_t id;
	int rc = head_of(r, ROW_K_IDENTITY, key, val, &id);

	if (rc <= 0)
		return rc;
	if ((rc = row_identity_get(val, r->tmp, &i)) < 0)
		return rc;
	note(r, ROW_K_IDENTITY, id, val);
	return 0;
}

int
rp_load_submission(struct repair *r, struct slice key, struct slice val)
{
	struct row_submission s;
	uint64_t id;
	int rc = head_of(r, ROW_K_SUBMISSION, key, val, &id);

	if (rc <= 0)
		return rc;
	if ((rc = row_submission_get(val, r->tmp, &s)) < 0)
		return rc;
	note(r, ROW_K_SUBMISSION, id, val);
	return 0;
}

int
rp_load_push(struct repair *r, struct slice key, struct slice val)
{
	struct row_push p;
	uint64_t id;
	int rc;

	if (key.n == 1)		/* how many were made lately */
		return 0;
	if (!row_key_get_u64(key, ROW_K_PUSH, &id) || id == 0)
		return STORE_E_CORRUPT;
	if ((rc = row_push_get(val, r->tmp, &p)) < 0)
		return rc;
	rp_seen(r, row_id_modseq(id));
	note(r, ROW_K_PUSH, id, val);
	return 0;
}

/* What was told is of before the repair. */
static int
put_push(struct repair *r, const struct rp_object *o)
{
	struct row_push p;
	int rc;

	if ((rc = row_push_get(o->val, r->tmp, &p)) < 0)
		return rc;
	p.told = 0;
	row_push_put(&r->st->val, &p);
	return rp_put(r, row_key_u64(o->kind, o->id));
}

/* That it was sent may be among what is lost: it isn't sent again. */
static int
put_submission(struct repair *r, const struct rp_object *o)
{
	struct row_submission s;
	int rc;

	if ((rc = row_submission_get(o->val, r->tmp, &s)) < 0)
		return rc;
	s.modseq = r->modseq;
	if (row_submission_open(&s)) {
		row_submission_stop(&s);
		rp_say(r, "submission %llx was to be sent and isn't any more",
		    (unsigned long long)o->id);
	}
	row_submission_put(&r->st->val, &s);
	return rp_put(r, row_key_u64(o->kind, o->id));
}

static int
write_one(struct repair *r, const struct rp_object *o)
{
	struct row_identity i;
	int rc;

	arena_reset(r->tmp);
	if (o->kind == ROW_K_SUBMISSION)
		return put_submission(r, o);
	if (o->kind == ROW_K_PUSH)
		return put_push(r, o);
	if ((rc = row_identity_get(o->val, r->tmp, &i)) < 0)
		return rc;
	i.modseq = r->modseq;
	row_identity_put(&r->st->val, &i);
	return rp_put(r, row_key_u64(o->kind, o->id));
}

static void
keep(struct repair *r, struct slice key, struct slice val)
{
	r->vacation = arena_grow(r->a, r->vacation, &r->cap_vacation,
	    r->n_vacation + 1, sizeof(*r->vacation));
	r->vacation[r->n_vacation].key = arena_slice(r->a, key);
	r->vacation[r->n_vacation++].val = arena_slice(r->a, val);
}

/* The count is made anew. */
int
rp_load_once(struct repair *r, struct slice key, struct slice val)
{
	uint64_t v;
	int rc;

	if (key.n != 1 && key.n != 1 + ROW_NAME_HASH)
		return STORE_E_CORRUPT;
	if ((rc = row_u64_get(val, &v)) == 0 && key.n > 1) {
		keep(r, key, val);
		r->n_once++;
	}
	return rc;
}

/* With those who got it. */
int
rp_load_vacation(struct repair *r, struct slice key, struct slice val)
{
	struct row_vacation v;
	uint64_t when;
	int rc;

	if (key.n == 1 + ROW_NAME_HASH) {
		if ((rc = row_u64_get(val, &when)) < 0)
			return rc;
	} else if (key.n != 1) {
		return STORE_E_CORRUPT;
	} else if ((rc = row_vacation_get(val, &v)) < 0) {
		return rc;
	} else {
		rp_seen(r, v.modseq);
	}
	keep(r, key, val);
	return 0;
}

static int
write_vacation(struct repair *r, const struct rp_vacation *o)
{
	struct row_key k = { .n = o->key.n };
	struct row_vacation v;
	int rc;

	memcpy(k.b, o->key.p, o->key.n);
	if (k.n > 1) {
		buf_reset(&r->st->val);
		buf_add_slice(&r->st->val, o->val);
		return rp_put(r, k);
	}
	if ((rc = row_vacation_get(o->val, &v)) < 0)
		return rc;
	v.modseq = r->modseq;
	row_vacation_put(&r->st->val, &v);
	return rp_put(r, k);
}

/* States that clients have are of before the repair. */
static int
write_sum(struct repair *r, int kind, uint32_t n)
{
	struct row_objects s = { r->modseq, r->modseq, n, 0 };

	row_objects_put(&r->st->val, &s);
	return rp_put(r, row_key_kind(kind));
}

int
rp_write_objects(struct repair *r)
{
	uint32_t n = 0, sent = 0;
	int rc;

	for (size_t i = 0; i < r->n_object; i++) {
		if ((rc = write_one(r, &r->object[i])) < 0)
			return rc;
		n += r->object[i].kind == ROW_K_IDENTITY;
		sent += r->object[i].kind == ROW_K_SUBMISSION;
	}
	for (size_t i = 0; i < r->n_vacation; i++)
		if ((rc = write_vacation(r, &r->vacation[i])) < 0)
			return rc;
	if (r->n_once > 0) {
		row_u64_put(&r->st->val, r->n_once);
		if ((rc = rp_put(r, row_key_kind(ROW_K_ONCE))) < 0)
			return rc;
	}
	if ((rc = write_sum(r, ROW_K_IDENTITY, n)) < 0)
		return rc;
	return write_sum(r, ROW_K_SUBMISSION, sent);
}
