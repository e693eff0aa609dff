/* imapd/flags.c - flags and keywords by name */
#include "config.h"

#include "imapd/imap.h"
#include "imapd/language.h"
#include "libbase/xalloc.h"

static const struct {
	const char *name;
	uint64_t bit;
} system_flags[] = {
	{ "\\Answered", STORE_ANSWERED },
	{ "\\Flagged", STORE_FLAGGED },
	{ "\\Deleted", STORE_DELETED },
	{ "\\Seen", STORE_SEEN },
	{ "\\Draft", STORE_DRAFT },
};
#define N_SYSTEM (sizeof(system_flags) / sizeof(system_flags[0]))

uint64_t
imap_flag_system(struct slice name)
{
	for (size_t i = 0; i < N_SYSTEM; i++)
		if (slice_ieq(name, slice_str(system_flags[i].name)))
			return system_flags[i].bit;
	return 0;
}

/* A system flag into *flags_r, or a keyword into *name_r. */
static bool
parse_one(struct imap_cmd *cmd, struct imap_args *list, uint64_t *flags_r,
    struct slice *name_r)
{
	const struct imap_arg *arg = list->next;
	uint64_t bit;

	if (arg->type == IMAP_ARG_ATOM && arg->s.p[0] == '\\') {
		list->next = arg->next;
		if ((bit = imap_flag_system(arg->s)) != 0) {
			*flags_r |= bit;
			return true;
		}
		imap_bad(cmd, arena_printf(cmd->a,
		    language_text("no such system flag at octet %u"),
		    (unsigned)arg->pos));
		return false;
	}
	if (imap_args_atom(list, name_r, "a flag"))
		return true;
	imap_bad(cmd, list->err);
	return false;
}

static bool
find_bits(struct imap_cmd *cmd, struct store *st, const struct slice *name,
    size_t n, bool create, uint64_t *flags_r)
{
	uint64_t *bits = arena_calloc(cmd->a, n, sizeof(*bits));
	int rc = store_keyword_bits(st, name, n, create, bits);

	if (rc == STORE_E_LIMIT) {
		imap_no(cmd, "LIMIT", "the account has no room for another "
		    "keyword");
		return false;
	}
	if (rc < 0) {
		imap_store_failed(cmd, rc);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		*flags_r |= bits[i] != 0 ? bits[i] : IMAP_NO_FLAG;
	return true;
}

bool
imap_flags_parse(struct imap_cmd *cmd, struct store *st, unsigned rights,
    struct imap_args *list, uint64_t *flags_r)
{
	struct slice *names;
	size_t n = 0;

	*flags_r = 0;
	for (const struct imap_arg *arg = list->next; arg != NULL;
	    arg = arg->next)
		n++;
	names = arena_calloc(cmd->a, n, sizeof(*names));
	for (n = 0; list->next != NULL; n += names[n].n > 0)
		if (!parse_one(cmd, list, flags_r, &names[n]))
			return false;
	return n == 0 || find_bits(cmd, st, names, n,
	    rights & STORE_RIGHT_WRITE, flags_r);
}

void
imap_flags_forget(struct imap_session *s)
{
	for (size_t i = 0; i < s->n_keywords; i++)
		xfree((char *)(uintptr_t)s->keywords[i].p);
	xfree(s->keywords);
	s->keywords = NULL;
	s->n_keywords = 0;
}

int
imap_flags_load(struct imap_session *s)
{
	struct slice *names;
	size_t n;
	int rc;

	if ((rc = store_keywords(imap_store(s), s->scratch, &names, &n)) < 0)
		return rc;
	imap_flags_forget(s);
	s->keywords = xcalloc(n ? n : 1, sizeof(s->keywords[0]));
	s->n_keywords = n;
	for (size_t i = STORE_KEYWORD_FIRST; i < n; i++)
		if (names[i].p != NULL)
			s->keywords[i] = slice_make(xstrndup(names[i].p,
			    names[i].n), names[i].n);
	return 0;
}

static void
put_system(struct enc *e, uint64_t flags)
{
	for (size_t i = 0; i < N_SYSTEM; i++)
		if (flags & system_flags[i].bit) {
			enc_sp(e);
			enc_raw(e, system_flags[i].name);
		}
}

/* A keyword of JMAP may have characters that an atom can't: none that the
 * store accepts (RFC 8621 4.1.1), but nothing else must get out. */
static void
put_keywords(struct imap_session *s, uint64_t flags)
{
	for (size_t i = STORE_KEYWORD_FIRST; i < s->n_keywords; i++)
		if (flags >> i & 1 && enc_is_atom(s->keywords[i])) {
			enc_sp(&s->out);
			enc_text(&s->out, s->keywords[i]);
		}
}

void
imap_flags_put(struct imap_session *s, uint64_t flags, bool recent)
{
	enc_open(&s->out);
	put_system(&s->out, flags);
	put_keywords(s, flags);
	if (recent && !(s->enabled & IMAP_REV2)) {
		enc_sp(&s->out);
		enc_raw(&s->out, "\\Recent");
	}
	enc_close(&s->out);
}

/* Is every keyword in use that there can be? */
static bool
keywords_full(const struct imap_session *s)
{
	if (s->n_keywords < STORE_KEYWORD_FIRST + STORE_KEYWORD_BITS)
		return false;
	for (size_t i = STORE_KEYWORD_FIRST; i < s->n_keywords; i++)
		if (s->keywords[i].p == NULL)
			return false;
	return true;
}

void
imap_flags_tell(struct imap_session *s)
{
	uint64_t may = s->view.readonly ? 0 :
	    imap_flags_allowed(s->view.rights);
	bool more = may & ~(STORE_SEEN | STORE_DELETED) && !keywords_full(s);
	struct enc *e = &s->out;

	s->keywords_told = 0;
	for (size_t i = STORE_KEYWORD_FIRST; i < s->n_keywords; i++)
		if (s->keywords[i].p != NULL)
			s->keywords_told |= UINT64_C(1) << i;
	enc_raw(e, "* FLAGS");
	imap_flags_put(s, UINT64_MAX, false);
	enc_eol(e);
	enc_raw(e, "* OK [PERMANENTFLAGS");
	enc_open(e);
	put_system(e, may);
	put_keywords(s, may);
	if (more) {	/* RFC 9051 7.1: not once the limit is reached */
		enc_sp(e);
		enc_raw(e, "\\*");
	}
	enc_close(e);
	enc_raw(e, "] ");
	enc_say(e, may == 0 ? "No flag can be changed" :
	    !more ? "These flags can be changed" :
	    "These flags and new ones can be changed");
	enc_eol(e);
}

void
imap_flags_announce(struct imap_session *s, uint64_t flags)
{
	flags &= ~((UINT64_C(1) << STORE_KEYWORD_FIRST) - 1);
	if ((flags & ~s->keywords_told) == 0)
		return;
	if (imap_flags_load(s) == 0)
		imap_flags_tell(s);
	s->keywords_told |= flags;	/* tried once is enough */
}
