/* t/unit/test-store-metadata.c - annotations of mailboxes and of accounts */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "libstore/store-int.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)

static uint64_t
make(struct store *st, const char *path)
{
	uint64_t id;

	assert_int_equal(store_mailbox_create_path(st, S(path),
	    STORE_ROLE_NONE, &id), 0);
	return id;
}

static int
set(struct store *st, uint64_t mailbox, const char *user, const char *name,
    const char *value)
{
	struct store_metadata v = { .shared = user == NULL, .name = S(name) };

	v.value = value != NULL ? S(value) : slice_make(NULL, 0);
	return store_metadata_set(st, mailbox, user ? user : "nobody", &v, 1);
}

/* "/a=1 +/b=2": + before what is shared. */
static const char *
all(struct store *st, uint64_t mailbox, const char *user)
{
	static char text[4096];
	struct store_metadata *v;
	struct arena *a = arena_new(0);
	size_t n, len = 0;

	assert_int_equal(store_metadata_get(st, a, mailbox, user, &v, &n), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s%.*s=%.*s", i > 0 ? " " : "", v[i].shared ? "+" : "",
		    (int)v[i].name.n, v[i].name.p, (int)v[i].value.n,
		    v[i].value.p);
	arena_free(&a);
	return text;
}

static uint64_t
size(struct store *st)
{
	uint64_t n;

	assert_int_equal(store_metadata_size(st, &n), 0);
	return n;
}

static void
test_set(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	uint64_t m = make(st, "a"), before;

	assert_string_equal(all(st, m, "bob"), "");
	assert_int_equal(set(st, m, "bob", "/comment", "his"), 0);
	assert_int_equal(set(st, m, "eve", "/comment", "hers"), 0);
	assert_int_equal(set(st, m, NULL, "/comment", "ours"), 0);
	assert_int_equal(set(st, m, NULL, "/a/b", ""), 0);
	assert_int_equal(set(st, 0, "bob", "/x", "account"), 0);
	assert_string_equal(all(st, m, "bob"),
	    "/comment=his +/a/b= +/comment=ours");
	assert_string_equal(all(st, m, "eve"),
	    "/comment=hers +/a/b= +/comment=ours");
	assert_string_equal(all(st, 0, "bob"), "/x=account");
	assert_string_equal(all(st, 0, "eve"), "");
	assert_int_equal(size(st), 11 + 12 + 12 + 4 + 9);
	/* names are compared without case, and kept as they are written */
	assert_int_equal(set(st, m, NULL, "/COMMENT", "new"), 0);
	assert_string_equal(all(st, m, "x"), "+/COMMENT=new +/a/b=");
	assert_int_equal(set(st, m, "bob", "/comment", NULL), 0);
	assert_string_equal(all(st, m, "bob"), "+/COMMENT=new +/a/b=");
	before = store_modseq(st);
	assert_int_equal(set(st, m, "bob", "/comment", NULL), 0);
	assert_int_equal(set(st, m, "bob", "/none", NULL), 0);
	assert_int_equal(store_modseq(st), before);
	assert_int_equal(set(st, m, "bob", "/comment", "again"), 0);
	assert_string_equal(all(st, m, "bob"),
	    "/comment=again +/COMMENT=new +/a/b=");
	assert_int_equal(set(st, 12345, "bob", "/comment", "x"),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	store_close(&st);
}

static void
test_names(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	static const char *const bad[] = { "", "/", "x", "/a/", "//a", "/a//b",
		"/a*", "/%", "/a\x7f", "/\xc3\xa4", "/a\n" };
	char name[600];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(set(st, 0, "b", bad[i], "v"),
		    STORE_E_INVALID);
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[512] = '\0';
	assert_int_equal(set(st, 0, "b", name, "v"), 0);
	name[512] = 'a';
	name[513] = '\0';
	assert_int_equal(set(st, 0, "b", name, "v"), STORE_E_INVALID);
	fixture_check(st);
	store_close(&st);
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;
	struct store *st;
	struct store_metadata two[2];
	uint64_t m;
	char name[32], big[4001];

	f->conf.meta_value = 4000;
	f->conf.meta_entries = 10;
	f->conf.meta_size = 20000;
	st = fixture_account(f, "x1");
	m = make(st, "a");
	memset(big, 'x', sizeof(big));
	big[4000] = '\0';
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "/e%d", i);
		assert_int_equal(set(st, m, NULL, name, "v"), 0);
	}
	assert_int_equal(set(st, m, NULL, "/e10", "v"), STORE_E_LIMIT);
	assert_int_equal(set(st, 0, NULL, "/e10", "v"), 0);
	/* what was removed makes room */
	for (int round = 0; round < 30; round++) {
		snprintf(name, sizeof(name), "/r%d", round);
		assert_int_equal(set(st, m, NULL, "/e9", NULL), 0);
		assert_int_equal(set(st, m, NULL, name, "v"), 0);
		assert_int_equal(set(st, m, NULL, "/one-more", "v"),
		    STORE_E_LIMIT);
		assert_int_equal(set(st, m, NULL, name, NULL), 0);
		assert_int_equal(set(st, m, NULL, "/e9", "v"), 0);
	}
	/* all or none */
	two[0] = (struct store_metadata){ .shared = true, .name = S("/e1"),
		.value = S("changed") };
	two[1] = (struct store_metadata){ .shared = true, .name = S("/new"),
		.value = S("x") };
	assert_int_equal(store_metadata_set(st, m, "b", two, 2),
	    STORE_E_LIMIT);
	assert_non_null(strstr(all(st, m, "b"), "+/e1=v"));
	/* octets */
	assert_int_equal(set(st, m, NULL, "/e1", big), 0);
	for (int i = 2; i < 5; i++) {
		snprintf(name, sizeof(name), "/e%d", i);
		assert_int_equal(set(st, m, NULL, name, big), 0);
	}
	assert_int_equal(set(st, m, NULL, "/e5", big), STORE_E_QUOTA);
	assert_int_equal(set(st, m, NULL, "/e1", "small"), 0);
	assert_int_equal(set(st, m, NULL, "/e5", big), 0);
	two[0].value = slice_make(big, 4001);
	assert_int_equal(store_metadata_set(st, m, "b", two, 1),
	    STORE_E_TOOBIG);
	assert_int_equal(store_metadata_max(st), 4000);
	fixture_check(st);
	f->conf.meta_value = f->conf.meta_entries = 0;
	f->conf.meta_size = 0;
	store_close(&st);
}

static void
test_mailboxes(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_mailbox inbox, mb;
	struct arena *a = arena_new(0);
	uint64_t m = make(st, "a");

	assert_int_equal(set(st, m, NULL, "/k", "v"), 0);
	assert_int_equal(store_mailbox_rename(st, m, S("b")), 0);
	assert_string_equal(all(st, m, "x"), "+/k=v");
	assert_int_equal(store_mailbox_destroy(st, m, true), 0);
	assert_string_equal(all(st, m, "x"), "");
	assert_int_equal(size(st), 0);
	m = make(st, "b");
	assert_string_equal(all(st, m, "x"), "");
	fixture_check(st);
	/* a renamed inbox: both have them */
	assert_int_equal(store_mailbox_find(st, a, S("INBOX"), &inbox), 0);
	assert_int_equal(set(st, inbox.id, NULL, "/k", "v"), 0);
	assert_int_equal(set(st, inbox.id, "bob", "/p", "w"), 0);
	assert_int_equal(set(st, inbox.id, "bob", "/gone", "w"), 0);
	assert_int_equal(set(st, inbox.id, "bob", "/gone", NULL), 0);
	assert_int_equal(store_mailbox_rename(st, inbox.id, S("old")), 0);
	assert_int_equal(store_mailbox_find(st, a, S("old"), &mb), 0);
	assert_string_equal(all(st, mb.id, "bob"), "/p=w +/k=v");
	assert_string_equal(all(st, inbox.id, "bob"), "/p=w +/k=v");
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

/* "name=value" or "name" for what was removed; "+" for what is shared. */
static const char *
changes(struct store *st, uint64_t mailbox, const char *user, uint64_t since)
{
	static char text[512];
	struct arena *a = arena_new(0);
	struct store_metadata *v;
	size_t n, at = 0;

	assert_int_equal(store_metadata_changes(st, a, mailbox, user, since, &v,
	    &n), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s%s%.*s%s%.*s", i ? " " : "", v[i].shared ? "+" : "",
		    (int)v[i].name.n, v[i].name.p, v[i].value.p ? "=" : "",
		    (int)v[i].value.n, v[i].value.p ? v[i].value.p : "");
	arena_free(&a);
	return text;
}

/* What another session has to tell; and whose doing it was. */
static void
test_changes(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "c1"), *other;
	uint64_t m = make(st, "a"), since, last, from, to;

	assert_int_equal(set(st, m, "bob", "/p", "1"), 0);
	assert_int_equal(set(st, m, NULL, "/k", "1"), 0);
	since = store_modseq(st);
	assert_string_equal(changes(st, m, "bob", since), "");
	assert_int_equal(store_metadata_modseq(st, &last), 0);
	assert_int_equal(last, since);
	assert_int_equal(set(st, m, "bob", "/p", NULL), 0);
	assert_int_equal(set(st, m, "bob", "/q", "2"), 0);
	assert_int_equal(set(st, m, "eve", "/e", "2"), 0);
	assert_string_equal(changes(st, m, "bob", since), "/p /q=2");
	assert_int_equal(set(st, m, NULL, "/k", NULL), 0);
	assert_string_equal(changes(st, m, "bob", since), "/p /q=2 +/k");
	assert_int_equal(store_metadata_modseq(st, &last), 0);
	assert_int_equal(last, store_modseq(st));
	/* what was removed is forgotten once it is too much */
	for (int i = 0; i < 120; i++) {
		char name[16];

		snprintf(name, sizeof(name), "/n%d", i);
		assert_int_equal(set(st, m, "eve", name, "x"), 0);
		assert_int_equal(set(st, m, "eve", name, NULL), 0);
	}
	assert_string_equal(all(st, m, "eve"), "/e=2");
	fixture_check(st);
	store_own(st, &from, &to);
	assert_true(from <= since + 1);
	assert_int_equal(to, store_modseq(st));
	/* the account's sessions are told apart */
	assert_int_equal(store_open(&f->conf, fixture_name(f, "c1"),
	    &other), 0);
	store_own(other, &from, &to);
	assert_int_equal(to, 0);
	since = store_modseq(other);
	assert_int_equal(set(other, m, "eve", "/o", "x"), 0);
	assert_int_equal(store_refresh(st), 1);
	store_own(st, &from, &to);
	assert_int_equal(to, since);
	assert_int_equal(set(st, m, "eve", "/o", "y"), 0);
	store_own(st, &from, &to);
	assert_int_equal(from, since + 2);
	assert_int_equal(to, since + 2);
	/* what changes nothing is no change */
	assert_int_equal(set(st, m, "eve", "/none", NULL), 0);
	store_own(st, &from, &to);
	assert_int_equal(to, since + 2);
	store_close(&other);
	store_close(&st);
}

/* A message in m; its Email's id. */
static uint64_t
mail(struct store *st, struct fixture *f, uint64_t m, const char *text)
{
	struct store_spool *sp = store_spool_new(&f->conf, true, 0);
	struct store_new v = { .spool = sp, .mailboxes = &m,
		.n_mailboxes = 1, .received_at = INT64_MIN };
	struct store_added r;

	assert_int_equal(store_spool_add(sp, text, strlen(text)), 0);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_email_add(st, &v, 1, &r, NULL), 0);
	store_spool_free(&sp);
	return r.email;
}

static int
annotate(struct store *st, uint64_t m, uint32_t uid, const char *user,
    const char *name, const char *value, uint64_t since, size_t *refused_r)
{
	struct store_metadata v = { .shared = user == NULL, .name = S(name),
		.value = value ? S(value) : slice_make(NULL, 0) };
	struct arena *a = arena_new(0);
	uint32_t uids[2] = { uid, 1000 }, *refused;
	int rc = store_msgs_annotate(st, a, m, uids, 2, user ? user : "nobody",
	    &v, 1, since, &refused, refused_r);

	arena_free(&a);
	return rc;
}

static uint64_t
modseq_of(struct store *st, uint64_t m, uint32_t uid)
{
	struct store_msg *v;
	uint64_t modseq;
	size_t n;

	assert_int_equal(store_msgs_load(st, m, uid, uid, 0, &v, &n), 0);
	assert_int_equal(n, 1);
	modseq = v[0].modseq;
	xfree(v);
	return modseq;
}

/* Of Emails: wherever they are, until they are nowhere. */
static void
test_emails(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "e1");
	uint64_t m = make(st, "a"), to = make(st, "b"), was, e1, e2;
	uint64_t none = UINT64_MAX;
	struct arena *a = arena_new(0);
	struct store_pair *p;
	uint32_t uid = 1, *gone;
	size_t n;

	e1 = mail(st, f, m, "Subject: 1\r\n\r\n");
	e2 = mail(st, f, m, "Subject: 2\r\n\r\n");
	was = modseq_of(st, m, 1);
	assert_int_equal(annotate(st, m, 1, "bob", "/comment", "x", none, &n),
	    0);
	assert_int_equal(annotate(st, m, 1, NULL, "/comment", "y", none, &n),
	    0);
	assert_string_equal(all(st, e1, "bob"), "/comment=x +/comment=y");
	assert_string_equal(all(st, e1, "eve"), "+/comment=y");
	assert_string_equal(all(st, e2, "bob"), "");
	assert_true(modseq_of(st, m, 1) > was);
	assert_int_equal(modseq_of(st, m, 1), store_modseq(st));
	/* what changes nothing */
	was = store_modseq(st);
	assert_int_equal(annotate(st, m, 2, "bob", "/no", NULL, none, &n), 0);
	assert_int_equal(store_modseq(st), was);
	assert_int_equal(annotate(st, m, 9, "bob", "/no", "x", none, &n), 0);
	assert_int_equal(store_modseq(st), was);
	/* UNCHANGEDSINCE */
	assert_int_equal(annotate(st, m, 1, "bob", "/q", "z", was - 1, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all(st, e1, "eve"), "+/comment=y");
	/* the same Email in two mailboxes */
	assert_int_equal(store_msgs_copy(st, a, m, &uid, 1, to, false, &p, &n,
	    NULL), 0);
	assert_int_equal(annotate(st, to, 1, "bob", "/q", "z", none, &n), 0);
	assert_string_equal(all(st, e1, "bob"),
	    "/comment=x /q=z +/comment=y");
	assert_int_equal(modseq_of(st, m, 1), store_modseq(st));
	assert_int_equal(modseq_of(st, to, 1), store_modseq(st));
	fixture_check(st);
	/* a copy that is another Email has them, and goes with them */
	assert_int_equal(store_msgs_copy(st, a, m, &uid, 1, to, false, &p, &n,
	    NULL), 0);
	assert_int_equal(size(st), 42);
	fixture_check(st);
	assert_int_equal(store_msgs_remove(st, a, to, &p[0].to, 1, NULL), 0);
	assert_int_equal(size(st), 21);
	assert_int_equal(store_msgs_remove(st, a, to, &uid, 1, NULL), 0);
	assert_string_equal(all(st, e1, "eve"), "+/comment=y");
	assert_int_equal(store_msgs_flag(st, a, m, &uid, 1, STORE_FLAG_ADD,
	    STORE_DELETED, none, NULL, NULL, NULL), 0);
	assert_int_equal(store_msgs_expunge(st, a, m, NULL, 0, &gone, &n,
	    NULL), 0);
	assert_int_equal(size(st), 0);
	assert_string_equal(all(st, e1, "bob"), "");
	/* a mailbox with its mail */
	assert_int_equal(annotate(st, m, 2, "bob", "/q", "z", none, &n), 0);
	assert_int_equal(size(st), 3);
	assert_int_equal(store_mailbox_destroy(st, m, true), 0);
	assert_int_equal(size(st), 0);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

/* Closed, opened; damaged, repaired. */
static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t m = make(st, "a"), modseq, e;
	struct row_key k = row_key_kind(ROW_K_META);
	struct kv_txn *t;
	size_t faults;

	assert_int_equal(set(st, m, NULL, "/k", "v"), 0);
	assert_int_equal(set(st, 0, "bob", "/s", "w"), 0);
	assert_int_equal(set(st, m, "bob", "/bad", "x"), 0);
	e = mail(st, f, m, "Subject: x\r\n\r\n");
	assert_int_equal(annotate(st, m, 1, NULL, "/e", "v", UINT64_MAX,
	    &faults), 0);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), slice_make("\1\1\1", 3)), 0);
	k = meta_key(m, S("bob"), S("/bad"));
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 2);
	assert_string_equal(all(st, m, "bob"), "+/k=v");
	assert_string_equal(all(st, 0, "bob"), "/s=w");
	assert_string_equal(all(st, e, "bob"), "+/e=v");
	assert_int_equal(size(st), 9);
	fixture_check(st);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_set), cmocka_unit_test(test_names),
	cmocka_unit_test(test_limits), cmocka_unit_test(test_mailboxes),
	cmocka_unit_test(test_repair), cmocka_unit_test(test_changes),
	cmocka_unit_test(test_emails),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
