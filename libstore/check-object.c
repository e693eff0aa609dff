/* libstore/check-object.c - verifies identities and other small objects */
#include "config.h"

#include "libstore/check.h"

struct objects {
	struct check *c;
	int kind;
	uint32_t n, gone;
	uint64_t modseq;	/* the last one of any */
	size_t bad;
};

static int
value_check(struct objects *o, struct slice val)
{
	struct row_submission s;
	struct row_identity i;
	int rc;

	if (o->kind == ROW_K_IDENTITY)
		return row_identity_get(val, o->c->tmp, &i);
	rc = row_submission_get(val, o->c->tmp, &s);
	if (rc == 0 && row_submission_open(&s))
		check_blob_use(o->c, s.blob);
	return rc;
}

static int
object_check(void *arg, uint64_t id, struct slice val)
{
	struct objects *o = arg;
	uint64_t modseq;
	bool gone;
	int rc;

	arena_reset(o->c->tmp);
	rc = row_object_get(val, &modseq, &gone);
	if (rc == 0 && !gone)
		rc = value_check(o, val);
	if (rc == STORE_E_CORRUPT) {
		o->bad++;
		return 0;
	}
	if (rc < 0)
		return rc;
	if (modseq > o->modseq)
		o->modseq = modseq;
	if (row_id_modseq(id) > modseq)
		check_fault(o->c, "an object '%c' changed before it was made",
		    o->kind);
	o->gone += gone;
	o->n += !gone;
	return 0;
}

static int
kind_check(struct check *c, int kind)
{
	struct objects o = { .c = c, .kind = kind };
	struct row_objects s;
	int rc;

	if ((rc = objects_each(c->t, kind, object_check, &o)) < 0 &&
	    rc != STORE_E_CORRUPT)
		return rc;
	o.bad += rc == STORE_E_CORRUPT;
	if (o.bad > 0) {
		check_fault(c, "%zu rows '%c' can't be decoded", o.bad, kind);
		return 0;	/* the sum is of them too */
	}
	rc = objects_read(c->t, c->tmp, kind, &s);
	if (rc == STORE_E_CORRUPT) {
		check_fault(c, "the sum of rows '%c' can't be decoded", kind);
		return 0;
	}
	if (rc < 0)
		return rc;
	if (s.n != o.n || s.gone != o.gone)
		check_fault(c, "%u objects '%c' and %u marks are counted; "
		    "there are %u and %u", s.n, kind, s.gone, o.n, o.gone);
	if (s.modseq > c->modseq || o.modseq > s.modseq)
		check_fault(c, "objects '%c' have a modseq of the future",
		    kind);
	return 0;
}

static int
vacation_check(struct check *c, struct slice key, struct slice val)
{
	struct row_vacation r;
	uint64_t when;
	int rc;

	if (key.n != 1)
		return key.n == 1 + ROW_NAME_HASH ? row_u64_get(val, &when) :
		    STORE_E_CORRUPT;
	if ((rc = row_vacation_get(val, &r)) == 0 && r.modseq > c->modseq)
		check_fault(c, "the vacation response is of the future");
	return rc;
}

static int
push_check(struct check *c, struct slice key, struct slice val)
{
	struct row_push_rate rate;
	struct row_push r;
	uint64_t id;

	if (key.n == 1)
		return row_push_rate_get(val, &rate);
	if (!row_key_get_u64(key, ROW_K_PUSH, &id) || id == 0)
		return STORE_E_CORRUPT;
	if (row_id_modseq(id) > c->modseq)
		check_fault(c, "a push subscription is of the future");
	return row_push_get(val, c->tmp, &r);
}

static int
once_check(struct check *c, struct slice key, struct slice val)
{
	uint64_t when;

	if (key.n == 1)
		return row_u64_get(val, &c->once_counted);
	c->once++;
	return key.n == 1 + ROW_NAME_HASH ? row_u64_get(val, &when) :
	    STORE_E_CORRUPT;
}

int
check_objects(struct check *c)
{
	int rc = kind_check(c, ROW_K_IDENTITY);

	if (rc < 0 || (rc = kind_check(c, ROW_K_SUBMISSION)) < 0)
		return rc;
	if ((rc = check_rows(c, ROW_K_VACATION, vacation_check)) < 0)
		return rc;
	if ((rc = check_rows(c, ROW_K_PUSH, push_check)) < 0 ||
	    (rc = check_rows(c, ROW_K_ONCE, once_check)) < 0)
		return rc;
	if (c->once != c->once_counted)
		check_fault(c, "%ju messages given once are counted; there "
		    "are %ju", (uintmax_t)c->once_counted, (uintmax_t)c->once);
	return 0;
}
