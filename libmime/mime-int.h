/* libmime/mime-int.h - what the files of libmime share */
#ifndef MIME_MIME_INT_H
#define MIME_MIME_INT_H

#include "libmime/mime.h"

/* No tree is deeper, whatever the limits say: others recurse over it. */
enum { MIME_DEPTH_MAX = 250 };

static inline bool
mime_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
mime_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline unsigned char
mime_lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

/* Is s this lower-case text? */
static inline bool
mime_is(struct slice s, const char *text)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (text[i] == '\0' ||
		    mime_lower(s.p[i]) != (unsigned char)text[i])
			return false;
	return text[i] == '\0';
}

/* An absent value as an empty one, whose ends can be computed. */
static inline struct slice
mime_set(struct slice s)
{
	return s.p != NULL ? s : slice_make("", 0);
}

/* fields.c: the length of the field name at p; 0 if the line is no field.
 * *value_r: after the colon. */
size_t mime_field_line(const char *p, const char *end, const char **value_r);
/* Only blanks up to the line's end? */
bool mime_blank_line(const char *p, const char *end);

/* params.c: type and subtype; -1: unusable. */
int mime_type_parse(struct slice value, uint32_t max, struct arena *a,
    struct slice *type_r, struct slice *subtype_r, struct mime_param **p_r,
    uint32_t *n_r);
/* Moves *p over blanks, folds and (nested) comments. */
void mime_skip_cfws(const char **p, const char *end);

/* envelope.c */
struct mime_env_state {	/* last occurrences, while a header is read */
	struct mime_env *env;
	struct slice from, sender, reply_to;
	struct slice date, subject, in_reply_to, message_id, references;
	uint32_t *addrs_left;	/* of the message */
};
/* Is the field one of the envelope's?  Then it is taken. */
bool mime_env_field(struct mime_env_state *s, struct slice name,
    struct slice value, struct arena *a);
void mime_env_finish(struct mime_env_state *s, struct arena *a);
/* addr.c: mime_addrs_parse() onto the end of a list. */
void mime_addrs_append(struct slice value, uint32_t max, struct arena *a,
    struct mime_addrs *l);

/* content.c: takes the Content-* fields of a part. */
void mime_content_field(struct mime_part *p, struct slice name,
    struct slice value, uint32_t max_params, struct arena *a);
/* The type where there is no usable field. */
void mime_content_default(struct mime_part *p, bool digest);

/* charset.c: appends s as UTF-8 by the rules for an unlabelled text. */
struct slice mime_guess_utf8(struct arena *a, struct slice s, bool *problem_r);

/* bodies.c */
bool mime_has_attachment(const struct mime_bodies *b);

#endif
