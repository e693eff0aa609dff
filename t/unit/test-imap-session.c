/* t/unit/test-imap-session.c - imapd before login, without a store */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "imapd/imap.h"
#include "libbase/io.h"

struct fix {
	struct conf conf;
	struct conf_listener listener;
	struct session x;
	int peer;
	char out[65536];
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	int fd[2];

	assert_non_null(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	f->peer = fd[1];
	f->conf = (struct conf){ .hostname = "mail.test", .max_line = 8192,
		.max_message = 1 << 20, .max_command_memory = 1 << 24,
		.max_failures = 3, .passwd_file = "/nonexistent" };
	f->listener = (struct conf_listener){ .name = "imap",
		.login_timeout_s = 60, .idle_timeout_s = 1800 };
	f->x = (struct session){ .conf = &f->conf, .listener = &f->listener,
		.peer = "192.0.2.1:1", .plaintext_ok = true };
	f->x.io = sio_new(fd[0], fd[0]);
	log_open("test", "/dev/null", LOG_L_ERR);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	close(f->peer);
	log_close();
	free(f);
	return 0;
}

/* Sends in, closes, and returns all that the session said. */
static const char *
talk(struct fix *f, const char *in, bool end)
{
	ssize_t n;
	size_t have = 0;

	assert_int_equal(io_write_full(f->peer, in, strlen(in)), 0);
	if (end)
		shutdown(f->peer, SHUT_WR);
	imap_serve(&f->x);
	sio_free(&f->x.io);
	while ((n = io_read(f->peer, f->out + have,
	    sizeof(f->out) - have - 1)) > 0)
		have += (size_t)n;
	f->out[have] = '\0';
	return f->out;
}

static void
is(const char *got, const char *want)
{
	assert_string_equal(got, want);
}

#define ALWAYS "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID IDLE " \
    "LANGUAGE"

static void
test_caps_plain(void **state)
{
	is(talk(*state, "a CAPABILITY\r\n", true),
	    "* OK [CAPABILITY " ALWAYS " AUTH=PLAIN AUTH=LOGIN] mail.test "
	    "Culver is ready\r\n"
	    "* CAPABILITY " ALWAYS " AUTH=PLAIN AUTH=LOGIN\r\n"
	    "a OK Listed\r\n");
}

static void
test_caps_starttls(void **state)
{
	struct fix *f = *state;

	f->x.tls_offered = true;
	f->x.plaintext_ok = false;
	is(talk(f, "a LOGIN x y\r\nb AUTHENTICATE PLAIN AHgAeQ==\r\n"
	    "c AUTHENTICATE LOGIN\r\n", true),
	    "* OK [CAPABILITY " ALWAYS " STARTTLS LOGINDISABLED] mail.test "
	    "Culver is ready\r\n"
	    "a NO [PRIVACYREQUIRED] Start TLS first\r\n"
	    "b NO [PRIVACYREQUIRED] Start TLS first\r\n"
	    "c NO [PRIVACYREQUIRED] Start TLS first\r\n");
}

static void
test_states(void **state)
{
	is(talk(*state, "a SELECT INBOX\r\nb UID FETCH 1 UID\r\n"
	    "c STARTTLS\r\nd ID NIL\r\ne LOGOUT\r\n", false) +
	    strcspn(((struct fix *)*state)->out, "\n") + 1,
	    "a BAD log in first\r\nb BAD log in first\r\n"
	    "c BAD TLS isn't available\r\n"
	    "* ID (\"name\" \"Culver\")\r\nd OK Pleased to meet you\r\n"
	    "* BYE See you\r\ne OK Logged out\r\n");
}

/* The octets of literals are bounded before anybody has logged in. */
static void
test_literals(void **state)
{
	is(talk(*state, "a LOGIN {4097}\r\nb LOGIN {4097+}\r\n", true) +
	    strcspn(((struct fix *)*state)->out, "\n") + 1,
	    "a NO [TOOBIG] literal of more than 4096 octets at octet 9\r\n");
}

static void
test_bad_commands(void **state)
{
	struct fix *f = *state;

	is(talk(f, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\na NOOP\r\n",
	    false) + strcspn(f->out, "*") + strcspn(f->out, "\n") + 1 +
	    9 * strlen("* BAD expected a tag and a space at octet 1\r\n"),
	    "* BAD expected a tag and a space at octet 1\r\n"
	    "* BYE Too many bad commands\r\n");
}

static void
test_login_timeout(void **state)
{
	struct fix *f = *state;

	f->listener.login_timeout_s = 0;
	assert_non_null(strstr(talk(f, "", false),
	    "\r\n* BYE Autologout: silent for too long\r\n"));
}

static void
test_stop(void **state)
{
	struct fix *f = *state;

	f->x.stop = true;
	assert_non_null(strstr(talk(f, "", false),
	    "\r\n* BYE [UNAVAILABLE] The server is going down\r\n"));
}

static void
test_sasl_lines(void **state)
{
	struct fix *f = *state;

	is(talk(f, "a AUTHENTICATE PLAIN\r\n*\r\n"
	    "b AUTHENTICATE PLAIN\r\n!!!\r\n"
	    "c AUTHENTICATE PLAIN =\r\n"
	    "d AUTHENTICATE PLAIN %%\r\n"
	    "e AUTHENTICATE XYZ\r\n"
	    "f AUTHENTICATE\r\n"
	    "g AUTHENTICATE PLAIN eA==\r\n"
	    "h AUTHENTICATE LOGIN\r\n*\r\n", true) +
	    strcspn(f->out, "\n") + 1,
	    "+ \r\na BAD Authentication canceled\r\n"
	    "+ \r\nb BAD expected base64, or '*' to cancel\r\n"
	    "c BAD Malformed authentication message\r\n"
	    "d BAD expected an initial response in base64 at octet 22\r\n"
	    "e NO [CANNOT] That mechanism isn't available\r\n"
	    "f BAD expected a SASL mechanism, not the end\r\n"
	    "g BAD Malformed authentication message\r\n"
	    "+ VXNlcm5hbWU6\r\nh BAD Authentication canceled\r\n");
}

/* A line without an end, where one is waited for. */
static void
test_sasl_long(void **state)
{
	struct fix *f = *state;
	char in[20000] = "a AUTHENTICATE PLAIN\r\n";

	memset(in + strlen(in), 'A', sizeof(in) - 1 - strlen(in));
	assert_non_null(strstr(talk(f, in, false),
	    "\r\n* BYE Line too long\r\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_caps_plain, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_caps_starttls, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_literals, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_bad_commands, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_login_timeout, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sasl_lines, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_sasl_long, setup,
		    teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
