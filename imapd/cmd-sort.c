/* imapd/cmd-sort.c - SORT (RFC 5256, RFC 5267 3 ESORT, RFC 5957 DISPLAY) */
#include "config.h"

#include <stdlib.h>

#include "imapd/keys.h"
#include "libbase/xalloc.h"

enum { CRITERIA_MAX = 16 };

struct sort {
	struct search *r;
	enum key key[CRITERIA_MAX];
	bool reverse[CRITERIA_MAX];
	size_t n;
	enum collation collation;
	bool descending;
	struct key_value *v;	/* n for each message */
};

static bool
criterion(struct imap_args *in, struct sort *o)
{
	static const char *const names[] = {
		[KEY_ARRIVAL] = "ARRIVAL", [KEY_SIZE] = "SIZE",
		[KEY_DATE] = "DATE", [KEY_CC] = "CC", [KEY_FROM] = "FROM",
		[KEY_TO] = "TO", [KEY_SUBJECT] = "SUBJECT",
		[KEY_DISPLAYFROM] = "DISPLAYFROM",
		[KEY_DISPLAYTO] = "DISPLAYTO"
	};

	if (o->n == CRITERIA_MAX)
		return imap_args_expected(in, "fewer sort criteria");
	o->reverse[o->n] = imap_args_word(in, "REVERSE");
	for (int k = KEY_ARRIVAL; k <= KEY_DISPLAYTO; k++)
		if (imap_args_word(in, names[k])) {
			o->key[o->n++] = (enum key)k;
			return true;
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
		if (!criterion(&in, o)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return search_parse_charset(q, v) && search_parse_keys(q, v);
}

static int
on_message(void *arg, struct fetch_msg *m, size_t i)
{
	struct sort *o = arg;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < o->n; k++)
		rc = key_get(m, o->key[k], o->collation, o->r->q.cmd->a,
		    &o->v[i * o->n + k]);
	return rc;
}

/* Of two indexes; equal ones stay in the mailbox's order. */
static int
compare(const void *a, const void *b, void *arg)
{
	const struct sort *o = arg;
	size_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	for (size_t k = 0; k < o->n; k++) {
		int c = key_compare(&o->v[x * o->n + k],
		    &o->v[y * o->n + k], o->descending);

		if (c != 0)
			return o->reverse[k] ? -c : c;
	}
	return x < y ? -1 : x > y;
}

/* Puts the numbers that were found in order. */
static void
order(struct sort *o)
{
	struct search *r = o->r;
	uint32_t *at = xcalloc(r->n + 1, sizeof(*at));
	uint32_t *uid = xcalloc(r->n + 1, sizeof(*uid));
	uint32_t *no = xcalloc(r->n + 1, sizeof(*no));

	for (size_t i = 0; i < r->n; i++)
		at[i] = (uint32_t)i;
	qsort_r(at, r->n, sizeof(*at), compare, o);
	for (size_t i = 0; i < r->n; i++) {
		uid[i] = r->uid[at[i]];
		no[i] = r->no[at[i]];
	}
	xfree(at);
	xfree(r->uid);
	xfree(r->no);
	r->uid = uid;
	r->no = no;
}

enum imap_next
cmd_sort(struct imap_cmd *cmd)
{
	struct sort o = { .r = arena_calloc(cmd->a, 1, sizeof(*o.r)) };
	int rc;

	o.r->q.cmd = cmd;
	o.collation = cmd->s->collation;
	o.descending = cmd->s->descending;
	if (!parse(&o, &cmd->args))
		return search_failed(o.r, 0);
	if ((rc = search_run(o.r)) < 0)
		return search_failed(o.r, rc);
	if (cmd->limited != 0)
		return imap_over_limit(cmd,
		    cmd->s->x->conf->imap_message_limit);
	o.v = xcalloc(o.r->n * o.n + 1, sizeof(*o.v));
	rc = keys_scan(o.r, on_message, &o);
	if (rc >= 0 || rc == STORE_E_NOTFOUND)
		order(&o);
	xfree(o.v);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return search_failed(o.r, rc);
	search_answer(o.r, "* SORT");
	return imap_ok(cmd, "Sorted");
}
