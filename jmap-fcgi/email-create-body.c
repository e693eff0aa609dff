/* jmap-fcgi/email-create-body.c - the parts of a new message (RFC 8621 4.6) */
#include "config.h"

#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/email-create.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libmime/write.h"

enum { PARTS_MAX = 1000, HEADER_MAX = 256 << 10 };

/* An EmailBodyPart while it is looked at. */
struct part {
	struct create *cr;
	json_t *o;
	struct buf header;
	struct slice type;
	bool ok;
};

void
create_bad(struct create *cr, const char *prop)
{
	json_t *v;
	size_t i;

	json_array_foreach(cr->bad, i, v)
		if (strcmp(json_string_value(v), prop) == 0)
			return;
	json_array_append_new(cr->bad, json_string(prop));
}

/* ---- the header of a part ---------------------------------------------- */

static bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 33 || s.p[i] > 126 ||
		    strchr("()<>@,;:\\\"/[]?=", s.p[i]) != NULL)
			return false;
	return s.n > 0 && s.n < 128;
}

static bool
is_type(struct slice s)
{
	const char *slash = s.n > 0 ? memchr(s.p, '/', s.n) : NULL;
	size_t n = slash != NULL ? (size_t)(slash - s.p) : 0;

	return slash != NULL && is_token(slice_make(s.p, n)) &&
	    is_token(slice_make(slash + 1, s.n - n - 1));
}

/* A property that is a string, or null as if it were absent. */
static struct slice
text_prop(struct part *p, const char *name)
{
	json_t *v = json_object_get(p->o, name);

	if (v != NULL && !json_is_string(v) && !json_is_null(v))
		p->ok = false;
	return js_slice(v);
}

static void
put_type(struct part *p, struct slice boundary)
{
	struct slice name = text_prop(p, "name");
	struct slice charset = text_prop(p, "charset");
	struct mime_writer w;

	if (text_prop(p, "partId").p != NULL) {
		if (charset.p != NULL)
			p->ok = false;
		charset = SLICE_LIT("utf-8");
	}
	mime_write_begin(&w, &p->header, SLICE_LIT("Content-Type"));
	mime_write_token(&w, p->type);
	if (charset.p != NULL && (!is_token(charset) ||
	    mime_write_param(&w, "charset", charset) < 0))
		p->ok = false;
	if (name.p != NULL && mime_write_param(&w, "name", name) < 0)
		p->ok = false;
	if (boundary.p != NULL)
		mime_write_param(&w, "boundary", boundary);
	mime_write_end(&w);
}

static void
put_disposition(struct part *p)
{
	struct slice disposition = text_prop(p, "disposition");
	struct slice name = text_prop(p, "name");
	struct mime_writer w;

	if (disposition.p == NULL)
		return;
	if (!is_token(disposition))
		p->ok = false;
	mime_write_begin(&w, &p->header, SLICE_LIT("Content-Disposition"));
	mime_write_token(&w, disposition);
	if (name.p != NULL && mime_write_param(&w, "filename", name) < 0)
		p->ok = false;
	mime_write_end(&w);
}

static void
put_language(struct part *p)
{
	json_t *list = json_object_get(p->o, "language"), *v;
	size_t i, n = json_array_size(list);
	struct mime_writer w;

	if (list == NULL || json_is_null(list))
		return;
	if (n == 0) {
		p->ok = p->ok && json_is_array(list);
		return;
	}
	mime_write_begin(&w, &p->header, SLICE_LIT("Content-Language"));
	json_array_foreach(list, i, v) {
		if (!is_token(js_slice(v)))
			p->ok = false;
		mime_write_token(&w, js_slice(v));
		if (i + 1 < n)
			mime_write_more(&w, SLICE_LIT(","));
	}
	mime_write_end(&w);
}

static void
put_string(struct part *p, const char *prop, const char *field, bool angles)
{
	json_t *v = json_object_get(p->o, prop), *list;
	struct header_prop h;

	if (v == NULL || json_is_null(v))
		return;
	memset(&h, 0, sizeof(h));
	memcpy(h.field, field, strlen(field) + 1);
	h.form = angles ? FORM_IDS : FORM_TEXT;
	list = json_pack("[O]", v);
	if (!json_is_string(v) ||
	    create_field(&p->header, &h, angles ? list : v) < 0)
		p->ok = false;
	json_decref(list);
}

static bool
has_prop(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return v != NULL && !json_is_null(v);
}

/* "header:..." of a part; not the fields that a property has written, nor those
 * that are for us to write. */
static void
put_fields(struct part *p)
{
	static const struct {
		const char *field, *prop;
	} own[] = {
		{ "Content-Type", NULL }, { "MIME-Version", NULL },
		{ "Content-Transfer-Encoding", NULL },
		{ "Content-Disposition", "disposition" },
		{ "Content-ID", "cid" }, { "Content-Language", "language" },
		{ "Content-Location", "location" }
	};
	struct slice names[CREATE_FIELDS_MAX];
	struct create_names seen = { names, 0, CREATE_FIELDS_MAX };
	const char *key, *desc;
	json_t *v;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].prop == NULL || has_prop(p->o, own[i].prop))
			create_name_add(&seen, slice_str(own[i].field));
	json_object_foreach(p->o, key, v) {
		struct header_prop *h;

		if (strncmp(key, "header:", 7) != 0)
			continue;
		h = arena_alloc(p->cr->c->arena, sizeof(*h));
		if (seen.n == CREATE_FIELDS_MAX ||
		    header_prop_parse(slice_str(key), h, &desc) < 0 ||
		    !create_name_add(&seen, slice_str(h->field)) ||
		    create_field(&p->header, h, v) < 0)
			p->ok = false;
	}
}

static void
check_names(struct part *p)
{
	static const char *const known[] = { "partId", "blobId", "size",
		"name", "type", "charset", "disposition", "cid", "language",
		"location", "subParts", NULL };
	const char *key;
	json_t *v;

	json_object_foreach(p->o, key, v) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL && strncmp(key, "header:", 7) != 0)
			p->ok = false;
	}
}

/* ---- parts ------------------------------------------------------------- */

static struct piece *
piece_new(struct create *cr, enum piece_kind kind)
{
	struct piece *pc = arena_alloc(cr->c->arena, sizeof(*pc));
	unsigned char rnd[12];
	struct buf b;

	pc->kind = kind;
	cr->n_parts++;
	if (kind == PIECE_MULTI) {
		/* Neither base64 nor quoted-printable has "=_". */
		random_bytes(rnd, sizeof(rnd));
		buf_init(&b, 64);
		buf_add_str(&b, "=_");
		hex_encode(&b, slice_make((char *)rnd, sizeof(rnd)));
		pc->boundary = arena_slice(cr->c->arena, buf_slice(&b));
		buf_release(&b);
	}
	return pc;
}

/* A multipart of our own making. */
static struct piece *
multi_new(struct create *cr, const char *subtype)
{
	struct piece *pc = piece_new(cr, PIECE_MULTI);
	struct mime_writer w;
	struct buf b;

	buf_init(&b, 200);
	mime_write_begin(&w, &b, SLICE_LIT("Content-Type"));
	buf_printf(&b, " multipart/%s", subtype);
	mime_write_param(&w, "boundary", pc->boundary);
	mime_write_end(&w);
	pc->header = arena_slice(cr->c->arena, buf_slice(&b));
	buf_release(&b);
	return pc;
}

static void
adopt(struct piece *parent, struct piece *child)
{
	struct piece **at = &parent->child;

	while (*at != NULL)
		at = &(*at)->next;
	*at = child;
}

/* The text that partId stands for. */
static struct slice
value_of(struct part *p, struct slice part_id)
{
	json_t *values = json_object_get(p->cr->email, "bodyValues");
	json_t *v = json_object_getn(values, part_id.p, part_id.n);
	json_t *text = json_object_get(v, "value");

	if (!json_is_string(text))
		p->ok = false;
	return js_slice(text);
}

static void
find_blob(struct part *p, struct piece *pc)
{
	const struct store_conf *sc = &p->cr->c->req->env->store_conf;
	struct blob b;

	if (blob_open_in(p->cr->c->acct, &sc->mime,
	    id_text(p->cr->c->req, pc->blob), &b) < 0)
		json_array_append_new(p->cr->no_blob, js_str(pc->blob));
	else
		blob_close(&b);
}

static bool
is_blob(json_t *o)
{
	return json_is_string(json_object_get(o, "blobId"));
}

static struct piece *part_read(struct create *cr, json_t *o,
    const char *default_type, bool *ok_r);

static void
read_children(struct part *p, struct piece *pc)
{
	json_t *list = json_object_get(p->o, "subParts"), *o;
	bool digest = slice_ieq(p->type, SLICE_LIT("multipart/digest"));
	size_t i;

	/* RFC 2046 5.1.5 */
	json_array_foreach(list, i, o)
		adopt(pc, part_read(p->cr, o, digest && is_blob(o) ?
		    "message/rfc822" : NULL, &p->ok));
	if (json_array_size(list) == 0)
		p->ok = false;
}

static struct piece *
read_content(struct part *p)
{
	struct slice id = text_prop(p, "partId");
	struct slice blob = text_prop(p, "blobId");
	json_t *sub = json_object_get(p->o, "subParts");
	bool multi = slice_istarts(p->type, SLICE_LIT("multipart/"));
	struct piece *pc;

	pc = piece_new(p->cr, multi ? PIECE_MULTI : id.p != NULL ? PIECE_TEXT :
	    slice_istarts(p->type, SLICE_LIT("message/")) ? PIECE_MESSAGE :
	    PIECE_BLOB);
	if (multi) {
		if (id.p != NULL || blob.p != NULL)
			p->ok = false;
		read_children(p, pc);
		return pc;
	}
	/* RFC 2046 5.2.1: what bodyValues has is encoded, a message is not. */
	if ((id.p != NULL) == (blob.p != NULL) || (id.p != NULL &&
	    slice_istarts(p->type, SLICE_LIT("message/"))) ||
	    (sub != NULL && !json_is_null(sub) && json_array_size(sub) > 0) ||
	    (id.p != NULL && json_object_get(p->o, "size") != NULL))
		p->ok = false;
	pc->blob = blob;
	if (id.p != NULL)
		pc->text = value_of(p, id);
	else if (blob.p != NULL)
		find_blob(p, pc);
	return pc;
}

/* Depth is bounded: the request's JSON is.  *ok_r becomes false for a bad one;
 * default_type NULL: by what it is made of; never NULL. */
static struct piece *
part_read(struct create *cr, json_t *o, const char *default_type, bool *ok_r)
{
	struct part p = { .cr = cr, .o = o, .ok = json_is_object(o) };
	struct piece *pc;

	if (cr->n_parts >= PARTS_MAX) {
		*ok_r = false;
		return piece_new(cr, PIECE_TEXT);
	}
	p.type = text_prop(&p, "type");
	if (p.type.p == NULL)
		p.type = slice_str(default_type != NULL ? default_type :
		    is_blob(o) ? "application/octet-stream" : "text/plain");
	if (!is_type(p.type))
		p.ok = false;
	check_names(&p);
	pc = read_content(&p);
	buf_init(&p.header, HEADER_MAX);
	put_type(&p, pc->boundary);
	put_disposition(&p);
	put_string(&p, "cid", "Content-ID", true);
	put_language(&p);
	put_string(&p, "location", "Content-Location", false);
	put_fields(&p);
	if (p.header.overflow || !p.ok)
		*ok_r = false;
	pc->header = arena_slice(cr->c->arena, buf_slice(&p.header));
	buf_release(&p.header);
	return pc;
}

/* ---- from textBody, htmlBody and attachments --------------------------- */

/* The only part of textBody or htmlBody; NULL: there is none. */
static struct piece *
body_read(struct create *cr, const char *prop, const char *type)
{
	json_t *list = json_object_get(cr->email, prop), *o, *t;
	struct piece *pc;
	bool ok = true;

	if (list == NULL || json_is_null(list))
		return NULL;
	o = json_array_get(list, 0);
	t = json_object_get(o, "type");
	if (!json_is_array(list) || json_array_size(list) != 1 ||
	    (json_is_string(t) && !slice_ieq(js_slice(t), slice_str(type))))
		ok = false;
	pc = part_read(cr, o, type, &ok);
	if (!ok)
		create_bad(cr, prop);
	return pc;
}

/* Shown within the HTML text, not beside it? */
static bool
is_inline(json_t *o)
{
	struct slice d = js_slice(json_object_get(o, "disposition"));

	return json_is_string(json_object_get(o, "cid")) &&
	    !slice_ieq(d, SLICE_LIT("attachment"));
}

/* Attached parts go below mixed, inline ones below related, if there is HTML. */
static void
attachments_read(struct create *cr, struct piece *related,
    struct piece *mixed)
{
	json_t *list = json_object_get(cr->email, "attachments"), *o;
	bool ok = list == NULL || json_is_null(list) || json_is_array(list);
	size_t i;

	json_array_foreach(list, i, o) {
		struct piece *pc = part_read(cr, o, NULL, &ok);

		adopt(related != NULL && is_inline(o) ? related : mixed, pc);
	}
	if (!ok)
		create_bad(cr, "attachments");
}

static struct piece *
both(struct create *cr, const char *subtype, struct piece *a, struct piece *b)
{
	struct piece *pc;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	pc = multi_new(cr, subtype);
	adopt(pc, a);
	adopt(pc, b);
	return pc;
}

/*
 * The fields of the part that is the whole body stand in the header of the
 * message: not those that are there (RFC 8621 4.6).
 */
static void
root_fields(struct create *cr, const char *prop, json_t *o)
{
	struct header_prop h;
	const char *key, *desc;
	json_t *v;

	json_object_foreach(o, key, v) {
		if (header_prop_parse(slice_str(key), &h, &desc) == 0 &&
		    !create_name_add(&cr->names, arena_slice(cr->c->arena,
		    slice_str(h.field))))
			create_bad(cr, prop);
	}
}

static void
root_of_list(struct create *cr, const char *prop)
{
	root_fields(cr, prop,
	    json_array_get(json_object_get(cr->email, prop), 0));
}

static void
create_parts(struct create *cr)
{
	struct piece *text = body_read(cr, "textBody", "text/plain");
	struct piece *html = body_read(cr, "htmlBody", "text/html");
	struct piece *related = html != NULL ? multi_new(cr, "related") : NULL;
	struct piece *mixed = multi_new(cr, "mixed"), *page = html, *files;

	attachments_read(cr, related, mixed);
	if (related != NULL && related->child != NULL) {
		html->next = related->child;
		related->child = html;
		html = related;
	}
	cr->root = both(cr, "alternative", text, html);
	files = mixed->child;
	if (cr->root == NULL && files == NULL) {
		cr->root = piece_new(cr, PIECE_TEXT);
		cr->root->header = SLICE_LIT(
		    "Content-Type: text/plain; charset=utf-8\r\n");
	} else if (files == NULL && cr->root == text) {
		root_of_list(cr, "textBody");
	} else if (files == NULL && cr->root == page) {
		root_of_list(cr, "htmlBody");
	} else if (files != NULL) {
		if (cr->root != NULL) {
			cr->root->next = files;
			mixed->child = cr->root;
		}
		cr->root = mixed;
	}
}

static void
check_values(struct create *cr)
{
	json_t *values = json_object_get(cr->email, "bodyValues"), *v, *k;
	static const char *const flags[] = { "isEncodingProblem",
		"isTruncated" };
	const char *key;

	if (values != NULL && !json_is_null(values) && !json_is_object(values))
		create_bad(cr, "bodyValues");
	json_object_foreach(values, key, v) {
		if (!json_is_string(json_object_get(v, "value")))
			create_bad(cr, "bodyValues");
		for (int i = 0; i < 2; i++) {
			k = json_object_get(v, flags[i]);
			if (k != NULL && !json_is_false(k))
				create_bad(cr, "bodyValues");
		}
	}
}

void
create_body(struct create *cr)
{
	static const char *const others[] = { "textBody", "htmlBody",
		"attachments" };
	json_t *structure = json_object_get(cr->email, "bodyStructure"), *v;
	bool ok = true;

	check_values(cr);
	if (structure == NULL || json_is_null(structure)) {
		create_parts(cr);
		return;
	}
	for (int i = 0; i < 3; i++) {
		v = json_object_get(cr->email, others[i]);
		if (v != NULL && !json_is_null(v))
			create_bad(cr, others[i]);
	}
	cr->root = part_read(cr, structure, NULL, &ok);
	root_fields(cr, "bodyStructure", structure);
	if (!ok)
		create_bad(cr, "bodyStructure");
}
