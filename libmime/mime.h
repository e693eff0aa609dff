/*
 * libmime/mime.h - Internet messages: structure, headers, text (public API)
 *
 * A message is parsed once, in one pass over its octets, into a tree of parts
 * that holds offsets and the decoded values of the header fields that IMAP's
 * ENVELOPE and BODYSTRUCTURE and JMAP's Email need.  The tree is stored as a
 * compact record (mime_record_encode) next to the message.
 *
 * Nothing here fails because of what is in a message: malformed mail is normal
 * mail and always gives a tree.  Octets are expected with CRLF line ends (see
 * struct mime_crlf); a bare LF ends a line as well.  There is no global state;
 * functions may run in any number of threads at once.
 *
 * Results are in the arena that was passed, or point into the octets that were
 * passed: both must live as long as the result.  An absent value is a slice
 * with p == NULL; an empty one has p != NULL.
 */
#ifndef MIME_MIME_H
#define MIME_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/collation.h"
#include "libbase/slice.h"

/* ---- structure --------------------------------------------------------- */

/* Zero values are the defaults in brackets.  Past a limit the rest is one
 * opaque part, or is left out of the parsed values; it stays in the octets. */
struct mime_limits {
	uint32_t depth;		/* nesting of multiparts and messages [50] */
	uint32_t parts;		/* parts of the whole tree [10,000] */
	uint32_t fields;	/* header fields looked at, for a header [2,000] */
	uint32_t field_len;	/* octets of one field's value [256 KiB] */
	uint32_t addrs;		/* addresses kept, for a message [10,000] */
	uint32_t params;	/* parameters of one field [64] */
};

enum mime_encoding {	/* Content-Transfer-Encoding */
	MIME_ENC_7BIT, MIME_ENC_8BIT, MIME_ENC_BINARY, MIME_ENC_BASE64,
	MIME_ENC_QP, MIME_ENC_UUENCODE, MIME_ENC_UNKNOWN
};

/* How a part is to be seen, whatever its type claims. */
enum mime_kind {
	MIME_LEAF,	/* no children.  Where a limit was hit the type is
			 * application/octet-stream; a message/rfc822 that is
			 * transfer-encoded keeps its type (IMAP has to call it
			 * application/octet-stream, having no envelope) */
	MIME_MULTIPART,	/* one child or more, always */
	MIME_MESSAGE	/* message/rfc822, message/global: one child, its root */
};

struct mime_param {
	struct slice name;	/* as written, without RFC 2231's "*0*" */
	struct slice value;	/* UTF-8 where it was encoded, else as written
				 * (without quotes, unfolded; any octets) */
	bool encoded;		/* RFC 2231: BODYSTRUCTURE shows "name*" and
				 * utf-8''%XX */
};

enum mime_addr_kind {
	MIME_ADDR,		/* a mailbox */
	MIME_ADDR_GROUP,	/* a group begins; name is the group's */
	MIME_ADDR_GROUP_END
};
struct mime_addr {
	enum mime_addr_kind kind;
	struct slice name;	/* display name, unquoted and unfolded, encoded
				 * words as they are (mime_text()); may be absent */
	struct slice route;	/* obsolete source route "@a,@b"; or absent */
	struct slice mailbox;	/* local part, unquoted; never absent in MIME_ADDR */
	struct slice domain;	/* empty (not absent) if the field has none */
};
struct mime_addrs {
	struct mime_addr *a;
	uint32_t n;
	/* a[last..n) came from the last field of that name (RFC 8621 takes only
	 * it; RFC 5322 4.5.3 has all fields count as one). */
	uint32_t last;
	bool present;		/* there was such a field, maybe empty */
	size_t cap;		/* private */
};

struct mime_date {
	bool ok;
	int64_t t;		/* seconds since 1970, UTC */
	int16_t offset_min;	/* of the zone, east is positive */
};

/* The envelope: header fields of the root part of a message.  Where a field
 * occurs more than once its last occurrence counts, except to, cc and bcc. */
struct mime_env {
	struct slice date;		/* as written, unfolded */
	struct slice subject;		/* raw: unfolded, trimmed, undecoded */
	struct mime_addrs from, sender, reply_to, to, cc, bcc;
	struct slice in_reply_to, message_id, references; /* unfolded, trimmed */
	struct mime_date sent;		/* date, parsed */
};

#define MIME_SIZE_UNKNOWN UINT64_MAX

struct mime_part {
	struct mime_part *parent, *child, *next; /* child: the first */
	enum mime_kind kind;
	uint32_t id;		/* 0 for the root, counted in preorder */
	uint32_t number;	/* among its siblings, from 1 */
	uint32_t depth;		/* 0 for the root */
	uint32_t n_children;

	/* Offsets from the start of the outermost message.  The header includes
	 * the empty line that ends it; the body follows it at once, and excludes
	 * the line end before a boundary (RFC 2046 5.1.1). */
	uint64_t header_off, header_len;
	uint64_t body_off, body_len;
	uint64_t body_lines;	/* LF octets in the body */
	/* Octets after transfer decoding; UNKNOWN before mime_measure(). */
	uint64_t decoded_len;
	bool encoding_problem;	/* set by mime_measure() */

	/* Content-Type.  Never absent: a missing or unusable field gives the
	 * default (text/plain, in a digest message/rfc822) and type_implied.
	 * As written; compare with mime_part_is(). */
	struct slice type, subtype;
	bool type_implied;
	struct mime_param *params;
	uint32_t n_params;

	enum mime_encoding encoding;	/* 7BIT if the field is missing */
	struct slice encoding_name;	/* as written; absent if missing */

	struct slice disposition;	/* as written; absent if missing */
	struct mime_param *disp_params;
	uint32_t n_disp_params;

	struct slice content_id;	/* as written, with <> */
	struct slice description;	/* raw: unfolded, undecoded */
	struct slice md5;
	struct slice location;		/* unfolded, blanks removed */
	struct slice *languages;
	uint32_t n_languages;

	/* Not NULL exactly in the root part of a message: of the whole, and the
	 * child of a MIME_MESSAGE part. */
	struct mime_env *env;
};

struct mime_msg {
	struct mime_part *root;
	uint32_t n_parts;
	uint64_t size;		/* octets (RFC822.SIZE) */
	bool limited;		/* a limit was hit */
	bool has_attachment;	/* RFC 8621 4.1.4, see mime_bodies() */
	struct slice preview;	/* absent before mime_measure() */
	/* Raw fields of the root header, in order, those whose name is in
	 * mime_header_cached(); {NULL,0} if they are too long to be kept. */
	struct slice cached;
};

/*
 * Parses raw, which may be mapped.  NULL limits: the defaults.  Always 0.
 * The tree points into raw.  Of the arena it takes some KB for an ordinary
 * message and, by the default limits, less than 50 MB for any.
 */
int mime_parse(struct slice raw, const struct mime_limits *lim, struct arena *a,
    struct mime_msg **m_r);
/* Fills in what needs the bodies decoded: decoded_len and encoding_problem of
 * each leaf, and the preview.  raw is the same octets. */
void mime_measure(struct mime_msg *m, struct slice raw, struct arena *a);

/* Preorder; NULL at the end.  Start with m->root. */
struct mime_part *mime_part_next(const struct mime_part *p);
struct mime_part *mime_part_by_id(const struct mime_msg *m, uint32_t id);
/*
 * The part of an IMAP section path (RFC 9051 6.4.5.1): n == 0 is the message.
 * A non-multipart message has part 1, its body: the same part as the message's
 * root (whose header is then that of the message).  NULL: no such part.
 */
struct mime_part *mime_part_find(const struct mime_msg *m, const uint32_t *path,
    size_t n);
/* The part's section path as "1.2.3"; the root of a message that is multipart
 * has the path of the message ("" for the outermost). */
int mime_part_path(const struct mime_part *p, struct buf *out);
/* Does it have this type (case-insensitive)?  subtype NULL: any. */
bool mime_part_is(const struct mime_part *p, const char *type,
    const char *subtype);
/* Value of a parameter; absent: {NULL, 0}. */
struct slice mime_param(const struct mime_param *ps, uint32_t n,
    const char *name);
/* The value in RFC 2231's form ("utf-8''a%20b"), for a parameter that is shown as
 * "name*"; where it was not encoded and is US-ASCII, the value itself. */
struct slice mime_param_ext(const struct mime_param *p, struct arena *a);
/* charset parameter of a text part, "us-ascii" if there is none; absent for
 * other types (RFC 8621 4.1.4 charset). */
struct slice mime_part_charset(const struct mime_part *p);
/* The file name for people: disposition's filename, else type's name, decoded
 * to UTF-8, without control characters; or absent. */
struct slice mime_part_name(const struct mime_part *p, struct arena *a);
static inline struct slice
mime_part_header(const struct mime_part *p, struct slice raw)
{
	return slice_make(raw.p + p->header_off, p->header_len);
}
static inline struct slice
mime_part_body(const struct mime_part *p, struct slice raw)
{
	return slice_make(raw.p + p->body_off, p->body_len);
}

/* The decomposition of RFC 8621 section 4.1.4. */
struct mime_bodies {
	const struct mime_part **text, **html, **attached;
	size_t n_text, n_html, n_attached;
};
void mime_bodies(const struct mime_msg *m, struct arena *a,
    struct mime_bodies *b_r);

/* ---- record ------------------------------------------------------------ */

enum { MIME_RECORD_VERSION = 1 };
/*
 * Appends at most max octets: all of *m.  If that is more than max, a record
 * of an opaque message with limited set; -1 only if out refuses or max < 512.
 */
int mime_record_encode(const struct mime_msg *m, size_t max, struct buf *out);
/* The tree points into record.  -1: of another version or malformed. */
int mime_record_decode(struct slice record, struct arena *a,
    struct mime_msg **m_r);

/* ---- header fields ----------------------------------------------------- */

struct mime_field {
	struct slice raw;	/* all of it, with its line end(s) */
	struct slice name;	/* without blanks before the colon */
	struct slice value;	/* after the colon, folds as they are, without
				 * the final line end */
};
struct mime_fields {	/* an iterator */
	const char *p, *end;
};
/* header: from the first field; stops at the empty line or the end. */
void mime_fields_init(struct mime_fields *it, struct slice header);
/* 1, or 0 at the end.  A line that is no field is taken as a continuation of
 * the field before it (RFC 7103 7.2), or skipped if there is none. */
int mime_fields_next(struct mime_fields *it, struct mime_field *f_r);
/* nth >= 0 counts from the first, -1 is the last.  1 if found. */
int mime_field_find(struct slice header, const char *name, int nth,
    struct mime_field *f_r);
/*
 * IMAP's HEADER.FIELDS (not = false) and HEADER.FIELDS.NOT: appends the raw
 * fields in order and the final CRLF.
 */
int mime_header_filter(struct slice header, const struct slice *names,
    size_t n_names, bool not, struct buf *out);
/* Is a field of that name kept in mime_msg.cached?  If all names of a
 * HEADER.FIELDS are, filter mime_msg.cached and don't read the message. */
bool mime_header_cached(struct slice name);

/* ---- texts in header fields -------------------------------------------- */

/* Without the line ends of folding and without NUL.  No copy if it has none. */
struct slice mime_unfold(struct arena *a, struct slice value);
/*
 * For people, RFC 8621 4.1.2.2 (Text): unfolded, trimmed, encoded words decoded
 * (RFC 2047; those which stand where they may; characters split over adjacent
 * words are joined), without control characters, valid UTF-8 in NFC.
 */
struct slice mime_text(struct arena *a, struct slice value);
/*
 * To be compared, RFC 5255 4.6: the same, not in NFC.  *octets_r is absent, or
 * what is encoded as it is without any conversion to UTF-8 if that went wrong
 * (unknown charset, octets that it doesn't have).
 */
struct slice mime_text_octets(struct arena *a, struct slice value,
    struct slice *octets_r);
/* mime_text() where encoded words are not allowed but seen: in parameters and
 * quoted strings.  They are decoded wherever they stand. */
struct slice mime_words_decode(struct arena *a, struct slice value);
/* mime_text() of what was decoded before: what looks like an encoded word now
 * is none. */
struct slice mime_text_wordless(struct arena *a, struct slice value);
/*
 * A value with parameters (RFC 2045 5.1, RFC 2231 continuations, charsets and
 * languages): value_r is the token before the first ';', without comments.
 */
void mime_params_parse(struct slice field, uint32_t max, struct arena *a,
    struct slice *value_r, struct mime_param **p_r, uint32_t *n_r);
/* An address list; max bounds the entries. */
void mime_addrs_parse(struct slice value, uint32_t max, struct arena *a,
    struct mime_addrs *l_r);
/* "local@domain" with the local part quoted where it needs to be. */
struct slice mime_addr_email(const struct mime_addr *ad, struct arena *a);
/* RFC 5322 with obsolete forms, and what else is seen.  ok is false where
 * there is no usable date. */
struct mime_date mime_date_parse(struct slice value);
/* Message ids of a References-like value, without <>; max bounds them (the
 * first and the last are kept). */
void mime_msgids_parse(struct slice value, uint32_t max, struct arena *a,
    struct slice **ids_r, uint32_t *n_r);
/* RFC 5256 2.1 of a raw subject; UTF-8, not case-folded.  *reply_r (may be
 * NULL): it was a reply or a forward. */
struct slice mime_base_subject(struct slice subject, struct arena *a,
    bool *reply_r);
/* Of one that is decoded. */
struct slice mime_base_subject_of(struct slice text, struct arena *a,
    bool *reply_r);

/* ---- transfer encodings ------------------------------------------------ */

enum mime_encoding mime_encoding_from(struct slice name);

struct mime_decoder {	/* streaming; no memory of its own */
	enum mime_encoding enc;
	bool problem;		/* something was not as the encoding says */
	uint64_t out;		/* octets produced */
	/* private */
	uint32_t bits;
	unsigned n, state, pend_n;
	char pend[80];
};
void mime_decoder_init(struct mime_decoder *d, enum mime_encoding enc);
/* Appends the decoded octets; out == NULL: only counts.  -1: out refused. */
int mime_decoder_feed(struct mime_decoder *d, struct slice in, struct buf *out);
/* The input ended; afterwards problem is final. */
int mime_decoder_finish(struct mime_decoder *d, struct buf *out);
/*
 * The whole body, decoded; identity encodings are not copied.  *problem_r (may
 * be NULL).  UNKNOWN decodes as itself with a problem.
 */
struct slice mime_decode(enum mime_encoding enc, struct slice body,
    struct arena *a, bool *problem_r);

/* ---- character sets ---------------------------------------------------- */

struct mime_charset; /* opaque: a converter to UTF-8 */
/*
 * name may be absent or unknown: then input that is valid UTF-8 is taken as
 * such and other octets as windows-1252.  Never NULL.
 */
struct mime_charset *mime_charset_new(struct slice name);
void mime_charset_free(struct mime_charset **c);
/* Appends UTF-8 with U+FFFD for what is malformed.  -1: out refused. */
int mime_charset_feed(struct mime_charset *c, struct slice in, struct buf *out);
int mime_charset_finish(struct mime_charset *c, struct buf *out);
/* Malformed input, or an unknown name. */
bool mime_charset_problem(const struct mime_charset *c);
/* Can octets of that name be converted (BADCHARSET of IMAP SEARCH)? */
bool mime_charset_known(struct slice name);
/* All at once.  Valid UTF-8 comes out always. */
struct slice mime_to_utf8(struct arena *a, struct slice charset, struct slice s,
    bool *problem_r);

/* ---- bodies as text ---------------------------------------------------- */

struct mime_value {	/* RFC 8621 EmailBodyValue */
	struct slice text;	/* UTF-8, LF line ends */
	bool encoding_problem, truncated;
};
/*
 * Decoded text of a leaf; at most max octets (0: no limit) cut between two
 * characters, and not inside a tag in HTML.  Memory in proportion to the result.
 */
void mime_part_text(const struct mime_part *p, struct slice raw, size_t max,
    struct arena *a, struct mime_value *v_r);
/*
 * What a reader would see of HTML, paragraphs on lines of their own.  Looks at
 * max_in octets of content; parsing is bounded in time and memory.
 */
struct slice mime_html_text(struct slice html, size_t max_in, struct arena *a);
/* RFC 8621 preview, RFC 8970: <= 256 characters of plain text, one line. */
struct slice mime_preview(const struct mime_msg *m, struct slice raw,
    struct arena *a);

/* ---- searching --------------------------------------------------------- */

struct mime_needle;	/* a text to be found */
/* In full case folding and NFKC.  text is UTF-8; -1 if it isn't.  An empty one
 * is in everything. */
int mime_needle_new(struct slice text, struct arena *a,
    struct mime_needle **n_r);
/* By a comparator, of those with substrings, and octet by octet in what can't
 * be converted to UTF-8 (RFC 5255 4.6). */
int mime_needle_collated(struct slice text, enum collation c, struct arena *a,
    struct mime_needle **n_r);
/* Is it in this UTF-8 text? */
bool mime_needle_in(const struct mime_needle *n, struct slice text);
/* Is it in the decoded value of a header field? */
bool mime_needle_in_value(const struct mime_needle *n, struct slice value);
/* Is it in a body of a text or message part?  Decodes in bounded memory. */
bool mime_needle_in_body(const struct mime_needle *n, const struct mime_part *p,
    struct slice raw);
/* IMAP SEARCH BODY and TEXT: in any text part (with headers: also in any header
 * of the message and its parts). */
bool mime_needle_in_msg(const struct mime_needle *n, const struct mime_msg *m,
    struct slice raw, bool headers);

/* ---- line ends --------------------------------------------------------- */

/* Turns bare LF and bare CR into CRLF, over any cuts of the input.  Zero value
 * is the start. */
struct mime_crlf {
	bool cr;	/* a CR is held back */
};
/* True: in may pass as it is (and counts as fed).  False: feed it. */
bool mime_crlf_clean(struct mime_crlf *c, struct slice in);
int mime_crlf_feed(struct mime_crlf *c, struct slice in, struct buf *out);
/* The input ended: a CR held back comes out. */
int mime_crlf_finish(struct mime_crlf *c, struct buf *out);

#endif
