/* jmap-fcgi/email-create.h - a new message out of an Email object */
#ifndef JMAP_EMAIL_CREATE_H
#define JMAP_EMAIL_CREATE_H

#include "jmap-fcgi/email.h"

/* ---- header fields (email-create-header.c) ----------------------------- */

/*
 * Appends a header field, or with all one for each of v's values, with CRLF.
 * null writes nothing.  -1: v is no such value (RFC 8621 4.1.2); what is in out
 * then isn't usable.
 */
int create_field(struct buf *out, const struct header_prop *h, json_t *v);
/* Names of fields that are there, without case. */
struct create_names {
	struct slice *v;
	size_t n, cap;
};
/* false: it was there. */
bool create_name_add(struct create_names *s, struct slice name);

/* ---- the body (email-create-body.c) ------------------------------------ */

enum { CREATE_FIELDS_MAX = 200 };	/* of one part */
enum piece_kind { PIECE_MULTI, PIECE_TEXT, PIECE_BLOB, PIECE_MESSAGE };
struct piece {		/* a MIME part */
	enum piece_kind kind;
	struct slice header;	/* fields, but for the transfer encoding */
	struct slice text;	/* PIECE_TEXT: UTF-8 */
	struct slice blob;	/* PIECE_BLOB, _MESSAGE: its id */
	struct slice boundary;
	struct piece *child, *next;
};
struct create {		/* one Email to be */
	struct jmap_call *c;
	json_t *email;
	json_t *bad;		/* names of unacceptable properties */
	json_t *no_blob;	/* ids of blobs that aren't there */
	struct buf header;
	struct create_names names;
	struct piece *root;
	size_t n_parts;
	uint64_t *mailboxes;
	size_t n_mailboxes;
	uint64_t flags;
	int64_t received_at;
	bool too_many_keywords;
};
/* Compiles bodyStructure or its alternatives into cr->root. */
void create_body(struct create *cr);
void create_bad(struct create *cr, const char *prop);

/* Writes all of it.  An enum store_rc. */
int create_write(struct create *cr, struct store_spool *sp);

#endif
