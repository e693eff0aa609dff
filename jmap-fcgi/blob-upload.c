/* jmap-fcgi/blob-upload.c - Blob/upload (RFC 9404 4.1), Blob/copy (RFC 8620
 * 6.3) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/blob-methods.h"
#include "libbase/text.h"

const struct jmap_arg blob_upload_args[] = {
	{ "create", ARG_OBJECT, ARG_NEED },
	{ NULL, 0, 0 }
};

const struct jmap_arg blob_copy_args[] = {
	{ "fromAccountId", ARG_ID, ARG_NEED },
	{ "blobIds", ARG_IDS, ARG_NEED },
	{ NULL, 0, 0 }
};

static int
add_octets(void *arg, const void *p, size_t n)
{
	return store_spool_add(arg, p, n);
}

/* ---- Blob/upload ------------------------------------------------------- */

/* A DataSourceObject is one of these. */
enum source { SOURCE_TEXT, SOURCE_BASE64, SOURCE_BLOB, SOURCE_BAD };

static enum source
source_kind(json_t *o)
{
	enum source kind = SOURCE_BAD;
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v) {
		enum source k = SOURCE_BAD;

		if (json_is_null(v))
			continue;
		if (strcmp(key, "data:asText") == 0)
			k = SOURCE_TEXT;
		else if (strcmp(key, "data:asBase64") == 0)
			k = SOURCE_BASE64;
		else if (strcmp(key, "blobId") == 0)
			k = SOURCE_BLOB;
		else if (strcmp(key, "offset") == 0 ||
		    strcmp(key, "length") == 0)
			continue;
		if (k == SOURCE_BAD || kind != SOURCE_BAD ||
		    !json_is_string(v))
			return SOURCE_BAD;
		kind = k;
	}
	return kind;
}

static json_t *
bad_data(const char *desc)
{
	return set_error_prop("data", desc);
}

static json_t *
add_result(struct jmap_call *c, int rc)
{
	if (rc == STORE_E_TOOBIG)
		return set_error("tooLarge", NULL);
	return rc < 0 ? set_error_store(c, rc) : NULL;
}

/* An absent or null number is def. */
static int
number(json_t *o, const char *key, uint64_t def, uint64_t *v_r)
{
	json_t *v = json_object_get(o, key);

	*v_r = def;
	return v == NULL || json_is_null(v) ? 0 : js_uint(v, v_r);
}

static json_t *
add_blob(struct jmap_call *c, struct store_spool *sp, json_t *o)
{
	struct slice text = id_text(c->req,
	    js_slice(json_object_get(o, "blobId")));
	uint64_t off, len;
	struct blob b;
	int rc;

	rc = blob_open_in(c->acct, &c->req->env->store_conf.mime, text, &b);
	if (rc == STORE_E_NOTFOUND)
		return bad_data("no such blob");
	if (rc < 0)
		return set_error_store(c, rc);
	if (number(o, "offset", 0, &off) < 0 || off > b.size ||
	    number(o, "length", b.size - off, &len) < 0 ||
	    len > b.size - off) {
		blob_close(&b);
		return bad_data("the blob has no such octets");
	}
	rc = blob_range(&b, off, len, add_octets, sp);
	blob_close(&b);
	return add_result(c, rc);
}

static json_t *
add_source(struct jmap_call *c, struct store_spool *sp, json_t *o)
{
	enum source kind = source_kind(o);
	struct slice s;

	if (kind == SOURCE_BLOB)
		return add_blob(c, sp, o);
	if (kind == SOURCE_BAD || json_object_get(o, "offset") != NULL ||
	    json_object_get(o, "length") != NULL)
		return bad_data("not a DataSourceObject");
	if (kind == SOURCE_TEXT)
		s = js_slice(json_object_get(o, "data:asText"));
	else if (base64_decode(js_slice(json_object_get(o,
	    "data:asBase64")), c->req->scratch, &s) < 0)
		return bad_data("that is not base64");
	return s.n > 0 ? add_result(c, store_spool_add(sp, s.p, s.n)) : NULL;
}

/* The UploadObject's properties; NULL: they are fine. */
static json_t *
check(json_t *o, json_t **data_r, json_t **type_r)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
		if (strcmp(key, "data") != 0 && strcmp(key, "type") != 0)
			return set_error_prop(key, "no such property");
	*data_r = json_object_get(o, "data");
	*type_r = json_object_get(o, "type");
	if (!json_is_array(*data_r))
		return bad_data("it must be an array");
	if (*type_r != NULL && !json_is_null(*type_r) &&
	    !json_is_string(*type_r))
		return set_error_prop("type", "it must be a string");
	return json_array_size(*data_r) > BLOB_SOURCES_MAX ?
	    bad_data("too many sources") : NULL;
}

static json_t *
created(const struct store_blobid *id, json_t *type, uint64_t size)
{
	char text[STORE_BLOBID_LEN + 1];
	json_t *o = json_object();

	store_blobid_text(id, text);
	js_put_str(o, "id", text);
	js_put(o, "type", json_is_string(type) ? json_incref(type) :
	    json_string("application/octet-stream"));
	js_put(o, "size", json_integer((json_int_t)size));
	return o;
}

/* NULL and the new blob's object, or a SetError. */
static json_t *
create(struct jmap_call *c, json_t *o, json_t **created_r)
{
	const struct jmap_env *env = c->req->env;
	struct store_spool *sp;
	struct store_blobid id;
	json_t *data, *type, *source, *err;
	size_t i;
	int rc;

	if ((err = check(o, &data, &type)) != NULL)
		return err;
	sp = store_spool_new(&env->store_conf, false,
	    env->conf->jmap_max_size_upload);
	json_array_foreach(data, i, source) {
		arena_reset(c->req->scratch);
		if ((err = add_source(c, sp, source)) != NULL)
			break;
	}
	if (err == NULL) {
		if ((rc = store_spool_done(sp)) == 0)
			rc = store_upload(c->st, sp, &id);
		err = add_result(c, rc);
	}
	if (err == NULL)
		*created_r = created(&id, type, store_spool_size(sp));
	store_spool_free(&sp);
	return err;
}

int
blob_upload(struct jmap_call *c)
{
	json_t *list = jmap_arg(c, "create"), *done, *failed, *v, *o, *err;
	const char *key;

	if (json_object_size(list) > c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	json_object_foreach(list, key, v)
		if (!js_is_id(slice_str(key)) || !json_is_object(v))
			return jmap_bad(c, "create must map ids to objects");
	done = json_object();
	failed = json_object();
	json_object_foreach(list, key, v) {
		if ((err = create(c, v, &o)) != NULL) {
			js_put(failed, key, err);
			continue;
		}
		js_put(done, key, o);
		js_put(c->req->created, key,
		    json_incref(json_object_get(o, "id")));
	}
	js_put_some(c->out, "created", done);
	js_put_some(c->out, "notCreated", failed);
	return 0;
}

/* ---- Blob/copy --------------------------------------------------------- */

/* A SetError, or NULL and the copy. */
static json_t *
copy_one(struct jmap_call *c, struct account *from, struct slice text,
    struct store_blobid *id_r)
{
	const struct store_conf *sc = &c->req->env->store_conf;
	struct store_spool *sp;
	struct blob b;
	int rc;

	rc = blob_open_in(from, &sc->mime, text, &b);
	if (rc == STORE_E_NOTFOUND)
		return set_error("notFound", NULL);
	if (rc < 0)
		return set_error_store(c, rc);
	sp = store_spool_new(sc, false, b.size > 0 ? b.size : 1);
	if ((rc = blob_each(&b, add_octets, sp)) == 0 &&
	    (rc = store_spool_done(sp)) == 0)
		rc = store_upload(c->st, sp, id_r);
	store_spool_free(&sp);
	blob_close(&b);
	return add_result(c, rc);
}

int
blob_copy(struct jmap_call *c)
{
	json_t *ids = jmap_arg(c, "blobIds"), *done, *failed, *v, *err;
	struct store_blobid id;
	struct account *from;
	char key[BLOB_TEXT_MAX], text[STORE_BLOBID_LEN + 1];
	size_t i;
	int rc;

	if ((rc = jmap_from_account(c, &from)) < 0)
		return rc;
	if (json_array_size(ids) > c->req->env->conf->jmap_max_objects_in_set)
		return JMAP_E_TOOLARGE;
	done = json_object();
	failed = json_object();
	json_array_foreach(ids, i, v) {
		struct slice s = id_text(c->req, js_slice(v));

		arena_reset(c->req->scratch);
		if ((err = copy_one(c, from, s, &id)) != NULL) {
			json_object_setn_new(failed, s.p, s.n, err);
			continue;
		}
		memcpy(key, s.p, s.n);
		key[s.n] = '\0';
		store_blobid_text(&id, text);
		js_put_str(done, key, text);
	}
	js_put_some(c->out, "copied", done);
	js_put_some(c->out, "notCopied", failed);
	return 0;
}
