/* imapd/cmd-sort.c - SORT (RFC 5256, RFC 5267, RFC 5957 DISPLAY) */
#include "config.h"

#include <stdlib.h>

#include "imapd/keys.h"
#include "libbase/xalloc.h"

struct sort {
	struct search *r;
	struct sort_order o;
	struct key_value *v;	/* o.n for each message, */
	struct arena *a;	/* and their texts */
};

static bool
criterion(struct imap_args *in, struct sort_order *o)
{
	static const char *const names[] = {
		[KEY_ARRIVAL] = "ARRIVAL", [KEY_SIZE] = "SIZE",
		[KEY_DATE] = "DATE", [KEY_CC] = "CC", [KEY_FROM] = "FROM",
		[KEY_TO] = "TO", [KEY_SUBJECT] = "SUBJECT",
		[KEY_DISPLAYFROM] = "DISPLAYFROM",
		[KEY_DISPLAYTO] = "DISPLAYTO",
		[KEY_RELEVANCY] = "RELEVANCY",
		[KEY_ANNOTATION] = "ANNOTATION"
	};

	if (o->n == CRITERIA_MAX)
		return imap_args_expected(in, "fewer sort criteria");
	o->reverse[o->n] = imap_args_word(in, "REVERSE");
	for (int k = KEY_ARRIVAL; k <= KEY_ANNOTATION; k++)
		if (imap_args_word(in, names[k])) {
			o->key[o->n++] = (enum key)k;
			return k != KEY_ANNOTATION || annotate_find_parse(in,
			    &o->annotation[o->n - 1]);
		}
	return imap_args_expected(in, "a sort criterion");
}

static bool
parse(struct sort *o, struct imap_args *v)
{
	struct search_request *q = &o->r->q;
	struct imap_args in;

	if (!search_parse_return(q, v) ||
	    !imap_args_list(v, &in, "a list of sort criteria"))
		return false;
	do {
		if (!criterion(&in, &o->o)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	if (!search_parse_charset(q, v) || !search_parse_keys(q, v))
		return false;
	for (size_t i = 0; i < o->o.n; i++)
		if (o->o.key[i] == KEY_RELEVANCY && !q->fuzzy) {
			v->err = "RELEVANCY is for FUZZY searches";
			return false;
		}
	return true;
}

static int
on_message(void *arg, struct fetch_msg *m, size_t i)
{
	struct sort *o = arg;
	struct key_value *v = &o->v[i * o->o.n];
	int rc = order_get(&o->o, m, o->a, v);

	/* The most relevant comes first (RFC 6203 6). */
	for (size_t k = 0; k < o->o.n; k++)
		if (o->o.key[k] == KEY_RELEVANCY)
			v[k].n = -(int64_t)o->r->score[i];
	return rc;
}

/* Of two indexes; equal ones stay in the mailbox's order. */
static int
compare(const void *a, const void *b, void *arg)
{
	const struct sort *o = arg;
	size_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = order_compare(&o->o, &o->v[x * o->o.n], &o->v[y * o->o.n]);

	return c != 0 ? c : x < y ? -1 : x > y;
}

/* Puts the numbers that were found in order. */
static void
order(struct sort *o)
{
	struct search *r = o->r;
	uint32_t *at = xcalloc(r->n + 1, sizeof(*at));
	uint32_t *uid = xcalloc(r->n + 1, sizeof(*uid));
	uint32_t *no = xcalloc(r->n + 1, sizeof(*no));
	unsigned char *score = r->score ? xcalloc(r->n + 1, 1) : NULL;

	for (size_t i = 0; i < r->n; i++)
		at[i] = (uint32_t)i;
	qsort_r(at, r->n, sizeof(*at), compare, o);
	for (size_t i = 0; i < r->n; i++) {
		uid[i] = r->uid[at[i]];
		no[i] = r->no[at[i]];
		if (score != NULL)
			score[i] = r->score[at[i]];
	}
	xfree(at);
	xfree(r->uid);
	xfree(r->no);
	xfree(r->score);
	r->score = score;
	r->uid = uid;
	r->no = no;
}

enum imap_next
cmd_sort(struct imap_cmd *cmd)
{
	struct sort o = {
		.r = arena_calloc(cmd->a, 1, sizeof(*o.r)),
		.o = { .s = cmd->s, .collation = cmd->s->collation,
		    .descending = cmd->s->descending }
	};
	int rc;

	o.r->q.cmd = cmd;
	if (!parse(&o, &cmd->args))
		return search_failed(o.r, 0);
	o.r = context_begin(o.r);
	if ((rc = search_run(o.r)) < 0)
		return search_failed(o.r, rc);
	if (cmd->limited != 0)
		return imap_over_limit(cmd,
		    cmd->s->x->conf->imap_message_limit);
	o.v = xcalloc(o.r->n * o.o.n + 1, sizeof(*o.v));
	o.a = arena_new(0);
	rc = keys_scan(o.r, on_message, &o);
	if (rc >= 0 || rc == STORE_E_NOTFOUND)
		order(&o);
	xfree(o.v);
	arena_free(&o.a);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return search_failed(o.r, rc);
	context_found(o.r, &o.o);
	search_answer(o.r, "* SORT");
	search_release(o.r);
	return imap_ok(cmd, "Sorted");
}
