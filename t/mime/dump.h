/* t/mime/dump.h - a parsed message as text, and what must hold of each */
#ifndef T_MIME_DUMP_H
#define T_MIME_DUMP_H

#include "libmime/mime.h"

/*
 * A line a part: section path ("-" for the outermost multipart), type ('*' if
 * implied), {children}, parameters, encoding, disposition, other fields, lines,
 * body (CRLF as \n, a bare LF as \l) and, if encoded, its text.  The root of a
 * message is followed by a line of its envelope.  A last line has the flags
 * and the preview.
 */
void mime_dump(const struct mime_msg *m, struct slice raw, struct buf *out);
/* NULL, or what is wrong with the tree: ranges, order, counts. */
const char *mime_tree_fault(const struct mime_msg *m, struct slice raw);

#endif
