/* libmime/crlf.c - CRLF line ends for what arrives */
#include "config.h"

#include "libmime/mime-int.h"

bool
mime_crlf_clean(struct mime_crlf *c, struct slice in)
{
	const char *p = in.p, *end, *nl;

	if (in.n == 0)
		return true;
	end = in.p + in.n;
	/* A CR at the end has to be held back. */
	if (c->cr || end[-1] == '\r')
		return false;
	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			return memchr(p, '\r', (size_t)(end - p)) == NULL;
		if (nl == p || nl[-1] != '\r' ||
		    memchr(p, '\r', (size_t)(nl - 1 - p)) != NULL)
			return false;
		p = nl + 1;
	}
	return true;
}

int
mime_crlf_feed(struct mime_crlf *c, struct slice in, struct buf *out)
{
	const char *p = in.p, *end, *q;

	if (in.n == 0)
		return out->overflow ? -1 : 0;
	end = in.p + in.n;
	while (p < end) {
		if (c->cr) {
			c->cr = false;
			if (buf_add(out, "\r\n", 2) < 0)
				return -1;
			if (*p == '\n')
				p++;
			continue;
		}
		for (q = p; q < end && *q != '\r' && *q != '\n'; )
			q++;
		if (buf_add(out, p, (size_t)(q - p)) < 0)
			return -1;
		if ((p = q) == end)
			break;
		if (*p++ == '\r')
			c->cr = true;
		else if (buf_add(out, "\r\n", 2) < 0)
			return -1;
	}
	return out->overflow ? -1 : 0;
}

int
mime_crlf_finish(struct mime_crlf *c, struct buf *out)
{
	if (!c->cr)
		return 0;
	c->cr = false;
	return buf_add(out, "\r\n", 2);
}
