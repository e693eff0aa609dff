/* imapd/search-filter.c - the search key FILTER (RFC 5466) */
#include "config.h"

#include "imapd/chars.h"
#include "imapd/language.h"
#include "imapd/search.h"

enum {
	NESTED_MAX = 8,		/* filters in filters; at least 3 */
	LITERAL_MAX = 64 * 1024
};

#define VALUES "/filters/values/"

static bool
undefined(struct search_request *q, struct imap_args *v, struct slice name)
{
	q->code = arena_printf(q->cmd->a, "UNDEFINED-FILTER %.*s",
	    (int)name.n, name.p);
	v->err = "There is no such filter";
	return false;
}

/* filter-name: an atom without "/". */
static bool
take_name(struct imap_args *v, struct slice *name_r)
{
	if (!imap_args_atom(v, name_r, "the name of a filter"))
		return false;
	if (memchr(name_r->p, '/', name_r->n) == NULL)
		return true;
	v->err = "the name of a filter has no '/'";
	return false;
}

/* The private one, else the shared one. */
static int
find(struct search_request *q, struct slice name, struct slice *value_r)
{
	struct imap_session *s = q->cmd->s;
	struct slice want = slice_str(arena_printf(q->cmd->a, VALUES "%.*s",
	    (int)name.n, name.p));
	struct store_metadata *m;
	size_t n;
	int rc;

	rc = store_metadata_get(s->x->store, q->cmd->a, 0, s->x->account, &m,
	    &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (slice_ieq(m[i].name, want)) {
			*value_r = m[i].value;
			return 0;
		}
	return rc < 0 ? rc : STORE_E_NOTFOUND;
}

static int
on_command(void *arg, struct imap_parser *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static enum imap_literal_rc
on_literal(void *arg, struct imap_parser *p, uint64_t size, bool binary)
{
	(void)arg;
	(void)p;
	(void)size;
	(void)binary;
	return IMAP_LIT_KEEP;
}

/* The filter's text as the arguments of a command. */
static const char *
lex(struct search_request *q, struct slice value, struct imap_args *in_r)
{
	static const struct imap_parse_hooks hooks = { on_command, on_literal };
	struct imap_parser *p = arena_alloc(q->cmd->a, sizeof(*p));
	struct slice in = slice_str(arena_printf(q->cmd->a,
	    "f SEARCH %.*s\r\n", (int)value.n, value.p));
	enum imap_parse_rc rc = IMAP_PARSE_MORE;
	size_t used = 1;

	if (value.n > 0 && memchr(value.p, '\0', value.n) != NULL)
		return "it has a NUL";
	imap_parser_init(p);
	p->hooks = &hooks;
	p->lim = q->cmd->s->parser.lim;
	p->lim.literal = LITERAL_MAX;
	imap_parser_reset(p, q->cmd->a);
	while (in.n > 0 && (rc == IMAP_PARSE_GO || used > 0) &&
	    (rc == IMAP_PARSE_GO || rc == IMAP_PARSE_MORE)) {
		rc = imap_parse(p, in, &used);
		in = slice_make(in.p + used, in.n - used);
	}
	if (rc == IMAP_PARSE_DONE && in.n == 0) {
		*in_r = (struct imap_args){ p->args, q->cmd->a, NULL, true };
		return NULL;
	}
	return rc == IMAP_PARSE_BAD ? p->err : "it is not one line";
}

bool
search_parse_filter(struct search_request *q, struct imap_args *v,
    struct search_node *parent)
{
	struct slice name, value, charset = q->charset;
	struct imap_args in;
	const char *err;
	int rc;

	if (!take_name(v, &name))
		return false;
	if (charset.p != NULL && !slice_ieq(charset, SLICE_LIT("UTF-8")) &&
	    !slice_ieq(charset, SLICE_LIT("US-ASCII"))) {
		q->code = "BADCHARSET (US-ASCII UTF-8)";
		q->bad = true;
		v->err = "Filters are in UTF-8";
		return false;
	}
	rc = q->filters < NESTED_MAX ? find(q, name, &value) :
	    STORE_E_NOTFOUND;
	if (rc < 0)
		return undefined(q, v, name);
	q->charset = SLICE_LIT("UTF-8");
	q->filters++;
	if ((err = lex(q, value, &in)) == NULL)
		do {
			if (!search_parse_key(q, &in, parent))
				err = in.err;
		} while (err == NULL && in.next != NULL);
	q->filters--;
	q->charset = charset;
	if (err != NULL && q->code == NULL)
		err = arena_printf(q->cmd->a, language_text("filter %.*s: %s"),
		    (int)name.n, name.p, language_text(err));
	v->err = err;
	return err == NULL;
}
