/* imapd/fetch.h - what FETCH asks for, and how it is answered */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/annotate.h"
#include "imapd/imap.h"
#include "libmime/mime.h"

enum fetch_kind {
	FETCH_UID, FETCH_FLAGS, FETCH_MODSEQ,	/* the view knows */
	FETCH_INTERNALDATE, FETCH_SIZE,		/* the message's row */
	FETCH_SAVEDATE, FETCH_EMAILID, FETCH_THREADID, FETCH_ANNOTATION,
	FETCH_ENVELOPE, FETCH_BODY, FETCH_BODYSTRUCTURE, /* the structure */
	FETCH_PREVIEW, FETCH_BINARY_SIZE,
	FETCH_SECTION, FETCH_BINARY		/* octets */
};

enum section_text {
	SECTION_ALL, SECTION_HEADER, SECTION_FIELDS, SECTION_FIELDS_NOT,
	SECTION_TEXT, SECTION_MIME
};

struct fetch_section {
	uint32_t *path;
	size_t n_path;
	enum section_text text;
	struct slice *names;	/* of header fields */
	size_t n_names;
	bool partial;
	uint64_t from, len;
};

struct fetch_item {
	enum fetch_kind kind;
	bool peek;		/* doesn't set \Seen */
	const char *label;	/* "RFC822.HEADER", "BODY", "BINARY" */
	bool bracket;		/* the label goes on with the section */
	struct fetch_section sec;
	struct annotate_want *annotations;
};

struct fetch_request {
	struct fetch_item *items;
	size_t n, cap;
	bool wants_flags, wants_modseq;
	enum fetch_kind most;	/* the dearest kind */
	bool sets_seen;
	/* modifiers, RFC 7162 3.1.4.1, 3.2.6, RFC 9394 3.3 */
	bool changed, vanished;
	uint64_t since;
	struct imap_partial partial;
};

/* One message that is being answered; mime and blob are read when needed. */
struct fetch_msg {
	struct store *st;
	struct arena *a;	/* for this message */
	const struct store_msg_info *info;
	struct mime_msg *mime;
	struct store_blob *blob;
};

/* ---- fetch-parse.c ----------------------------------------------------- */

/* What follows the set in FETCH.  false: v->err is set. */
bool fetch_parse(struct imap_args *v, struct fetch_request *q_r);
/* Data items, of a list. */
bool fetch_parse_list(struct imap_args *in, struct fetch_request *q_r);
/* A section as a URL has it: "1.HEADER.FIELDS (DATE FROM)" (RFC 5092). */
bool fetch_section_url(struct arena *a, struct slice s,
    struct fetch_section *sec_r);
/* Puts UID or MODSEQ in front, unless it is asked for already. */
void fetch_want(struct arena *a, struct fetch_request *q,
    enum fetch_kind kind);

/* ---- cmd-fetch.c ------------------------------------------------------- */

/* FETCH responses unasked, for messages of the view (ascending). */
void fetch_tell(struct imap_session *s, const struct fetch_request *q,
    const uint32_t *uids, size_t n);

/* ---- section.c --------------------------------------------------------- */

int fetch_msg_mime(struct fetch_msg *m);
int fetch_msg_blob(struct fetch_msg *m);
void fetch_msg_release(struct fetch_msg *m);
/*
 * Where the octets are; prepared before anything is written, so that a failure
 * leaves the response unsaid.
 */
struct fetch_data {
	bool nil;		/* there is no such part */
	bool built;		/* octets are in text, else in the blob */
	struct slice text;
	uint64_t off, len;
	struct annotations_of annotations;
	const struct mime_part *part;	/* BINARY: off counts in its decoded
					 * octets */
};
int section_prepare(struct fetch_msg *m, const struct fetch_section *sec,
    struct fetch_data *d_r);
/* What stands where a part's octets would: "[1.HEADER.FIELDS (DATE)]<0>" */
void section_put_label(struct enc *e, const struct fetch_section *sec);
/* Of d, prepared for all of it, only the partial range remains. */
void section_clip(const struct fetch_section *sec, struct fetch_data *d);
/* The literal, or NIL.  < 0: the literal is unfinished, the session is over. */
int section_put(struct fetch_msg *m, struct enc *e,
    const struct fetch_data *d);

/* ---- binary.c: BINARY and BINARY.SIZE (RFC 3516) ------------------------- */

/* Also STORE_E_INVALID: an encoding that isn't known. */
int binary_prepare(struct fetch_msg *m, const struct fetch_item *item,
    struct fetch_data *d_r);
/* As section_put(). */
int binary_put(struct fetch_msg *m, struct enc *e, const struct fetch_data *d);

/* ---- envelope.c, bodystructure.c --------------------------------------- */

void envelope_put(struct enc *e, const struct mime_env *env);
/* extended: with the extension data, BODYSTRUCTURE. */
void bodystructure_put(struct enc *e, const struct mime_part *p,
    bool extended);

#endif
