/* libsession/secret.h - files of random octets that several processes share */
#ifndef SESSION_SECRET_H
#define SESSION_SECRET_H

#include <stddef.h>

#include "conf/conf.h"

/*
 * Reads exactly n octets of path, which is made if it isn't there (mode 0600,
 * of conf's user when that is done by root; one of several makers wins).  0,
 * or -1 with errno (EPERM: others may read it; EINVAL: not n octets).
 */
int secret_file(const struct conf *c, const char *path, void *out, size_t n);

#endif
