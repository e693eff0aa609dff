/*
 * imapd/annotate.c - annotations of messages (RFC 5257)
 *
 * They are of the Email: a copy in another mailbox of the account has the same
 * ones, as it has the same keywords.
 */
#include "config.h"

#include "imapd/annotate.h"
#include "imapd/fetch.h"
#include "imapd/metadata.h"
#include "libbase/log.h"

enum { ENTRIES_MAX = 1000 };

/* ---- arguments --------------------------------------------------------- */

/* An atom, quoted or a literal: names may have wildcards. */
static bool
word(struct imap_args *v, struct slice *s_r, const char *what)
{
	if (v->next == NULL || v->next->type > IMAP_ARG_LITERAL)
		return imap_args_expected(v, what);
	*s_r = v->next->s;
	v->next = v->next->next;
	return true;
}

/* Names are compared without case, as the store does. */
static struct slice
lower(struct arena *a, struct slice s)
{
	char *p = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] += 32;
	return slice_make(p, s.n);
}

static bool
parse_entry(struct imap_args *v, struct annotate_entry *e)
{
	*e = (struct annotate_entry){ 0 };
	if (!word(v, &e->name, "an entry's name"))
		return false;
	e->wild = memchr(e->name.p, '*', e->name.n) != NULL ||
	    memchr(e->name.p, '%', e->name.n) != NULL;
	if (e->wild)
		match_init(&e->m, v->a, SLICE_LIT(""), lower(v->a, e->name));
	else if (!store_metadata_name_ok(e->name)) {
		v->err = "not the name of an entry";
		return false;
	}
	return true;
}

static bool
parse_attribute(struct imap_args *v, unsigned *set)
{
	static const struct {
		const char *name;
		unsigned attributes;
	} names[] = {
		{ "value", ANNOTATE_VALUE },
		{ "value.priv", ANNOTATE_VALUE_PRIV },
		{ "value.shared", ANNOTATE_VALUE_SHARED },
		{ "size", ANNOTATE_SIZE },
		{ "size.priv", ANNOTATE_SIZE_PRIV },
		{ "size.shared", ANNOTATE_SIZE_SHARED },
		{ "*", ANNOTATE_VALUE | ANNOTATE_SIZE },
		{ "%", ANNOTATE_VALUE | ANNOTATE_SIZE },
	};
	struct imap_args before = *v;
	struct slice s;

	if (!word(v, &s, "an attribute"))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_ieq(s, slice_str(names[i].name))) {
			*set |= names[i].attributes;
			return true;
		}
	*v = before;
	return imap_args_expected(v, "an attribute");
}

/* One, or a list of them. */
static bool
parse_entries(struct imap_args *v, struct annotate_want *w)
{
	bool list = v->next != NULL && v->next->type == IMAP_ARG_LIST;
	struct imap_args in = *v;
	size_t cap = 0;

	if (list)
		imap_args_list(v, &in, "entries");
	do {
		if (w->n == ENTRIES_MAX) {
			v->err = "too many entries";
			return false;
		}
		w->e = arena_grow(v->a, w->e, &cap, w->n + 1, sizeof(*w->e));
		if (!parse_entry(&in, &w->e[w->n++])) {
			v->err = in.err;
			return false;
		}
	} while (list && in.next != NULL);
	if (!list)
		*v = in;
	return true;
}

static bool
parse_attributes(struct imap_args *v, unsigned *set)
{
	struct imap_args in;

	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return parse_attribute(v, set);
	imap_args_list(v, &in, "attributes");
	do {
		if (!parse_attribute(&in, set)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

bool
annotate_want_parse(struct imap_args *v, struct annotate_want *w)
{
	struct imap_args in;

	*w = (struct annotate_want){ 0 };
	if (!imap_args_list(v, &in, "entries and attributes"))
		return false;
	if (parse_entries(&in, w) && parse_attributes(&in, &w->attributes) &&
	    imap_args_end(&in))
		return true;
	v->err = in.err;
	return false;
}

/* ---- FETCH ------------------------------------------------------------- */

int
annotate_load(struct imap_session *s, struct store *st, struct arena *a,
    uint64_t email, struct annotations_of *r)
{
	return store_metadata_get(st, a, email, s->x->account, &r->v, &r->n);
}

static const struct store_metadata *
value_of(const struct annotations_of *have, struct slice name, bool shared)
{
	for (size_t i = 0; i < have->n; i++)
		if (have->v[i].shared == shared &&
		    slice_ieq(have->v[i].name, name))
			return &have->v[i];
	return NULL;
}

static void
put_attribute(struct enc *e, const char *name,
    const struct store_metadata *m, bool size)
{
	enc_sp(e);
	enc_raw(e, name);
	enc_raw(e, " ");
	if (size) {
		enc_raw(e, "\"");
		enc_u64(e, m != NULL ? m->value.n : 0);
		enc_raw(e, "\"");
	} else
		imap_value_put(e, m != NULL ? m->value :
		    slice_make(NULL, 0));
}

static void
put_entry(struct enc *e, const struct annotations_of *have, struct slice name,
    unsigned attributes)
{
	const struct store_metadata *priv = value_of(have, name, false);
	const struct store_metadata *shared = value_of(have, name, true);

	enc_sp(e);
	enc_astring(e, name);
	enc_open(e);
	if (attributes & ANNOTATE_VALUE_PRIV)
		put_attribute(e, "value.priv", priv, false);
	if (attributes & ANNOTATE_VALUE_SHARED)
		put_attribute(e, "value.shared", shared, false);
	if (attributes & ANNOTATE_SIZE_PRIV)
		put_attribute(e, "size.priv", priv, true);
	if (attributes & ANNOTATE_SIZE_SHARED)
		put_attribute(e, "size.shared", shared, true);
	enc_close(e);
}

static bool
entry_matches(const struct annotate_entry *e, struct slice name,
    struct arena *a)
{
	return e->wild ? match_name(&e->m, lower(a, name)) :
	    slice_ieq(e->name, name);
}

void
annotate_put(struct imap_session *s, struct arena *a,
    const struct annotations_of *have, const struct annotate_want *w)
{
	struct enc *e = &s->out;

	enc_raw(e, "ANNOTATION");
	enc_open(e);
	for (size_t k = 0; k < w->n; k++) {
		if (!w->e[k].wild)
			put_entry(e, have, w->e[k].name, w->attributes);
		for (size_t i = 0; w->e[k].wild && i < have->n; i++) {
			const struct store_metadata *m = &have->v[i];

			/* What is both is told with the private one. */
			if (entry_matches(&w->e[k], m->name, a) &&
			    (!m->shared ||
			    value_of(have, m->name, false) == NULL))
				put_entry(e, have, m->name, w->attributes);
		}
	}
	enc_close(e);
}

/* ---- STORE, APPEND ----------------------------------------------------- */

static bool
set_value(struct imap_args *v, struct annotate_set *set, struct slice name)
{
	struct slice value;
	unsigned which = 0;

	if (!parse_attribute(v, &which))
		return false;
	if (which != ANNOTATE_VALUE_PRIV && which != ANNOTATE_VALUE_SHARED) {
		v->err = "expected value.priv or value.shared";
		return false;
	}
	if (!imap_args_nstring(v, &value, "a value or NIL"))
		return false;
	if (set->n == ENTRIES_MAX) {
		v->err = "too many entries";
		return false;
	}
	set->v = arena_grow(v->a, set->v, &set->cap, set->n + 1,
	    sizeof(*set->v));
	set->v[set->n++] = (struct store_metadata){
		.shared = which == ANNOTATE_VALUE_SHARED, .name = name,
		.value = value
	};
	set->any_shared = set->any_shared || which == ANNOTATE_VALUE_SHARED;
	return true;
}

bool
annotate_set_parse(struct imap_args *v, struct annotate_set *set)
{
	struct annotate_entry e;
	struct imap_args in, values;

	if (!imap_args_list(v, &in, "entries and their values"))
		return false;
	do {
		bool ok = parse_entry(&in, &e);

		if (ok && e.wild) {
			in.err = "not the name of an entry";
			ok = false;
		}
		ok = ok && imap_args_list(&in, &values, "values");
		while (ok && (ok = set_value(&values, set, e.name)) &&
		    values.next != NULL)
			;
		if (!ok) {
			v->err = in.err != NULL ? in.err : values.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

enum imap_next
annotate_failed(struct imap_cmd *cmd, struct store *st, int rc)
{
	(void)st;
	if (rc == STORE_E_TOOBIG)
		return imap_no(cmd, "ANNOTATE TOOBIG", "A value is too long");
	if (rc == STORE_E_LIMIT)
		return imap_no(cmd, "ANNOTATE TOOMANY",
		    "There are too many annotations");
	return imap_store_failed(cmd, rc);
}

bool
annotate_set_allowed(struct imap_cmd *cmd, struct store *st,
    const struct annotate_set *set, unsigned rights)
{
	if (set->any_shared && !(rights & STORE_RIGHT_NOTES)) {
		imap_no(cmd, "NOPERM", "You may not annotate here");
		return false;
	}
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].value.n > store_metadata_max(st)) {
			annotate_failed(cmd, st, STORE_E_TOOBIG);
			return false;
		}
	return true;
}

/* ---- SEARCH, SORT ------------------------------------------------------ */

bool
annotate_find_parse(struct imap_args *v, struct annotate_find *f)
{
	if (!parse_entry(v, &f->entry) || !parse_attribute(v, &f->attributes))
		return false;
	if ((f->attributes & ~ANNOTATE_VALUE) == 0)
		return true;
	v->err = "expected value, value.priv or value.shared";
	return false;
}

static bool
is_asked(const struct annotate_find *f, const struct store_metadata *m,
    struct arena *a)
{
	return f->attributes & (m->shared ? ANNOTATE_VALUE_SHARED :
	    ANNOTATE_VALUE_PRIV) && entry_matches(&f->entry, m->name, a);
}

bool
annotate_finds(const struct annotations_of *have,
    const struct annotate_find *f, struct arena *a)
{
	for (size_t i = 0; i < have->n; i++)
		if (is_asked(f, &have->v[i], a) && (f->nil ||
		    mime_needle_in(f->needle, have->v[i].value)))
			return !f->nil;
	return f->nil;
}

struct slice
annotate_value(const struct annotations_of *have,
    const struct annotate_find *f, struct arena *a)
{
	for (size_t i = 0; i < have->n; i++)
		if (is_asked(f, &have->v[i], a))
			return have->v[i].value;
	return slice_make(NULL, 0);
}

/* ---- unasked ----------------------------------------------------------- */

struct tell {
	struct imap_session *s;
	struct arena *a;
	uint64_t since;
};

/* store_msg_scan()'s: "* 3 FETCH (UID 4 ANNOTATION (/comment))" */
static int
tell_one(void *arg, const struct store_msg_info *info)
{
	struct tell *t = arg;
	struct imap_session *s = t->s;
	struct enc *e = &s->out;
	struct store_metadata *v;
	ptrdiff_t i = view_find(&s->view, info->uid);
	size_t n;

	arena_reset(t->a);
	if (i < 0 || store_metadata_changes(imap_store(s), t->a, info->email,
	    s->x->account, t->since, &v, &n) < 0 || n == 0)
		return 0;
	imap_fetch_open(s, (size_t)i);
	if (!(s->enabled & IMAP_UIDONLY)) {
		enc_sp(e);
		enc_raw(e, "UID ");
		enc_u64(e, info->uid);
	}
	enc_sp(e);
	enc_raw(e, "ANNOTATION");
	enc_open(e);
	for (size_t k = 0; k < n; k++) {
		if (k > 0 && slice_ieq(v[k].name, v[k - 1].name))
			continue;
		enc_sp(e);
		enc_astring(e, v[k].name);
	}
	enc_close(e);
	if (s->enabled & IMAP_CONDSTORE)
		imap_modseq_put(s, info->modseq);
	enc_close(e);
	enc_eol(e);
	return 0;
}

void
annotate_tell(struct imap_session *s, const uint32_t *uids, size_t n,
    uint64_t since)
{
	struct tell t = { .s = s, .a = arena_new(0), .since = since };
	struct arena *a = arena_new(0);
	struct seqset set = { 0 };
	uint64_t last = 0;
	size_t cap = 0;
	int rc;

	rc = store_metadata_modseq(imap_store(s), &last);
	for (size_t i = 0; rc >= 0 && last > since && i < n; i++)
		seqset_add(&set, &cap, a, uids[i]);
	if (rc >= 0 && set.n > 0 && !s->view.dead)
		rc = store_msg_scan(imap_store(s), s->view.mailbox, set.r,
		    set.n, tell_one, &t);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		log_err("looking for annotations: %s: %s",
		    store_error(rc)->text, store_errmsg(imap_store(s)));
	arena_free(&a);
	arena_free(&t.a);
}
