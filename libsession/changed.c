/* libsession/changed.c - which JMAP types changed in an account (RFC 8620 7.1) */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libbase/arena.h"
#include "libsession/changed.h"

/* By bit; EmailDelivery is no type's state. */
static const struct {
	const char *name;
	enum store_type type;
} types[CHANGED_N] = {
	{ "Email", STORE_T_EMAIL }, { "Mailbox", STORE_T_MAILBOX },
	{ "Thread", STORE_T_THREAD }, { "Identity", STORE_T_IDENTITY },
	{ "EmailSubmission", STORE_T_SUBMISSION },
	{ "VacationResponse", STORE_T_VACATION },
	{ "EmailDelivery", STORE_T_EMAIL }
};
enum { STATES = CHANGED_N - 1 };

unsigned
changed_type(struct slice name)
{
	for (unsigned i = 0; i < CHANGED_N; i++)
		if (slice_eq(name, slice_str(types[i].name)))
			return 1U << i;
	return slice_eq(name, SLICE_LIT("Quota")) ? CHANGED_QUOTA : 0;
}

void
quota_state(const struct store_usage *u, char out[QUOTA_STATE_MAX])
{
	snprintf(out, QUOTA_STATE_MAX, "%" PRIx64 "-%" PRIx64 "-%" PRIx64
	    "-%" PRIx64 "-%" PRIx64 "-%" PRIx64, u->size, u->messages,
	    u->mailboxes, u->size_limit, u->message_limit, u->mailbox_limit);
}

/* Was there a new Email after since? */
static bool
delivered(struct store *st, uint64_t since)
{
	struct arena *a = arena_new(0);
	struct store_change *c;
	uint64_t state;
	bool more, yes = false;
	size_t n;

	if (store_changes(st, a, STORE_T_EMAIL, since, 0, &c, &n, &state,
	    &more) < 0) {
		yes = true;	/* beyond the horizon: maybe */
		n = 0;
	}
	for (size_t i = 0; i < n && !yes; i++)
		yes = c[i].kind == STORE_CREATED;
	arena_free(&a);
	return yes;
}

int
changed_since(struct store *st, uint64_t since, struct changed *c)
{
	struct store_usage u;
	int rc;

	memset(c, 0, sizeof(*c));
	c->now = store_modseq(st);
	for (size_t i = 0; i < STATES; i++) {
		rc = store_type_modseq(st, types[i].type, &c->of[i]);
		if (rc < 0)
			return rc;
		/* Without any such object there was no change. */
		if (c->of[i] > since || (since > c->now && c->of[i] > 0))
			c->types |= 1U << i;
	}
	if ((rc = store_usage(st, &u)) < 0)
		return rc;
	quota_state(&u, c->quota);
	if (c->now != since)
		c->types |= CHANGED_QUOTA;
	c->of[STATES] = c->now;
	if ((c->types & CHANGED_EMAIL) != 0 &&
	    (since == 0 || since > c->now || delivered(st, since)))
		c->types |= CHANGED_DELIVERY;
	return 0;
}

void
changed_put_account(struct buf *b, const struct changed *c, unsigned which,
    const char *account_id)
{
	char sep = '{';

	buf_printf(b, "\"%s\":", account_id);
	for (size_t i = 0; i < CHANGED_N; i++) {
		if ((which & 1U << i) == 0)
			continue;
		buf_printf(b, "%c\"%s\":\"%" PRIu64 "\"", sep, types[i].name,
		    c->of[i]);
		sep = ',';
	}
	if ((which & CHANGED_QUOTA) != 0)
		buf_printf(b, "%c\"Quota\":\"%s\"", sep, c->quota);
	buf_addc(b, '}');
}

void
changed_put(struct buf *b, const struct changed *c, unsigned which,
    const char *account_id)
{
	buf_add_str(b, "{\"@type\":\"StateChange\",\"changed\":{");
	changed_put_account(b, c, which, account_id);
	buf_add_str(b, "}}");
}
