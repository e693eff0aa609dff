/* culver/cmd-doctor.c - culver doctor: is all around Culver as it has to be? */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/tls.h"

enum { O_JSON };
enum state { GOOD, WARNING, FAULT };
enum { FREE_PERCENT = 5 };
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

struct doctor {
	const struct conf *conf;
	struct rows rows;
	int code;
};

__attribute__((format(printf, 4, 5)))
static void
say(struct doctor *d, enum state st, const char *what, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "fault" };
	char text[1024];
	va_list ap;
	json_t *o;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (st == FAULT)
		d->code = EXIT_PERM;
	if (!d->rows.json) {
		printf("%-8s ", names[st]);
		put_clean(slice_str(what));
		fputs(": ", stdout);
		put_clean(slice_str(text));
		putchar('\n');
		return;
	}
	o = json_object();
	row_text(o, "check", slice_str(what));
	json_object_set_new(o, "state", json_string(names[st]));
	row_text(o, "text", slice_str(text));
	rows_put(&d->rows, o);
}

/* ---- files ------------------------------------------------------------- */

/* What others than the owner must not do. */
static void
check_mode(struct doctor *d, const char *path, const struct stat *st,
    mode_t bad)
{
	if (st->st_mode & bad)
		say(d, FAULT, path, "others have too many rights: mode %04o",
		    (unsigned)(st->st_mode & 07777));
	else
		say(d, GOOD, path, "mode %04o",
		    (unsigned)(st->st_mode & 07777));
}

static void
check_secret(struct doctor *d, const char *path)
{
	struct stat st;

	if (!path)
		return;
	priv_caller();
	if (stat(path, &st) == 0)
		check_mode(d, path, &st, 007);
	else if (errno != ENOENT)
		say(d, FAULT, path, "%s", strerror(errno));
	priv_service();
}

static void
check_space(struct doctor *d, const char *path)
{
	struct statvfs v;
	unsigned percent;

	if (statvfs(path, &v) < 0 || v.f_blocks == 0)
		return;
	percent = (unsigned)(v.f_bavail / ((v.f_blocks + 99) / 100));
	say(d, percent < FREE_PERCENT ? WARNING : GOOD, path,
	    "%u%% of the disk are free", percent);
	if (v.f_files == 0)
		return;
	percent = (unsigned)(v.f_favail / ((v.f_files + 99) / 100));
	if (percent < FREE_PERCENT)
		say(d, WARNING, path, "%u%% of the inodes are free", percent);
}

/* As the service user, who works in it. */
static void
check_dir(struct doctor *d, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		say(d, FAULT, path, "%s", strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		say(d, FAULT, path, "is no directory");
	} else {
		check_mode(d, path, &st, 002);
		if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK,
		    AT_EACCESS) < 0)
			say(d, FAULT, path, "not for the user of the service: "
			    "%s", strerror(errno));
		check_space(d, path);
	}
}

/* ---- the rest ---------------------------------------------------------- */

static void
check_user(struct doctor *d)
{
	const char *user = d->conf->user;

	if (!user)
		say(d, geteuid() == 0 ? WARNING : GOOD, "user",
		    "none is configured: who starts the servers owns the mail");
	else if (geteuid() == 0)
		say(d, WARNING, "user", "%s is root", user);
	else
		say(d, GOOD, "user", "%s", user);
}

static void
check_tls(struct doctor *d)
{
	char *err = NULL;

	if (!d->conf->certificate) {
		say(d, WARNING, "TLS", "no certificate is configured");
		return;
	}
	priv_caller();
	if (tls_check(d->conf, &err) < 0)
		say(d, FAULT, "TLS", "%s", err);
	else
		say(d, GOOD, "TLS", "certificates and keys are in order");
	priv_service();
	xfree(err);
}

static void
check_sockets(struct doctor *d)
{
	for (size_t i = 0; i < d->conf->n_listeners; i++) {
		const struct conf_listener *l = &d->conf->listeners[i];

		for (size_t k = 0; k < l->n_addresses; k++) {
			const char *a = l->addresses[k];
			struct stat st;

			if (strncmp(a, "unix:", 5) != 0)
				continue;
			if (stat(a + 5, &st) < 0)
				say(d, WARNING, a, "%s: is listener %s started?",
				    strerror(errno), l->name);
			else
				say(d, S_ISSOCK(st.st_mode) ? GOOD : FAULT, a,
				    S_ISSOCK(st.st_mode) ? "a socket" :
				    "is no socket");
		}
	}
}

static void
check_kernel(struct doctor *d)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1);
	int fd;

	if (abi < 1)
		say(d, WARNING, "kernel", "no Landlock: sessions aren't "
		    "confined to their files");
	else
		say(d, GOOD, "kernel", "Landlock %ld", abi);
	if ((fd = pidfd_open(getpid(), 0)) < 0)
		say(d, WARNING, "kernel", "no pidfd_open: no culver kick");
	else
		io_close(&fd);
}

static int
run(struct culver *c, const struct args *a)
{
	struct doctor d = {
		.conf = c->conf, .rows.json = a->val[O_JSON] != NULL
	};

	say(&d, GOOD, c->conf_path, "the configuration can be read");
	check_user(&d);
	check_dir(&d, c->conf->mail_dir);
	check_dir(&d, c->conf->run_dir);
	check_secret(&d, c->conf->passwd_file);
	check_secret(&d, c->conf->token_file);
	check_secret(&d, c->conf->key);
	check_secret(&d, c->conf->ticket_key);
	check_tls(&d);
	check_sockets(&d);
	check_kernel(&d);
	rows_end(&d.rows);
	return d.code;
}

const struct command cmd_doctor = {
	"doctor", "", "look at files, certificates, sockets, the kernel", opts,
	0, 0, run
};
