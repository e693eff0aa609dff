/* culver/checks.c - what culver doctor and culver health look at, and say */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "culver/checks.h"
#include "culver/culver.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/tls.h"

enum {
	FREE_PERCENT = 5,
	FILE_MAX = 1024 * 1024,
	CHAIN_MAX = 16,
	DAY_S = 86400,
	RENEW_DAYS = 14		/* a warning: who renews has not */
};

void
check_say(struct checks *c, enum check_state st, const char *what,
    const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "fault" };
	char text[1024];
	va_list ap;
	json_t *o;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (st > c->worst)
		c->worst = st;
	if (!c->rows.json) {
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
	rows_put(&c->rows, o);
}

void
check_mode(struct checks *c, const char *path, const struct stat *st,
    mode_t bad)
{
	if (st->st_mode & bad)
		check_say(c, CHECK_FAULT, path, "others have too many rights: mode %04o",
		    (unsigned)(st->st_mode & 07777));
	else
		check_say(c, CHECK_OK, path, "mode %04o",
		    (unsigned)(st->st_mode & 07777));
}

static void
check_space(struct checks *c, const char *path)
{
	struct statvfs v;
	unsigned percent;

	if (statvfs(path, &v) < 0 || v.f_blocks == 0)
		return;
	percent = (unsigned)(v.f_bavail / ((v.f_blocks + 99) / 100));
	check_say(c, percent < FREE_PERCENT ? CHECK_WARNING : CHECK_OK, path,
	    "%u%% of the disk are free", percent);
	if (v.f_files == 0)
		return;
	percent = (unsigned)(v.f_favail / ((v.f_files + 99) / 100));
	if (percent < FREE_PERCENT)
		check_say(c, CHECK_WARNING, path, "%u%% of the inodes are free", percent);
}

/* As the service user, who works in it. */
void
check_dir(struct checks *c, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		check_say(c, CHECK_FAULT, path, "%s", strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		check_say(c, CHECK_FAULT, path, "is no directory");
	} else {
		check_mode(c, path, &st, 002);
		if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK,
		    AT_EACCESS) < 0)
			check_say(c, CHECK_FAULT, path, "not for the user of the service: "
			    "%s", strerror(errno));
		check_space(c, path);
	}
}

/* The certificate of a file that expires first, seconds since 1970; -1: it has
 * none. */
static time_t
expires(const char *path)
{
	struct arena *a = arena_new(0);
	gnutls_x509_crt_t crt[CHAIN_MAX];
	unsigned n = CHAIN_MAX;
	struct slice s;
	time_t first = -1;

	if (io_slurp(path, FILE_MAX, a, &s) == 0 &&
	    gnutls_x509_crt_list_import(crt, &n,
		&(gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p,
		    (unsigned)s.n }, GNUTLS_X509_FMT_PEM, 0) > 0) {
		for (unsigned i = 0; i < n; i++) {
			time_t t = gnutls_x509_crt_get_expiration_time(crt[i]);

			first = first == -1 || t < first ? t : first;
			gnutls_x509_crt_deinit(crt[i]);
		}
	}
	arena_free(&a);
	return first;
}

static void
check_expiry(struct checks *c, const char *path)
{
	time_t t = expires(path);
	long days = (long)((t - time(NULL)) / DAY_S);

	if (t == -1)
		return;		/* check_tls() says what is wrong with it */
	if (t <= time(NULL))
		check_say(c, CHECK_FAULT, path, "the certificate has expired");
	else
		check_say(c, days < RENEW_DAYS ? CHECK_WARNING : CHECK_OK, path,
		    "the certificate is valid for %ld days", days);
}

void
check_tls(struct checks *c)
{
	char *err = NULL;

	if (!c->conf->certificate) {
		check_say(c, CHECK_WARNING, "TLS", "no certificate is configured");
		return;
	}
	priv_caller();
	if (tls_check(c->conf, &err) < 0)
		check_say(c, CHECK_FAULT, "TLS", "%s", err);
	else
		check_say(c, CHECK_OK, "TLS", "certificates and keys are in order");
	check_expiry(c, c->conf->certificate);
	for (size_t i = 0; i < c->conf->n_certs; i++)
		check_expiry(c, c->conf->certs[i].certificate);
	priv_service();
	xfree(err);
}

