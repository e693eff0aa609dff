/* culver/cmd-doctor.c - culver doctor: is all around Culver as it has to be? */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/checks.h"
#include "culver/culver.h"
#include "libbase/io.h"
#include "libsession/confine.h"

enum { O_JSON };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

static void
check_secret(struct checks *c, const char *path)
{
	struct stat st;

	if (!path)
		return;
	priv_caller();
	if (stat(path, &st) == 0)
		check_mode(c, path, &st, 007);
	else if (errno != ENOENT)
		check_say(c, CHECK_FAULT, path, "%s", strerror(errno));
	priv_service();
}

static void
check_user(struct checks *c)
{
	const char *user = c->conf->user;

	if (!user)
		check_say(c, geteuid() == 0 ? CHECK_WARNING : CHECK_OK, "user",
		    "none is configured: who starts the servers owns the mail");
	else if (geteuid() == 0)
		check_say(c, CHECK_WARNING, "user", "%s is root", user);
	else
		check_say(c, CHECK_OK, "user", "%s", user);
}

static void
check_sockets(struct checks *c)
{
	for (size_t i = 0; i < c->conf->n_listeners; i++) {
		const struct conf_listener *l = &c->conf->listeners[i];

		for (size_t k = 0; k < l->n_addresses; k++) {
			const char *a = l->addresses[k];
			struct stat st;

			if (strncmp(a, "unix:", 5) != 0)
				continue;
			if (stat(a + 5, &st) < 0)
				check_say(c, CHECK_WARNING, a,
				    "%s: is listener %s started?",
				    strerror(errno), l->name);
			else if (S_ISSOCK(st.st_mode))
				check_say(c, CHECK_OK, a, "a socket");
			else
				check_say(c, CHECK_FAULT, a, "is no socket");
		}
	}
}

static void
check_kernel(struct checks *c)
{
	long abi = confine_abi();
	int fd;

	if (abi < 1)
		check_say(c, CHECK_WARNING, "kernel", "no Landlock: sessions "
		    "aren't confined to their files");
	else
		check_say(c, CHECK_OK, "kernel", "Landlock %ld", abi);
	if ((fd = pidfd_open(getpid(), 0)) < 0)
		check_say(c, CHECK_WARNING, "kernel",
		    "no pidfd_open: no culver kick");
	else
		io_close(&fd);
}

static int
run(struct culver *c, const struct args *a)
{
	struct checks d = {
		.conf = c->conf, .rows.json = a->val[O_JSON] != NULL
	};

	check_say(&d, CHECK_OK, c->conf_path, "the configuration can be read");
	check_user(&d);
	check_dir(&d, c->conf->mail_dir);
	check_dir(&d, c->conf->run_dir);
	check_secret(&d, c->conf->passwd_file);
	check_secret(&d, c->conf->token_file);
	check_secret(&d, c->conf->key);
	check_secret(&d, c->conf->ticket_key);
	check_tls(&d);
	check_sockets(&d);
	check_nginx(&d);
	check_kernel(&d);
	rows_end(&d.rows);
	return d.worst == CHECK_FAULT ? EXIT_PERM : 0;
}

const struct command cmd_doctor = {
	"doctor", "", "look at files, certificates, sockets, the kernel", opts,
	0, 0, run
};
