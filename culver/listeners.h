/* culver/listeners.h - the files of superservers, made from the configuration */
#ifndef CULVER_LISTENERS_H
#define CULVER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

struct made {	/* a file */
	const char *name;	/* perhaps with a directory before it */
	bool program;		/* is to be executable */
	struct slice text;
};

struct maker {
	const struct conf *conf;
	const char *kind;	/* "systemd", for the first lines */
	const char *conf_path;	/* absolute */
	struct arena *a;
	struct buf b;		/* the file being made */
	struct made *v;
	size_t n, cap;
};

/* Each makes the files of its kind.  0, or -1 after a complaint. */
int make_systemd(struct maker *m);
int make_tmpfiles(struct maker *m);
int make_inetd(struct maker *m);
int make_xinetd(struct maker *m);
int make_cron(struct maker *m);
int make_nginx(struct maker *m);
int make_s6(struct maker *m);

/* ---- for those ---------------------------------------------------------- */

/* The first line of a file that we made, and may write over. */
#define MADE_MARK "# Made by culver listeners"
/* Begins a file with that line.  program: a shell script. */
void made_begin(struct maker *m, bool program);
void made_end(struct maker *m, const char *name, bool program);

/* "imapd", and "/usr/libexec/culver/imapd -f FILE -l NAME" (no -f where it is
 * the default) in the arena. */
const char *made_program(const struct conf_listener *l);
const char *made_command(const struct maker *m, const struct conf_listener *l);
/* The same for the administrator's tool: "/usr/sbin/culver spool". */
const char *made_tool(const struct maker *m, const char *words);
/* " -f FILE", or "". */
const char *made_option(const struct maker *m);
/* The path of a Unix socket's address; NULL: it is none. */
const char *made_unix(const char *address);
/* An address of the Internet: the host without brackets (in the arena), "*" for
 * any; the port. */
const char *made_host(struct arena *a, const char *address);
const char *made_port(const char *address);
bool made_is_v6(const char *address);
/* Those files have no quotes: letters, digits and / . _ + @ ~ , : = - are what
 * text may have (NULL may).  0, or -1 after a complaint. */
int made_plain(const char *what, const char *text);

#endif
