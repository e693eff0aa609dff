/* t/fuzz/fuzz-jmap.c - API requests: any octets give a response or a problem */
#include "config.h"

#include "jmap-fcgi/jmap.h"
#include "t/fuzz/fuzz.h"

static struct conf conf;
static struct jmap_env env;
static struct jmap_user user;
static struct arena *arena, *names;

static void
add_mail(void)
{
	static const char text[] = "From: =?utf-8?q?=C3=A9?= <a@b>, g: c@d;\r\n"
	    "Subject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
	    "--x\r\n\r\nplain\r\n--x\r\nContent-Type: text/html\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nPGI+aGVsbG8=\r\n"
	    "--x--\r\n";
	struct store_spool *sp = store_spool_new(&env.store_conf, true, 0);
	struct store_added added;
	struct store_mailbox inbox;
	struct store_new v = { .spool = sp, .n_mailboxes = 1,
		.received_at = 1 };

	store_spool_add(sp, text, sizeof(text) - 1);
	store_spool_done(sp);
	if (store_mailbox_find(user.st, arena, SLICE_LIT("INBOX"),
	    &inbox) < 0)
		abort();
	v.mailboxes = &inbox.id;
	if (store_email_add(user.st, &v, 1, &added, NULL) < 0)
		abort();
	store_spool_free(&sp);
}

/* An account is used for some inputs: memory has no way to delete one. */
enum { INPUTS = 200 };

static void
begin(void)
{
	static unsigned n;

	if (arena == NULL) {
		json_object_seed(1);
		js_init();
		conf.jmap_max_calls = 16;
		conf.jmap_max_objects_in_get = 100;
		conf.jmap_max_objects_in_set = 100;
		conf.jmap_max_size_request = 1 << 16;
		env.conf = &conf;
		env.store_conf.engine = "mem";
		env.store_conf.mail_dir = "/nonexistent";
		arena = arena_new(0);
		names = arena_new(0);
	}
	if (n++ % INPUTS == 0) {
		store_close(&user.st);
		user.account = arena_printf(names, "a%u", n);
		if (store_account_create(&env.store_conf, user.account) < 0 ||
		    store_open(&env.store_conf, user.account, &user.st) < 0)
			abort();
		add_mail();
	}
	user.name = user.account;
	user.account_id = "A1";
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct jmap_problem problem = { 0, NULL, NULL, NULL };
	struct slice body = slice_make((const char *)p, n);
	struct buf out;
	json_t *v;

	begin();
	buf_init(&out, JMAP_RESPONSE_MAX + (1 << 20));
	if (engine_run(&env, &user, "s", body, arena, &out, &problem) == 0) {
		/* What goes out is I-JSON with one response for each call. */
		v = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES |
		    JSON_ALLOW_NUL, NULL);
		FUZZ_CHECK(json_is_array(json_object_get(v, "methodResponses")));
		json_decref(v);
	} else {
		FUZZ_CHECK(problem.status == 400 || problem.status == 500);
		FUZZ_CHECK(problem.detail != NULL);
	}
	buf_release(&out);
	arena_reset(arena);
	return 0;
}
