/* t/unit/store-world.c - an account with three mailboxes, for tests */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/xalloc.h"
#include "t/unit/store-world.h"

struct world
world(void **state)
{
	struct world w = { .f = *state };
	struct store_mailbox mb;

	w.st = fixture_account(w.f, "x");
	w.a = arena_new(0);
	assert_int_equal(store_mailbox_find(w.st, w.a, S("INBOX"), &mb), 0);
	w.inbox = mb.id;
	assert_int_equal(store_mailbox_create_path(w.st, S("box"),
	    STORE_ROLE_NONE, &w.box), 0);
	assert_int_equal(store_mailbox_create_path(w.st, S("trash"),
	    STORE_ROLE_TRASH, &w.trash), 0);
	return w;
}

void
world_end(struct world *w)
{
	fixture_check(w->st);
	store_close(&w->st);
	arena_free(&w->a);
}

struct store_spool *
spool(struct world *w, const char *text)
{
	struct store_spool *sp = store_spool_new(&w->f->conf, true, 0);

	assert_int_equal(store_spool_add(sp, text, strlen(text)), 0);
	assert_int_equal(store_spool_done(sp), 0);
	return sp;
}

int
add_to(struct world *w, const char *text, const uint64_t *mb, size_t n,
    uint64_t flags, struct store_added *r)
{
	struct store_new v = {
		.mailboxes = mb, .n_mailboxes = n, .flags = flags,
		.received_at = 1000
	};
	int rc;

	v.spool = spool(w, text);
	rc = store_email_add(w->st, &v, 1, r, NULL);
	store_spool_free(&v.spool);
	return rc;
}

struct store_added
add(struct world *w, int k, uint64_t flags)
{
	struct store_added r;
	char *text = xasprintf("Message-ID: <%d@x>\r\nSubject: %d\r\n\r\nx\r\n",
	    k, k);

	assert_int_equal(add_to(w, text, &w->inbox, 1, flags, &r), 0);
	xfree(text);
	return r;
}

void
add_many(struct world *w, uint64_t mb, int from, int n)
{
	struct store_new *v = xcalloc((size_t)n, sizeof(*v));

	for (int i = 0; i < n; i++) {
		char *text = xasprintf("Subject: %d\r\n\r\n", from + i);

		v[i].spool = spool(w, text);
		v[i].mailboxes = &mb;
		v[i].n_mailboxes = 1;
		xfree(text);
	}
	assert_int_equal(store_email_add(w->st, v, (size_t)n, NULL, NULL), 0);
	for (int i = 0; i < n; i++)
		store_spool_free(&v[i].spool);
	xfree(v);
}

struct store_mailbox
box(struct world *w, uint64_t id)
{
	struct store_mailbox mb;

	assert_int_equal(store_mailbox_get(w->st, w->a, id, &mb), 0);
	return mb;
}

struct store_email
email(struct world *w, uint64_t id)
{
	struct store_email e;

	assert_int_equal(store_email_get(w->st, w->a, id, &e), 0);
	return e;
}

int
flag(struct world *w, uint64_t mb, uint32_t uid, enum store_flag_op op,
    uint64_t flags)
{
	return store_msgs_flag(w->st, w->a, mb, &uid, 1, op, flags, ALL, NULL,
	    NULL, NULL);
}
