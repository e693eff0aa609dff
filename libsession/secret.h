/* libsession/secret.h - files of random octets that several processes share */
#ifndef SESSION_SECRET_H
#define SESSION_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "conf/conf.h"

/*
 * Reads exactly n octets of path, which is made if it isn't there (mode 0600,
 * of conf's user when that is done by root; one of several makers wins).  0,
 * or -1 with errno (EPERM: others may read it; EINVAL: not n octets).
 */
int secret_file(const struct conf *c, const char *path, void *out, size_t n);

/*
 * The same for a secret that changes by itself: out is 2 * n octets, the current
 * one and the one before.  Who finds the file older than max_age_s (0: that is
 * never too old) makes a new one, the current one becomes the one before; of
 * several at once one does so, the others go on with what they have read.  A
 * file of n octets has no one before: both are the same.  Where there can't be a
 * file the secret is of this process alone; that is logged.  *st_r: of what was
 * read.
 */
int secret_pair(const struct conf *c, const char *path, uint32_t max_age_s,
    void *out, size_t n, struct stat *st_r);
/* Is it too old?  A time to come, by more than that, is as good as none. */
bool secret_too_old(const struct stat *st, uint32_t max_age_s);

#endif
