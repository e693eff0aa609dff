/* libbase/utf7.h - modified UTF-7 of mailbox names (RFC 3501 5.1.3) */
#ifndef BASE_UTF7_H
#define BASE_UTF7_H

#include <stdbool.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

/*
 * 0 and UTF-8 in the arena, or -1 for octets outside printable ASCII, bad
 * base64, spare bits, unpaired surrogates, NUL.  Strict, unless loose: also -1
 * for printable ASCII in base64 and two base64 runs side by side, so that
 * utf7_encode() gives back what went in.
 */
int utf7_decode(struct slice in, bool loose, struct arena *a,
    struct slice *out_r);
/* in is valid UTF-8.  The characters of also go into base64 too: names of
 * Maildir folders want that of "./".  As buf_add. */
int utf7_encode(struct buf *out, struct slice in, const char *also);

#endif
