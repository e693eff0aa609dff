/* t/unit/test-jmap-engine.c - the request engine on a store in memory */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/jmap.h"
#include "libbase/xalloc.h"

static struct conf conf;
static struct jmap_env env;
static struct jmap_user user;
static struct arena *arena;
static struct store_conf sc;

static int
setup(void **state)
{
	(void)state;
	js_init();
	conf.jmap_max_calls = 16;
	conf.jmap_max_objects_in_get = 10;
	conf.jmap_max_objects_in_set = 10;
	conf.jmap_max_size_request = 1 << 20;
	sc.engine = "mem";
	sc.mail_dir = "/nonexistent";
	env.conf = &conf;
	env.store_conf = sc;
	arena = arena_new(0);
	assert_int_equal(store_account_create(&env.store_conf, "alice"), 0);
	assert_int_equal(store_open(&env.store_conf, "alice", &user.st), 0);
	user.name = user.account = "alice";
	user.account_id = xasprintf("A%s", store_account_id(user.st));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_close(&user.st);
	xfree((char *)(uintptr_t)user.account_id);
	arena_free(&arena);
	return 0;
}

/* The Response object, or NULL and *p. */
static json_t *
run(const char *body, struct jmap_problem *p)
{
	json_t *v = NULL;
	struct buf out;

	buf_init(&out, 1 << 22);
	memset(p, 0, sizeof(*p));
	if (engine_run(&env, &user, "s1", slice_str(body), arena, &out,
	    p) == 0) {
		v = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(v);
	}
	buf_release(&out);
	return v;
}

/* One call with accountId; its arguments, borrowed from *resp_r. */
static json_t *
call(const char *name, const char *args, json_t **resp_r)
{
	struct jmap_problem p;
	json_t *inv;

	*resp_r = run(arena_printf(arena, "{\"using\":["
	    "\"urn:ietf:params:jmap:core\",\"urn:ietf:params:jmap:mail\"],"
	    "\"methodCalls\":[[\"%s\",{\"accountId\":\"%s\"%s%s},\"c\"]]}",
	    name, user.account_id, *args ? "," : "", args), &p);
	assert_non_null(*resp_r);
	inv = json_array_get(json_object_get(*resp_r, "methodResponses"), 0);
	assert_string_equal(json_string_value(json_array_get(inv, 2)), "c");
	return json_array_get(inv, 1);
}

/* The error type of one call; NULL: it succeeded. */
static const char *
error_of(const char *name, const char *args)
{
	json_t *resp, *out = call(name, args, &resp);
	json_t *type = json_object_get(out, "type");
	const char *s = type == NULL ? NULL :
	    arena_strdup(arena, json_string_value(type));

	json_decref(resp);
	return s;
}

static void
test_problems(void **state)
{
	static const struct {
		const char *body, *type, *limit;
	} t[] = {
		{ "", "notJSON", NULL }, { "{]", "notJSON", NULL },
		{ "{\"a\":1,\"a\":1}", "notJSON", NULL },
		{ "[]", "notRequest", NULL }, { "{}", "notRequest", NULL },
		{ "{\"using\":[],\"methodCalls\":[[1,{},\"\"]]}",
		    "notRequest", NULL },
		{ "{\"using\":[\"x\"],\"methodCalls\":[]}",
		    "unknownCapability", NULL },
		{ "{\"using\":[],\"methodCalls\":[],\"createdIds\":null}",
		    "notRequest", NULL },
		{ "{\"using\":[],\"methodCalls\":[],\"createdIds\":"
		    "{\"a b\":\"c\"}}", "notRequest", NULL },
	};
	struct jmap_problem p;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_null(run(t[i].body, &p));
		assert_string_equal(p.type, t[i].type);
		assert_int_equal(p.status, 400);
	}
}

static void
test_response(void **state)
{
	struct jmap_problem p;
	json_t *r, *v;

	(void)state;
	/* Unknown properties of a Request are ignored. */
	r = run("{\"using\":[],\"methodCalls\":[],\"foo\":1}", &p);
	assert_int_equal(json_array_size(json_object_get(r,
	    "methodResponses")), 0);
	assert_string_equal(json_string_value(json_object_get(r,
	    "sessionState")), "s1");
	assert_null(json_object_get(r, "createdIds"));
	json_decref(r);
	r = run("{\"using\":[],\"methodCalls\":[],\"createdIds\":"
	    "{\"a\":\"b\"}}", &p);
	v = json_object_get(json_object_get(r, "createdIds"), "a");
	assert_string_equal(json_string_value(v), "b");
	json_decref(r);
}

static void
test_arguments(void **state)
{
	static const struct {
		const char *name, *args, *error;
	} t[] = {
		{ "Mailbox/get", "", NULL },
		{ "Mailbox/get", "\"ids\":null", NULL },
		{ "Mailbox/get", "\"ids\":[\"x\"]", NULL },
		{ "Mailbox/get", "\"ids\":{}", "invalidArguments" },
		{ "Mailbox/get", "\"ids\":[null]", "invalidArguments" },
		{ "Mailbox/get", "\"x\":1", "invalidArguments" },
		{ "Mailbox/get", "\"ids\":[\"1\",\"2\",\"3\",\"4\",\"5\","
		    "\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]",
		    "requestTooLarge" },
		{ "Mailbox/changes", "", "invalidArguments" },
		{ "Mailbox/changes", "\"sinceState\":null",
		    "invalidArguments" },
		{ "Mailbox/changes", "\"sinceState\":\"x\"",
		    "cannotCalculateChanges" },
		{ "Mailbox/changes", "\"sinceState\":\"1\","
		    "\"maxChanges\":0", "invalidArguments" },
		{ "Mailbox/changes", "\"sinceState\":\"1\","
		    "\"maxChanges\":1.5", "invalidArguments" },
		{ "Mailbox/set", "", NULL },
		{ "Mailbox/set", "\"create\":null,\"destroy\":null", NULL },
		{ "Mailbox/set", "\"create\":{\"a b\":{}}",
		    "invalidArguments" },
		{ "Mailbox/set", "\"update\":{\"M1\":null}",
		    "invalidArguments" },
		{ "Mailbox/set", "\"onDestroyRemoveEmails\":null",
		    "invalidArguments" },
		{ "Mailbox/set", "\"ifInState\":\"0\"", "stateMismatch" },
		{ "Email/query", "\"limit\":-1", "invalidArguments" },
		{ "Email/query", "\"limit\":9007199254740992",
		    "invalidArguments" },
		{ "Email/query", "\"position\":9007199254740991", NULL },
		{ "Email/query", "\"position\":-9007199254740991", NULL },
		{ "Email/query", "\"anchor\":\"x\",\"anchorOffset\":"
		    "9007199254740991", "anchorNotFound" },
		{ "Email/import", "", "invalidArguments" },
		{ "Email/import", "\"emails\":{}", NULL },
		{ "Foo/get", "", "unknownMethod" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *e = error_of(t[i].name, t[i].args);

		if (t[i].error == NULL)
			assert_null(e);
		else
			assert_string_equal(e, t[i].error);
	}
}

static uint64_t
add_mail(const char *text, struct store_blobid *blob_r)
{
	struct store_spool *sp = store_spool_new(&env.store_conf, true, 0);
	struct store_mailbox inbox;
	struct store_added added;
	struct store_new v;

	assert_int_equal(store_spool_add(sp, text, strlen(text)), 0);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_mailbox_find(user.st, arena,
	    SLICE_LIT("INBOX"), &inbox), 0);
	memset(&v, 0, sizeof(v));
	v.spool = sp;
	v.mailboxes = &inbox.id;
	v.n_mailboxes = 1;
	v.received_at = INT64_MIN;
	assert_int_equal(store_email_add(user.st, &v, 1, &added, NULL), 0);
	store_spool_free(&sp);
	if (blob_r != NULL)
		*blob_r = added.blob;
	return added.email;
}

/* What \Deleted hides, RFC 8621 4.1.1. */
static void
test_deleted(void **state)
{
	uint64_t id = add_mail("Subject: d\r\n\r\nx\r\n", NULL), modseq;
	struct store_mailbox inbox;
	json_t *resp, *out, *m;
	const char *since;
	uint32_t uid = 1, *mod;
	size_t n;

	(void)state;
	out = call("Mailbox/get", "", &resp);
	m = json_array_get(json_object_get(out, "list"), 0);
	assert_int_equal(json_integer_value(json_object_get(m,
	    "totalEmails")), 1);
	json_decref(resp);
	out = call("Email/get", "\"ids\":[]", &resp);
	since = arena_strdup(arena, json_string_value(json_object_get(out,
	    "state")));
	json_decref(resp);

	assert_int_equal(store_mailbox_find(user.st, arena,
	    SLICE_LIT("INBOX"), &inbox), 0);
	assert_int_equal(store_msgs_flag(user.st, arena, inbox.id, &uid, 1,
	    STORE_FLAG_ADD, STORE_DELETED, UINT64_MAX, &mod, &n, &modseq), 0);

	out = call("Mailbox/get", "", &resp);
	m = json_array_get(json_object_get(out, "list"), 0);
	assert_int_equal(json_integer_value(json_object_get(m,
	    "totalEmails")), 0);
	assert_int_equal(json_integer_value(json_object_get(m,
	    "unreadThreads")), 0);
	json_decref(resp);
	out = call("Email/query", "\"calculateTotal\":true", &resp);
	assert_int_equal(json_integer_value(json_object_get(out, "total")),
	    0);
	json_decref(resp);
	out = call("Email/get", arena_printf(arena, "\"ids\":[\"E%jx\"]",
	    (uintmax_t)id), &resp);
	assert_int_equal(json_array_size(json_object_get(out, "notFound")),
	    1);
	json_decref(resp);
	out = call("Email/changes", arena_printf(arena,
	    "\"sinceState\":\"%s\"", since), &resp);
	assert_int_equal(json_array_size(json_object_get(out, "destroyed")),
	    1);
	assert_int_equal(json_array_size(json_object_get(out, "updated")), 0);
	json_decref(resp);
}

/* Put into a mailbox where it is \Deleted, an Email is there again. */
static void
test_deleted_again(void **state)
{
	uint64_t id = add_mail("Subject: again\r\n\r\nx\r\n", NULL), modseq;
	struct store_mailbox_set mb = { .set_name = true,
		.name = SLICE_LIT("Other") };
	struct store_mailbox inbox;
	struct store_email e;
	json_t *resp, *out, *m;
	uint32_t uid, *mod;
	uint64_t other;
	size_t n;

	(void)state;
	assert_int_equal(store_mailbox_create(user.st, &mb, &other), 0);
	assert_int_equal(store_mailbox_find(user.st, arena,
	    SLICE_LIT("INBOX"), &inbox), 0);
	out = call("Email/set", arena_printf(arena, "\"update\":{\"E%jx\":"
	    "{\"mailboxIds/M%jx\":true}}", (uintmax_t)id,
	    (uintmax_t)other), &resp);
	assert_int_equal(json_object_size(json_object_get(out, "updated")),
	    1);
	json_decref(resp);
	assert_int_equal(store_email_get(user.st, arena, id, &e), 0);
	assert_int_equal(e.n_in, 2);
	uid = e.in[0].mailbox == inbox.id ? e.in[0].uid : e.in[1].uid;
	assert_int_equal(store_msgs_flag(user.st, arena, inbox.id, &uid, 1,
	    STORE_FLAG_ADD, STORE_DELETED, UINT64_MAX, &mod, &n, &modseq), 0);
	for (int whole = 0; whole < 2; whole++) {
		out = call("Email/set", arena_printf(arena, whole ?
		    "\"update\":{\"E%jx\":{\"mailboxIds\":{\"M%jx\":true}}}" :
		    "\"update\":{\"E%jx\":{\"mailboxIds/M%jx\":true}}",
		    (uintmax_t)id, (uintmax_t)inbox.id), &resp);
		assert_int_equal(json_object_size(json_object_get(out,
		    "updated")), 1);
		json_decref(resp);
		out = call("Email/get", arena_printf(arena, "\"ids\":["
		    "\"E%jx\"],\"properties\":[\"mailboxIds\"]",
		    (uintmax_t)id), &resp);
		m = json_array_get(json_object_get(out, "list"), 0);
		assert_int_equal(json_object_size(json_object_get(m,
		    "mailboxIds")), 2 - whole);
		json_decref(resp);
	}
}

/* A part's id is taken only where there is such a part. */
static void
test_part_ids(void **state)
{
	static const char text[] = "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
	    "--x\r\n\r\nplain\r\n--x\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--x--\r\n";
	char id[BLOB_TEXT_MAX];
	struct store_blobid parent;
	struct mime_part *p;
	struct mime_msg *m;
	struct blob b;

	(void)state;
	add_mail(text, &parent);
	mime_parse(slice_str(text), NULL, arena, &m);
	for (p = m->root; p != NULL; p = mime_part_next(p)) {
		blob_part_text(&parent, p, id);
		if (p->kind == MIME_MULTIPART) {
			assert_int_equal(blob_open(user.st, NULL,
			    slice_str(id), &b), STORE_E_NOTFOUND);
			continue;
		}
		assert_int_equal(blob_open(user.st, NULL, slice_str(id), &b),
		    0);
		assert_int_equal(b.size, 5);
		blob_close(&b);
		/* Another length, another encoding. */
		id[strlen(id) - 3]++;
		assert_int_equal(blob_open(user.st, NULL, slice_str(id), &b),
		    STORE_E_NOTFOUND);
		id[strlen(id) - 3]--;
		id[strlen(id) - 1] ^= 1;
		assert_int_equal(blob_open(user.st, NULL, slice_str(id), &b),
		    STORE_E_NOTFOUND);
	}
}

/* Each row has a name "Type/verb" and each argument list its end. */
static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_jmap_methods; i++) {
		const struct jmap_method *m = &jmap_methods[i];

		assert_ptr_equal(jmap_method(slice_str(m->name)), m);
		assert_non_null(strchr(m->name, '/'));
		if (i > 0)
			assert_true(strcmp(m->name,
			    jmap_methods[i - 1].name) > 0);
		if ((m->flags & METHOD_ANY) == 0)
			assert_non_null(m->args);
	}
	assert_null(jmap_method(SLICE_LIT("")));
	assert_null(jmap_method(SLICE_LIT("Core/echo\0")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_deleted_again),
		cmocka_unit_test(test_part_ids),
		cmocka_unit_test(test_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
