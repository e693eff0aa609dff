/* culver/cmd-listeners.c - culver listeners: files for who holds the sockets */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/listeners.h"
#include "culver/rows.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

enum { O_SYSTEMD, O_TMPFILES, O_INETD, O_XINETD, O_CRON, O_NGINX, O_S6, KINDS,
	O_OUT = KINDS, O_CHECK, O_AS, O_JSON };
enum { FILE_MAX = 1024 * 1024, MARK_WITHIN = 128 };

static const struct opt opts[] = {
	{ "systemd", NULL, "units" },
	{ "tmpfiles", NULL, "directories, for systemd-tmpfiles" },
	{ "inetd", NULL, "lines for openbsd-inetd" },
	{ "xinetd", NULL, "services of xinetd" },
	{ "cron", NULL, "what the timers do, without systemd" },
	{ "nginx", NULL, "a server for JMAP" },
	{ "s6", NULL, "service directories" },
	{ "out", "DIR", "write the files there" },
	{ "check", "DIR", "tell which files there are out of date" },
	{ "as", "FILE", "name this configuration, where they are for another host" },
	{ "json", NULL, "without any of these: the listeners, as JSON" },
	{ NULL, NULL, NULL }
};

static int (*const makers[KINDS])(struct maker *) = { make_systemd,
	make_tmpfiles, make_inetd, make_xinetd, make_cron, make_nginx,
	make_s6 };

/* ---- the listeners themselves ------------------------------------------ */

static const char *
tls_name(enum conf_tls tls)
{
	return tls == CONF_TLS_IMPLICIT ? "implicit" :
	    tls == CONF_TLS_STARTTLS	? "starttls" :
					  "none";
}

static void
list_json(struct rows *rows, const struct conf_listener *l)
{
	json_t *o = json_object(), *v = json_array();

	row_text(o, "name", slice_str(l->name));
	row_text(o, "protocol", slice_str(conf_protocol_name(l->protocol)));
	row_text(o, "tls", slice_str(tls_name(l->tls)));
	row_text(o, "mode", slice_str(l->mode == CONF_ACCEPT ? "accept" :
	    "wait"));
	for (size_t i = 0; i < l->n_addresses; i++)
		json_array_append_new(v, json_string(l->addresses[i]));
	json_object_set_new(o, "addresses", v);
	rows_put(rows, o);
}

static int
list(const struct conf *c, bool json)
{
	struct rows rows = { .json = json };

	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		if (json) {
			list_json(&rows, l);
			continue;
		}
		printf("%-15s %-5s %-9s %-7s", l->name,
		    conf_protocol_name(l->protocol), tls_name(l->tls),
		    l->mode == CONF_ACCEPT ? "accept" : "wait");
		for (size_t k = 0; k < l->n_addresses; k++)
			printf("%s%s", k > 0 ? " " : "", l->addresses[k]);
		putchar('\n');
	}
	rows_end(&rows);
	return 0;
}

/* ---- files that are there ---------------------------------------------- */

enum there { MISSING, SAME, OURS, FOREIGN };

static bool
has_mark(struct slice s)
{
	s.n = s.n < MARK_WITHIN ? s.n : MARK_WITHIN;
	return memmem(s.p, s.n, MADE_MARK, strlen(MADE_MARK)) != NULL;
}

static enum there
look(struct maker *m, const char *path, const struct made *f)
{
	struct slice s;

	if (io_slurp(path, FILE_MAX, m->a, &s) < 0)
		return errno == ENOENT || errno == ENOTDIR ? MISSING : FOREIGN;
	if (f != NULL && slice_eq(s, f->text))
		return SAME;
	return has_mark(s) ? OURS : FOREIGN;
}

static bool
is_made(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return true;
	return false;
}

/* Tells of files that were made for listeners which are gone.  How many. */
static int
find_stale(struct maker *m, const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *name = e->d_name;

		if (strncmp(name, "culver-", 7) != 0)
			continue;
		if (strcmp(m->kind, "s6") == 0)
			name = arena_printf(m->a, "%s/run", name);
		if (!is_made(m, name) && look(m, arena_printf(m->a, "%s/%s",
		    dir, name), NULL) == OURS) {
			complain("%s/%s is no longer needed", dir, name);
			n++;
		}
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static int
check(struct maker *m, const char *dir)
{
	int code = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct made *f = &m->v[i];
		const char *path = arena_printf(m->a, "%s/%s", dir, f->name);
		enum there t = look(m, path, f);

		if (t == SAME)
			continue;
		complain("%s %s", path, t == MISSING ? "is missing" :
		    t == OURS ? "is out of date" :
		    "was changed, or is not made by culver listeners");
		code = EXIT_PERM;
	}
	return find_stale(m, dir) > 0 ? EXIT_PERM : code;
}

static int
write_file(struct maker *m, const char *dir, const struct made *f)
{
	const char *path = arena_printf(m->a, "%s/%s", dir, f->name);
	const char *slash = strrchr(path, '/');
	enum there t = look(m, path, f);

	if (t == SAME)
		return 0;
	if (t == FOREIGN) {
		complain("%s: not made by culver listeners, not written over",
		    path);
		return EXIT_PERM;
	}
	if (io_mkdirs(arena_strndup(m->a, path, (size_t)(slash - path)),
		0755) < 0 ||
	    io_replace(path, f->text, f->program ? 0755 : 0644) < 0) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_TEMP;
	}
	puts(path);
	return 0;
}

static int
write_all(struct maker *m, const char *dir)
{
	int code = 0;
	mode_t mask = umask(022);

	for (size_t i = 0; i < m->n; i++)
		code = worse(code, write_file(m, dir, &m->v[i]));
	umask(mask);
	find_stale(m, dir);
	return code;
}

static int
print_all(const struct maker *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->n > 1)
			printf("%s# ---- %s\n", i > 0 ? "\n" : "",
			    m->v[i].name);
		fwrite(m->v[i].text.p, 1, m->v[i].text.n, stdout);
	}
	return 0;
}

/* ---- the command ------------------------------------------------------- */

static int
make(struct maker *m, const struct args *a, int kind)
{
	const char *out = a->val[O_OUT], *in = a->val[O_CHECK];

	m->kind = opts[kind].name;
	if (made_plain("configuration", m->conf_path) < 0 || makers[kind](m) < 0)
		return EXIT_PERM;
	if (m->b.overflow) {
		complain("too much for a file");
		return EXIT_PERM;
	}
	return out != NULL ? write_all(m, out) :
	    in != NULL	   ? check(m, in) :
			     print_all(m);
}

static int
run(struct culver *c, const struct args *a)
{
	struct maker m = { .conf = c->conf };
	int kind = -1, n = 0, code;
	char path[PATH_MAX];

	for (int i = 0; i < KINDS; i++)
		if (a->val[i] != NULL) {
			kind = i;
			n++;
		}
	if (n == 0 && a->val[O_OUT] == NULL && a->val[O_CHECK] == NULL)
		return list(c->conf, a->val[O_JSON] != NULL);
	if (n != 1 || (a->val[O_OUT] != NULL && a->val[O_CHECK] != NULL)) {
		complain("listeners: one of --systemd, --tmpfiles, --inetd, "
		    "--xinetd, --cron, --nginx, --s6, and at most one of "
		    "--out and --check");
		return EXIT_PERM;
	}
	priv_caller();
	m.conf_path = a->val[O_AS] != NULL ? a->val[O_AS] :
	    realpath(c->conf_path, path) != NULL ? path : c->conf_path;
	m.a = arena_new(0);
	buf_init(&m.b, FILE_MAX);
	code = make(&m, a, kind);
	buf_release(&m.b);
	arena_free(&m.a);
	priv_service();
	return code;
}

const struct command cmd_listeners = {
	"listeners", "", "write the files of systemd, inetd, nginx ...", opts,
	0, 0, run
};
