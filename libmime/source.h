/* libmime/source.h - a part's text, decoded piece by piece */
#ifndef MIME_SOURCE_H
#define MIME_SOURCE_H

#include "libmime/mime.h"

struct mime_source {
	struct slice left;	/* still encoded */
	struct mime_decoder d;
	struct mime_charset *cs;
	struct buf octets;	/* decoded, not converted */
	bool ended;
};

void mime_source_open(struct mime_source *s, const struct mime_part *p,
    struct slice raw);
/* Appends some UTF-8; 1, or 0 at the end.  -1: out refused. */
int mime_source_next(struct mime_source *s, struct buf *out);
/* Was there anything that couldn't be decoded?  Final at the end. */
bool mime_source_problem(const struct mime_source *s);
void mime_source_close(struct mime_source *s);

#endif
