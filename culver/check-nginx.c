/* culver/check-nginx.c - is nginx there, and does it ask jmap-fcgi? */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "culver/checks.h"
#include "culver/culver.h"
#include "culver/listeners.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/program.h"

enum { SAID_MAX = 8 * 1024 * 1024, WAIT_MS = 20000 };

static const char *
find(void)
{
	static const char *const places[] = { "/usr/sbin/nginx",
		"/usr/local/sbin/nginx", "/usr/bin/nginx",
		"/usr/local/nginx/sbin/nginx" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* nginx -T: its configuration, whole, if it is good.  Its status, or -1. */
static int
ask(const char *nginx, struct buf *said)
{
	char *argv[] = { (char *)(uintptr_t)nginx, (char[]){ "-T" }, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), end[2], status = -1;
	pid_t pid;

	if (null >= 0 && pipe2(end, O_CLOEXEC) == 0) {
		int rc = program_start(argv, null, end[1], &pid);

		io_close(&end[1]);
		if (rc == 0)
			status = program_wait(pid, end[0],
			    time_mono_ms() + WAIT_MS, said);
		io_close(&end[0]);
	}
	io_close(&null);
	return status;
}

static void
look(struct checks *c, const struct conf_listener *l, const struct buf *said)
{
	for (size_t k = 0; k < l->n_addresses; k++) {
		const char *a = l->addresses[k];

		if (memmem(said->p, said->n, a, strlen(a)) != NULL)
			check_say(c, CHECK_OK, "nginx", "asks %s", a);
		else
			check_say(c, CHECK_WARNING, "nginx",
			    "doesn't ask %s: see culver listeners --nginx", a);
	}
}

void
check_nginx(struct checks *c)
{
	const struct conf_listener *l = NULL;
	const char *nginx = find();
	struct buf said;

	for (size_t i = 0; i < c->conf->n_listeners && l == NULL; i++)
		if (c->conf->listeners[i].protocol == CONF_JMAP &&
		    c->conf->listeners[i].n_addresses > 0)
			l = &c->conf->listeners[i];
	if (l == NULL)
		return;
	if (nginx == NULL) {
		check_say(c, CHECK_WARNING, "nginx",
		    "isn't there: JMAP needs a web server before it");
		return;
	}
	buf_init(&said, SAID_MAX);
	priv_caller();
	if (ask(nginx, &said) != 0)
		check_say(c, CHECK_WARNING, "nginx", "%s -T doesn't tell its "
		    "configuration: try nginx -t", nginx);
	else
		look(c, l, &said);
	priv_service();
	buf_release(&said);
}
