/* t/unit/test-conf.c - culver.conf: what is taken, what is refused and where */
#include "config.h"

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

#include "conf/conf.h"
#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

static char dir[] = "/tmp/culver-conf-XXXXXX";
static char path[64], pem[64];

static int
load_n(const char *text, size_t n, struct conf **c, char **err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return conf_load(path, c, err);
}

static int
load(const char *text, struct conf **c, char **err)
{
	return load_n(text, strlen(text), c, err);
}

/* A bad file, and the whole of what must be said, without "FILE:". */
static const struct {
	const char *text, *err;
} bad[] = {
	/* clang-format off */
	/* syntax */
	{ "blurdy = 1\n", "1: no such option 'blurdy'\n" },
	{ "\n\nMax-line = 1K\n", "3: no such option 'Max-line'\n" },
	{ "max-line 9000\n", "1: missing equal sign after option 'max-line'\n" },
	{ "max-line = \"9000\nlog = \"stderr\"\n", "2: max-line: \"9000?log = \" is not a size (8192, 8K, 50M, 2G)\n"
	    "2: no such option 'stderr'\n" },
	{ "hostname = \"a\nb\n", "3: the file ends early: premature end of file\n" },
	{ "hostname = 'a\n", "2: the file ends early: unterminated string constant\n" },
	{ "# x\n/* y\n\n", "2: the comment is not closed\n" },
	{ "listener a { protocol = \"imap\"\n", "2: a brace is not closed\n" },
	{ "listener a { protocol = \"imap\" } }\n", "1: unexpected closing brace\n" },
	{ "listener { protocol = \"imap\" }\n", "1: missing title for section 'listener'\n" },
	{ "listener a { listener b { } }\n", "1: no such option 'listener'\n" },
	{ "listener a { mail-dir = \"/x\" }\n", "1: no such option 'mail-dir'\n" },
	{ "listener a = 3\n", "1: missing opening brace for section 'listener'\n" },
	{ "protocol = \"imap\"\n", "1: no such option 'protocol'\n" },
	{ "include(\"/etc/passwd\")\n", "1: no such option 'include'\n" },
	{ "log-level = {\"info\"}\n", "1: unexpected token '{'\n" },
	{ "log-level += \"info\"\n", "1: attempt to append to non-list option 'log-level'\n" },
	{ "domains = {\"a\",,\"b\"}\n", "1: unexpected token ','\n" },
	{ "domains = {\"a\"\n", "2: a brace is not closed\n" },
	{ "end-of-configuration = 1\n", "1: no such option 'end-of-configuration'\n" },
	/* line numbers behind comments of all kinds */
	{ "# a\n# b\n// c\n/* d\ne */ /* f */\nx = 1\n", "6: no such option 'x'\n" },
	{ "log = \"/a#b//c/*d\" # \"\nx = 1\n", "2: no such option 'x'\n" },
	{ "log = '/a\\'#' # '\nx = 1\n", "2: no such option 'x'\n" },
	/* types */
	{ "max-line = yes\n", "1: max-line: \"yes\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "max-line = -1\n", "1: max-line: \"-1\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "max-line = 8k\n", "1: max-line: \"8k\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "max-line = K\n", "1: max-line: \"K\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "max-line = \"\"\n", "1: max-line: \"\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "lock-wait = 1M\n", "1: lock-wait: \"1M\" is not a time (90, 90s, 15m, 2h, 7d)\n" },
	{ "max-failures = 3s\n", "1: max-failures: \"3s\" is not a number\n" },
	{ "max-failures = 0x10\n", "1: max-failures: \"0x10\" is not a number\n" },
	{ "any-fs = maybe\n", "1: any-fs: \"maybe\" is neither true nor false\n" },
	{ "log-level = loud\n", "1: log-level: \"loud\" is none of error, warning, notice, info, debug\n" },
	{ "hash = \"md5\"\n", "1: hash: \"md5\" is none of $y$, $gy$, $7$, $2b$, $6$, $5$, "
	    "{SCRAM-SHA-256}, {SCRAM-SHA-1}\n" },
	{ "engine = \"pg\"\n", "1: engine: \"pg\" is none of bdb, mem, chaos, chaos:mem\n" },
	{ "mail-dir = \"mail\"\n", "1: mail-dir: \"mail\" is not an absolute path\n" },
	{ "mail-dir = \"\"\n", "1: mail-dir: \"\" is empty\n" },
	{ "mail-dir = \"/a\\nb\"\n", "1: mail-dir: \"/a?b\" has a control character\n" },
	{ "log = \"file\"\n", "1: log: \"file\" is neither syslog, stderr nor an absolute path\n" },
	{ "hostname = \"a b\"\n", "1: hostname: \"a b\" is not a host name\n" },
	{ "hostname = \"a..b\"\n", "1: hostname: \"a..b\" is not a host name\n" },
	{ "address-exempt = {\"::/0\", \"192.0.2.1/24\"}\n",
	    "1: address-exempt: \"192.0.2.1/24\" is no network, such as 192.0.2.0/24 or 2001:db8::/32\n" },
	{ "address-exempt = {\"10.0.0.0/33\"}\n",
	    "1: address-exempt: \"10.0.0.0/33\" is no network, such as 192.0.2.0/24 or 2001:db8::/32\n" },
	{ "domains = {\"a.org\", \"@b\"}\n", "1: domains: \"@b\" is not a host name\n" },
	{ "jmap-url = \"ftp://x\"\n", "1: jmap-url: \"ftp://x\" is not an https:// or http:// URL\n" },
	{ "jmap-url = \"https://x/\"\n", "1: jmap-url: \"https://x/\" ends with a slash\n" },
	/* ranges */
	{ "max-line = 10\n", "1: max-line: 10 is out of range 1000 to 1M\n" },
	{ "max-line = 99999999999999999999\n", "1: max-line: \"99999999999999999999\" is not a size (8192, 8K, 50M, 2G)\n" },
	{ "max-message = 18446744073709551615T\n", "1: max-message: 18446744073709551615T is out of range 64K to 1G\n" },
	{ "auth-cache = 2d\n", "1: auth-cache: 2d is out of range 0s to 1d\n" },
	{ "hash = \"$6$\"\nhash-cost = 5\n", "2: hash-cost: 5 is out of range 1000 to 10000000 of hash $6$\n" },
	{ "listener a { protocol = imap\n max-connections = 0 }\n", "2: max-connections: 0 is out of range 1 to 1000000\n" },
	/* twice */
	{ "log = \"stderr\"\nlog = \"syslog\"\n", "2: log: given twice, first in line 1\n" },
	{ "listener a { protocol = imap }\nlistener a { protocol = pop3 }\n", "2: found duplicate title 'a'\n" },
	{ "folder a { }\nfolder a { }\n", "2: found duplicate title 'a'\n" },
	{ "folder a { role = sent }\nfolder b { role = sent }\n", "2: folder \"b\": \"a\" has the role sent already\n" },
	{ "listener a { protocol = imap address = \"*:1\" }\nlistener b { protocol = imap\n address = \"*:1\" }\n",
	    "3: listener \"b\": address *:1 is given twice\n" },
	{ "listener a { protocol = imap address = {\"*:1\", \"*:1\"} }\n", "1: listener \"a\": address *:1 is given twice\n" },
	/* sections */
	{ "listener a { }\n", "1: listener \"a\": protocol is missing\n" },
	{ "listener a { protocol = smtp }\n", "1: protocol: \"smtp\" is none of imap, pop3, lmtp, jmap\n" },
	{ "listener \"\" { protocol = imap }\n", "1: listener: the name is empty\n" },
	{ "listener \"a b\" { protocol = imap }\n", "1: listener \"a b\": a name has letters, digits, and within it . _ -\n" },
	{ "listener j { protocol = \"jmap\" mode = \"accept\" }",
	    "1: listener \"j\": jmap knows only mode = \"wait\"\n" },
	{ "listener i { protocol = \"imap\" proxies = {\"10.1.0.0/8\"} }",
	    "1: proxies: \"10.1.0.0/8\" is no network, such as "
	    "192.0.2.0/24 or 2001:db8::/32\n" },
	{ "listener a { protocol = imap address = \"localhost:1\" }\n",
	    "1: address: \"localhost:1\" is none of IPV4:PORT, *:PORT, [IPV6]:PORT and unix:/PATH\n" },
	{ "listener a { protocol = imap address = \"127.0.0.1:0\" }\n",
	    "1: address: \"127.0.0.1:0\" is none of IPV4:PORT, *:PORT, [IPV6]:PORT and unix:/PATH\n" },
	{ "listener a { protocol = imap address = \"[::1:143\" }\n",
	    "1: address: \"[::1:143\" is none of IPV4:PORT, *:PORT, [IPV6]:PORT and unix:/PATH\n" },
	{ "listener a { protocol = lmtp address = \"unix:x\" }\n", "1: address: \"unix:x\" is not an absolute path\n" },
	{ "folder INBOX { }\n", "1: folder: \"INBOX\" is there in every account\n" },
	{ "folder \"a//b\" { }\n", "1: folder: \"a//b\" has an empty part\n" },
	{ "folder \"\\xff\" { }\n", "1: folder: \"\xff\" is not UTF-8\n" },
	{ "folder a { role = inbox }\n", "1: role: \"inbox\" is none of archive, drafts, flagged, important, junk, sent, trash\n" },
	/* references */
	{ "certificate = \"/nonexistent/c\"\nkey = \"/nonexistent/k\"\n",
	    "1: certificate: /nonexistent/c: No such file or directory\n"
	    "2: key: /nonexistent/k: No such file or directory\n" },
	{ "certificate = \"/\"\nkey = \"/dev/null\"\n",
	    "1: certificate: /: not a regular file\n"
	    "2: key: /dev/null: not a regular file\n" },
	{ "listener a { protocol = imap\ntls = implicit }\n", "2: listener \"a\": tls needs a certificate\n" },
	{ "tls a { }\n", "1: tls \"a\": needs a certificate and a key\n"
	    "1: tls \"a\": needs a certificate outside of sections, for clients that name no host\n" },
	{ "tls a { hash = \"$y$\" }\n", "1: no such option 'hash'\n" },
	{ "listener a { protocol = imap client-certificate = optional }\n",
	    "1: listener \"a\": client-certificate needs tls\n"
	    "1: listener \"a\": client-certificate needs a client-ca-file\n" },
	{ "listener a { protocol = imap tls-section = b }\n", "1: listener \"a\": there is no section tls \"b\"\n" },
	{ "client-name = uid\n", "1: client-name: \"uid\" is none of email, common-name\n" },
	{ "ticket-lifetime = 8d\n", "1: ticket-lifetime: 8d is out of range 0s to 1w\n" },
	{ "listener a { protocol = imap tls = ssl }\n", "1: tls: \"ssl\" is none of none, starttls, implicit\n" },
	/* several at once */
	{ "max-line = 1\nmime-depth = 0\nlistener a {\nprotocol = x\nlinger = 0 }\nblurdy = 1\nmime-depth = 0",
	    "1: max-line: 1 is out of range 1000 to 1M\n"
	    "2: mime-depth: 0 is out of range 1 to 1000\n"
	    "4: protocol: \"x\" is none of imap, pop3, lmtp, jmap\n"
	    "5: linger: 0 is out of range 1s to 1d\n"
	    "6: no such option 'blurdy'\n" },
	/* clang-format on */
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conf *c = NULL;
		char *err = NULL, want[2048] = "";
		const char *p = bad[i].err;

		while (*p != '\0') {
			size_t n = strlen(want), len = strcspn(p, "\n") + 1;

			snprintf(want + n, sizeof(want) - n, "%s:%.*s", path,
			    (int)len, p);
			p += len;
		}
		if (load(bad[i].text, &c, &err) != -1)
			fail_msg("accepted: %s", bad[i].text);
		assert_null(c);
		assert_string_equal(err, want);
		xfree(err);
	}
}

static void
test_unreadable(void **state)
{
	struct conf *c = NULL;
	char *err = NULL;
	char *big = xmalloc(2 << 20);

	(void)state;
	assert_int_equal(conf_load("/nonexistent/x.conf", &c, &err), -1);
	assert_string_equal(err,
	    "/nonexistent/x.conf: No such file or directory\n");
	xfree(err);
	assert_int_equal(conf_load("/tmp", &c, &err), -1);
	xfree(err);
	assert_int_equal(load_n("log = \"stderr\"\n\0x", 17, &c, &err), -1);
	assert_non_null(strstr(err, ":2: the file has a NUL octet"));
	xfree(err);
	memset(big, '#', 2 << 20);
	assert_int_equal(load_n(big, 2 << 20, &c, &err), -1);
	xfree(err);
	/* A value of a megabyte, a thousand sections, a deep nest of braces. */
	memset(big, 'a', 1 << 20);
	memcpy(big, "hostname = \"", 12);
	memcpy(big + 1000000, "\"\n", 2);
	assert_int_equal(load_n(big, 1000002, &c, &err), -1);
	assert_non_null(strstr(err, "is too long"));
	xfree(err);
	memset(big, '{', 1 << 20);
	memcpy(big, "domains = ", 10);
	assert_int_equal(load_n(big, 1000000, &c, &err), -1);
	xfree(err);
	big[0] = '\0';
	for (size_t i = 0, n = 0; i < 1000; i++)
		n += (size_t)snprintf(big + n, 100, "folder f%zu { }\n", i);
	assert_int_equal(load(big, &c, &err), -1);
	assert_non_null(strstr(err, ":257: more than 256 folders"));
	xfree(err);
	xfree(big);
}

static const char good[] =
    "hostname = mail.example.org\n"
    "mail-dir = \"/m\" run-dir = '/r' # two in a line\n"
    "certificate = \"PEM\" key = \"PEM\"\n"
    "tls b.org { certificate = \"PEM\" key = \"PEM\" }\n"
    "tls \"c org\" { certificate = \"PEM\" key = \"PEM\" ocsp-response = \"PEM\" }\n"
    "client-ca-file = \"PEM\" client-name = common-name ticket-lifetime = 0\n"
    "max-message = 10M max-line = 4000 retention = 2h\n"
    "domains = {\"a.org\", \"b.org\"}\ndomains += {\"c.org\"}\n"
    "hash = \"$6$\" hash-cost = 1000 any-fs = on lmtp-detail = off\n"
    "log = \"/tmp/a\\\"b\\\\c\\${x}\"\n"
    "folder \"Sent Mail\" { role = sent }\nfolder a/b { }\n"
    "listener i { protocol = imap address = \"127.0.0.1:143\" }\n"
    "listener p { protocol = pop3 tls = implicit linger = 5 client-certificate = required tls-section = \"c org\"\n"
    "  address = {\"[::1]:995\", \"*:995\"} plaintext-login = yes }\n"
    "listener l { protocol = lmtp address = \"unix:/run/l\" }\n";

static char *
with_pem(const char *text)
{
	struct buf b;
	const char *p;
	char *s;

	buf_init(&b, 65536);
	for (; (p = strstr(text, "PEM")) != NULL; text = p + 3) {
		buf_add(&b, text, (size_t)(p - text));
		buf_add_str(&b, pem);
	}
	buf_add_str(&b, text);
	s = xstrndup(b.p, b.n);
	buf_release(&b);
	return s;
}

static void
test_good(void **state)
{
	const struct conf_listener *l;
	char *text = with_pem(good), *err = NULL;
	struct conf *c = NULL;

	(void)state;
	if (load(text, &c, &err) != 0)
		fail_msg("%s", err);
	xfree(text);
	assert_string_equal(c->hostname, "mail.example.org");
	assert_string_equal(c->mail_dir, "/m");
	assert_string_equal(c->run_dir, "/r");
	assert_string_equal(c->ticket_key, "/r/ticket.key");
	assert_int_equal(c->ticket_lifetime_s, 0);
	assert_int_equal(c->n_certs, 2);
	assert_string_equal(c->certs[0].name, "b.org");
	assert_null(c->certs[0].ocsp);
	assert_string_equal(c->certs[1].name, "c org");
	assert_string_equal(c->certs[1].ocsp, pem);
	assert_string_equal(c->client_ca, pem);
	assert_int_equal(c->client_name, CONF_CLIENT_CN);
	assert_string_equal(c->log, "/tmp/a\"b\\c${x}");
	assert_string_equal(c->hash, "$6$");
	assert_int_equal(c->max_message, 10 << 20);
	assert_int_equal(c->max_line, 4000);
	assert_int_equal(c->retention_s, 7200);
	assert_int_equal(c->upload_ttl_s, 86400);
	assert_true(c->any_fs);
	assert_false(c->lmtp_detail);
	assert_int_equal(c->n_domains, 3);
	assert_string_equal(c->domains[2], "c.org");
	assert_int_equal(c->n_folders, 2);
	assert_string_equal(c->folders[0].name, "Sent Mail");
	assert_string_equal(c->folders[0].role, "sent");
	assert_null(c->folders[1].role);
	assert_int_equal(c->n_listeners, 3);
	l = conf_listener(c, "i");
	assert_non_null(l);
	assert_int_equal(l->protocol, CONF_IMAP);
	assert_int_equal(l->tls, CONF_TLS_STARTTLS);
	assert_int_equal(l->client, CONF_CLIENT_NONE);
	assert_int_equal(l->cert, 0);
	assert_int_equal(l->idle_timeout_s, 1860);
	assert_int_equal(l->linger_s, 60);
	assert_false(l->plaintext_login);
	l = conf_listener(c, "p");
	assert_int_equal(l->tls, CONF_TLS_IMPLICIT);
	assert_int_equal(l->client, CONF_CLIENT_REQUIRED);
	assert_int_equal(l->cert, 2);
	assert_int_equal(l->linger_s, 5);
	assert_int_equal(l->n_addresses, 2);
	assert_true(l->plaintext_login);
	assert_int_equal(conf_listener(c, "l")->tls, CONF_TLS_NONE);
	assert_null(conf_listener(c, "x"));
	conf_free(&c);
	assert_null(c);
	conf_free(&c);
}

static void
test_empty(void **state)
{
	struct conf *c = NULL;
	char *err = NULL;

	(void)state;
	if (load("hostname = h", &c, &err) != 0)
		fail_msg("%s", err);
	assert_string_equal(c->engine, "bdb");
	assert_int_equal(c->log_level, LOG_L_INFO);
	assert_null(c->certificate);
	assert_null(c->user);
	assert_int_equal(c->n_listeners, 0);
	assert_int_equal(c->max_message, 70 << 20);
	conf_free(&c);
}

/* What conf_print() says reads back as the same. */
static void
test_print(void **state)
{
	char *text = with_pem(good), *err = NULL;
	struct conf *c = NULL;
	struct buf one, two;

	(void)state;
	buf_init(&one, 65536);
	buf_init(&two, 65536);
	assert_int_equal(load(text, &c, &err), 0);
	conf_print(c, &one);
	conf_free(&c);
	if (load_n(one.p, one.n, &c, &err) != 0)
		fail_msg("%s", err);
	conf_print(c, &two);
	assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
	assert_int_equal(buf_addc(&one, '\0'), 0);
	assert_non_null(strstr(one.p, "max-message = 10M\n"));
	assert_non_null(strstr(one.p, "retention = 2h\n"));
	assert_non_null(strstr(one.p, "folder \"Sent Mail\" {\n"));
	conf_free(&c);
	buf_release(&one);
	buf_release(&two);
	xfree(text);
}

/* The sample is right but for the user and files of the host it is for. */
static void
test_sample(void **state)
{
	/* Of the sample, files that have to be there. */
	static const char *const files[] = {
		"/etc/culver/cert.pem", "/etc/culver/key.pem",
		"/etc/culver/oauth.jwks", "/etc/culver/oauth.secret",
		"/usr/local/lib/culver-login",
		"/etc/culver/cert.ocsp", "/etc/culver/client-ca.pem",
		"/etc/culver/client-crl.pem"
	};
	const char *src = getenv("srcdir");
	struct arena *a = arena_new(0);
	struct conf *c = NULL;
	struct slice s;
	char *err = NULL, *text, *p;

	(void)state;
	assert_int_equal(io_slurp(arena_printf(a, "%s/conf/culver.conf.sample",
	    src != NULL ? src : "."), 65536, a, &s), 0);
	text = arena_strndup(a, s.p, s.n);
	if ((p = strstr(text, "user = ")) != NULL)
		*p = '#';
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_non_null(p = strstr(text, files[i]));
		/* The rest of the name becomes a comment. */
		memset(p, ' ', strlen(files[i]));
		memcpy(p, "/etc/group\"#", 12);
	}
	if (load(text, &c, &err) != 0)
		fail_msg("%s", err);
	assert_int_equal(c->n_listeners, 6);
	assert_int_equal(c->n_folders, 5);
	conf_free(&c);
	/* The commented-out lines are settings with their defaults. */
	for (p = text; (p = strstr(p, "\n#")) != NULL; p++)
		if (p[2] >= 'a' && p[2] <= 'z' &&
		    strncmp(p + 2, "ser", 3) != 0)
			p[1] = ' ';
	if (load(text, &c, &err) != 0)
		fail_msg("%s", err);
	conf_free(&c);
	arena_free(&a);
}

static int
setup(void **state)
{
	FILE *f;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	snprintf(pem, sizeof(pem), "%s/pem", dir);
	if ((f = fopen(pem, "w")) == NULL)
		return -1;
	return fclose(f);
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(pem);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_sample),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
