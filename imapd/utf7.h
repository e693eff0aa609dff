/* imapd/utf7.h - modified UTF-7 of mailbox names (RFC 3501 5.1.3) */
#ifndef IMAPD_UTF7_H
#define IMAPD_UTF7_H

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"

/*
 * Strict: 0 and UTF-8 in the arena, or -1 for octets outside printable ASCII,
 * bad base64, spare bits, unpaired surrogates, printable ASCII in base64, two
 * base64 runs side by side.  So utf7_encode() gives back what went in.
 */
int utf7_decode(struct slice in, struct arena *a, struct slice *out_r);
/* in is valid UTF-8.  As buf_add. */
int utf7_encode(struct buf *out, struct slice in);

#endif
