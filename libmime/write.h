/* libmime/write.h - writing header fields and encoded bodies of new messages */
#ifndef MIME_WRITE_H
#define MIME_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/buf.h"
#include "libbase/slice.h"

/*
 * Header fields are written folded (RFC 5322 2.2.3), in ASCII, to the end with
 * mime_write_end().  A field that the functions below refuse (-1) has added
 * something to the buffer that isn't usable.
 */
struct mime_writer {
	struct buf *out;
	size_t col;		/* octets in this line */
	bool bol;		/* only the name was written */
};

/* "Name:" */
void mime_write_begin(struct mime_writer *w, struct buf *out,
    struct slice name);
void mime_write_end(struct mime_writer *w);
/* Unstructured text out of UTF-8, by encoded words (RFC 2047) where needed.
 * -1: control characters, not UTF-8. */
int mime_write_text(struct mime_writer *w, struct slice utf8);
/* A display name as a phrase; -1 as above. */
int mime_write_phrase(struct mime_writer *w, struct slice utf8);
/* "name <email>", or the address alone where name is empty; comma: one
 * follows.  -1: bad name or address. */
int mime_write_address(struct mime_writer *w, struct slice name,
    struct slice email, bool comma);
/* UTF-8 as one encoded word (RFC 2047 4.2, "Q") that is good in a phrase, too;
 * how long it may be is the caller's business. */
void mime_put_word(struct buf *out, struct slice s);
/* A token that is not broken, after a blank: comma or other punctuation
 * included in it by the caller. */
void mime_write_token(struct mime_writer *w, struct slice token);
/* The same without the blank, in the line that was begun. */
void mime_write_more(struct mime_writer *w, struct slice token);
/* "; name=value", encoded by RFC 2231 where needed.  -1 as above. */
int mime_write_param(struct mime_writer *w, const char *name,
    struct slice utf8);
/* " Mon, 23 Nov 2026 12:00:00 +0100" */
void mime_write_date(struct mime_writer *w, int64_t t, int zone_minutes);

/* How text with LF or CRLF line ends may travel, RFC 2045 section 6. */
enum mime_encoding_choice { MIME_AS_IS, MIME_AS_QP, MIME_AS_BASE64 };
enum mime_encoding_choice mime_text_encoding(struct slice text);
/* The text with CRLF line ends, encoded; ends with CRLF unless empty. */
int mime_write_qp(struct buf *out, struct slice text);
int mime_write_lines(struct buf *out, struct slice text);
/*
 * Base64 in lines of 76, octets fed in any pieces; at the end once with p
 * NULL.
 */
struct mime_base64 {
	unsigned char rest[57];
	size_t n;
};
int mime_write_base64(struct mime_base64 *b, const void *p, size_t n,
    struct buf *out);

#endif
