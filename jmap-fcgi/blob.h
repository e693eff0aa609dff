/* jmap-fcgi/blob.h - blobs and parts of blobs by their JMAP ids */
#ifndef JMAP_BLOB_H
#define JMAP_BLOB_H

#include "libbase/buf.h"
#include "libstore/store.h"

/*
 * A message or an upload is "G..." (store_blobid_text).  A part of a message is
 * "P", the rest of the message's id, then _offset_length_encoding in
 * hexadecimal: it names octets that never change, and is accepted only where
 * the message has such a part.  Where that part is a message in base64 or the
 * like, a second _offset_length_encoding names a part of what it decodes to.
 */
enum { BLOB_TEXT_MAX = 112 };
void blob_part_text(const struct store_blobid *parent,
    const struct mime_part *p, char out[BLOB_TEXT_MAX]);

struct blob {
	struct store_blob *b;
	bool is_part;
	bool nested;		/* off and len are of outer, not of b */
	uint64_t off, len;	/* of the stored octets */
	enum mime_encoding enc;	/* of the part */
	uint64_t size;		/* after decoding */
	struct store_blobid id;	/* of the whole */
	struct buf outer;	/* the decoded part that this is a part of */
	struct buf decoded;	/* see blob_octets() */
	char text[BLOB_TEXT_MAX];	/* its own id */
};
/* NOTFOUND also for a text that is no blob id. */
int blob_open(struct store *st, const struct mime_limits *lim,
    struct slice text, struct blob *b_r);
/* The same, if account_has_blob(). */
struct account;
int blob_open_in(struct account *ac, const struct mime_limits *lim,
    struct slice text, struct blob *b_r);
void blob_close(struct blob *b);
/*
 * Calls fn with the decoded octets piece by piece, in bounded memory; fn < 0
 * ends it and is returned.
 */
int blob_each(struct blob *b, int (*fn)(void *arg, const void *p, size_t n),
    void *arg);
/* The same with some of them only; off + len <= b->size. */
int blob_range(struct blob *b, uint64_t off, uint64_t len,
    int (*fn)(void *arg, const void *p, size_t n), void *arg);
/* All of the decoded octets, until it is closed. */
int blob_octets(struct blob *b, struct slice *s_r);
/* The id of a part of the message that blob_octets() is.  -1: it is nested too
 * deeply to have one. */
int blob_inner_text(const struct blob *b, const struct mime_part *p,
    char out[BLOB_TEXT_MAX]);

#endif
