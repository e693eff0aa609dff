/* t/unit/fault-send.c - the script's operations on what an account sends */
#include "config.h"

#include "libstore/submission.h"
#include "t/unit/fault-script.h"

int
op_identity(struct script *s)
{
	struct store_identity v = { .name = SLICE_LIT("A"),
		.email = SLICE_LIT("a@x") };
	uint64_t id;
	int rc = store_identity_create(s->st, &v, &id);

	return rc;
}

int
op_vacation(struct script *s)
{
	struct store_vacation v = { .enabled = true,
		.text = SLICE_LIT("away") };

	return store_vacation_set(s->st, &v, STORE_VACATION_ENABLED |
	    STORE_VACATION_TEXT);
}

static int
first(void *arg, const struct store_msg_info *m)
{
	*(uint64_t *)arg = m->email;
	return 1;
}

/* Some Email. */
int
op_submit(struct script *s)
{
	struct store_rcpt r = { .to = { .email = SLICE_LIT("b@x") } };
	struct store_submission v = { .send_at = 1000,
		.next_try = 1000, .from = { .email = SLICE_LIT("a@x") },
		.rcpt = &r, .n_rcpt = 1 };
	struct store_email e;
	uint64_t id = 0;
	int rc = store_email_scan(s->st, 0, first, &id);

	if (rc >= 0)
		rc = store_email_get(s->st, s->a, id, &e);
	if (rc < 0)
		return rc;
	v.blob = e.blob;
	v.email = e.id;
	return store_submission_create(s->st, &v, &id);
}

/* Does something to the first that waits, with the outbox held. */
static int
with_outbox(struct script *s, bool commit, bool done)
{
	struct store_submission *v;
	struct store_outbox *o = NULL;
	size_t n = 0;
	int rc;

	if ((rc = store_outbox_open(s->st, &o)) < 0)
		return rc;
	rc = store_outbox_list(o, s->a, &v, &n);
	if (rc == 0 && n > 0 && commit)
		rc = store_outbox_commit(o, v[0].id);
	if (rc == 0 && n > 0 && done) {
		v[0].undo = STORE_UNDO_FINAL;
		v[0].rcpt[0].delivered = STORE_DELIVERED_UNKNOWN;
		rc = store_outbox_done(o, &v[0]);
	}
	if (rc == 0 && !commit && !done)
		rc = store_outbox_settle(o);
	store_outbox_close(&o);
	return rc;
}

int
op_commit(struct script *s)
{
	return with_outbox(s, true, false);
}

int
op_done(struct script *s)
{
	return with_outbox(s, false, true);
}

int
op_settle(struct script *s)
{
	return with_outbox(s, false, false);
}

int
script_show_sent(struct store *st, struct arena *a, struct buf *b)
{
	struct store_identity *id;
	struct store_submission *v;
	struct store_vacation vac;
	size_t n;
	int rc = store_identity_list(st, a, &id, &n);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "identity %.*s\n", (int)id[i].email.n,
		    id[i].email.p);
	if ((rc = store_submission_list(st, a, &v, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "submission %d %d %d\n", (int)v[i].undo,
		    (int)v[i].phase, (int)v[i].rcpt[0].delivered);
	if ((rc = store_vacation_get(st, a, &vac)) < 0)
		return rc;
	buf_printf(b, "vacation %d %.*s\n", vac.enabled, (int)vac.text.n,
	    vac.text.n > 0 ? vac.text.p : "");
	return 0;
}
