/* jmap-fcgi/snippet.c - SearchSnippet/get (RFC 8621 5.1) */
#include "config.h"

#include "jmap-fcgi/email-text.h"

enum { PREVIEW_MAX = 255, SUBJECT_MAX = 64 << 10 };

const struct jmap_arg snippet_get_args[] = {
	{ "filter", ARG_OBJECT, ARG_NULL },
	{ "emailIds", ARG_IDS, ARG_NEED },
	{ NULL, 0, 0 }
};

/* What is looked for in one place. */
struct terms {
	const struct text_term **v;
	size_t n;
};
struct snippets {
	struct jmap_call *c;
	struct terms subject, body;
	json_t *list, *not_found;
	json_t *seen;		/* an object used as a set of texts */
};

static void
add_terms(struct arena *a, struct terms *l, const struct email_text *t)
{
	size_t cap = l->n;

	l->v = arena_grow(a, l->v, &cap, l->n + t->n + 1, sizeof(*l->v));
	for (size_t i = 0; i < t->n; i++)
		l->v[l->n++] = &t->term[i];
}

static int
take_filter(struct snippets *sn)
{
	const struct email_text *t[TEXT_CONDITIONS_MAX];
	struct query q;
	size_t n;
	int rc;

	memset(&q, 0, sizeof(q));
	q.c = sn->c;
	if ((rc = filter_parse(&q, jmap_arg(sn->c, "filter"))) < 0)
		return rc;
	n = filter_texts(&q, t, TEXT_CONDITIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (t[i]->where == TEXT_ALL || (t[i]->where == TEXT_FIELD &&
		    slice_ieq(t[i]->field, SLICE_LIT("subject"))))
			add_terms(sn->c->arena, &sn->subject, t[i]);
		if (t[i]->where != TEXT_FIELD)
			add_terms(sn->c->arena, &sn->body, t[i]);
	}
	return 0;
}

/* What was found, or null; empties out. */
static json_t *
value(struct buf *out, int found)
{
	json_t *v = found == 1 && !out->overflow ? js_str(buf_slice(out)) :
	    json_null();

	buf_reset(out);
	return v;
}

static int
put_subject(struct snippets *sn, struct email *em, json_t *o, struct buf *out)
{
	struct jmap_call *c = sn->c;
	int rc;

	if (sn->subject.n > 0 && (rc = email_mime(c, em)) < 0)
		return rc;
	rc = 0;
	if (sn->subject.n > 0 && em->mime->root->env != NULL &&
	    em->mime->root->env->subject.p != NULL)
		rc = snippet_mark(sn->subject.v, sn->subject.n,
		    mime_text(c->req->scratch, em->mime->root->env->subject),
		    0, out);
	js_put(o, "subject", value(out, rc));
	return 0;
}

static int
part_snippet(const struct terms *l, const struct mime_part *p,
    struct slice raw, struct arena *a, struct buf *out)
{
	struct mime_fields it;
	struct mime_field h;

	/* As in the condition: of an attached message it is text. */
	if (p->env != NULL && p->parent != NULL) {
		mime_fields_init(&it, mime_part_header(p, raw));
		while (mime_fields_next(&it, &h))
			if (snippet_mark(l->v, l->n, mime_text(a, h.value),
			    PREVIEW_MAX, out) == 1)
				return 1;
	}
	if (!email_text_part(p))
		return 0;
	return snippet_mark(l->v, l->n, email_text_of(p, raw, a), PREVIEW_MAX,
	    out);
}

static int
put_preview(struct snippets *sn, struct email *em, json_t *o, struct buf *out)
{
	struct arena *a;
	int rc = 0;

	if (sn->body.n > 0) {
		if ((rc = email_text_raw(sn->c, em)) < 0)
			return rc;
		a = arena_new(0);
		for (const struct mime_part *p = em->mime->root;
		    p != NULL && rc == 0; p = mime_part_next(p)) {
			rc = part_snippet(&sn->body, p, em->raw, a, out);
			arena_reset(a);
		}
		arena_free(&a);
	}
	js_put(o, "preview", value(out, rc));
	return 0;
}

static int
get_one(struct snippets *sn, uint64_t id)
{
	struct jmap_call *c = sn->c;
	struct email *em = arena_alloc(c->req->scratch, sizeof(*em));
	struct buf out;
	json_t *o;
	int rc;

	rc = email_load(c, c->req->scratch, id, &em->e);
	if (rc == STORE_E_NOTFOUND)
		return 1;
	if (rc < 0)
		return jmap_store_failed(c->req, "SearchSnippet/get", rc);
	o = json_object();
	js_put(o, "emailId", id_json('E', id));
	buf_init(&out, SUBJECT_MAX);
	if ((rc = put_subject(sn, em, o, &out)) == 0)
		rc = put_preview(sn, em, o, &out);
	buf_release(&out);
	if (rc == 0)
		rc = jmap_charge(c, js_size(o, c->req->left));
	if (rc == 0)
		json_array_append(sn->list, o);
	json_decref(o);
	return rc;
}

static int
get_text(struct snippets *sn, struct slice text)
{
	struct jmap_call *c = sn->c;
	uint64_t id;
	int rc = 1;

	if (json_object_getn(sn->seen, text.p, text.n) != NULL)
		return 0;
	json_object_setn_new(sn->seen, text.p, text.n, json_true());
	arena_reset(c->req->scratch);
	if (store_id_from('E', text, &id) == 0)
		rc = get_one(sn, id);
	if (rc <= 0)
		return rc;
	json_array_append_new(sn->not_found, js_str(text));
	return jmap_charge(c, text.n + 3);
}

int
snippet_get(struct jmap_call *c)
{
	struct snippets sn = { .c = c };
	json_t *ids = jmap_arg(c, "emailIds"), *v;
	size_t i;
	int rc;

	if (json_array_size(ids) > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	if ((rc = take_filter(&sn)) < 0)
		return rc;
	sn.list = json_array();
	sn.not_found = json_array();
	sn.seen = json_object();
	json_array_foreach(ids, i, v)
		if ((rc = get_text(&sn, id_text(c->req, js_slice(v)))) < 0)
			break;
	json_decref(sn.seen);
	js_put(c->out, "list", sn.list);
	js_put_some(c->out, "notFound", sn.not_found);
	return rc;
}
