/* imapd/search-eval.c - does a message meet the conditions of SEARCH? */
#include "config.h"

#include "imapd/search.h"
#include "libbase/text.h"

static int
fail(struct search_msg *m, int rc)
{
	m->rc = rc;
	return -1;
}

/* ---- conditions -------------------------------------------------------- */

/* INTERNALDATE and SAVEDATE as FETCH shows them, in UTC. */
static int
on_day(const struct search_node *n, const struct store_msg_info *info)
{
	bool saved = n->kind >= SEARCH_SAVEDBEFORE;
	int64_t day = time_day(saved ? info->saved_at : info->received_at,
	    NULL);

	switch (n->kind) {
	case SEARCH_BEFORE:
	case SEARCH_SAVEDBEFORE:
		return day < n->days;
	case SEARCH_ON:
	case SEARCH_SAVEDON:
		return day == n->days;
	default:
		return day >= n->days;
	}
}

/* The Date field's day where it was written, whatever its time and zone. */
static int
sent(const struct search_node *n, struct search_msg *m)
{
	const struct mime_date *d;
	int64_t day;
	int rc;

	if ((rc = fetch_msg_mime(&m->m)) < 0)
		return fail(m, rc);
	d = &m->m.mime->root->env->sent;
	if (!d->ok)
		return 0;
	day = time_day(d->t + (int64_t)d->offset_min * 60, NULL);
	if (n->kind == SEARCH_SENTBEFORE)
		return day < n->days;
	return n->kind == SEARCH_SENTON ? day == n->days : day >= n->days;
}

/* FUZZY: all was looked at. */
static int
scored(const struct search_node *n, struct search_msg *m)
{
	unsigned score = mime_fuzzy_score(n->fuzzy);

	m->scores += score;
	m->n_scores += score > 0;
	return score > 0;
}

static int
header(const struct search_node *n, struct search_msg *m)
{
	struct mime_fields it;
	struct mime_field f;
	struct slice h, raw;
	int rc;

	if ((rc = fetch_msg_mime(&m->m)) < 0)
		return fail(m, rc);
	h = m->m.mime->cached;
	if (h.p == NULL || !mime_header_cached(n->name)) {
		const struct mime_part *root = m->m.mime->root;

		if ((rc = fetch_msg_blob(&m->m)) < 0 ||
		    (rc = store_blob_octets(m->m.blob, &raw)) < 0)
			return fail(m, rc);
		if (root->header_off + root->header_len > raw.n)
			return fail(m, STORE_E_CORRUPT);
		h = mime_part_header(root, raw);
	}
	mime_fields_init(&it, h);
	if (n->fuzzy != NULL)
		mime_fuzzy_begin(n->fuzzy);
	while (mime_fields_next(&it, &f)) {
		if (!slice_ieq(f.name, n->name))
			continue;
		if (n->fuzzy != NULL)
			mime_fuzzy_value(n->fuzzy, f.value);
		else if (mime_needle_in_value(n->needle, f.value))
			return 1;
	}
	return n->fuzzy != NULL ? scored(n, m) : 0;
}

static int
annotation(const struct search_node *n, struct search_msg *m)
{
	struct annotations_of have;
	int rc;

	rc = annotate_load(m->s, m->m.st, m->m.a, m->m.info->email, &have);
	if (rc < 0)
		return fail(m, rc);
	return annotate_finds(&have, n->annotation, m->m.a);
}

static int
body(const struct search_node *n, struct search_msg *m)
{
	struct slice raw;
	int rc;

	if ((rc = fetch_msg_mime(&m->m)) < 0 ||
	    (rc = fetch_msg_blob(&m->m)) < 0 ||
	    (rc = store_blob_octets(m->m.blob, &raw)) < 0)
		return fail(m, rc);
	if (raw.n != m->m.mime->size)
		return fail(m, STORE_E_CORRUPT);
	if (n->fuzzy != NULL) {
		mime_fuzzy_begin(n->fuzzy);
		mime_fuzzy_msg(n->fuzzy, m->m.mime, raw,
		    n->kind == SEARCH_TEXT);
		return scored(n, m);
	}
	return mime_needle_in_msg(n->needle, m->m.mime, raw,
	    n->kind == SEARCH_TEXT);
}

static int
leaf(const struct search_node *n, struct search_msg *m)
{
	const struct store_msg *vm = &m->s->view.m[m->index];

	switch (n->kind) {
	case SEARCH_ALL:
		return 1;
	case SEARCH_SEQ:
		return seqset_has(&n->set, (uint32_t)m->index + 1);
	case SEARCH_UID:
		return seqset_has(&n->set, vm->uid);
	case SEARCH_FLAG:
		return ((vm->flags & n->flag) != 0) != n->off;
	case SEARCH_MODSEQ:
		return vm->modseq >= n->size;
	case SEARCH_SAVED:
		return view_is_saved(&m->s->view, vm->uid);
	case SEARCH_RECENT:
		return view_is_recent(&m->s->view, vm->uid) != n->off;
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return on_day(n, m->m.info);
	case SEARCH_OLDER:
		return m->m.info->received_at <= n->since;
	case SEARCH_YOUNGER:
		return m->m.info->received_at >= n->since;
	case SEARCH_EMAILID:
		return m->m.info->email == n->size;
	case SEARCH_THREADID:
		return m->m.info->thread == n->size;
	case SEARCH_LARGER:
		return m->m.info->size > n->size;
	case SEARCH_SMALLER:
		return m->m.info->size < n->size;
	case SEARCH_ANNOTATION:
		return annotation(n, m);
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return sent(n, m);
	case SEARCH_HEADER:
		return header(n, m);
	default:
		return body(n, m);
	}
}

/* ---- trees ------------------------------------------------------------- */

/* AND stops at a 0, OR at a 1; what isn't known stays so unless decided. */
static int
branch(const struct search_node *n, struct search_msg *m)
{
	int stop = n->kind == SEARCH_AND ? 0 : 1, result = !stop;

	for (const struct search_node *c = n->child; c != NULL; c = c->next) {
		int v = search_eval(c, m);

		if (v == stop)
			return stop;
		if (v < 0) {
			if (m->m.info != NULL)
				return v;
			result = v;
		}
	}
	return result;
}

int
search_eval(const struct search_node *n, struct search_msg *m)
{
	int v;

	if (n->kind == SEARCH_AND || n->kind == SEARCH_OR)
		return branch(n, m);
	if (n->kind == SEARCH_NOT) {
		v = search_eval(n->child, m);
		return v < 0 ? v : !v;
	}
	if (n->cost > 0 && m->m.info == NULL)
		return -1;
	return leaf(n, m);
}
