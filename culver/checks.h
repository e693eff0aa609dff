/* culver/checks.h - what culver doctor and culver health look at, and say */
#ifndef CULVER_CHECKS_H
#define CULVER_CHECKS_H

#include <sys/stat.h>

#include "conf/conf.h"
#include "culver/rows.h"

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_FAULT };

struct checks {
	const struct conf *conf;
	struct rows rows;
	enum check_state worst;
};

/* A line, or with rows.json an object: the state, what, and the text. */
void check_say(struct checks *c, enum check_state st, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* What others than the owner must not do. */
void check_mode(struct checks *c, const char *path, const struct stat *st,
    mode_t bad);
/* A directory that the service user works in: its mode, rights, free space. */
void check_dir(struct checks *c, const char *path);
/* Certificates and keys fit, and how long the certificates are valid. */
void check_tls(struct checks *c);

/* Where there is a listener for jmap: nginx, and that it asks it. */
void check_nginx(struct checks *c);

#endif
