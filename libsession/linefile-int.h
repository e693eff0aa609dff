/* libsession/linefile-int.h - what reading and writing of line files share */
#ifndef SESSION_LINEFILE_INT_H
#define SESSION_LINEFILE_INT_H

#include "libsession/linefile.h"

enum { LINEFILE_MAX = 1 << 30, LINEFILE_HEAD_MAX = 63 };

/* The first line, with its '\n', for a file of so many octets; out: NULL, or
 * LINEFILE_HEAD_MAX + 1 octets.  Its length, which is always the same. */
size_t linefile_head(const struct linefile *f, off_t size, char *out);

#endif
