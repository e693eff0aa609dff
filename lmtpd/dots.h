/* lmtpd/dots.h - a message on its way: dots doubled, ended by a lone one */
#ifndef LMTPD_DOTS_H
#define LMTPD_DOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "libbase/slice.h"

enum dots_state {	/* what came last */
	DOTS_LINE,	/* the end of a line, CRLF (or nothing yet) */
	DOTS_DOT,	/* ... and a dot */
	DOTS_DOT_CR,	/* ... and a dot and CR */
	DOTS_TEXT,
	DOTS_CR
};

struct dots {
	enum dots_state state;
	bool done;	/* the lone dot came */
};

void dots_init(struct dots *d);
/*
 * Takes some octets from the front of in and returns how many: call it until
 * nothing is left, or done.  *out_r are the message's octets (maybe none),
 * within in or constant.  Only CRLF "." CRLF ends a message: with a bare CR or
 * LF in it that is ordinary text (RFC 5321 2.3.8), so that nobody smuggles in a
 * second one.
 */
size_t dots_next(struct dots *d, struct slice in, struct slice *out_r);

#endif
