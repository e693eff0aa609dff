/* t/unit/test-store.c - accounts, mailboxes, keywords, quota, locks, waiting */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)

static bool
has_files(const struct fixture *f)
{
	return strstr(f->engine, "mem") == NULL;
}

/* ---- accounts ---------------------------------------------------------- */

static void
test_account_ok(void **state)
{
	static const struct { const char *name; bool ok; } t[] = {
		{ "alice", true }, { "Alice.B+c@example.org", true },
		{ "a", true }, { "a_b=c-d", true }, { "j\xc3\xbcrgen", true },
		{ "", false }, { ".", false }, { "..", false },
		{ ".hidden", false }, { "-rf", false }, { "a/b", false },
		{ "a b", false }, { "a\nb", false }, { "a\x7f", false },
		{ "bad\xff", false }, { "a\xe2\x80\xae", false },
		{ "a:b", false }, { "a*", false },
	};
	char longest[STORE_ACCOUNT_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(store_account_ok(S(t[i].name)), t[i].ok);
	assert_false(store_account_ok(slice_make("a\0b", 3)));
	memset(longest, 'x', sizeof(longest));
	assert_true(store_account_ok(slice_make(longest, STORE_ACCOUNT_MAX)));
	assert_false(store_account_ok(slice_make(longest,
	    STORE_ACCOUNT_MAX + 1)));
}

static void
count_names(void *arg, const char *name)
{
	assert_true(name[0] == 'x');
	++*(int *)arg;
}

static void
test_account(void **state)
{
	struct fixture *f = *state;
	struct store *st, *again;
	char id[17], tmp[200];
	int n = 0;

	assert_int_equal(store_open(&f->conf,
	    fixture_name(f, "x1"), &st), STORE_E_NOTFOUND);
	assert_int_equal(store_open(&f->conf, "../x", &st), STORE_E_NOTFOUND);
	assert_int_equal(store_account_create(&f->conf, "a/b"),
	    STORE_E_INVALID);
	st = fixture_account(f, "x1");
	assert_int_equal(store_account_create(&f->conf, fixture_name(f, "x1")),
	    STORE_E_EXISTS);
	assert_string_equal(store_account_name(st), fixture_name(f, "x1"));
	assert_int_equal(strlen(store_account_id(st)), 16);
	snprintf(id, sizeof(id), "%s", store_account_id(st));
	assert_int_equal(store_open(&f->conf,
	    fixture_name(f, "x1"), &again), 0);
	assert_string_equal(store_account_id(again), id);
	store_close(&again);
	store_close(&st);
	assert_null(st);
	store_close(&st);
	st = fixture_account(f, "x2");
	assert_string_not_equal(store_account_id(st), id);
	store_close(&st);
	if (!has_files(f)) {
		assert_int_equal(store_account_delete(&f->conf,
		    fixture_name(f, "x1")),
		    STORE_E_INVALID);
		return;
	}
	/* What a process that died left behind is no account. */
	snprintf(tmp, sizeof(tmp), "%s/.new-0123", f->dir);
	assert_int_equal(mkdir(tmp, 0700), 0);
	assert_int_equal(store_account_list(&f->conf, count_names, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_account_delete(&f->conf,
	    fixture_name(f, "x1")), 0);
	assert_int_equal(store_account_delete(&f->conf, fixture_name(f, "x1")),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_open(&f->conf,
	    fixture_name(f, "x1"), &st), STORE_E_NOTFOUND);
	n = 0;
	assert_int_equal(store_account_list(&f->conf, count_names, &n), 0);
	assert_int_equal(n, 1);
	st = fixture_account(f, "x1");
	assert_string_not_equal(store_account_id(st), id);
	store_close(&st);
}

static void
test_account_folders(void **state)
{
	static const struct store_folder folders[] = {
		{ "Sent", STORE_ROLE_SENT }, { "Trash", STORE_ROLE_TRASH },
		{ "Lists/Dev", STORE_ROLE_NONE }, { "Lists", STORE_ROLE_NONE }
	};
	static const char *const paths[] = {
		"INBOX", "Lists", "Lists/Dev", "Sent", "Trash"
	};
	struct fixture *f = *state;
	struct arena *a = arena_new(0);
	struct store_mailbox *mb;
	struct slice path;
	struct store *st;
	size_t n;

	f->conf.folders = folders;
	f->conf.n_folders = 4;
	st = fixture_account(f, "x");
	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(store_mailbox_path(st, a, mb[i].id, &path),
		    0);
		assert_true(slice_eq(path, S(paths[i])));
		assert_true(mb[i].subscribed);
		assert_int_equal(mb[i].uidnext, 1);
		assert_int_equal(mb[i].created, 1);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(mb[i].uidvalidity,
			    mb[j].uidvalidity);
	}
	assert_int_equal(mb[0].role, STORE_ROLE_INBOX);
	assert_int_equal(mb[3].role, STORE_ROLE_SENT);
	assert_int_equal(mb[4].role, STORE_ROLE_TRASH);
	store_close(&st);
	arena_free(&a);
}

/* ---- mailboxes --------------------------------------------------------- */

static int
create(struct store *st, const char *name, uint64_t parent, uint64_t *id_r)
{
	struct store_mailbox_set s = {
		.set_name = true, .name = S(name), .set_parent = parent != 0,
		.parent = parent
	};

	return store_mailbox_create(st, &s, id_r);
}

static void
test_mailbox_names(void **state)
{
	static const struct { const char *name; int rc; } t[] = {
		{ "Work", 0 }, { "work", 0 }, { "Work", STORE_E_EXISTS },
		{ "inbox", STORE_E_EXISTS }, { "InBoX", STORE_E_EXISTS },
		{ "a b%*\"\\&~", 0 }, { "Entw\xc3\xbcrfe", 0 },
		/* The same after NFC. */
		{ "Entwu\xcc\x88rfe", STORE_E_EXISTS },
		{ "", STORE_E_INVALID }, { "a/b", STORE_E_INVALID },
		{ "a\tb", STORE_E_INVALID }, { "a\x7f", STORE_E_INVALID },
		{ "a\xc2\x85", STORE_E_INVALID },
		{ "a\xe2\x80\xa8z", STORE_E_INVALID },
		{ "bad\xff", STORE_E_INVALID }, { "bad\xc3", STORE_E_INVALID },
		{ "\xe2\x80", STORE_E_INVALID },
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	char longest[STORE_NAME_MAX + 2];
	uint64_t id, sub;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(create(st, t[i].name, 0, &id), t[i].rc);
	memset(longest, 'x', sizeof(longest));
	longest[STORE_NAME_MAX + 1] = '\0';
	assert_int_equal(create(st, longest, 0, &id), STORE_E_INVALID);
	longest[STORE_NAME_MAX] = '\0';
	assert_int_equal(create(st, longest, 0, &id), 0);
	/* Below the top level INBOX is a name like others. */
	assert_int_equal(create(st, "Inbox", id, &sub), 0);
	assert_int_equal(create(st, "inbox", id, &sub), 0);
	assert_int_equal(create(st, "inbox", id, &sub), STORE_E_EXISTS);
	assert_int_equal(create(st, "x", 12345, &sub), STORE_E_NOTFOUND);
	fixture_check(st);
	store_close(&st);
}

static void
test_mailbox_find(void **state)
{
	static const struct { const char *path; int rc; } t[] = {
		{ "INBOX", 0 }, { "inbox", 0 }, { "iNbOx/sub", 0 },
		{ "a", 0 }, { "a/b", 0 }, { "a/b/c", 0 },
		{ "A", STORE_E_NOTFOUND }, { "b", STORE_E_NOTFOUND },
		{ "", STORE_E_NOTFOUND }, { "/", STORE_E_NOTFOUND },
		{ "/a", STORE_E_NOTFOUND }, { "a/", STORE_E_NOTFOUND },
		{ "a//b", STORE_E_NOTFOUND }, { "a/b/c/d", STORE_E_NOTFOUND },
		{ "a/\xff", STORE_E_NOTFOUND },
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	struct slice path;
	uint64_t id;

	assert_int_equal(store_mailbox_create_path(st, S("a/b/c"),
	    STORE_ROLE_ARCHIVE, &id), 0);
	assert_int_equal(store_mailbox_create_path(st, S("a/b/c"),
	    STORE_ROLE_NONE, &id), STORE_E_EXISTS);
	assert_int_equal(store_mailbox_create_path(st, S("a/b"),
	    STORE_ROLE_NONE, &id), STORE_E_EXISTS);
	assert_int_equal(store_mailbox_create_path(st, S("INBOX/sub"),
	    STORE_ROLE_NONE, &id), 0);
	assert_int_equal(store_mailbox_create_path(st, S("z"),
	    STORE_ROLE_ARCHIVE, &id), STORE_E_EXISTS);
	assert_int_equal(store_mailbox_create_path(st, S("a/"),
	    STORE_ROLE_NONE, &id), STORE_E_INVALID);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(store_mailbox_find(st, a, S(t[i].path), &mb),
		    t[i].rc);
		if (t[i].rc < 0)
			continue;
		assert_int_equal(store_mailbox_path(st, a, mb.id, &path), 0);
		assert_true(slice_ieq(path, S(t[i].path)));
		assert_int_equal(mb.subscribed,
		    mb.role == STORE_ROLE_INBOX);
	}
	assert_int_equal(store_mailbox_find(st, a, S("a/b/c"), &mb), 0);
	assert_int_equal(mb.role, STORE_ROLE_ARCHIVE);
	assert_int_equal(store_mailbox_get(st, a, 77, &mb), STORE_E_NOTFOUND);
	assert_int_equal(store_mailbox_path(st, a, 77, &path),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_mailbox_depth(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct store_mailbox_set up = { .set_parent = true };
	uint64_t id[STORE_DEPTH_MAX + 1] = { 0 }, other, leaf;

	for (int i = 1; i <= STORE_DEPTH_MAX; i++)
		assert_int_equal(create(st, "d", id[i - 1], &id[i]), 0);
	assert_int_equal(create(st, "d", id[STORE_DEPTH_MAX], &other),
	    STORE_E_INVALID);
	/* Nor by moving what has children, nor into itself. */
	assert_int_equal(create(st, "o", 0, &other), 0);
	assert_int_equal(create(st, "leaf", other, &leaf), 0);
	up.parent = id[STORE_DEPTH_MAX - 1];
	assert_int_equal(store_mailbox_update(st, other, &up),
	    STORE_E_INVALID);
	up.parent = id[STORE_DEPTH_MAX - 2];
	assert_int_equal(store_mailbox_update(st, other, &up), 0);
	up.parent = id[5];
	assert_int_equal(store_mailbox_update(st, id[5], &up),
	    STORE_E_INVALID);
	assert_int_equal(store_mailbox_update(st, id[2], &up),
	    STORE_E_INVALID);
	up.parent = 999;
	assert_int_equal(store_mailbox_update(st, id[2], &up),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	store_close(&st);
}

static void
test_mailbox_update(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox_set s = { .set_name = true, .name = S("b") };
	struct store_mailbox mb, inbox;
	uint64_t id, b, before;

	assert_int_equal(create(st, "a", 0, &id), 0);
	assert_int_equal(create(st, "b", 0, &b), 0);
	assert_int_equal(store_mailbox_update(st, id, &s), STORE_E_EXISTS);
	s.name = S("c");
	s.set_role = s.set_sort = s.set_subscribed = true;
	s.role = STORE_ROLE_SENT;
	s.sort_order = 7;
	assert_int_equal(store_mailbox_update(st, id, &s), 0);
	assert_int_equal(store_mailbox_get(st, a, id, &mb), 0);
	assert_true(slice_eq(mb.name, S("c")));
	assert_true(mb.role == STORE_ROLE_SENT && mb.sort_order == 7 &&
	    !mb.subscribed && mb.changed == store_modseq(st));
	/* The same again changes nothing, not even the state. */
	before = store_modseq(st);
	assert_int_equal(store_mailbox_update(st, id, &s), 0);
	assert_int_equal(store_modseq(st), before);
	s = (struct store_mailbox_set){ .set_role = true,
	    .role = STORE_ROLE_SENT };
	assert_int_equal(store_mailbox_update(st, b, &s), STORE_E_EXISTS);
	s.role = STORE_ROLE_INBOX;
	assert_int_equal(store_mailbox_update(st, b, &s), STORE_E_DENIED);
	s.role = (enum store_role)99;
	assert_int_equal(store_mailbox_update(st, b, &s), STORE_E_INVALID);
	/* The inbox keeps its role and its place; its name is its own. */
	assert_int_equal(store_mailbox_find(st, a, S("INBOX"), &inbox), 0);
	s.role = STORE_ROLE_NONE;
	assert_int_equal(store_mailbox_update(st, inbox.id, &s),
	    STORE_E_DENIED);
	s = (struct store_mailbox_set){ .set_parent = true, .parent = b };
	assert_int_equal(store_mailbox_update(st, inbox.id, &s),
	    STORE_E_DENIED);
	s = (struct store_mailbox_set){ .set_name = true,
	    .name = S("Posteingang") };
	assert_int_equal(store_mailbox_update(st, inbox.id, &s), 0);
	assert_int_equal(store_mailbox_find(st, a, S("inbox"), &mb), 0);
	assert_int_equal(mb.id, inbox.id);
	assert_true(slice_eq(mb.name, S("Posteingang")));
	assert_int_equal(create(st, "Inbox", 0, &id), STORE_E_EXISTS);
	assert_int_equal(store_mailbox_update(st, 5, &s), STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

/* RFC 8620 5.3: names, roles and places that change hands within one change. */
static void
test_mailbox_exchange(void **state)
{
	struct store *st = fixture_account(*state, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox_update u[2];
	struct store_mailbox mb;
	uint64_t id[2], child, before;

	assert_int_equal(create(st, "a", 0, &id[0]), 0);
	assert_int_equal(create(st, "b", 0, &id[1]), 0);
	assert_int_equal(create(st, "b", id[1], &child), 0);
	u[0] = (struct store_mailbox_update){ id[0], { .set_name = true,
	    .name = S("b"), .set_role = true, .role = STORE_ROLE_TRASH } };
	u[1] = (struct store_mailbox_update){ id[1], { .set_name = true,
	    .name = S("a"), .set_role = true, .role = STORE_ROLE_JUNK } };
	before = store_modseq(st);
	for (int i = 0; i < 2; i++) {	/* the second time the roles alone */
		assert_int_equal(store_mailbox_exchange(st, u, 2), 0);
		assert_int_equal(store_mailbox_find(st, a, S("a/b"), &mb), 0);
		assert_int_equal(mb.id, child);
		assert_int_equal(store_mailbox_find(st, a, S("b"), &mb), 0);
		assert_int_equal(mb.role, u[0].set.role);
		u[0].set.role = STORE_ROLE_JUNK;
		u[1].set.role = STORE_ROLE_TRASH;
	}
	assert_int_equal(store_modseq(st), before + 2);
	/* A place alone: the name stays. */
	u[0].set = (struct store_mailbox_set){ .set_parent = true,
	    .parent = id[1] };
	u[1] = (struct store_mailbox_update){ child, { .set_parent = true } };
	assert_int_equal(store_mailbox_exchange(st, u, 2), 0);
	assert_int_equal(store_mailbox_find(st, a, S("a/b"), &mb), 0);
	assert_int_equal(mb.id, id[0]);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_mailbox_list(void **state)
{
	static const struct { const char *path; uint32_t order; } t[] = {
		{ "zebra", 0 }, { "apple", 5 }, { "apple/pie", 0 },
		{ "mango", 0 }, { "apple/core", 0 }, { "zebra/x/y", 0 },
	};
	static const char *const want[] = {
		"INBOX", "mango", "zebra", "zebra/x", "zebra/x/y", "apple",
		"apple/core", "apple/pie"
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox *mb;
	struct slice path;
	uint64_t id;
	size_t n;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct store_mailbox_set s = { .set_sort = true,
		    .sort_order = t[i].order };

		assert_int_equal(store_mailbox_create_path(st, S(t[i].path),
		    STORE_ROLE_NONE, &id), 0);
		assert_int_equal(store_mailbox_update(st, id, &s), 0);
	}
	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(store_mailbox_path(st, a, mb[i].id, &path),
		    0);
		assert_true(slice_eq(path, S(want[i])));
	}
	arena_free(&a);
	store_close(&st);
}

static void
test_mailbox_rename(void **state)
{
	static const struct { const char *from, *to; int rc; } t[] = {
		{ "a", "b", 0 }, { "b", "deep/er/b", 0 },
		{ "deep/er/b/sub", "sub", 0 }, { "sub", "sub", STORE_E_EXISTS },
		{ "sub", "deep", STORE_E_EXISTS },
		{ "sub", "inbox", STORE_E_EXISTS },
		{ "deep", "deep/er/x", STORE_E_INVALID },
		{ "deep", "deep/new/x", STORE_E_INVALID },
		{ "sub", "/x", STORE_E_INVALID },
		{ "sub", "x/", STORE_E_INVALID },
		{ "sub", "", STORE_E_INVALID },
		{ "sub", "x//y", STORE_E_INVALID },
		{ "sub", "INBOX/sub", 0 }, { "INBOX/sub", "Sub", 0 },
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox mb, now;
	uint64_t id;

	assert_int_equal(store_mailbox_create_path(st, S("a/sub"),
	    STORE_ROLE_NONE, &id), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(store_mailbox_find(st, a, S(t[i].from), &mb),
		    0);
		assert_int_equal(store_mailbox_rename(st, mb.id, S(t[i].to)),
		    t[i].rc);
		assert_int_equal(store_mailbox_find(st, a,
		    S(t[i].rc == 0 ? t[i].to : t[i].from), &now), 0);
		assert_int_equal(now.id, mb.id);
		assert_int_equal(now.uidvalidity, mb.uidvalidity);
	}
	/* Nothing of what failed was made. */
	assert_int_equal(store_mailbox_find(st, a, S("deep/new"), &mb),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_mailbox_find(st, a, S("x"), &mb),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_mailbox_destroy(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	uint64_t id, sub, again;
	uint32_t uidvalidity;

	assert_int_equal(create(st, "a", 0, &id), 0);
	assert_int_equal(create(st, "sub", id, &sub), 0);
	assert_int_equal(store_mailbox_get(st, a, sub, &mb), 0);
	uidvalidity = mb.uidvalidity;
	assert_int_equal(store_mailbox_destroy(st, id, true),
	    STORE_E_HASCHILD);
	assert_int_equal(store_mailbox_destroy(st, sub, false), 0);
	assert_int_equal(store_mailbox_destroy(st, sub, false),
	    STORE_E_NOTFOUND);
	/* The name comes back with another id and a greater UIDVALIDITY. */
	assert_int_equal(create(st, "sub", id, &again), 0);
	assert_int_not_equal(again, sub);
	assert_int_equal(store_mailbox_get(st, a, again, &mb), 0);
	assert_true(mb.uidvalidity > uidvalidity);
	assert_int_equal(store_mailbox_destroy(st, again, true), 0);
	assert_int_equal(store_mailbox_destroy(st, id, true), 0);
	assert_int_equal(store_mailbox_find(st, a, S("INBOX"), &mb), 0);
	assert_int_equal(store_mailbox_destroy(st, mb.id, true),
	    STORE_E_DENIED);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_mailbox_limit(void **state)
{
	struct fixture *f = *state;
	struct store *st;
	uint64_t id;

	f->conf.max_mailboxes = 3;
	st = fixture_account(f, "x");
	assert_int_equal(create(st, "1", 0, &id), 0);
	assert_int_equal(store_mailbox_create_path(st, S("2/3"),
	    STORE_ROLE_NONE, &id), STORE_E_LIMIT);
	assert_int_equal(create(st, "2", 0, &id), 0);
	assert_int_equal(create(st, "3", 0, &id), STORE_E_LIMIT);
	assert_int_equal(store_mailbox_destroy(st, id, true), 0);
	assert_int_equal(create(st, "3", 0, &id), 0);
	fixture_check(st);
	store_close(&st);
}

/* ---- keywords ---------------------------------------------------------- */

static void
test_keywords(void **state)
{
	static const struct { const char *name; int rc; } t[] = {
		{ "$Seen", 0 }, { "$junk", 0 }, { "$JUNK", 0 }, { "Todo", 0 },
		{ "", STORE_E_INVALID }, { "a b", STORE_E_INVALID },
		{ "\\Seen", STORE_E_INVALID }, { "a(b", STORE_E_INVALID },
		{ "a]", STORE_E_INVALID }, { "a%", STORE_E_INVALID },
		{ "a*", STORE_E_INVALID }, { "a\"", STORE_E_INVALID },
		{ "a{", STORE_E_INVALID }, { "a\xc3\xbc", STORE_E_INVALID },
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct slice *name;
	char text[300];
	uint64_t bit, other;
	size_t n;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(store_keyword_bit(st, S(t[i].name), true,
		    &bit), t[i].rc);
	assert_int_equal(store_keyword_bit(st, S("$seen"), false, &bit), 0);
	assert_int_equal(bit, STORE_SEEN);
	assert_int_equal(store_keyword_bit(st, S("$Draft"), false, &bit), 0);
	assert_int_equal(bit, STORE_DRAFT);
	assert_int_equal(store_keyword_bit(st, S("$Junk"), false, &bit), 0);
	assert_int_equal(bit, 1 << STORE_KEYWORD_FIRST);
	assert_int_equal(store_keyword_bit(st, S("new"), false, &other),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_keywords(st, a, &name, &n), 0);
	assert_int_equal(n, STORE_KEYWORD_FIRST + 2);
	assert_true(slice_eq(name[2], S("$flagged")));
	assert_null(name[4].p);
	/* As they were spelled first, whatever came after. */
	assert_true(slice_eq(name[STORE_KEYWORD_FIRST], S("$junk")));
	assert_true(slice_eq(name[STORE_KEYWORD_FIRST + 1], S("Todo")));
	for (int i = 2; i < STORE_KEYWORD_BITS; i++) {
		snprintf(text, sizeof(text), "key%d", i);
		assert_int_equal(store_keyword_bit(st, S(text), true, &bit),
		    0);
		assert_int_equal(bit,
		    UINT64_C(1) << (STORE_KEYWORD_FIRST + i));
	}
	assert_int_equal(store_keyword_bit(st, S("more"), true, &bit),
	    STORE_E_LIMIT);
	assert_int_equal(store_keyword_bit(st, S("KEY9"), true, &bit), 0);
	memset(text, 'k', sizeof(text));
	assert_int_equal(store_keyword_bit(st, slice_make(text, 256), true,
	    &bit), STORE_E_INVALID);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_roles(void **state)
{
	enum store_role r;

	(void)state;
	assert_null(store_role_name(STORE_ROLE_NONE));
	assert_null(store_role_name((enum store_role)99));
	for (int i = 1; i < STORE_ROLES; i++) {
		assert_int_equal(store_role_from(S(store_role_name(
		    (enum store_role)i)), &r), 0);
		assert_int_equal(r, i);
	}
	assert_int_equal(store_role_from(S("TRASH"), &r), 0);
	assert_int_equal(r, STORE_ROLE_TRASH);
	assert_int_equal(store_role_from(S("nonesuch"), &r), -1);
	assert_int_equal(store_role_from(S(""), &r), -1);
}

/* ---- locks, \Recent, waiting ------------------------------------------- */

static void
test_maildrop(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x"), *two, *other;

	assert_int_equal(store_open(&f->conf, fixture_name(f, "x"), &two), 0);
	other = fixture_account(f, "y");
	assert_int_equal(store_maildrop_lock(st), 0);
	assert_int_equal(store_maildrop_lock(st), 0);
	assert_int_equal(store_maildrop_lock(two), STORE_E_BUSY);
	assert_int_equal(store_maildrop_lock(other), 0);
	store_close(&st);
	assert_int_equal(store_maildrop_lock(two), 0);
	store_close(&two);
	store_close(&other);
}

static void
test_recent(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	char path[200];
	FILE *fp;

	assert_int_equal(store_recent(st, 1, 10, false), 1);
	assert_int_equal(store_recent(st, 1, 10, true), 1);
	if (!has_files(f)) {
		assert_int_equal(store_recent(st, 1, 12, false), 1);
		store_close(&st);
		return;
	}
	assert_int_equal(store_recent(st, 1, 12, false), 10);
	assert_int_equal(store_recent(st, 1, 12, true), 10);
	assert_int_equal(store_recent(st, 1, 12, true), 12);
	assert_int_equal(store_recent(st, 2, 5, true), 1);
	assert_int_equal(store_recent(st, 3, 7, true), 1);
	assert_int_equal(store_recent(st, 1, 12, false), 12);
	assert_int_equal(store_recent(st, 2, 5, false), 5);
	/* From another life of the mailbox. */
	assert_int_equal(store_recent(st, 1, 3, false), 1);
	/* A damaged slot is no slot, and is written anew. */
	snprintf(path, sizeof(path), "%s/%s/recent", f->dir,
	    fixture_name(f, "x"));
	assert_non_null(fp = fopen(path, "r+"));
	fseek(fp, 10, SEEK_SET);
	fputc(0x55, fp);
	fclose(fp);
	assert_int_equal(store_recent(st, 1, 12, true), 1);
	assert_int_equal(store_recent(st, 1, 12, true), 12);
	assert_int_equal(store_recent(st, 3, 7, false), 7);
	store_close(&st);
}

static void
watching(struct fixture *f, bool many)
{
	struct store *st = fixture_account(f, many ? "m" : "x"), *two;
	struct store_watch *w;
	struct pollfd p;
	uint64_t id;
	void *cookie = NULL;

	assert_int_equal(store_open(&f->conf,
	    fixture_name(f, many ? "m" : "x"), &two), 0);
	assert_int_equal(store_watch_new(&f->conf, many, &w), 0);
	assert_int_equal(store_watch_add(w, st, &f), 0);
	/* Wake-ups may be lost (chaos loses some), so several are tried. */
	for (int i = 0; i < 60; i++) {
		char name[20];

		snprintf(name, sizeof(name), "box%d", i);
		assert_int_equal(create(two, name, 0, &id), 0);
		p = (struct pollfd){ store_watch_fd(w), POLLIN, 0 };
		if (poll(&p, 1, 1000) == 1 &&
		    store_watch_next(w, &cookie) == 1)
			break;
	}
	assert_ptr_equal(cookie, &f);
	assert_int_equal(store_refresh(st), 1);
	assert_int_equal(store_refresh(st), 0);
	assert_int_equal(store_modseq(st), store_modseq(two));
	store_watch_del(w, &f);
	store_watch_free(&w);
	assert_null(w);
	store_watch_free(&w);
	store_close(&st);
	store_close(&two);
}

static void
test_watch(void **state)
{
	watching(*state, false);
	watching(*state, true);
}

/* Two handles, each of which shows its own state until it moves. */
static void
test_snapshot(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x"), *two;
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	uint64_t id, before = store_modseq(st);

	assert_int_equal(store_open(&f->conf, fixture_name(f, "x"), &two), 0);
	assert_int_equal(create(two, "new", 0, &id), 0);
	assert_int_equal(store_modseq(st), before);
	assert_int_equal(store_mailbox_get(st, a, id, &mb),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_refresh(st), 1);
	assert_int_equal(store_mailbox_get(st, a, id, &mb), 0);
	assert_int_equal(store_modseq(st), store_modseq(two));
	/* A change moves the handle, too. */
	assert_int_equal(create(two, "newer", 0, &id), 0);
	assert_int_equal(create(st, "newest", 0, &before), 0);
	assert_int_equal(store_mailbox_get(st, a, id, &mb), 0);
	arena_free(&a);
	store_close(&st);
	store_close(&two);
}

/* Failures of the commit: nothing is changed, and the next try works. */
static void
test_busy(void **state)
{
	static const struct { unsigned kind; int rc; } t[] = {
		{ KV_CHAOS_BUSY, STORE_E_BUSY },
		{ KV_CHAOS_FENCED, STORE_E_FENCED },
		{ KV_CHAOS_CONFLICT, STORE_E_BUSY },
	};
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	uint64_t id;

	store_close(&st);
	if (strncmp(f->engine, "chaos", 5) != 0) {
		arena_free(&a);
		return;
	}
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		f->conf.chaos_every = 1;
		f->conf.chaos_kinds = t[i].kind;
		assert_int_equal(store_open(&f->conf,
		    fixture_name(f, "x"), &st), 0);
		assert_int_equal(create(st, "a", 0, &id), t[i].rc);
		assert_true(strlen(store_errmsg(st)) > 0);
		store_close(&st);
	}
	/* UNKNOWN is settled: half of them were done. */
	f->conf.chaos_kinds = KV_CHAOS_UNKNOWN;
	assert_int_equal(store_open(&f->conf, fixture_name(f, "x"), &st), 0);
	for (int i = 0; i < 20; i++) {
		char name[20];

		snprintf(name, sizeof(name), "box%d", i);
		assert_int_equal(create(st, name, 0, &id), 0);
		assert_int_equal(store_mailbox_get(st, a, id, &mb), 0);
		assert_int_equal(mb.created, store_modseq(st));
	}
	assert_int_equal(store_mailbox_find(st, a, S("a"), &mb),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	store_close(&st);
	arena_free(&a);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_ok),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_account_folders),
		cmocka_unit_test(test_mailbox_names),
		cmocka_unit_test(test_mailbox_find),
		cmocka_unit_test(test_mailbox_depth),
		cmocka_unit_test(test_mailbox_update),
		cmocka_unit_test(test_mailbox_exchange),
		cmocka_unit_test(test_mailbox_list),
		cmocka_unit_test(test_mailbox_rename),
		cmocka_unit_test(test_mailbox_destroy),
		cmocka_unit_test(test_mailbox_limit),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_maildrop),
		cmocka_unit_test(test_recent),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_busy),
	};

	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
