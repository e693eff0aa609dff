/* culver/password.c - where a new password comes from: never the command line */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "culver/culver.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

int
password_ok(const char *pw)
{
	size_t n = strlen(pw);

	if (n == 0) {
		complain("an empty password is not accepted");
		return -1;
	}
	if (n > PASSWORD_MAX) {
		complain("a password has at most %d octets", PASSWORD_MAX);
		return -1;
	}
	if (!utf8_valid(slice_make(pw, n))) {
		complain("a password has to be UTF-8");
		return -1;
	}
	for (const char *p = pw; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			complain("a password has no control characters");
			return -1;
		}
	}
	return 0;
}

/* One line of at most PASSWORD_MAX octets; line has room for one more. */
static int
read_line(int fd, char *line, bool tty)
{
	size_t n = 0;

	for (;;) {
		char ch;
		ssize_t r = io_read(fd, &ch, 1);

		if (r < 0 || (r == 0 && n == 0))
			return -1;
		if (r == 0 || ch == '\n' || (tty && ch == '\r'))
			break;
		if (tty && ch == 0x03)		/* ^C: ISIG is off */
			return -1;
		if (tty && ch == 0x15) {	/* ^U */
			n = 0;
			continue;
		}
		if (tty && (ch == 0x7f || ch == '\b')) {
			while (n > 0 && ((unsigned char)line[--n] & 0xc0) ==
			    0x80)
				;
			continue;
		}
		if (ch == '\0' || n == PASSWORD_MAX) {
			complain("a password has at most %d octets and no NUL",
			    PASSWORD_MAX);
			return -1;
		}
		line[n++] = ch;
	}
	if (!tty && n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return 0;
}

static int
ask_once(int fd, const char *prompt, char *line)
{
	struct termios old, raw;
	int rc;

	if (tcgetattr(fd, &old) < 0)
		return -1;
	raw = old;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &raw) < 0)
		return -1;
	(void)io_write_full(fd, prompt, strlen(prompt));
	rc = read_line(fd, line, true);
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	(void)io_write_full(fd, "\n", 1);
	return rc;
}

int
password_ask(const char *account, char **pw_r)
{
	char one[PASSWORD_MAX + 1], two[PASSWORD_MAX + 1];
	char *prompt;
	int rc = -1, fd;

	fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		complain("no terminal to ask on: use --password-stdin or "
		    "--random");
		return -1;
	}
	prompt = xasprintf("New password for %s: ", account);
	if (ask_once(fd, prompt, one) < 0 || password_ok(one) < 0)
		goto out;
	if (ask_once(fd, "The same again: ", two) < 0)
		goto out;
	if (strcmp(one, two) != 0) {
		complain("the passwords differ");
		goto out;
	}
	*pw_r = xstrdup(one);
	rc = 0;
out:
	secret_wipe(one, sizeof(one));
	secret_wipe(two, sizeof(two));
	xfree(prompt);
	io_close(&fd);
	return rc;
}

int
password_once(const char *account, char **pw_r)
{
	char line[PASSWORD_MAX + 1], *prompt;
	int rc = -1, fd;

	fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		complain("no terminal to ask on: use --password-stdin");
		return -1;
	}
	prompt = xasprintf("Password of %s: ", account);
	if (ask_once(fd, prompt, line) == 0) {
		*pw_r = xstrdup(line);
		rc = 0;
	}
	secret_wipe(line, sizeof(line));
	xfree(prompt);
	io_close(&fd);
	return rc;
}

int
password_stdin(char **pw_r)
{
	char line[PASSWORD_MAX + 1];
	int rc = -1;

	if (read_line(STDIN_FILENO, line, false) < 0) {
		complain("no password on standard input");
	} else if (password_ok(line) == 0) {
		*pw_r = xstrdup(line);
		rc = 0;
	}
	secret_wipe(line, sizeof(line));
	return rc;
}

char *
password_random(void)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char r[20];
	char *pw = xmalloc(sizeof(r) + 4), *p = pw;

	random_bytes(r, sizeof(r));
	for (size_t i = 0; i < sizeof(r); i++) {
		if (i > 0 && i % 5 == 0)
			*p++ = '-';
		*p++ = alphabet[r[i] & 31];
	}
	*p = '\0';
	secret_wipe(r, sizeof(r));
	return pw;
}

int
password_get(const char *account, bool from_stdin, bool random, char **pw_r)
{
	if (random) {
		*pw_r = password_random();
		return 0;
	}
	return from_stdin ? password_stdin(pw_r) : password_ask(account, pw_r);
}
