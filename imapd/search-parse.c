/* imapd/search-parse.c - the conditions of SEARCH (RFC 9051 6.4.4) */
#include "config.h"

#include <time.h>

#include "imapd/date.h"
#include "imapd/search.h"
#include "libbase/text.h"

enum { DEPTH_MAX = 64 };

enum arg {	/* what follows a key */
	A_NONE, A_FLAG, A_KEYWORD, A_DATE, A_NUMBER, A_STRING, A_FIELD, A_SET,
	A_MODSEQ, A_INTERVAL, A_EMAILID, A_THREADID, A_ABOVE, A_BELOW,
	A_ANNOTATION
};

static const struct key {
	const char *word;
	enum search_kind kind;
	enum arg arg;
	uint64_t flag;
	bool off;
	const char *field;
} keys[] = {
	/* clang-format off */
	{ "ALL", SEARCH_ALL, A_NONE, 0, false, NULL },
	{ "ANNOTATION", SEARCH_ANNOTATION, A_ANNOTATION, 0, false, NULL },
	{ "ANSWERED", SEARCH_FLAG, A_NONE, STORE_ANSWERED, false, NULL },
	{ "BCC", SEARCH_HEADER, A_STRING, 0, false, "Bcc" },
	{ "BEFORE", SEARCH_BEFORE, A_DATE, 0, false, NULL },
	{ "BODY", SEARCH_BODY, A_STRING, 0, false, NULL },
	{ "CC", SEARCH_HEADER, A_STRING, 0, false, "Cc" },
	{ "DELETED", SEARCH_FLAG, A_NONE, STORE_DELETED, false, NULL },
	{ "DRAFT", SEARCH_FLAG, A_NONE, STORE_DRAFT, false, NULL },
	{ "EMAILID", SEARCH_EMAILID, A_EMAILID, 0, false, NULL },
	{ "FLAGGED", SEARCH_FLAG, A_NONE, STORE_FLAGGED, false, NULL },
	{ "FROM", SEARCH_HEADER, A_STRING, 0, false, "From" },
	{ "HEADER", SEARCH_HEADER, A_FIELD, 0, false, NULL },
	{ "KEYWORD", SEARCH_FLAG, A_KEYWORD, 0, false, NULL },
	{ "LARGER", SEARCH_LARGER, A_NUMBER, 0, false, NULL },
	{ "MODSEQ", SEARCH_MODSEQ, A_MODSEQ, 0, false, NULL },
	{ "OLD", SEARCH_RECENT, A_NONE, 0, true, NULL },
	{ "OLDER", SEARCH_OLDER, A_INTERVAL, 0, false, NULL },
	{ "ON", SEARCH_ON, A_DATE, 0, false, NULL },
	{ "RECENT", SEARCH_RECENT, A_NONE, 0, false, NULL },
	{ "SAVEDATESUPPORTED", SEARCH_ALL, A_NONE, 0, false, NULL },
	{ "SAVEDBEFORE", SEARCH_SAVEDBEFORE, A_DATE, 0, false, NULL },
	{ "SAVEDON", SEARCH_SAVEDON, A_DATE, 0, false, NULL },
	{ "SAVEDSINCE", SEARCH_SAVEDSINCE, A_DATE, 0, false, NULL },
	{ "SEEN", SEARCH_FLAG, A_NONE, STORE_SEEN, false, NULL },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, A_DATE, 0, false, NULL },
	{ "SENTON", SEARCH_SENTON, A_DATE, 0, false, NULL },
	{ "SENTSINCE", SEARCH_SENTSINCE, A_DATE, 0, false, NULL },
	{ "SINCE", SEARCH_SINCE, A_DATE, 0, false, NULL },
	{ "SMALLER", SEARCH_SMALLER, A_NUMBER, 0, false, NULL },
	{ "SUBJECT", SEARCH_HEADER, A_STRING, 0, false, "Subject" },
	{ "TEXT", SEARCH_TEXT, A_STRING, 0, false, NULL },
	{ "THREADID", SEARCH_THREADID, A_THREADID, 0, false, NULL },
	{ "TO", SEARCH_HEADER, A_STRING, 0, false, "To" },
	{ "UID", SEARCH_UID, A_SET, 0, false, NULL },
	{ "UIDAFTER", SEARCH_UID, A_ABOVE, 0, false, NULL },
	{ "UIDBEFORE", SEARCH_UID, A_BELOW, 0, false, NULL },
	{ "UNANSWERED", SEARCH_FLAG, A_NONE, STORE_ANSWERED, true, NULL },
	{ "UNDELETED", SEARCH_FLAG, A_NONE, STORE_DELETED, true, NULL },
	{ "UNDRAFT", SEARCH_FLAG, A_NONE, STORE_DRAFT, true, NULL },
	{ "UNFLAGGED", SEARCH_FLAG, A_NONE, STORE_FLAGGED, true, NULL },
	{ "UNKEYWORD", SEARCH_FLAG, A_KEYWORD, 0, true, NULL },
	{ "UNSEEN", SEARCH_FLAG, A_NONE, STORE_SEEN, true, NULL },
	{ "YOUNGER", SEARCH_YOUNGER, A_INTERVAL, 0, false, NULL },
	/* clang-format on */
};

/* How dear the answer is; conditions are asked in this order. */
static unsigned
kind_cost(enum search_kind k)
{
	if (k <= SEARCH_RECENT)
		return 0;
	if (k <= SEARCH_ANNOTATION)
		return 1;
	if (k <= SEARCH_HEADER)
		return 2;
	return k == SEARCH_BODY ? 8 : 9;
}

static struct search_node *
node(struct search_request *q, enum search_kind kind)
{
	struct search_node *n = arena_alloc(q->cmd->a, sizeof(*n));

	n->kind = kind;
	n->cost = kind_cost(kind);
	return n;
}

/* Puts a child where its cost belongs. */
static void
adopt(struct search_node *parent, struct search_node *child)
{
	struct search_node **at = &parent->child;

	while (*at != NULL && (*at)->cost <= child->cost)
		at = &(*at)->next;
	child->next = *at;
	*at = child;
	if (child->cost > parent->cost)
		parent->cost = child->cost;
}

/* ---- arguments of keys ------------------------------------------------- */

/* What is looked for: as it is, or words like it (RFC 6203). */
static int
needle_new(struct search_request *q, struct slice s, struct search_node *n)
{
	const struct imap_session *x = q->cmd->s;

	if (q->in_fuzzy > 0)
		return mime_fuzzy_new(s, x->x->conf->module_dir,
		    x->x->conf->stem_language, q->cmd->a, &n->fuzzy);
	return mime_needle_collated(s, x->collation, q->cmd->a, &n->needle);
}

static bool
needle(struct search_request *q, struct imap_args *v, struct search_node *n)
{
	struct imap_args before = *v;
	struct slice s;
	bool problem = false;

	if (!imap_args_astring(v, &s, "a string"))
		return false;
	if (q->charset.p != NULL)
		s = mime_to_utf8(q->cmd->a, q->charset, s, &problem);
	if (problem || needle_new(q, s, n) < 0) {
		*v = before;
		return imap_args_expected(v, "text in the CHARSET");
	}
	return true;
}

static bool
keyword(struct search_request *q, struct imap_args *v, struct search_node *n)
{
	struct slice s;
	int rc;

	if (!imap_args_atom(v, &s, "a keyword"))
		return false;
	rc = store_keyword_bit(imap_store(q->cmd->s), s, false, &n->flag);
	if (rc < 0)
		n->flag = 0;
	n->name = s;
	return true;
}

static bool
date(struct imap_args *v, struct search_node *n)
{
	if (v->next == NULL || (v->next->type != IMAP_ARG_ATOM &&
	    v->next->type != IMAP_ARG_QUOTED) ||
	    imap_date(v->next->s, &n->days) < 0)
		return imap_args_expected(v, "a date like 1-Feb-1994");
	v->next = v->next->next;
	return true;
}

/* [entry-name entry-type-req] mod-sequence-valzer (RFC 7162 3.1.5): one
 * mod-sequence serves all metadata items of a message. */
static bool
modseq(struct search_request *q, struct imap_args *v, struct search_node *n)
{
	struct slice entry;

	if (v->next != NULL && v->next->type == IMAP_ARG_QUOTED) {
		imap_args_string(v, &entry, "an entry's name");
		if (!imap_args_word(v, "all") && !imap_args_word(v, "priv") &&
		    !imap_args_word(v, "shared"))
			return imap_args_expected(v, "all, priv or shared");
	}
	q->modseq = true;
	return imap_args_number64(v, &n->size, "a mod-sequence");
}

/* Seconds before now, at least one (RFC 5032). */
static bool
interval(struct imap_args *v, struct search_node *n)
{
	uint32_t s;

	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    slice_eq(v->next->s, SLICE_LIT("0")) ||
	    !imap_args_number(v, &s, "an interval in seconds"))
		return imap_args_expected(v, "an interval in seconds");
	n->since = (int64_t)time(NULL) - s;
	return true;
}

/* An id that nothing can have matches nothing (RFC 8474 5.4). */
static bool
object_id(struct imap_args *v, struct search_node *n, char prefix)
{
	struct slice s;

	if (!imap_args_atom(v, &s, "an object id"))
		return false;
	if (store_id_from(prefix, s, &n->size) < 0)
		n->size = 0;
	return true;
}

/* Greater or less than a UID, which needn't be there (RFC 9738 3.2). */
static bool
beside(struct imap_args *v, struct search_node *n, bool above)
{
	struct store_range *r = arena_calloc(v->a, 1, sizeof(*r));
	uint32_t uid;

	if (!imap_args_number(v, &uid, "a UID"))
		return false;
	if (uid == 0) {
		v->err = "no message has UID 0";
		return false;
	}
	*r = above ? (struct store_range){ uid + 1, UINT32_MAX } :
	    (struct store_range){ 1, uid - 1 };
	n->set = (struct seqset){ r, uid != (above ? UINT32_MAX : 1) };
	return true;
}

/* RFC 5257 4.4 */
static bool
annotation(struct search_request *q, struct imap_args *v,
    struct search_node *n)
{
	struct annotate_find *f = arena_calloc(v->a, 1, sizeof(*f));
	unsigned fuzzy = q->in_fuzzy;
	bool ok;

	n->annotation = f;
	if (!annotate_find_parse(v, f))
		return false;
	if ((f->nil = imap_args_word(v, "NIL")))
		return true;
	q->in_fuzzy = 0;
	ok = needle(q, v, n);
	q->in_fuzzy = fuzzy;
	f->needle = n->needle;
	return ok;
}

static bool
key_arg(struct search_request *q, struct imap_args *v, enum arg arg,
    struct search_node *n)
{
	switch (arg) {
	case A_NONE:
	case A_FLAG:
		return true;
	case A_KEYWORD:
		return keyword(q, v, n);
	case A_DATE:
		return date(v, n);
	case A_NUMBER:
		return imap_args_number64(v, &n->size, "a size");
	case A_FIELD:
		if (!imap_args_astring(v, &n->name, "a header field"))
			return false;
		return needle(q, v, n);
	case A_STRING:
		return needle(q, v, n);
	case A_SET:
		if (imap_args_word(v, "$")) {
			n->kind = SEARCH_SAVED;
			return true;
		}
		if (v->next != NULL)
			n->name = v->next->s;
		return imap_args_seqset(v, view_star(&q->cmd->s->view, true),
		    &n->set);
	case A_MODSEQ:
		return modseq(q, v, n);
	case A_INTERVAL:
		q->within = true;
		return interval(v, n);
	case A_EMAILID:
		return object_id(v, n, 'E');
	case A_THREADID:
		return object_id(v, n, 'T');
	case A_ANNOTATION:
		return annotation(q, v, n);
	case A_ABOVE:
	case A_BELOW:
		return beside(v, n, arg == A_ABOVE);
	}
	return false;
}

/* ---- keys -------------------------------------------------------------- */


/* NEW is RECENT UNSEEN. */
static bool
parse_new(struct search_request *q, struct search_node *parent)
{
	struct search_node *recent = node(q, SEARCH_RECENT);
	struct search_node *unseen = node(q, SEARCH_FLAG);
	struct search_node *both = node(q, SEARCH_AND);

	unseen->flag = STORE_SEEN;
	unseen->off = true;
	adopt(both, recent);
	adopt(both, unseen);
	adopt(parent, both);
	return true;
}

static bool
parse_branch(struct search_request *q, struct imap_args *v,
    struct search_node *parent, enum search_kind kind)
{
	struct search_node *n = node(q, kind);

	if (!search_parse_key(q, v, n) ||
	    (kind == SEARCH_OR && !search_parse_key(q, v, n)))
		return false;
	adopt(parent, n);
	return true;
}

/* Keys that aren't about texts are as exact as ever (RFC 6203 5). */
static bool
parse_fuzzy(struct search_request *q, struct imap_args *v,
    struct search_node *parent)
{
	bool ok;

	q->fuzzy = true;
	q->in_fuzzy++;
	ok = search_parse_key(q, v, parent);
	q->in_fuzzy--;
	return ok;
}

static bool
parse_list(struct search_request *q, struct imap_args *v,
    struct search_node *parent)
{
	struct search_node *n = node(q, SEARCH_AND);
	struct imap_args in;

	imap_args_list(v, &in, "search keys");
	do {
		if (!search_parse_key(q, &in, n)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	adopt(parent, n);
	return true;
}

static bool
parse_word(struct search_request *q, struct imap_args *v,
    struct search_node *parent)
{
	struct search_node *n;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct key *k = &keys[i];

		if (!imap_args_word(v, k->word))
			continue;
		n = node(q, k->kind);
		n->flag = k->flag;
		n->off = k->off;
		n->name = slice_str(k->field);
		if (!key_arg(q, v, k->arg, n))
			return false;
		adopt(parent, n);
		return true;
	}
	if (imap_args_word(v, "$")) {
		adopt(parent, node(q, SEARCH_SAVED));
		return true;
	}
	n = node(q, SEARCH_SEQ);
	if (v->next == NULL || v->next->type != IMAP_ARG_ATOM ||
	    seqset_parse(v->next->s, view_star(&q->cmd->s->view, false), v->a,
	    &n->set) < 0)
		return imap_args_expected(v, "a search key");
	if (q->cmd->s->enabled & IMAP_UIDONLY) {
		q->numbers = true;
		v->err = "sequence numbers";
		return false;
	}
	v->next = v->next->next;
	adopt(parent, n);
	return true;
}

bool
search_parse_key(struct search_request *q, struct imap_args *v,
    struct search_node *parent)
{
	bool ok;

	if (q->depth >= DEPTH_MAX)
		return imap_args_expected(v, "less nesting");
	q->depth++;
	if (v->next != NULL && v->next->type == IMAP_ARG_LIST)
		ok = parse_list(q, v, parent);
	else if (imap_args_word(v, "NOT"))
		ok = parse_branch(q, v, parent, SEARCH_NOT);
	else if (imap_args_word(v, "OR"))
		ok = parse_branch(q, v, parent, SEARCH_OR);
	else if (imap_args_word(v, "NEW"))
		ok = parse_new(q, parent);
	else if (imap_args_word(v, "FUZZY"))
		ok = parse_fuzzy(q, v, parent);
	else if (imap_args_word(v, "FILTER"))
		ok = search_parse_filter(q, v, parent);
	else
		ok = parse_word(q, v, parent);
	q->depth--;
	return ok;
}

/* UPDATE [(data items)]: RFC 5267 4.3, RFC 5465 7 */
static bool
update(struct search_request *q, struct imap_args *v)
{
	struct imap_args in;

	if (context_has(q->cmd->s, q->cmd->tag)) {
		v->err = "that tag is the one of an earlier UPDATE";
		return false;
	}
	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return true;
	imap_args_list(v, &in, "data items");
	q->update = arena_calloc(v->a, 1, sizeof(*q->update));
	if (fetch_parse_list(&in, q->update))
		return true;
	v->err = in.err;
	return false;
}

static bool
return_option(struct search_request *q, struct imap_args *v)
{
	static const char *const options[] = {
		"MIN", "MAX", "ALL", "COUNT", "SAVE", "PARTIAL", "CONTEXT",
		"UPDATE", "RELEVANCY"
	};
	unsigned i = 0;

	while (i < 9 && !imap_args_word(v, options[i]))
		i++;
	if (i == 9 || (q->partial.given && 1u << i == SEARCH_RET_PARTIAL))
		return imap_args_expected(v, "a return option");
	q->ret |= 1u << i;
	if (1u << i == SEARCH_RET_PARTIAL)
		return imap_args_partial(v, &q->partial);
	return 1u << i != SEARCH_RET_UPDATE || update(q, v);
}

/* RETURN (MIN MAX ALL COUNT SAVE): RFC 9051 search-return-opts; PARTIAL 1:500
 * of RFC 9394; CONTEXT and UPDATE of RFC 5267; RELEVANCY of RFC 6203 */
bool
search_parse_return(struct search_request *q, struct imap_args *v)
{
	struct imap_args in;

	if (!imap_args_word(v, "RETURN"))
		return true;
	if (!imap_args_list(v, &in, "a list of return options"))
		return false;
	while (in.next != NULL)
		if (!return_option(q, &in)) {
			v->err = in.err;
			return false;
		}
	if (q->partial.given && q->ret & SEARCH_RET_ALL) {
		v->err = "expected either ALL or PARTIAL";
		return false;
	}
	q->extended = true;
	if (q->ret == 0)
		q->ret = SEARCH_RET_ALL;
	return true;
}

bool
search_parse_charset(struct search_request *q, struct imap_args *v)
{
	if (!imap_args_astring(v, &q->charset, "a character set"))
		return false;
	if (mime_charset_known(q->charset))
		return true;
	q->code = "BADCHARSET (US-ASCII UTF-8)";
	v->err = "That character set isn't known";
	return false;
}

bool
search_parse_keys(struct search_request *q, struct imap_args *v)
{
	q->root = node(q, SEARCH_AND);
	do {
		if (!search_parse_key(q, v, q->root))
			return false;
	} while (v->next != NULL);
	if (q->ret & SEARCH_RET_RELEVANCY && !q->fuzzy) {
		v->err = "RELEVANCY is for FUZZY searches";
		return false;
	}
	if (q->modseq)
		imap_enable(q->cmd->s, IMAP_CONDSTORE);
	return true;
}

/* RFC 6855 3: who enabled UTF-8 says nothing else. */
static bool
parse_charset(struct search_request *q, struct imap_args *v)
{
	if (!imap_args_word(v, "CHARSET"))
		return true;
	if (q->cmd->s->enabled & IMAP_UTF8) {
		v->err = "no CHARSET after ENABLE UTF8=ACCEPT";
		return false;
	}
	return search_parse_charset(q, v);
}

bool
search_parse(struct search_request *q, struct imap_args *v)
{
	return search_parse_return(q, v) && parse_charset(q, v) &&
	    search_parse_keys(q, v);
}
