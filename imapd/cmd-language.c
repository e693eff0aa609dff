/* imapd/cmd-language.c - LANGUAGE (RFC 5255 3) */
#include "config.h"

#include "imapd/imap.h"
#include "imapd/language.h"

static bool
letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* language-range of RFC 4647 2.1 */
static bool
well_formed(struct slice s)
{
	size_t len = 0;
	bool first = true;

	if (slice_eq(s, SLICE_LIT("*")))
		return true;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '-') {
			if (len == 0)
				return false;
			first = false;
			len = 0;
		} else if (++len > 8 || (!letter(s.p[i]) &&
		    (first || s.p[i] < '0' || s.p[i] > '9'))) {
			return false;
		}
	}
	return len > 0;
}

static void
tell(struct imap_session *s, const struct language *l, size_t n)
{
	struct enc *e = &s->out;

	enc_raw(e, "* LANGUAGE (");
	for (size_t i = 0; i < n; i++) {
		enc_raw(e, i > 0 ? " " : "");
		enc_raw(e, l[i].tag);
	}
	enc_raw(e, ")");
	enc_eol(e);
}

/* The first range that there is a language for.  "*" says nothing about which
 * (RFC 4647 3.4); where nothing else does, it is the preferred one. */
static bool
choose(struct imap_cmd *cmd, const struct language **l_r)
{
	struct slice preferred = slice_str(cmd->s->x->conf->imap_language);
	struct imap_args *v = &cmd->args;
	bool any = false;

	*l_r = NULL;
	while (v->next != NULL) {
		struct imap_args before = *v;
		struct slice s;

		if (!imap_args_astring(v, &s, "a language"))
			return false;
		if (!well_formed(s)) {
			*v = before;
			return imap_args_expected(v, "a language");
		}
		if (slice_eq(s, SLICE_LIT("*")))
			any = true;
		else if (slice_ieq(s, SLICE_LIT("default")))
			s = preferred;
		if (*l_r == NULL)
			*l_r = language_lookup(s);
	}
	if (*l_r == NULL && any)
		*l_r = language_lookup(preferred);
	return true;
}

enum imap_next
cmd_language(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	const struct language *l;

	if (cmd->args.next == NULL) {
		tell(s, languages, languages_n);
		return imap_ok(cmd, "These are the languages");
	}
	if (!choose(cmd, &l))
		return imap_bad_args(cmd);
	if (l == NULL)
		return imap_no(cmd, NULL, "That language isn't supported");
	tell(s, l, 1);
	language_use(l);
	return imap_ok(cmd, "This is the language now");
}
