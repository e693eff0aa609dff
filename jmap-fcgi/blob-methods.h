/* jmap-fcgi/blob-methods.h - Blob/upload, /get, /lookup, /copy */
#ifndef JMAP_BLOB_METHODS_H
#define JMAP_BLOB_METHODS_H

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/type.h"

enum { BLOB_SOURCES_MAX = 100 };	/* of one new blob */

/* RFC 9404 3.1; the limits of an account. */
json_t *blob_capability(const struct conf *cf);

extern const struct jmap_arg blob_upload_args[], blob_get_args[],
    blob_lookup_args[], blob_copy_args[];
int blob_upload(struct jmap_call *c);
int blob_get(struct jmap_call *c);
int blob_lookup(struct jmap_call *c);
int blob_copy(struct jmap_call *c);

#endif
