/* jmap-fcgi/vacation.c - VacationResponse/get and /set (RFC 8621 8) */
#include "config.h"

#include "jmap-fcgi/submission.h"
#include "libbase/text.h"

#define SINGLETON "singleton"

struct vacation_change {
	struct store_vacation v;
	unsigned set;		/* STORE_VACATION_* */
};

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	(void)c;
	(void)obj;
	(void)name;
	return json_string(SINGLETON);
}

static json_t *
get_enabled(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return json_boolean(v->enabled);
}

static json_t *
date_or_null(bool there, int64_t t)
{
	return there ? js_time(t) : json_null();
}

static json_t *
get_from(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return date_or_null(v->has_from, v->from);
}

static json_t *
get_to(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return date_or_null(v->has_to, v->to);
}

static json_t *
get_subject(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return js_str_or_null(v->subject);
}

static json_t *
get_text(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return js_str_or_null(v->text);
}

static json_t *
get_html(struct jmap_call *c, void *obj, const char *name)
{
	const struct store_vacation *v = obj;

	(void)c;
	(void)name;
	return js_str_or_null(v->html);
}

/* ---- setters ----------------------------------------------------------- */

static int
set_enabled(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;

	(void)c;
	ch->set |= STORE_VACATION_ENABLED;
	ch->v.enabled = json_is_true(v);
	return json_is_boolean(v) ? 0 : -1;
}

/* A UTCDate or null, RFC 8620 1.4. */
static int
parse_date(json_t *v, bool *there_r, int64_t *t_r)
{
	struct slice s = js_slice(v);

	*there_r = !json_is_null(v);
	if (!*there_r)
		return 0;
	return s.n > 0 && s.p[s.n - 1] == 'Z' &&
	    time_rfc3339_parse(s, t_r, NULL) == 0 ? 0 : -1;
}

static int
set_from(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;

	(void)c;
	ch->set |= STORE_VACATION_FROM;
	return parse_date(v, &ch->v.has_from, &ch->v.from);
}

static int
set_to(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;

	(void)c;
	ch->set |= STORE_VACATION_TO;
	return parse_date(v, &ch->v.has_to, &ch->v.to);
}

static int
parse_text(json_t *v, struct slice *s_r)
{
	*s_r = js_slice(v);
	return json_is_string(v) || json_is_null(v) ? 0 : -1;
}

static int
set_subject(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;
	struct slice *s = &ch->v.subject;

	(void)c;
	ch->set |= STORE_VACATION_SUBJECT;
	if (parse_text(v, s) < 0)
		return -1;
	/* It becomes a header field. */
	for (size_t i = 0; i < s->n; i++)
		if ((unsigned char)s->p[i] < 32 || s->p[i] == 127)
			return -1;
	return 0;
}

static int
set_text(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;

	(void)c;
	ch->set |= STORE_VACATION_TEXT;
	return parse_text(v, &ch->v.text);
}

static int
set_html(struct jmap_call *c, void *change, json_t *v)
{
	struct vacation_change *ch = change;

	(void)c;
	ch->set |= STORE_VACATION_HTML;
	return parse_text(v, &ch->v.html);
}

static const struct jmap_prop props[] = {
	/* clang-format off */
	{ "id",		PROP_SERVER,	get_id,		NULL },
	{ "isEnabled",	0,		get_enabled,	set_enabled },
	{ "fromDate",	0,		get_from,	set_from },
	{ "toDate",	0,		get_to,		set_to },
	{ "subject",	0,		get_subject,	set_subject },
	{ "textBody",	0,		get_text,	set_text },
	{ "htmlBody",	0,		get_html,	set_html },
	{ NULL,		0,		NULL,		NULL }
	/* clang-format on */
};

static const struct jmap_type vacation_type = {
	.name = "VacationResponse",
	.store = STORE_T_VACATION,
	.props = props,
};

/* ---- get --------------------------------------------------------------- */

static bool
is_asked_for(json_t *ids, json_t *not_found)
{
	bool yes = false;
	json_t *v;
	size_t i;

	json_array_foreach(ids, i, v) {
		if (slice_eq(js_slice(v), SLICE_LIT(SINGLETON)))
			yes = true;
		else
			json_array_append(not_found, v);
	}
	return ids == NULL || yes;
}

int
vacation_get(struct jmap_call *c)
{
	json_t *ids = jmap_arg(c, "ids"), *list, *not_found, *o;
	struct store_vacation v;
	struct jmap_want *want;
	size_t n;
	int rc;

	if (json_array_size(ids) > c->req->env->conf->jmap_max_objects_in_get)
		return JMAP_E_TOOLARGE;
	rc = type_wants(c, &vacation_type, jmap_arg(c, "properties"), &want,
	    &n);
	if (rc < 0)
		return rc;
	if ((rc = store_vacation_get(c->st, c->arena, &v)) < 0)
		return jmap_store_failed(c->req, c->method->name, rc);
	list = json_array();
	not_found = json_array();
	js_put(c->out, "state", state_json(v.modseq));
	js_put(c->out, "list", list);
	js_put(c->out, "notFound", not_found);
	if (is_asked_for(ids, not_found)) {
		if ((o = type_encode(c, want, n, &v, &rc)) == NULL)
			return rc;
		if (json_object_get(o, "id") == NULL)
			js_put_str(o, "id", SINGLETON);
		json_array_append_new(list, o);
	}
	return jmap_charge(c, js_size(c->out, c->req->left));
}

/* ---- set --------------------------------------------------------------- */

static json_t *
try_update(struct jmap_set *s, const char *key, json_t *patch)
{
	struct jmap_call *c = s->c;
	struct vacation_change ch;
	struct store_vacation v;
	json_t *err;
	int rc;

	if (strcmp(key, SINGLETON) != 0)
		return set_error("notFound", NULL);
	if ((rc = store_vacation_get(c->st, c->arena, &v)) < 0)
		return set_error_store(c, rc);
	memset(&ch, 0, sizeof(ch));
	if ((err = set_patch(c, &vacation_type, &v, &ch, patch)) != NULL)
		return err;
	if ((rc = store_vacation_set(c->st, &ch.v, ch.set)) < 0)
		return set_error_store(c, rc);
	js_put(s->updated, SINGLETON, json_null());
	return NULL;
}

int
vacation_set(struct jmap_call *c)
{
	struct jmap_set s;
	const char *key;
	json_t *v, *err;
	size_t i;
	int rc;

	if ((rc = set_begin(c, &vacation_type, &s)) < 0)
		return rc;
	json_object_foreach(s.create, key, v)
		js_put(s.not_created, key, set_error("singleton", NULL));
	json_object_foreach(s.update, key, v)
		if ((err = try_update(&s, key, v)) != NULL)
			js_put(s.not_updated, key, err);
	json_array_foreach(s.destroy, i, v)
		js_put(s.not_destroyed, json_string_value(v),
		    slice_eq(js_slice(v), SLICE_LIT(SINGLETON)) ?
		    set_error("singleton", NULL) :
		    set_error("notFound", NULL));
	return set_end(&s, 0);
}
