/* imapd/bodystructure.c - BODY and BODYSTRUCTURE (RFC 9051 7.5.2) */
#include "config.h"

#include "imapd/fetch.h"

/* One that was written in RFC 2231's form is shown in it: a string of IMAP has
 * no other way to tell the charset. */
static void
put_encoded_param(struct enc *e, const struct mime_param *p)
{
	struct arena *a = arena_new(0);
	char *name = arena_printf(a, "%.*s*", (int)p->name.n, p->name.p);

	enc_string(e, slice_str(name));
	enc_raw(e, " ");
	enc_string(e, mime_param_ext(p, a));
	arena_free(&a);
}

static void
put_params(struct enc *e, const struct mime_param *p, uint32_t n)
{
	if (n == 0) {
		enc_raw(e, "NIL");
		return;
	}
	enc_raw(e, "(");
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			enc_raw(e, " ");
		if (p[i].encoded) {
			put_encoded_param(e, &p[i]);
			continue;
		}
		enc_string(e, p[i].name);
		enc_raw(e, " ");
		enc_string(e, p[i].value);
	}
	enc_raw(e, ")");
}

/* body-fld-dsp body-fld-lang body-fld-loc */
static void
put_ext(struct enc *e, const struct mime_part *p)
{
	enc_raw(e, " ");
	if (p->disposition.p == NULL || p->disposition.n == 0)
		enc_raw(e, "NIL");
	else {
		enc_raw(e, "(");
		enc_string(e, p->disposition);
		enc_raw(e, " ");
		put_params(e, p->disp_params, p->n_disp_params);
		enc_raw(e, ")");
	}
	enc_raw(e, " ");
	if (p->n_languages == 0)
		enc_raw(e, "NIL");
	else if (p->n_languages == 1)
		enc_string(e, p->languages[0]);
	else {
		enc_raw(e, "(");
		for (uint32_t i = 0; i < p->n_languages; i++) {
			if (i > 0)
				enc_raw(e, " ");
			enc_string(e, p->languages[i]);
		}
		enc_raw(e, ")");
	}
	enc_raw(e, " ");
	enc_nstring(e, p->location);
}

static void
put_multipart(struct enc *e, const struct mime_part *p, bool extended)
{
	enc_raw(e, "(");
	for (const struct mime_part *c = p->child; c != NULL; c = c->next)
		bodystructure_put(e, c, extended);
	enc_raw(e, " ");
	enc_string(e, p->subtype);
	if (extended) {
		enc_raw(e, " ");
		put_params(e, p->params, p->n_params);
		put_ext(e, p);
	}
	enc_raw(e, ")");
}

/*
 * The type as a client can make sense of it.  A message or multipart whose
 * inside can't be addressed (it is encoded, too deep, has no boundary) must not
 * be called one: the grammar would want its envelope or its parts.
 */
static void
put_type(struct enc *e, const struct mime_part *p)
{
	struct slice type = p->type, subtype = p->subtype;

	if (p->kind == MIME_MESSAGE) {
		type = SLICE_LIT("message");
		subtype = SLICE_LIT("rfc822");
	} else if (mime_part_is(p, "multipart", NULL)) {
		type = SLICE_LIT("text");
		subtype = SLICE_LIT("plain");
	} else if (mime_part_is(p, "message", "rfc822") ||
	    mime_part_is(p, "message", "global")) {
		type = SLICE_LIT("application");
		subtype = SLICE_LIT("octet-stream");
	}
	enc_string(e, type);
	enc_raw(e, " ");
	enc_string(e, subtype);
}

void
bodystructure_put(struct enc *e, const struct mime_part *p, bool extended)
{
	if (p->kind == MIME_MULTIPART) {
		put_multipart(e, p, extended);
		return;
	}
	enc_raw(e, "(");
	put_type(e, p);
	enc_raw(e, " ");
	put_params(e, p->params, p->n_params);
	enc_raw(e, " ");
	enc_nstring(e, p->content_id);
	enc_raw(e, " ");
	enc_nstring(e, p->description);
	enc_raw(e, " ");
	enc_string(e, p->encoding_name.n > 0 ? p->encoding_name :
	    SLICE_LIT("7bit"));
	enc_raw(e, " ");
	enc_u64(e, p->body_len);
	if (p->kind == MIME_MESSAGE) {
		enc_raw(e, " ");
		envelope_put(e, p->child->env);
		enc_raw(e, " ");
		bodystructure_put(e, p->child, extended);
	}
	if (p->kind == MIME_MESSAGE || mime_part_is(p, "text", NULL) ||
	    mime_part_is(p, "multipart", NULL)) {
		enc_raw(e, " ");
		enc_u64(e, p->body_lines);
	}
	if (extended) {
		enc_raw(e, " ");
		enc_nstring(e, p->md5);
		put_ext(e, p);
	}
	enc_raw(e, ")");
}
