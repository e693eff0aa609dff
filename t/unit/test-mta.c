/* t/unit/test-mta.c - addresses, messages, and a client of SMTP against servers
 * that say what they like */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libsession/mta.h"

#define S(s) slice_str(s)

static void
test_address(void **state)
{
	static const char *const good[] = {
		"a@b", "a.b@x.test", "a+b=c@x", "\"a b\"@x", "\"a\\\"b\"@x",
		"j\xc3\xbcrgen@x.test", "a@b\xc3\xbc.test", "a@[127.0.0.1]",
		"a@[IPv6:::1]", "-a@x", "`id`@x", "a@x-y.z"
	}, *const bad[] = {
		"", "a", "@x", "a@", "a@@x", "a b@x", "a@x y", ".a@x", "a.@x",
		"a..b@x", "a@.x", "a@x.", "a@x..y", "a@x\r\n", "a\n@x", "<a@x>",
		"a@x>", "\"a@x", "\"\n\"@x", "a@[]", "a@[1", "a@[a]b]",
		"a@x\xff", "\xff@x", "a(b)@x", "a,b@x", "a:b@x", "a;b@x",
		"\"a\"b@x", "a@x,b@y", "a\\@x"
	};
	char big[300];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!mta_address_ok(S(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mta_address_ok(S(bad[i])))
			fail_msg("%s is taken", bad[i]);
	assert_false(mta_address_ok(slice_make("a\0@x", 4)));
	memset(big, 'a', sizeof(big));
	big[64] = '@';
	assert_true(mta_address_ok(slice_make(big, 120)));
	assert_false(mta_address_ok(slice_make(big, 129)));
	big[64] = 'a';
	big[65] = '@';
	assert_false(mta_address_ok(slice_make(big, 120)));
	for (size_t i = 120; i < sizeof(big); i += 60)
		big[i] = '.';
	memmove(big + 64, big + 65, sizeof(big) - 65);
	assert_true(mta_address_ok(slice_make(big, 254)));
	assert_false(mta_address_ok(slice_make(big, 255)));
}

static void
test_message(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "", "" },
		{ "A: b\r\n\r\nBcc: body\r\n", "A: b\r\n\r\nBcc: body\r\n" },
		{ "Bcc: x\r\n\r\n", "\r\n" },
		{ "A: b\r\nBcc: x,\r\n y\r\nC: d\r\nBCC :z\r\n\r\nb",
			"A: b\r\nC: d\r\n\r\nb" },
		{ "bcc: x", "" },
		{ "Bcc: x\r\nBcc: y\r\nA: b\r\n", "A: b\r\n" },
		{ "A: b\n\nc\n.\nd\r.\r\n\r",
			"A: b\r\n\r\nc\r\n.\r\nd\r\n.\r\n\r\n" },
		{ "A: b\rBcc: x\r\n\r\n", "A: b\r\n\r\n" },
		{ "A: b\r\n\r\nx\r\n.\n", "A: b\r\n\r\nx\r\n.\r\n" },
		{ "Bcc: x\nA: b\r\n\r\nx", "A: b\r\n\r\nx" },
		{ "X-Bcc: x\r\nResent-Bcc: y\r\n\r\n",
			"X-Bcc: x\r\nResent-Bcc: y\r\n\r\n" },
	};
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice s = mta_message(S(t[i].in), a);

		if (!slice_eq(s, S(t[i].out)))
			fail_msg("%s: %.*s", t[i].in, (int)s.n, s.p);
	}
	arena_free(&a);
}

/* ---- a server that plays a script -------------------------------------- */

static char dir[] = "/tmp/culver-mta-XXXXXX";
static char relay[128];

/*
 * What it says, one piece for each line that it gets; "" is nothing.  After
 * the last one it closes.
 */
static pid_t
server(const char *const *say, int *got_r)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), p[2], fd;
	char c;
	pid_t pid;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/smtp", dir);
	snprintf(relay, sizeof(relay), "unix:%s", un.sun_path);
	unlink(un.sun_path);
	assert_int_equal(bind(l, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		fd = accept(l, NULL, NULL);
		for (; *say != NULL; say++) {
			if (send(fd, *say, strlen(*say), MSG_NOSIGNAL) < 0 ||
			    say[1] == NULL)
				break;
			while (io_read(fd, &c, 1) == 1 &&
			    io_write(p[1], &c, 1) == 1 && c != '\n')
				;
		}
		_exit(0);
	}
	close(l);
	close(p[1]);
	*got_r = p[0];
	return pid;
}

static int
count_commit(void *arg)
{
	int *n = arg;

	return (*n)++ < 0 ? -1 : 0;
}

struct outcome {
	int rc, commits;
	enum mta_stage stage;
	int code[2];
	char reply[2][600], got[4096];
};

static void
talk(const char *const *say, struct outcome *o)
{
	struct conf c = { .smtp_relay = relay, .hostname = "me.test" };
	struct mta_rcpt r[2] = { { .address = S("b@x") },
		{ .address = S("c@x") } };
	struct mta_mail m = { .from = S("a@x"), .rcpt = r, .n_rcpt = 2,
		.octets = S("A: b\r\n\r\n.dot\r\nend"), .timeout_s = 5,
		.commit = count_commit, .arg = &o->commits };
	struct arena *a = arena_new(0);
	int fd, status;
	size_t n = 0;
	pid_t pid = server(say, &fd);

	o->rc = mta_send(&c, &m, a);
	o->stage = m.stage;
	for (int i = 0; i < 2; i++) {
		o->code[i] = r[i].code;
		snprintf(o->reply[i], sizeof(o->reply[i]), "%.*s",
		    (int)r[i].reply.n, r[i].reply.p);
	}
	waitpid(pid, &status, 0);
	while (n < sizeof(o->got) - 1) {
		ssize_t k = io_read(fd, o->got + n, sizeof(o->got) - 1 - n);

		if (k <= 0)
			break;
		n += (size_t)k;
	}
	o->got[n] = '\0';
	io_close(&fd);
	arena_free(&a);
}

#define HELLO "220 x\r\n", "250-x\r\n250-SIZE 5000\r\n250 8BITMIME\r\n"
#define GOOD HELLO, "250 ok\r\n", "250 2.1.5 b\r\n", "250 2.1.5 c\r\n", \
	"354 go\r\n", "", "", "", ""

static void
test_dialogue(void **state)
{
	static const char *const good[] = { GOOD, "250 done\r\n", NULL };
	struct outcome o = { .commits = 0 };

	(void)state;
	talk(good, &o);
	assert_int_equal(o.rc, MTA_OK);
	assert_int_equal(o.commits, 1);
	assert_string_equal(o.reply[1], "250 2.1.5 c");
	assert_string_equal(o.got, "EHLO me.test\r\n"
	    "MAIL FROM:<a@x> SIZE=17\r\nRCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\n"
	    "DATA\r\nA: b\r\n\r\n..dot\r\nend\r\n.\r\n");
	/* not committed: no dot */
	o = (struct outcome){ .commits = -1 };
	talk(good, &o);
	assert_int_equal(o.rc, MTA_E_STOPPED);
	assert_null(strstr(o.got, "\r\n.\r\n"));
	assert_null(strstr(o.got, "QUIT"));
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *say[12];
		int rc, stage, code, commits;
		const char *reply;
	} t[] = {
		{ { "554 no\r\n" }, MTA_E_PERM, MTA_AT_CONNECT, 554, 0,
			"554 no" },
		{ { "421 later\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 421, 0,
			"421 later" },
		{ { "220 x\r\n", "500 x\r\n", "550 no\r\n" }, MTA_E_PERM,
			MTA_AT_CONNECT, 550, 0, "550 no" },
		{ { "220 x\r\n", "250 x\r\n", "550-5.7.1 Our\r\n"
			"550-5.7.1 system\r\n550 5.7.1 \r\n" }, MTA_E_PERM,
			MTA_AT_MAIL, 550, 0, "550 5.7.1 Our system" },
		{ { "220 x\r\n", "250-x\r\n250 SIZE 10\r\n" }, MTA_E_PERM,
			MTA_AT_MAIL, 552, 0,
			"552 5.3.4 Too large for the mail system" },
		{ { HELLO, "250 ok\r\n", "550 b\r\n", "451 c\r\n" },
			MTA_E_TEMP, MTA_AT_RCPT, 550, 0, "550 b" },
		{ { HELLO, "250 ok\r\n", "550 b\r\n", "551 c\r\n" },
			MTA_E_PERM, MTA_AT_RCPT, 550, 0, "550 b" },
		{ { HELLO, "250 ok\r\n", "250 b\r\n", "551 c\r\n",
			"451 4.3.0 no\r\n" }, MTA_E_TEMP, MTA_AT_DATA, 451, 0,
			"451 4.3.0 no" },
		{ { GOOD, "554-5.6.0 bad\r\n554-mail\r\n554 5.6.0 x\r\n" },
			MTA_E_PERM, MTA_AT_DATA, 554, 1,
			"554 5.6.0 bad mail x" },
		/* the connection ends, or it isn't SMTP */
		{ { "" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { "220 x" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { "hello\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { "22\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { "220-a\r\n221 b\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0,
			NULL },
		{ { "920 a\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { "220x\r\n" }, MTA_E_TEMP, MTA_AT_CONNECT, 451, 0, NULL },
		{ { HELLO, "" }, MTA_E_TEMP, MTA_AT_MAIL, 451, 0, NULL },
		{ { GOOD, "" }, MTA_E_TEMP, MTA_AT_DATA, 451, 1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct outcome o = { .commits = 0 };

		talk(t[i].say, &o);
		if (o.rc != t[i].rc || (int)o.stage != t[i].stage ||
		    o.code[0] != t[i].code || o.commits != t[i].commits ||
		    (t[i].reply != NULL &&
		    strcmp(o.reply[0], t[i].reply) != 0))
			fail_msg("%zu: rc %d stage %d code %d commits %d: %s",
			    i, o.rc, (int)o.stage, o.code[0], o.commits,
			    o.reply[0]);
	}
}

enum { SIZE = 500000 };

static void
test_long(void **state)
{
	char *text = malloc(SIZE);
	const char *say[] = { text, NULL };
	struct outcome o = { .commits = 0 };
	size_t n = 0;

	(void)state;
	/* a line, a reply without end, and what is kept of a long one */
	memset(text, '2', 100000);
	text[100000] = '\0';
	talk(say, &o);
	assert_int_equal(o.rc, MTA_E_TEMP);
	for (int i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, SIZE - n, "220-x\r\n");
	talk(say, &o);
	assert_int_equal(o.rc, MTA_E_TEMP);
	n = (size_t)snprintf(text, SIZE, "554-5.0.0 \xc3\xbc\xff\x01 ");
	for (int i = 0; i < 50; i++)
		n += (size_t)snprintf(text + n, SIZE - n, "%s%s\r\n", i == 0 ? "" :
		    "554-5.0.0 ", "long long long long line");
	snprintf(text + n, SIZE - n, "554 5.0.0 end\r\n");
	talk(say, &o);
	assert_int_equal(o.rc, MTA_E_PERM);
	assert_true(strlen(o.reply[0]) <= 500);
	assert_non_null(strstr(o.reply[0], "554 5.0.0 \xc3\xbc\xef\xbf\xbd  "
	    "long"));
	free(text);
	/* nobody is there */
	unlink(relay + 5);
	{
		struct conf c = { .smtp_relay = relay, .hostname = "me" };
		struct mta_rcpt r = { .address = S("b@x") };
		struct mta_mail m = { .rcpt = &r, .n_rcpt = 1,
			.octets = S("") };
		struct arena *a = arena_new(0);

		assert_int_equal(mta_send(&c, &m, a), MTA_E_TEMP);
		assert_int_equal(m.stage, MTA_AT_CONNECT);
		assert_int_equal(r.code, 451);
		c.smtp_relay = NULL;
		assert_false(mta_configured(&c));
		assert_int_equal(mta_send(&c, &m, a), MTA_E_TEMP);
		c.sendmail = "/nonexistent";
		assert_true(mta_configured(&c));
		assert_int_equal(mta_send(&c, &m, a), MTA_E_TEMP);
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address), cmocka_unit_test(test_message),
		cmocka_unit_test(test_dialogue),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_long),
	};
	int rc;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (mkdtemp(dir) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(relay + 5);
	rmdir(dir);
	return rc;
}
