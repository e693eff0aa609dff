/* jmap-fcgi/blob-get.c - Blob/get and Blob/lookup (RFC 9404 4.2, 4.3) */
#include "config.h"

#include "jmap-fcgi/blob-methods.h"
#include "jmap-fcgi/email.h"
#include "libbase/io.h"
#include "libbase/text.h"

const struct jmap_arg blob_get_args[] = {
	{ "ids", ARG_IDS, ARG_NEED },
	{ "properties", ARG_IDS, ARG_NULL },
	{ "offset", ARG_UINT, ARG_NULL },
	{ "length", ARG_UINT, ARG_NULL },
	{ NULL, 0, 0 }
};

const struct jmap_arg blob_lookup_args[] = {
	{ "typeNames", ARG_IDS, ARG_NEED },
	{ "ids", ARG_IDS, ARG_NEED },
	{ NULL, 0, 0 }
};

static const char *const type_names[] = { "Mailbox", "Thread", "Email" };
enum { TYPES = 3 };

json_t *
blob_capability(const struct conf *cf)
{
	json_t *o = json_object(), *types = json_array(), *algs = json_array();

	js_put(o, "maxSizeBlobSet",
	    json_integer((json_int_t)cf->jmap_max_size_upload));
	js_put(o, "maxDataSources", json_integer(BLOB_SOURCES_MAX));
	for (int i = 0; i < TYPES; i++)
		json_array_append_new(types, json_string(type_names[i]));
	js_put(o, "supportedTypeNames", types);
	for (int i = 0; i < DIGEST_N; i++)
		json_array_append_new(algs,
		    json_string(digest_name((enum digest_alg)i)));
	js_put(o, "supportedDigestAlgorithms", algs);
	return o;
}

/* Calls fn with each id, once; fn: 1: there is no such blob. */
static int
each_id(struct jmap_call *c, int (*fn)(void *arg, struct slice text,
    struct blob *b), void *arg)
{
	json_t *ids = jmap_arg(c, "ids"), *missing = json_array(), *v;
	json_t *seen = json_object();
	struct blob b;
	size_t i;
	int rc = 0;

	js_put(c->out, "notFound", missing);
	json_array_foreach(ids, i, v) {
		struct slice s = id_text(c->req, js_slice(v));

		if (json_object_getn(seen, s.p, s.n) != NULL)
			continue;
		json_object_setn_new(seen, s.p, s.n, json_true());
		arena_reset(c->req->scratch);
		rc = blob_open_in(c->acct, &c->req->env->store_conf.mime, s, &b);
		if (rc == STORE_E_NOTFOUND) {
			json_array_append_new(missing, js_str(s));
			rc = jmap_charge(c, s.n + 3);
		} else if (rc < 0) {
			rc = jmap_store_failed(c->req, c->method->name, rc);
		} else {
			rc = fn(arg, s, &b);
			blob_close(&b);
		}
		if (rc < 0)
			break;
	}
	json_decref(seen);
	return rc;
}

/* ---- Blob/get ---------------------------------------------------------- */

enum { GET_DATA = 1, GET_TEXT = 2, GET_BASE64 = 4, GET_SIZE = 8 };
struct get {
	struct jmap_call *c;
	unsigned what;
	bool digest[DIGEST_N];
	uint64_t offset, length;
	json_t *list;
	struct buf octets;	/* of the range */
	struct digest *d[DIGEST_N];
};

static int
take_property(struct get *g, const char *name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{ "id", 0 }, { "data", GET_DATA }, { "data:asText", GET_TEXT },
		{ "data:asBase64", GET_BASE64 }, { "size", GET_SIZE },
		{ "isEncodingProblem", 0 }, { "isTruncated", 0 }
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0) {
			g->what |= names[i].bit;
			return 0;
		}
	for (int i = 0; i < DIGEST_N; i++)
		if (strncmp(name, "digest:", 7) == 0 && strcmp(name + 7,
		    digest_name((enum digest_alg)i)) == 0) {
			g->digest[i] = true;
			return 0;
		}
	return jmap_bad(g->c, "%.100s: no such property", name);
}

static int
take_args(struct get *g)
{
	json_t *v, *names = jmap_arg(g->c, "properties");
	size_t i;
	int rc;

	json_array_foreach(names, i, v) {
		/* A NUL is in no name. */
		if (strlen(json_string_value(v)) != json_string_length(v))
			return jmap_bad(g->c, "no such property");
		if ((rc = take_property(g, json_string_value(v))) < 0)
			return rc;
	}
	if (names == NULL)
		g->what = GET_DATA | GET_SIZE;
	g->length = UINT64_MAX;
	if ((v = jmap_arg(g->c, "offset")) != NULL)
		js_uint(v, &g->offset);
	if ((v = jmap_arg(g->c, "length")) != NULL)
		js_uint(v, &g->length);
	return 0;
}

static int
take_piece(void *arg, const void *p, size_t n)
{
	struct get *g = arg;

	for (int i = 0; i < DIGEST_N; i++)
		if (g->digest[i])
			digest_add(g->d[i], p, n);
	if ((g->what & (GET_DATA | GET_TEXT | GET_BASE64)) != 0)
		return buf_add(&g->octets, p, n) < 0 ? STORE_E_NOMEM : 0;
	return 0;
}

static void
put_base64(json_t *o, const char *key, struct slice s)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	base64_encode(&b, s);
	js_put(o, key, js_str(b.n > 0 ? buf_slice(&b) : SLICE_LIT("")));
	buf_release(&b);
}

static void
put_data(struct get *g, json_t *o)
{
	struct slice s = g->octets.n > 0 ? buf_slice(&g->octets) :
	    SLICE_LIT("");
	bool wants_text = (g->what & (GET_DATA | GET_TEXT)) != 0;
	bool text = wants_text && utf8_valid(s);

	if (text)
		js_put(o, "data:asText", js_str(s));
	else if ((g->what & GET_TEXT) != 0)
		js_put(o, "data:asText", json_null());
	if (wants_text && !text)
		js_put(o, "isEncodingProblem", json_true());
	if ((g->what & GET_BASE64) != 0 ||
	    ((g->what & GET_DATA) != 0 && !text))
		put_base64(o, "data:asBase64", s);
}

static void
put_digest(struct get *g, enum digest_alg alg, json_t *o)
{
	unsigned char out[DIGEST_MAX];
	char key[32] = "digest:";
	size_t n = digest_finish(&g->d[alg], out);

	memcpy(key + 7, digest_name(alg), strlen(digest_name(alg)) + 1);
	put_base64(o, key, slice_make((const char *)out, n));
}

static int
get_blob(void *arg, struct slice text, struct blob *b)
{
	struct get *g = arg;
	uint64_t off = g->offset < b->size ? g->offset : b->size;
	uint64_t len = g->length < b->size - off ? g->length : b->size - off;
	bool cut = g->offset > b->size ||
	    (g->length != UINT64_MAX && len < g->length);
	size_t most = (g->what & (GET_DATA | GET_TEXT | GET_BASE64)) != 0 ?
	    (size_t)len : 0;
	json_t *o;
	int rc;

	/* Before it takes any memory. */
	if (most > g->c->req->left)
		return jmap_charge(g->c, most);
	for (int i = 0; i < DIGEST_N; i++)
		if (g->digest[i])
			g->d[i] = digest_new((enum digest_alg)i);
	buf_init(&g->octets, SIZE_MAX / 2);
	rc = blob_range(b, off, len, take_piece, g);
	o = json_object();
	js_put(o, "id", js_str(text));
	put_data(g, o);
	for (int i = 0; i < DIGEST_N; i++)
		if (g->digest[i])
			put_digest(g, (enum digest_alg)i, o);
	if ((g->what & GET_SIZE) != 0)
		js_put(o, "size", json_integer((json_int_t)b->size));
	if (cut)
		js_put(o, "isTruncated", json_true());
	buf_release(&g->octets);
	json_array_append_new(g->list, o);
	if (rc < 0)
		return jmap_store_failed(g->c->req, "Blob/get", rc);
	return jmap_charge(g->c, js_size(o, g->c->req->left));
}

int
blob_get(struct jmap_call *c)
{
	struct get g = { .c = c };
	int rc;

	if (json_array_size(jmap_arg(c, "ids")) >
	    c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	if ((rc = take_args(&g)) < 0)
		return rc;
	g.list = json_array();
	js_put(c->out, "list", g.list);
	return each_id(c, get_blob, &g);
}

/* ---- Blob/lookup ------------------------------------------------------- */

struct found {
	struct slice text;
	struct store_blobid blob;
	uint64_t size;		/* of the Emails that may be on it */
	json_t *ids[TYPES];	/* objects used as sets of ids */
};
struct lookup {
	struct jmap_call *c;
	bool want[TYPES];
	struct found *v;
	size_t n;
};

static int
take_types(struct lookup *l)
{
	json_t *v;
	size_t i, k;

	json_array_foreach(jmap_arg(l->c, "typeNames"), i, v) {
		for (k = 0; k < TYPES; k++)
			if (slice_eq(js_slice(v), slice_str(type_names[k])))
				break;
		if (k == TYPES || (l->c->req->using & CAP_MAIL) == 0)
			return JMAP_E_DATA_TYPE;
		l->want[k] = true;
	}
	return 0;
}

static int
add_blob(void *arg, struct slice text, struct blob *b)
{
	struct lookup *l = arg;
	struct found *f = &l->v[l->n++];

	f->text = text;
	f->blob = b->id;
	f->size = store_blob_size(b->b);
	for (int i = 0; i < TYPES; i++)
		f->ids[i] = json_object();
	return 0;
}

static void
add_id(struct found *f, int type, uint64_t id)
{
	char text[STORE_ID_TEXT];

	js_put(f->ids[type], store_id_text("MTE"[type], id, text),
	    json_true());
}

static int
look(void *arg, const struct store_msg_info *m)
{
	struct lookup *l = arg;
	struct jmap_call *c = l->c;
	struct store_email e;
	bool loaded = false;
	int rc;

	for (size_t i = 0; i < l->n; i++) {
		struct found *f = &l->v[i];

		if (f->size != m->size)
			continue;
		if (!loaded) {
			arena_reset(c->req->scratch);
			rc = email_load(c, c->req->scratch, m->email, &e);
			if (rc < 0)
				return rc == STORE_E_NOTFOUND ? 0 : rc;
			loaded = true;
		}
		if (memcmp(&e.blob, &f->blob, sizeof(e.blob)) != 0)
			continue;
		for (size_t k = 0; k < e.n_in; k++)
			add_id(f, 0, e.in[k].mailbox);
		add_id(f, 1, e.thread);
		add_id(f, 2, e.id);
	}
	return 0;
}

static json_t *
matched(const struct lookup *l, const struct found *f)
{
	json_t *o = json_object(), *info = json_object(), *list, *v;
	const char *id;

	for (int i = 0; i < TYPES; i++) {
		if (!l->want[i])
			continue;
		list = json_array();
		json_object_foreach(f->ids[i], id, v)
			json_array_append_new(list, json_string(id));
		js_put(o, type_names[i], list);
	}
	js_put(info, "id", js_str(f->text));
	js_put(info, "matchedIds", o);
	return info;
}

int
blob_lookup(struct jmap_call *c)
{
	struct lookup l = { .c = c };
	size_t n = json_array_size(jmap_arg(c, "ids"));
	json_t *list, *o;
	int rc;

	if (n > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	if ((rc = take_types(&l)) < 0)
		return rc;
	l.v = arena_calloc(c->arena, n + 1, sizeof(*l.v));
	list = json_array();
	js_put(c->out, "list", list);
	rc = each_id(c, add_blob, &l);
	if (rc == 0 && l.n > 0 &&
	    (rc = store_email_scan(c->st, 0, look, &l)) < 0)
		jmap_store_failed(c->req, "Blob/lookup", rc);
	for (size_t i = 0; i < l.n; i++) {
		if (rc >= 0) {
			o = matched(&l, &l.v[i]);
			json_array_append_new(list, o);
			rc = jmap_charge(c, js_size(o, c->req->left));
		}
		for (int k = 0; k < TYPES; k++)
			json_decref(l.v[i].ids[k]);
	}
	return rc < 0 ? rc : 0;
}
