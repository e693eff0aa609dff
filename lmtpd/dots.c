/* lmtpd/dots.c - a message on its way: dots doubled, ended by a lone one */
#include "config.h"

#include <string.h>

#include "lmtpd/dots.h"

void
dots_init(struct dots *d)
{
	d->state = DOTS_LINE;
	d->done = false;
}

/*
 * How much of in is text up to, and without, a dot that begins a line; *state_r
 * is what came last.  in is not empty and does not begin with such a dot.
 */
static size_t
text_run(struct slice in, bool after_cr, enum dots_state *state_r)
{
	size_t i = 0;

	while (i < in.n) {
		const char *nl = memchr(in.p + i, '\n', in.n - i);

		if (nl == NULL)
			break;
		i = (size_t)(nl - in.p) + 1;
		if (i >= 2 ? in.p[i - 2] != '\r' : !after_cr)
			continue;	/* a bare LF */
		if (i == in.n || in.p[i] == '.') {
			*state_r = DOTS_LINE;
			return i;
		}
	}
	*state_r = in.p[in.n - 1] == '\r' ? DOTS_CR : DOTS_TEXT;
	return in.n;
}

size_t
dots_next(struct dots *d, struct slice in, struct slice *out_r)
{
	*out_r = slice_make(in.p, 0);
	if (in.n == 0 || d->done)
		return 0;
	switch (d->state) {
	case DOTS_LINE:
		if (in.p[0] != '.')
			break;
		d->state = DOTS_DOT;	/* not part of the message */
		return 1;
	case DOTS_DOT:
		if (in.p[0] != '\r')
			break;
		d->state = DOTS_DOT_CR;
		return 1;
	case DOTS_DOT_CR:
		if (in.p[0] == '\n') {
			d->done = true;
			return 1;
		}
		/* The CR was text after all; in waits for the next call. */
		d->state = DOTS_CR;
		*out_r = SLICE_LIT("\r");
		return 0;
	case DOTS_TEXT:
	case DOTS_CR:
		break;
	}
	out_r->n = text_run(in, d->state == DOTS_CR, &d->state);
	return out_r->n;
}
