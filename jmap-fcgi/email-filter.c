/* jmap-fcgi/email-filter.c - conditions of Email/query (RFC 8621 4.4.1) */
#include "config.h"

#include "jmap-fcgi/email-text.h"

enum { FILTER_NODES_MAX = 1000 };

enum node_kind {
	NODE_AND, NODE_OR, NODE_NOT,
	NODE_MAILBOX, NODE_OTHER_THAN, NODE_BEFORE, NODE_AFTER, NODE_MIN,
	NODE_MAX, NODE_ALL_KEYWORD, NODE_SOME_KEYWORD, NODE_NONE_KEYWORD,
	NODE_KEYWORD, NODE_NO_KEYWORD, NODE_ATTACHMENT,
	NODE_TEXT, NODE_BODY, NODE_FIELD, NODE_HEADER
};
struct filter {
	enum node_kind kind;
	struct filter *child, *next;
	uint64_t id, flag, size;	/* flag 0: a keyword nobody has */
	int64_t time;
	bool yes;
	uint64_t *ids;
	size_t n_ids;
	struct email_text text;
	unsigned cost;		/* 0: the item is enough, 1: the Email's rows,
				 * 2: its header, 3: its octets */
};

static const enum node_kind operators[] = {	/* by enum filter_op */
	NODE_AND, NODE_OR, NODE_NOT
};

static const struct {
	const char *name;
	enum node_kind kind;
} conditions[] = {
	{ "inMailbox", NODE_MAILBOX }, { "inMailboxOtherThan", NODE_OTHER_THAN },
	{ "before", NODE_BEFORE }, { "after", NODE_AFTER },
	{ "minSize", NODE_MIN }, { "maxSize", NODE_MAX },
	{ "allInThreadHaveKeyword", NODE_ALL_KEYWORD },
	{ "someInThreadHaveKeyword", NODE_SOME_KEYWORD },
	{ "noneInThreadHaveKeyword", NODE_NONE_KEYWORD },
	{ "hasKeyword", NODE_KEYWORD }, { "notKeyword", NODE_NO_KEYWORD },
	{ "hasAttachment", NODE_ATTACHMENT }, { "text", NODE_TEXT },
	{ "body", NODE_BODY }, { "from", NODE_FIELD }, { "to", NODE_FIELD },
	{ "cc", NODE_FIELD }, { "bcc", NODE_FIELD },
	{ "subject", NODE_FIELD }, { "header", NODE_HEADER },
};

struct parser {
	struct query *q;
	size_t n;		/* nodes so far */
	size_t n_texts;		/* of them those about texts */
};

static struct filter *
node_new(struct parser *p, enum node_kind kind)
{
	struct filter *f = arena_alloc(p->q->c->arena, sizeof(*f));

	p->n++;
	f->kind = kind;
	return f;
}

static int
take_id(struct parser *p, struct filter *f, json_t *v)
{
	struct slice s = js_slice(v);

	if (s.p == NULL)
		return -1;
	/* An id that cannot be is an empty mailbox: 0 matches nothing. */
	if (id_resolve(p->q->c->req, 'M', s, &f->id) < 0)
		f->id = 0;
	return 0;
}

static int
take_ids(struct parser *p, struct filter *f, json_t *v)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return -1;
	f->ids = arena_calloc(p->q->c->arena, json_array_size(v) + 1,
	    sizeof(*f->ids));
	json_array_foreach(v, i, item) {
		if (!json_is_string(item))
			return -1;
		if (id_resolve(p->q->c->req, 'M', js_slice(item),
		    &f->ids[f->n_ids]) == 0)
			f->n_ids++;
	}
	return 0;
}

static int
take_time(struct filter *f, json_t *v)
{
	struct slice s = js_slice(v);

	if (s.n == 0 || s.p[s.n - 1] != 'Z')
		return -1;
	return time_rfc3339_parse(s, &f->time, NULL);
}

static int
take_keyword(struct parser *p, struct filter *f, json_t *v)
{
	struct slice s = js_slice(v);
	int rc;

	if (!email_keyword_ok(s))
		return -1;
	if ((rc = email_keyword_bit(p->q->c, s, &f->flag)) < 0)
		p->q->rc = jmap_store_failed(p->q->c->req, "keyword", rc);
	if (f->kind == NODE_ALL_KEYWORD || f->kind == NODE_SOME_KEYWORD ||
	    f->kind == NODE_NONE_KEYWORD)
		p->q->want_threads = true;
	return 0;
}

static int
too_many(struct parser *p)
{
	p->q->c->desc = "too many conditions";
	return p->q->rc = JMAP_E_FILTER;
}

static int
take_text(struct parser *p, struct filter *f, json_t *v)
{
	if (!json_is_string(v))
		return -1;
	if (p->n_texts++ == TEXT_CONDITIONS_MAX)
		return too_many(p);
	f->text.where = f->kind == NODE_TEXT ? TEXT_ALL :
	    f->kind == NODE_BODY ? TEXT_BODY : TEXT_FIELD;
	p->q->rc = email_text_parse(p->q->c, js_slice(v), &f->text);
	return p->q->rc;
}

/* [name] or [name, text] */
static int
take_header(struct parser *p, struct filter *f, json_t *v)
{
	size_t n = json_array_size(v);
	struct slice name = js_slice(json_array_get(v, 0));

	if (!json_is_array(v) || n < 1 || n > 2 || name.n == 0)
		return -1;
	f->text.field = name;
	f->text.where = TEXT_FIELD;
	return n == 2 ? take_text(p, f, json_array_get(v, 1)) : 0;
}

/* The condition's value; -1: of the wrong type. */
static int
take_value(struct parser *p, struct filter *f, const char *key, json_t *v)
{
	switch (f->kind) {
	case NODE_FIELD:
		f->text.field = slice_str(key);
		return take_text(p, f, v);
	case NODE_TEXT:
	case NODE_BODY:
		return take_text(p, f, v);
	case NODE_HEADER:
		return take_header(p, f, v);
	case NODE_MAILBOX:
		return take_id(p, f, v);
	case NODE_OTHER_THAN:
		return take_ids(p, f, v);
	case NODE_BEFORE:
	case NODE_AFTER:
		return take_time(f, v);
	case NODE_MIN:
	case NODE_MAX:
		return js_uint(v, &f->size);
	case NODE_ATTACHMENT:
		f->yes = json_is_true(v);
		return json_is_boolean(v) ? 0 : -1;
	default:
		return take_keyword(p, f, v);
	}
}

static unsigned
cost_of(const struct filter *f)
{
	switch (f->kind) {
	case NODE_MAILBOX:
	case NODE_OTHER_THAN:
		return 1;
	case NODE_ATTACHMENT:
	case NODE_FIELD:
	case NODE_HEADER:
		return 2;
	case NODE_TEXT:
	case NODE_BODY:
		return 3;
	default:
		return 0;
	}
}

/* Puts k among f's children, what costs more behind what costs less. */
static void
adopt(struct filter *f, struct filter *k)
{
	struct filter **at = &f->child;

	while (*at != NULL && (*at)->cost <= k->cost)
		at = &(*at)->next;
	k->next = *at;
	*at = k;
	f->cost = k->cost > f->cost ? k->cost : f->cost;
}

static int
parse_condition(struct parser *p, const char *key, json_t *v,
    struct filter **f_r)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]);
	    i++) {
		if (strcmp(key, conditions[i].name) != 0)
			continue;
		*f_r = node_new(p, conditions[i].kind);
		(*f_r)->cost = cost_of(*f_r);
		if (take_value(p, *f_r, conditions[i].name, v) < 0 &&
		    p->q->rc == 0)
			return jmap_bad(p->q->c, "filter: %s has a value "
			    "of the wrong type", key);
		return p->q->rc;
	}
	return jmap_bad(p->q->c, "filter: %.100s is not a condition", key);
}

static int parse(struct parser *p, json_t *v, struct filter **f_r);

static int
parse_operator(struct parser *p, json_t *v, struct filter **f_r)
{
	json_t *list, *item;
	struct filter *k = NULL;
	enum filter_op op;
	size_t i;
	int rc;

	if (filter_operator(v, &op, &list) < 0)
		return jmap_bad(p->q->c, "filter: not a FilterOperator");
	*f_r = node_new(p, operators[op]);
	json_array_foreach(list, i, item) {
		if ((rc = parse(p, item, &k)) < 0)
			return rc;
		adopt(*f_r, k);
	}
	return 0;
}

/* Nesting is bounded: the request's JSON is. */
static int
parse(struct parser *p, json_t *v, struct filter **f_r)
{
	struct filter *k = NULL;
	const char *key;
	json_t *item;
	int rc;

	if (p->n > FILTER_NODES_MAX)
		return too_many(p);
	if (!json_is_object(v))
		return jmap_bad(p->q->c, "filter: a condition must be an "
		    "object");
	if (json_object_get(v, "operator") != NULL)
		return parse_operator(p, v, f_r);
	*f_r = node_new(p, NODE_AND);
	json_object_foreach(v, key, item) {
		if ((rc = parse_condition(p, key, item, &k)) < 0)
			return rc;
		adopt(*f_r, k);
	}
	return 0;
}

/* A mailbox that every result is in: then only it is looked through. */
static void
find_mailbox(struct query *q, const struct filter *f)
{
	const struct filter *k;

	if (f->kind != NODE_AND)
		return;
	for (k = f->child; k != NULL; k = k->next) {
		if (k->kind == NODE_AND)
			find_mailbox(q, k);
		else if (k->kind == NODE_MAILBOX && q->mailbox == 0)
			q->mailbox = k->id;
	}
	k = f->child;
	if (f == q->filter && k != NULL && k->next == NULL &&
	    k->kind == NODE_MAILBOX && k->id != 0)
		q->mailbox_is_all = true;
}

int
filter_parse(struct query *q, json_t *v)
{
	struct parser p = { q, 0, 0 };
	int rc;

	if (v == NULL)
		return 0;
	if ((rc = parse(&p, v, &q->filter)) < 0)
		return rc;
	find_mailbox(q, q->filter);
	return 0;
}

static size_t
texts(const struct filter *f, const struct email_text **t, size_t n,
    size_t max)
{
	if (f->kind >= NODE_TEXT && n < max)
		t[n++] = &f->text;
	if (f->kind == NODE_NOT)
		return n;
	for (const struct filter *k = f->child; k != NULL; k = k->next)
		n = texts(k, t, n, max);
	return n;
}

size_t
filter_texts(const struct query *q, const struct email_text **t, size_t max)
{
	return q->filter != NULL ? texts(q->filter, t, 0, max) : 0;
}

/* ---- matching ---------------------------------------------------------- */

/* What matching one Email has loaded so far. */
struct match {
	struct query *q;
	const struct query_item *it;
	struct email em;
	bool have_email;
};

static int
load(struct match *m)
{
	struct jmap_call *c = m->q->c;
	int rc;

	if (m->have_email)
		return 0;
	rc = email_load(c, c->req->scratch, m->it->email, &m->em.e);
	m->have_email = rc == 0;
	return rc;
}

static int
in_mailbox(struct match *m, const struct filter *f)
{
	int rc;

	if (f->id == 0)
		return 0;
	if (f->id == m->q->mailbox)
		return 1;
	if ((rc = load(m)) < 0)
		return rc;
	for (size_t i = 0; i < m->em.e.n_in; i++)
		if (m->em.e.in[i].mailbox == f->id)
			return 1;
	return 0;
}

static int
in_other_than(struct match *m, const struct filter *f)
{
	size_t k;
	int rc;

	if ((rc = load(m)) < 0)
		return rc;
	for (size_t i = 0; i < m->em.e.n_in; i++) {
		for (k = 0; k < f->n_ids; k++)
			if (m->em.e.in[i].mailbox == f->ids[k])
				break;
		if (k == f->n_ids)
			return 1;
	}
	return 0;
}

static int
attachment(struct match *m, const struct filter *f)
{
	int rc;

	if ((rc = load(m)) < 0 || (rc = email_mime(m->q->c, &m->em)) < 0)
		return rc;
	return m->em.mime->has_attachment == f->yes;
}

static int
text(struct match *m, const struct filter *f)
{
	int rc = load(m);

	return rc < 0 ? rc : email_text_match(m->q->c, &m->em, &f->text);
}

static int match(struct match *m, const struct filter *f);

static int
match_list(struct match *m, const struct filter *f)
{
	int rc;

	for (const struct filter *k = f->child; k != NULL; k = k->next) {
		if ((rc = match(m, k)) < 0)
			return rc;
		if (rc != (f->kind == NODE_AND))
			return f->kind == NODE_OR;
	}
	/* All conditions were true (AND), or none of them was (OR, NOT). */
	return f->kind != NODE_OR;
}

static int
match(struct match *m, const struct filter *f)
{
	const struct query_item *it = m->it;

	switch (f->kind) {
	case NODE_AND:
	case NODE_OR:
	case NODE_NOT:
		return match_list(m, f);
	case NODE_MAILBOX:
		return in_mailbox(m, f);
	case NODE_OTHER_THAN:
		return in_other_than(m, f);
	case NODE_BEFORE:
		return it->received_at < f->time;
	case NODE_AFTER:
		return it->received_at >= f->time;
	case NODE_MIN:
		return it->size >= f->size;
	case NODE_MAX:
		return it->size < f->size;
	case NODE_ALL_KEYWORD:
		return (it->tf->all & f->flag) != 0;
	case NODE_SOME_KEYWORD:
		return (it->tf->some & f->flag) != 0;
	case NODE_NONE_KEYWORD:
		return (it->tf->some & f->flag) == 0;
	case NODE_KEYWORD:
		return (it->flags & f->flag) != 0;
	case NODE_NO_KEYWORD:
		return (it->flags & f->flag) == 0;
	case NODE_ATTACHMENT:
		return attachment(m, f);
	case NODE_TEXT:
	case NODE_BODY:
	case NODE_FIELD:
	case NODE_HEADER:
		return text(m, f);
	}
	return 0;
}

int
filter_match(struct query *q, const struct query_item *it)
{
	struct match m;
	int rc;

	if (q->filter == NULL || q->mailbox_is_all)
		return 1;
	memset(&m, 0, sizeof(m));
	m.q = q;
	m.it = it;
	rc = match(&m, q->filter);
	arena_reset(q->c->req->scratch);
	return rc;
}
