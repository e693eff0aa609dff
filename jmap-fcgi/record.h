/* jmap-fcgi/record.h - FastCGI records, for connections that left fcgi2 */
#ifndef JMAP_RECORD_H
#define JMAP_RECORD_H

#include <stdint.h>

#include "libbase/buf.h"

/* Appends text as FCGI_STDOUT records. */
void record_stdout(struct buf *out, int request_id, struct slice text);
/* Appends the end of the output and of the request. */
void record_end(struct buf *out, int request_id);

/* What comes in, over any cuts.  Zero value is the start. */
struct record_reader {
	unsigned char head[8];
	unsigned n_head;
	uint32_t skip;		/* content and padding still to come */
};
/* 1: the request is aborted; 0: go on; -1: not FastCGI. */
int record_read(struct record_reader *r, struct slice in);

#endif
