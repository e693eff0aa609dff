/* t/unit/test-passwd.c - the password file, the cache, logins, recipients */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/authcache.h"
#include "libsession/scram.h"
#include "libsession/passwd.h"
#include "libsession/session.h"

static char dir[] = "/tmp/culver-passwd-XXXXXX";
static char file[64];
static struct conf conf;
static struct arena *arena;
static const char *const domains[] = { "example.org" };

static struct slice
str(const char *s)
{
	return slice_str(s);
}

static void
put_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static struct slice
get_file(void)
{
	struct slice s;

	assert_int_equal(io_slurp(file, 1 << 26, arena, &s), 0);
	return s;
}

static int
put(const char *name, const char *hash, const char *alias, bool disabled)
{
	struct passwd_entry e = { .name = str(name), .hash = str(hash),
		.alias_of = str(alias), .disabled = disabled };

	return passwd_update(&conf, &e);
}

static void
test_parse(void **state)
{
	struct passwd_entry e;

	(void)state;
	put_file("# a comment\n\nbob:$5$x\r\nzoe:*:alias-of=bob\n"
		 "amy:h:disabled,alias-of=bob\nbad\nbad2:\n:x\n"
		 "odd:h:frozen\nlast:h");
	assert_int_equal(passwd_find(&conf, str("bob"), arena, &e), 0);
	assert_true(slice_eq(e.hash, str("$5$x")));
	assert_true(slice_eq(e.name, str("bob")));
	assert_false(e.disabled);
	assert_int_equal(e.alias_of.n, 0);
	assert_int_equal(passwd_find(&conf, str("zoe"), arena, &e), 0);
	assert_true(slice_eq(e.alias_of, str("bob")));
	assert_int_equal(passwd_find(&conf, str("amy"), arena, &e), 0);
	assert_true(e.disabled);
	assert_true(slice_eq(e.alias_of, str("bob")));
	assert_int_equal(passwd_find(&conf, str("last"), arena, &e), 0);
	for (const char *const *p = (const char *const[]){ "bo", "bobb", "b",
		 "# a comment", "nobody", NULL }; *p != NULL; p++)
		assert_int_equal(passwd_find(&conf, str(*p), arena, &e), 1);
	/* What is not understood is not obeyed. */
	assert_int_equal(passwd_find(&conf, str("bad2"), arena, &e), -1);
	assert_int_equal(passwd_find(&conf, str("odd"), arena, &e), -1);
	unlink(file);
	assert_int_equal(passwd_find(&conf, str("bob"), arena, &e), -1);
	assert_int_equal(errno, ENOENT);
}

static int
count(void *arg, const struct passwd_entry *e)
{
	(void)e;
	return ++*(int *)arg == 3 ? 7 : 0;
}

static void
test_list(void **state)
{
	int n = 0;

	(void)state;
	put_file("# c\na:h\nbad\nb:h\n");
	assert_int_equal(passwd_list(&conf, count, &n), 0);
	assert_int_equal(n, 2);
	put_file("a:h\nb:h\nc:h\nd:h\n");
	n = 0;
	assert_int_equal(passwd_list(&conf, count, &n), 7);
	assert_int_equal(n, 3);
}

static void
test_update(void **state)
{
	struct passwd_entry e;
	struct stat st;

	(void)state;
	unlink(file);
	assert_int_equal(put("mia", "$5$a", NULL, false), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(put("abe", "$5$b", "mia", true), 0);
	assert_int_equal(put("zed@example.org", "*", NULL, false), 0);
	assert_int_equal(passwd_find(&conf, str("abe"), arena, &e), 0);
	assert_true(e.disabled);
	assert_true(slice_eq(get_file(), str(
		"#culver-passwd sorted 000000000093\n"
		"abe:$5$b:alias-of=mia,disabled\nmia:$5$a\n"
		"zed@example.org:*\n")));
	/* Replaced; gone; never was. */
	assert_int_equal(put("mia", "$5$c", NULL, false), 0);
	assert_int_equal(passwd_find(&conf, str("mia"), arena, &e), 0);
	assert_true(slice_eq(e.hash, str("$5$c")));
	assert_int_equal(put("abe", NULL, NULL, false), 0);
	assert_int_equal(passwd_find(&conf, str("abe"), arena, &e), 1);
	assert_int_equal(put("abe", NULL, NULL, false), 1);
	/* Mode, comments, and lines that nobody understands are kept. */
	put_file("# mine\nzoe:h\nwhat\namy:h\namy:second\n");
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(put("bob", "h", NULL, false), 0);
	assert_true(slice_eq(get_file(), str(
		"#culver-passwd sorted 000000000078\n# mine\n"
		"# malformed: what\namy:h\nbob:h\nzoe:h\n")));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* What would break the file. */
	errno = 0;
	assert_int_equal(put("Bob", "h", NULL, false), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(put("a:b", "h", NULL, false), -1);
	assert_int_equal(put("../x", "h", NULL, false), -1);
	assert_int_equal(put("", "h", NULL, false), -1);
	assert_int_equal(put("a", "", NULL, false), -1);
	assert_int_equal(put("a", "h\nroot:x", NULL, false), -1);
	assert_int_equal(put("a", "h:i", NULL, false), -1);
	assert_int_equal(put("a", "h", "b\nc", false), -1);
	assert_int_equal(passwd_find(&conf, str("zoe"), arena, &e), 0);
}

/* 100,000 lines: made at once, each found; the same if the head is missing. */
static void
test_many(void **state)
{
	enum { N = 100000 };
	struct passwd_entry *v = xcalloc(N, sizeof(*v)), e;
	struct arena *a = arena_new(0), *b = arena_new(0);
	struct slice text;
	int64_t t0, t1;
	int fd;

	(void)state;
	for (int i = 0; i < N; i++) {
		v[i].name = str(arena_printf(a, "user%d", i * 7919 % N));
		v[i].hash = str(arena_printf(a,
		    "$y$j9T$salt%d$hashhashhashhashhashhashhash", i));
	}
	put_file("# comment: with a colon\n# and one without\n");
	t0 = time_mono_ms();
	assert_int_equal(passwd_update_many(&conf, v, N), 0);
	t1 = time_mono_ms();
	print_message("# %d entries written in %d ms\n", N, (int)(t1 - t0));
	t0 = t1;
	for (int i = 0; i < N; i += 3) {
		assert_int_equal(passwd_find(&conf, v[i].name, b, &e), 0);
		assert_true(slice_eq(e.hash, v[i].hash));
		arena_reset(b);
	}
	t1 = time_mono_ms();
	print_message("# found: %.1f us each\n", (double)(t1 - t0) * 3000 / N);
	for (int i = 0; i < 1000; i++) {
		struct slice name = str(arena_printf(b, "user%dx", i * 97));

		assert_int_equal(passwd_find(&conf, name, b, &e), 1);
		assert_int_equal(passwd_find(&conf, str("\x01"), b, &e), 1);
		assert_int_equal(passwd_find(&conf, str("zzz"), b, &e), 1);
		arena_reset(b);
	}
	/* An administrator added a line: the head is wrong, all is searched. */
	assert_int_equal(io_slurp(file, 1 << 26, a, &text), 0);
	fd = open(file, O_WRONLY | O_APPEND);
	assert_int_equal(io_write_full(fd, "aaa:by hand\n", 12), 0);
	io_close(&fd);
	t0 = time_mono_ms();
	assert_int_equal(passwd_find(&conf, str("aaa"), b, &e), 0);
	t1 = time_mono_ms();
	print_message("# by hand: %d ms\n", (int)(t1 - t0));
	for (int i = 0; i < N; i += 9973)
		assert_int_equal(passwd_find(&conf, v[i].name, b, &e), 0);
	xfree(v);
	arena_free(&a);
	arena_free(&b);
}

/* Twenty processes write ten entries each: none gets lost. */
static void
test_race(void **state)
{
	struct passwd_entry e;
	int status;

	(void)state;
	unlink(file);
	for (int p = 0; p < 20; p++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < 10; i++) {
			char name[32];

			snprintf(name, sizeof(name), "p%d-%d", p, i);
			if (put(name, "h", NULL, false) != 0)
				_exit(1);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "p%d-%d", i / 10, i % 10);
		assert_int_equal(passwd_find(&conf, str(name), arena, &e), 0);
	}
}

static void
test_name(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "Alice", "alice" }, { "a.b+c@Example.ORG", "a.b+c@example.org" },
		{ "\xc3\x84rger", "\xc3\xa4rger" },	/* capital a umlaut */
		{ "A\xcc\x88rger", "\xc3\xa4rger" },	/* decomposed */
		{ "", NULL }, { "a/b", NULL }, { "..", NULL }, { "a b", NULL },
		{ "-a", NULL }, { "a\xff", NULL }, { "a:b", NULL },
		{ "a\nb", NULL },
	};
	struct slice s;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int rc = passwd_name(str(t[i].in), arena, &s);

		if (rc != (t[i].out != NULL ? 0 : -1))
			fail_msg("%s: %d", t[i].in, rc);
		if (rc == 0 && !slice_eq(s, str(t[i].out)))
			fail_msg("%s: %.*s", t[i].in, (int)s.n, s.p);
	}
}

static void
test_hash(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t cost;
	} t[] = { { "$y$", 1 }, { "$6$", 1000 }, { "$5$", 1000 },
		{ "$2b$", 4 }, { "$7$", 6 }, { "$gy$", 1 },
		{ "{SCRAM-SHA-256}", 4096 }, { "{SCRAM-SHA-1}", 4096 } };
	struct slice h, other, nul = { "a\0b", 3 };
	char longest[600];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		conf.hash = t[i].prefix;
		conf.hash_cost = t[i].cost;
		assert_int_equal(passwd_hash(&conf, str("p\xc3\xa4ss"), arena,
		    &h), 0);
		assert_true(slice_starts(h, str(t[i].prefix)));
		assert_int_equal(passwd_check(h, str("p\xc3\xa4ss")), 1);
		assert_int_equal(passwd_check(h, str("pass")), 0);
		assert_int_equal(passwd_check(h, str("")), 0);
		assert_int_equal(passwd_hash(&conf, str("p\xc3\xa4ss"), arena,
		    &other), 0);
		assert_false(slice_eq(h, other));	/* the salt */
		passwd_check_dummy(&conf, str("x"));
	}
	conf.hash = "$5$";
	conf.hash_cost = 1000;
	assert_int_equal(passwd_hash(&conf, nul, arena, &h), -1);
	assert_int_equal(passwd_hash(&conf, slice_make(longest, 511), arena,
	    &h), 0);
	assert_int_equal(passwd_check(h, slice_make(longest, 511)), 1);
	assert_int_equal(passwd_check(h, slice_make(longest, 512)), 0);
	assert_int_equal(passwd_hash(&conf, slice_make(longest, 512), arena,
	    &h), -1);
	assert_int_equal(passwd_check(str("*"), str("*")), 0);
	assert_int_equal(passwd_check(str("*0"), str("")), 0);
	assert_int_equal(passwd_check(str(""), str("")), 0);
	assert_int_equal(passwd_check(str("plain"), str("plain")), 0);
	assert_int_equal(passwd_check(slice_make(longest, 600), str("x")), 0);
}

/* RFC 7677 3 */
static void
test_scram(void **state)
{
	static const char message[] = "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	static const char *const bad[] = { "", "{SCRAM-SHA-256}",
		"{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==",
		"{SCRAM-SHA-256}4096,AA==,AA==,AA==",
		"{SCRAM-SHA-512}4096,W22ZaJ0SNY7soEsUEjb6gQ==,AA==,AA==" };
	unsigned char sig[SCRAM_LEN_MAX];
	struct scram_keys k;
	struct slice h, proof, want, long_hash;

	(void)state;
	/* Its keys, from the salt: scram_make() has one of its own. */
	assert_int_equal(scram_parse(str("{SCRAM-SHA-256}4096,"
	    "W22ZaJ0SNY7soEsUEjb6gQ==,"
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), &k), 0);
	assert_int_equal(k.iterations, 4096);
	assert_int_equal(scram_check(&k, str("pencil")), 1);
	assert_int_equal(scram_check(&k, str("pencils")), 0);
	assert_int_equal(base64_decode(str(
	    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), arena, &proof), 0);
	assert_true(scram_proved(&k, str(message),
	    (const unsigned char *)proof.p));
	assert_false(scram_proved(&k, str(message + 1),
	    (const unsigned char *)proof.p));
	scram_sign(&k, str(message), sig);
	assert_int_equal(base64_decode(str(
	    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), arena, &want), 0);
	assert_memory_equal(sig, want.p, 32);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(scram_parse(str(bad[i]), &k), -1);
		assert_int_equal(passwd_check(str(bad[i]), str("")), 0);
	}
	assert_int_equal(scram_make(SCRAM_SHA_256, str("a\nb"), 4096, arena,
	    &h), -1);
	assert_int_equal(scram_make(SCRAM_SHA_1, str("I\xc2\xadX"), 4096, arena,
	    &long_hash), 0);	/* RFC 4013 3 */
	assert_int_equal(passwd_check(long_hash, str("IX")), 1);
	assert_int_equal(passwd_check(long_hash, str("\xe2\x85\xa8")), 1);
	assert_int_equal(passwd_check(long_hash, str("ix")), 0);
}

static void
test_cache(void **state)
{
	struct slice u = str("u"), p = str("p"), l = str("u:u:hash");
	char path[80];
	struct stat st;

	(void)state;
	conf.auth_cache_s = 100;
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	authcache_put(&conf, u, p, l);
	assert_int_equal(authcache_get(&conf, u, p, l), 1);
	assert_int_equal(authcache_get(&conf, u, str("q"), l), 0);
	assert_int_equal(authcache_get(&conf, str("v"), p, l), 0);
	assert_int_equal(authcache_get(&conf, u, p, str("u:u:new")), 0);
	/* "u" + "p" is not "" + "up". */
	assert_int_equal(authcache_get(&conf, str(""), str("up"), l), 0);
	for (int i = 0; i < 3000; i++) {	/* others come and go */
		char name[16];

		snprintf(name, sizeof(name), "x%d", i);
		authcache_put(&conf, str(name), p, l);
		assert_int_equal(authcache_get(&conf, str(name), p, l), 1);
	}
	snprintf(path, sizeof(path), "%s/auth.cache", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_size <= 131072);
	/* A shorter life holds for entries that are there. */
	authcache_put(&conf, u, p, l);
	conf.auth_cache_s = 1;
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	for (int i = 0; i < 5; i++) {	/* the second may end in between */
		authcache_put(&conf, u, p, l);
		if (authcache_get(&conf, u, p, l) == 1)
			break;
		assert_int_not_equal(i, 4);
	}
	usleep(2100000);
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	conf.auth_cache_s = 0;
	authcache_put(&conf, u, p, l);
	conf.auth_cache_s = 60;
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	authcache_put(&conf, u, p, l);
	/* A table that others may read is not used; nor one without its key. */
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(authcache_get(&conf, u, p, l), 1);
	snprintf(path, sizeof(path), "%s/auth.key", dir);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	assert_int_equal(truncate(path, 5), 0);	/* a new one was made */
	authcache_put(&conf, u, p, l);
	assert_int_equal(authcache_get(&conf, u, p, l), 0);
	assert_int_equal(unlink(path), 0);
	conf.auth_cache_s = 0;
}

static int
verify(const char *user, const char *pass, const char *account)
{
	struct login_who who;
	uint32_t ms;
	int rc = login_verify(&conf, CONF_IMAP, str(user), str(pass), "test",
	    arena, &who, &ms);

	if (rc == LOGIN_OK && !slice_eq(who.account, str(account)))
		fail_msg("%s is %.*s", user, (int)who.account.n,
		    who.account.p);
	assert_int_equal(ms, rc == LOGIN_E_BAD ? 123 : 0);
	return rc;
}

static void
users_file(void)
{
	struct slice a, b;

	conf.hash = "$5$";
	conf.hash_cost = 1000;
	passwd_hash(&conf, str("secret"), arena, &a);
	passwd_hash(&conf, str("app"), arena, &b);
	put_file(arena_printf(arena,
	    "amy:%.*s\noff:%.*s:disabled\nphone:%.*s:alias-of=amy\n"
	    "info:*:alias-of=amy\nnopw:*\nloop:*:alias-of=info\n"
	    "gone:*:alias-of=nobody\nbob@other.net:%.*s\n"
	    "sam@example.org:%.*s\nsam:%.*s\n"
	    "j.r+x:%.*s\n\xc3\xa4rger:%.*s\n",
	    (int)a.n, a.p, (int)a.n, a.p, (int)b.n, b.p, (int)a.n, a.p,
	    (int)a.n, a.p, (int)b.n, b.p, (int)a.n, a.p, (int)a.n, a.p));
}

static void
test_verify(void **state)
{
	char longest[2000];

	(void)state;
	users_file();
	conf.failure_delay_ms = 123;
	for (int cached = 0; cached < 3; cached++) {
		conf.auth_cache_s = cached > 0 ? 600 : 0;
		assert_int_equal(verify("amy", "secret", "amy"), LOGIN_OK);
		assert_int_equal(verify("AMY", "secret", "amy"), LOGIN_OK);
		assert_int_equal(verify("amy", "Secret", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("amy", "", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("amy", "*", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("", "secret", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("nobody", "secret", NULL),
		    LOGIN_E_BAD);
		assert_int_equal(verify("a/../b", "x", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("\xff", "x", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("off", "wrong", NULL), LOGIN_E_BAD);
		assert_int_equal(verify("off", "secret", NULL),
		    LOGIN_E_DENIED);
		assert_int_equal(verify("nopw", "*", NULL), LOGIN_E_BAD);
		/* aliases: with a password of their own, or the account's */
		assert_int_equal(verify("phone", "app", "amy"), LOGIN_OK);
		assert_int_equal(verify("phone", "secret", NULL),
		    LOGIN_E_BAD);
		assert_int_equal(verify("info", "secret", "amy"), LOGIN_OK);
		assert_int_equal(verify("loop", "secret", NULL),
		    LOGIN_E_TEMP);
		assert_int_equal(verify("gone", "secret", NULL),
		    LOGIN_E_TEMP);
		/* domains */
		assert_int_equal(verify("amy@example.org", "secret", "amy"),
		    LOGIN_OK);
		assert_int_equal(verify("amy@EXAMPLE.org", "secret", "amy"),
		    LOGIN_OK);
		assert_int_equal(verify("amy@other.net", "secret", NULL),
		    LOGIN_E_BAD);
		assert_int_equal(verify("bob@other.net", "secret",
		    "bob@other.net"), LOGIN_OK);
		assert_int_equal(verify("sam@example.org", "secret",
		    "sam@example.org"), LOGIN_OK);
		assert_int_equal(verify("sam", "app", "sam"), LOGIN_OK);
		assert_int_equal(verify("\xc3\x84rger", "secret",
		    "\xc3\xa4rger"), LOGIN_OK);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(verify(longest, "x", NULL), LOGIN_E_BAD);
	assert_int_equal(verify("amy", longest, NULL), LOGIN_E_BAD);
	/* A changed password is in force at once, cache or not. */
	assert_int_equal(verify("amy", "secret", "amy"), LOGIN_OK);
	put_file("amy:$5$other\n");
	assert_int_equal(verify("amy", "secret", NULL), LOGIN_E_BAD);
	put_file("");
	assert_int_equal(verify("amy", "secret", NULL), LOGIN_E_BAD);
	unlink(file);
	assert_int_equal(verify("amy", "secret", NULL), LOGIN_E_TEMP);
	conf.auth_cache_s = 0;
}

static void
test_recipient(void **state)
{
	static const struct {
		const char *address, *account;	/* NULL: no such user */
	} t[] = {
		{ "amy@example.org", "amy" }, { "amy", "amy" },
		{ "AMY@EXAMPLE.ORG", "amy" }, { "amy@other.net", NULL },
		{ "amy+list@example.org", "amy" },
		{ "amy+a+b@example.org", "amy" }, { "+amy@example.org", NULL },
		{ "j.r+x@example.org", "j.r+x" },	/* the whole first */
		{ "j.r@example.org", NULL },
		{ "\"amy\"@example.org", "amy" },
		{ "\"a\\my\"@example.org", "amy" },
		{ "\"a my\"@example.org", NULL },
		{ "bob@other.net", "bob@other.net" },
		{ "bob+x@other.net", "bob@other.net" },
		{ "bob@example.org", NULL }, { "info@example.org", "amy" },
		{ "off@example.org", "off" },	/* its mail is kept */
		{ "nobody@example.org", NULL }, { "", NULL },
		{ "@example.org", NULL }, { "amy@", "amy" },
		{ "../amy@example.org", NULL },
		{ "\xc3\xa4rger@example.org", "\xc3\xa4rger" },
	};
	struct slice got, detail;

	(void)state;
	users_file();
	conf.lmtp_detail = true;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int rc = login_recipient(&conf, str(t[i].address), arena, &got,
		    &detail);
		const char *plus = strchr(t[i].address, '+');

		if (rc != (t[i].account != NULL ? LOGIN_OK : LOGIN_E_BAD))
			fail_msg("%s: %d", t[i].address, rc);
		if (rc == LOGIN_OK && !slice_eq(got, str(t[i].account)))
			fail_msg("%s: %.*s", t[i].address, (int)got.n, got.p);
		if (plus != NULL && strncmp(t[i].address, "j.r+x@", 6) == 0)
			plus = NULL;
		if (rc == LOGIN_OK)
			assert_int_equal(detail.n, plus == NULL ? 0 :
			    strcspn(plus + 1, "@"));
		if (rc == LOGIN_OK && detail.n > 0)
			assert_memory_equal(detail.p, plus + 1, detail.n);
	}
	assert_int_equal(login_recipient(&conf, str("gone"), arena, &got,
	    &detail), LOGIN_E_TEMP);
	conf.lmtp_detail = false;
	assert_int_equal(login_recipient(&conf, str("amy+x"), arena, &got,
	    &detail), LOGIN_E_BAD);
	conf.n_domains = 0;	/* any */
	assert_int_equal(login_recipient(&conf, str("amy@other.net"), arena,
	    &got, &detail), LOGIN_OK);
	conf.n_domains = 1;
	unlink(file);
	assert_int_equal(login_recipient(&conf, str("amy"), arena, &got,
	    &detail), LOGIN_E_TEMP);
}

/* ---- SASL on a session without a network -------------------------------- */

static struct session session;
static struct conf_listener listener;

static void
session_begin(void)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	close(fd[1]);
	memset(&session, 0, sizeof(session));
	session.conf = &conf;
	session.listener = &listener;
	session.peer = "test";
	session.plaintext_ok = true;
	session.store_conf = (struct store_conf){ .mail_dir = dir,
		.any_fs = true };
	session.io = sio_new(fd[0], fd[0]);
}

static void
session_end(void)
{
	login_forget(&session);
	sio_free(&session.io);
}

/* The client's messages, "-" for none, each answered by LOGIN_MORE but the
 * last: its result. */
static int
sasl(const char *mech, const struct slice *in, size_t n)
{
	struct sasl *s = NULL;
	struct slice challenge;
	int rc = sasl_start(&session, str(mech), &s);

	for (size_t i = 0; i < n && rc >= 0; i++) {
		rc = sasl_step(s, arena, in[i], &challenge);
		if (i + 1 < n)
			assert_int_equal(rc, LOGIN_MORE);
		if (rc == LOGIN_MORE)
			assert_non_null(challenge.p);
	}
	sasl_free(&s);
	return rc;
}

#define LIT(s) { (s), sizeof(s) - 1 }

static void
test_sasl(void **state)
{
	static const struct {
		const char *mech;
		size_t n;
		struct slice in[3];
		int rc;
	} t[] = {
		{ "PLAIN", 1, { LIT("\0amy\0secret") }, LOGIN_OK },
		{ "plain", 1, { LIT("\0Amy\0secret") }, LOGIN_OK },
		{ "PLAIN", 1, { LIT("amy\0amy\0secret") }, LOGIN_OK },
		{ "PLAIN", 1, { LIT("AMY\0info\0secret") }, LOGIN_OK },
		{ "PLAIN", 1, { LIT("sam\0amy\0secret") }, LOGIN_E_DENIED },
		{ "PLAIN", 1, { LIT("a/b\0amy\0secret") }, LOGIN_E_DENIED },
		{ "PLAIN", 1, { LIT("\0amy\0wrong") }, LOGIN_E_BAD },
		{ "PLAIN", 1, { LIT("sam\0amy\0wrong") }, LOGIN_E_BAD },
		{ "PLAIN", 2, { { NULL, 0 }, LIT("\0amy\0secret") },
		    LOGIN_OK },
		{ "PLAIN", 1, { LIT("") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("amy") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("amy\0secret") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("\0\0secret") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("\0amy\0") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("\0amy\0secret\0x") }, LOGIN_E_SYNTAX },
		{ "PLAIN", 1, { LIT("\0amy\0\xff") }, LOGIN_E_SYNTAX },
		{ "LOGIN", 3, { { NULL, 0 }, LIT("amy"), LIT("secret") },
		    LOGIN_OK },
		{ "LOGIN", 2, { LIT("amy"), LIT("secret") }, LOGIN_OK },
		{ "login", 2, { LIT("amy"), LIT("wrong") }, LOGIN_E_BAD },
		{ "LOGIN", 1, { LIT("") }, LOGIN_E_SYNTAX },
		{ "CRAM-MD5", 0, { { NULL, 0 } }, LOGIN_E_MECH },
		{ "", 0, { { NULL, 0 } }, LOGIN_E_MECH },
	};

	(void)state;
	users_file();
	conf.failure_delay_ms = 0;
	conf.max_failures = 3;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int rc;

		session_begin();
		rc = sasl(t[i].mech, t[i].in, t[i].n);
		if (rc != t[i].rc)
			fail_msg("row %zu: %d", i, rc);
		if (rc == LOGIN_OK) {
			assert_string_equal(session.account, "amy");
			assert_non_null(session.store);
		} else
			assert_null(session.store);
		session_end();
	}
}

static void
test_limits(void **state)
{
	int64_t start = time_mono_ms();

	(void)state;
	users_file();
	conf.max_failures = 3;
	conf.failure_delay_ms = 50;
	session_begin();
	assert_int_equal(login_password(&session, str("amy"), str("x")),
	    LOGIN_E_BAD);
	assert_int_equal(login_password(&session, str("amy"), str("x")),
	    LOGIN_E_BAD);
	assert_int_equal(login_password(&session, str("who"), str("x")),
	    LOGIN_E_TOOMANY);
	assert_true(time_mono_ms() - start >= 50 + 100 + 150);
	session_end();

	session_begin();	/* no password without TLS */
	session.plaintext_ok = false;
	assert_string_equal(sasl_mechanisms(&session), "");
	assert_int_equal(login_password(&session, str("amy"), str("secret")),
	    LOGIN_E_CRYPT);
	assert_int_equal(sasl("PLAIN", NULL, 0), LOGIN_E_CRYPT);
	assert_null(session.store);
	session_end();

	session_begin();
	session.preauth = "amy";
	assert_int_equal(login_preauth(&session), LOGIN_OK);
	assert_string_equal(session.account, "amy");
	session_end();
	session_begin();
	session.preauth = "stranger";
	assert_int_equal(login_preauth(&session), LOGIN_E_DENIED);
	assert_null(session.store);
	session_end();
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/passwd", dir);
	arena = arena_new(0);
	conf = (struct conf){ .passwd_file = file, .run_dir = dir,
		.mail_dir = dir, .hash = "$5$", .hash_cost = 1000,
		.domains = domains, .n_domains = 1, .max_failures = 5 };
	listener.protocol = CONF_IMAP;
	return log_open("test", "/dev/null", LOG_L_DEBUG);
}

static int
teardown(void **state)
{
	struct store_conf sc = { .mail_dir = dir, .any_fs = true };
	char path[80];

	(void)state;
	arena_free(&arena);
	store_account_delete(&sc, "amy");
	for (const char *const *p = (const char *const[]){ "passwd",
		 "passwd.lock", "auth.cache", "auth.key", NULL }; *p; p++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *p);
		unlink(path);
	}
	for (int i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "%s/sessions.%d", dir, i);
		unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_scram),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_recipient),
		cmocka_unit_test(test_sasl),
		cmocka_unit_test(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
