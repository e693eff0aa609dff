/* jmap-fcgi/email-body.c - body parts and their values (RFC 8621 4.1.4) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email.h"

/* bodyStructure stops there, whatever the configured nesting. */
enum { STRUCTURE_DEPTH_MAX = 200, PART_CHARGE = 400 };

static bool
is_multipart(const struct mime_part *p)
{
	return p->kind == MIME_MULTIPART;
}

static json_t *
lower(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ?
		    (char)(s.p[i] + 32) : s.p[i];
	return js_str(slice_make(p, s.n));
}

static json_t *
part_id(const struct mime_part *p)
{
	struct buf b;
	json_t *v;

	buf_init(&b, 4096);
	if (mime_part_path(p, &b) < 0 || b.n == 0) {
		buf_reset(&b);
		buf_printf(&b, "p%u", (unsigned)p->id);
	}
	v = js_str(buf_slice(&b));
	buf_release(&b);
	return v;
}

static json_t *
get_part_id(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;

	(void)c;
	(void)name;
	return is_multipart(ep->part) ? json_null() : part_id(ep->part);
}

static json_t *
get_blob_id(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;
	char id[BLOB_TEXT_MAX];

	(void)name;
	if (is_multipart(ep->part))
		return json_null();
	if (ep->email->parsed == NULL)
		blob_part_text(&ep->email->e.blob, ep->part, id);
	else if (blob_inner_text(ep->email->parsed, ep->part, id) < 0)
		return type_fail(c, JMAP_E_FAIL);
	return json_string(id);
}

static json_t *
get_size(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;
	uint64_t n = ep->part->decoded_len;

	(void)c;
	(void)name;
	if (is_multipart(ep->part) || n == MIME_SIZE_UNKNOWN)
		n = ep->part->body_len;
	return json_integer((json_int_t)n);
}

static json_t *
get_headers(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;
	struct slice h;
	int rc;

	(void)name;
	if ((rc = email_part_header(c, ep->email, ep->part, &h)) < 0)
		return type_fail(c, rc);
	return header_list(c->req->scratch, h);
}

static json_t *
get_header(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;
	struct header_prop h;
	struct slice octets;
	const char *desc;
	int rc;

	if (header_prop_parse(slice_str(name), &h, &desc) < 0)
		return type_fail(c, JMAP_E_ARGS);
	if ((rc = email_part_header(c, ep->email, ep->part, &octets)) < 0)
		return type_fail(c, rc);
	return header_prop_get(c->req->scratch, &h, octets);
}

static json_t *
get_name(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;

	(void)name;
	return js_str_or_null(mime_part_name(ep->part, c->req->scratch));
}

static json_t *
get_type(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_part *p = ((struct email_part *)obj)->part;
	struct arena *a = c->req->scratch;

	(void)name;
	return lower(a, slice_str(arena_printf(a, "%.*s/%.*s",
	    (int)p->type.n, p->type.p, (int)p->subtype.n, p->subtype.p)));
}

static json_t *
get_charset(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;

	(void)c;
	(void)name;
	return js_str_or_null(mime_part_charset(ep->part));
}

static json_t *
get_disposition(struct jmap_call *c, void *obj, const char *name)
{
	struct slice d = ((struct email_part *)obj)->part->disposition;

	(void)name;
	return d.p != NULL ? lower(c->req->scratch, d) : json_null();
}

static json_t *
get_cid(struct jmap_call *c, void *obj, const char *name)
{
	struct slice s = ((struct email_part *)obj)->part->content_id;
	struct slice *ids;
	uint32_t n;

	(void)name;
	if (s.p == NULL)
		return json_null();
	mime_msgids_parse(s, 1, c->req->scratch, &ids, &n);
	return js_str(n == 1 ? ids[0] : slice_trim(s));
}

static json_t *
get_language(struct jmap_call *c, void *obj, const char *name)
{
	const struct mime_part *p = ((struct email_part *)obj)->part;
	json_t *list;

	(void)c;
	(void)name;
	if (p->n_languages == 0)
		return json_null();
	list = json_array();
	for (uint32_t i = 0; i < p->n_languages; i++)
		json_array_append_new(list, js_str(p->languages[i]));
	return list;
}

static json_t *
get_location(struct jmap_call *c, void *obj, const char *name)
{
	(void)c;
	(void)name;
	return js_str_or_null(((struct email_part *)obj)->part->location);
}

static json_t *structure(struct jmap_call *c, struct email *em,
    const struct mime_part *p);

static json_t *
get_sub_parts(struct jmap_call *c, void *obj, const char *name)
{
	struct email_part *ep = obj;
	json_t *list, *v;

	(void)name;
	if (!is_multipart(ep->part))
		return json_null();
	list = json_array();
	for (const struct mime_part *p = ep->part->child; p != NULL;
	    p = p->next) {
		if ((v = structure(c, ep->email, p)) == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, v);
	}
	return list;
}

static const struct jmap_prop part_props[] = {
	/* clang-format off */
	{ "partId",	PROP_DEFAULT,	get_part_id,	NULL },
	{ "blobId",	PROP_DEFAULT,	get_blob_id,	NULL },
	{ "size",	PROP_DEFAULT,	get_size,	NULL },
	{ "headers",	0,		get_headers,	NULL },
	{ "name",	PROP_DEFAULT,	get_name,	NULL },
	{ "type",	PROP_DEFAULT,	get_type,	NULL },
	{ "charset",	PROP_DEFAULT,	get_charset,	NULL },
	{ "disposition", PROP_DEFAULT,	get_disposition, NULL },
	{ "cid",	PROP_DEFAULT,	get_cid,	NULL },
	{ "language",	PROP_DEFAULT,	get_language,	NULL },
	{ "location",	PROP_DEFAULT,	get_location,	NULL },
	{ "subParts",	0,		get_sub_parts,	NULL },
	{ NULL,		0,		NULL,		NULL }
	/* clang-format on */
};

static const struct jmap_prop *
part_other(struct slice name, const char **desc_r)
{
	static const struct jmap_prop header = { "header:", 0, get_header,
		NULL };
	struct header_prop h;
	const char *desc;

	if (header_prop_parse(name, &h, &desc) == 0)
		return &header;
	if (desc_r != NULL)
		*desc_r = desc;
	return NULL;
}

const struct jmap_type email_part_type = {
	.name = "EmailBodyPart",
	.props = part_props,
	.other = part_other,
};

static json_t *
encode_part(struct jmap_call *c, struct email *em, const struct mime_part *p)
{
	struct email_part ep = { em, p };
	json_t *o;
	int rc;

	if ((rc = jmap_charge(c, PART_CHARGE)) < 0)
		return type_fail(c, rc);
	o = type_encode(c, em->opts->part, em->opts->n_part, &ep, &rc);
	return o != NULL ? o : type_fail(c, rc);
}

/* A multipart always has its subParts here: without them it says nothing. */
static json_t *
structure(struct jmap_call *c, struct email *em, const struct mime_part *p)
{
	struct email_part ep = { em, p };
	json_t *o = encode_part(c, em, p), *subs;

	if (o == NULL || !is_multipart(p) ||
	    json_object_get(o, "subParts") != NULL)
		return o;
	subs = p->depth < STRUCTURE_DEPTH_MAX ?
	    get_sub_parts(c, &ep, NULL) : json_array();
	if (subs == NULL) {
		json_decref(o);
		return NULL;
	}
	js_put(o, "subParts", subs);
	return o;
}

json_t *
email_get_structure(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	int rc;

	(void)name;
	if ((rc = email_mime(c, em)) < 0)
		return type_fail(c, rc);
	return structure(c, em, em->mime->root);
}

json_t *
email_get_list(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	const struct mime_part **p;
	json_t *list, *v;
	size_t n;
	int rc;

	if ((rc = email_bodies(c, em)) < 0)
		return type_fail(c, rc);
	p = em->bodies.attached;
	n = em->bodies.n_attached;
	if (strcmp(name, "textBody") == 0) {
		p = em->bodies.text;
		n = em->bodies.n_text;
	} else if (strcmp(name, "htmlBody") == 0) {
		p = em->bodies.html;
		n = em->bodies.n_html;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		if ((v = encode_part(c, em, p[i])) == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, v);
	}
	return list;
}

static int
add_value(struct jmap_call *c, struct email *em, const struct mime_part *p,
    json_t *values)
{
	json_t *id, *o;
	struct mime_value v;
	size_t max = (size_t)em->opts->max_value;
	int rc;

	if (!mime_part_is(p, "text", NULL) || p->kind != MIME_LEAF)
		return 0;
	if ((rc = email_raw(c, em)) < 0)
		return rc;
	id = part_id(p);
	if (json_object_get(values, json_string_value(id)) != NULL) {
		json_decref(id);
		return 0;
	}
	if (max == 0 || max > c->req->left)
		max = c->req->left + 1;
	mime_part_text(p, em->raw, max, c->req->scratch, &v);
	if ((rc = jmap_charge(c, v.truncated && max != em->opts->max_value ?
	    max : v.text.n)) < 0) {
		json_decref(id);
		return rc;
	}
	o = json_object();
	js_put(o, "value", js_str(v.text));
	js_put(o, "isEncodingProblem", json_boolean(v.encoding_problem));
	js_put(o, "isTruncated", json_boolean(v.truncated));
	js_put(values, json_string_value(id), o);
	json_decref(id);
	return 0;
}

static int
add_values(struct jmap_call *c, struct email *em,
    const struct mime_part **p, size_t n, json_t *values)
{
	int rc;

	for (size_t i = 0; i < n; i++)
		if ((rc = add_value(c, em, p[i], values)) < 0)
			return rc;
	return 0;
}

/* The parts of bodyStructure, not what is inside attached messages. */
static int
add_all_values(struct jmap_call *c, struct email *em,
    const struct mime_part *p, json_t *values)
{
	int rc = 0;

	if (!is_multipart(p))
		return add_value(c, em, p, values);
	if (p->depth > STRUCTURE_DEPTH_MAX)
		return 0;
	for (p = p->child; p != NULL && rc == 0; p = p->next)
		rc = add_all_values(c, em, p, values);
	return rc;
}

json_t *
email_get_values(struct jmap_call *c, void *obj, const char *name)
{
	struct email *em = obj;
	const struct email_opts *o = em->opts;
	json_t *values = json_object();
	int rc = 0;

	(void)name;
	if (o->text_values || o->html_values || o->all_values)
		rc = email_bodies(c, em);
	if (rc == 0 && o->text_values)
		rc = add_values(c, em, em->bodies.text, em->bodies.n_text,
		    values);
	if (rc == 0 && o->html_values)
		rc = add_values(c, em, em->bodies.html, em->bodies.n_html,
		    values);
	if (rc == 0 && o->all_values)
		rc = add_all_values(c, em, em->mime->root, values);
	if (rc < 0) {
		json_decref(values);
		return type_fail(c, rc);
	}
	return values;
}
