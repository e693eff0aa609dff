/* imapd/cmd-comparator.c - COMPARATOR (RFC 5255 4.7, RFC 4790 3) */
#include "config.h"

#include "imapd/imap.h"

enum { SPEC_MAX = 255 };	/* octets, RFC 4790 3.2 */

struct choice {
	bool found, descending;
	enum collation which;
	bool matched[COLLATION_N];	/* by any of the arguments */
};

static bool
letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
collation_char(char c)
{
	return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == ';' ||
	    c == '=' || c == '.';
}

/* collation-wild: no two wildcards in a row. */
static bool
well_formed(struct slice s)
{
	if (s.n == 0 || s.n > SPEC_MAX || (s.p[0] != '*' && !letter(s.p[0])))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '*' ? s.p[i - 1] == '*' :
		    !collation_char(s.p[i]))
			return false;
	return true;
}

/* Wildcards are for any number of characters. */
static bool
matches(struct slice wild, struct slice name)
{
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0;

	while (k < name.n) {
		if (i < wild.n && wild.p[i] == '*') {
			star = i++;
			from = k;
		} else if (i < wild.n && slice_ieq(slice_make(wild.p + i, 1),
		    slice_make(name.p + k, 1))) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++from;
		} else {
			return false;
		}
	}
	while (i < wild.n && wild.p[i] == '*')
		i++;
	return i == wild.n;
}

static void
choose(struct choice *ch, struct slice wild, bool descending)
{
	/* A wildcard alone is what holds without negotiation. */
	bool usual = slice_eq(wild, SLICE_LIT("*")) ||
	    slice_ieq(wild, SLICE_LIT("default"));

	for (int c = 0; c < COLLATION_N; c++) {
		/* RFC 5255 4.4: SEARCH needs substrings */
		if (!collation_has_substring((enum collation)c) ||
		    (usual ? c != COLLATION_UNICODE :
		    !matches(wild, slice_str(collation_name(c)))))
			continue;
		ch->matched[c] = true;
		if (ch->found)
			continue;
		ch->found = true;
		ch->which = (enum collation)c;
		ch->descending = descending;
	}
}

static bool
parse(struct imap_args *v, struct choice *ch)
{
	while (v->next != NULL) {
		struct imap_args before = *v;
		struct slice s;
		bool descending;

		if (!imap_args_astring(v, &s, "a comparator"))
			return false;
		descending = s.n > 0 && s.p[0] == '-';
		if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
			s.p++;
			s.n--;
		}
		if (!well_formed(s)) {
			*v = before;
			return imap_args_expected(v, "a comparator");
		}
		choose(ch, s, descending);
	}
	return true;
}

static void
tell(struct imap_session *s, const struct choice *ch)
{
	struct enc *e = &s->out;
	size_t n = 0, told = 0;

	enc_raw(e, "* COMPARATOR ");
	if (s->descending)
		enc_raw(e, "-");
	enc_raw(e, collation_name(s->collation));
	for (int c = 0; c < COLLATION_N; c++)
		n += ch->matched[c];
	for (int c = 0; n > 1 && c < COLLATION_N; c++) {
		if (!ch->matched[c])
			continue;
		enc_raw(e, told++ == 0 ? " (" : " ");
		enc_raw(e, collation_name(c));
	}
	if (told > 0)
		enc_raw(e, ")");
	enc_eol(e);
}

enum imap_next
cmd_comparator(struct imap_cmd *cmd)
{
	struct imap_session *s = cmd->s;
	struct choice ch = { .found = false };
	bool ask = cmd->args.next == NULL;

	if (!parse(&cmd->args, &ch))
		return imap_bad_args(cmd);
	if (!ask && !ch.found)
		return imap_no(cmd, "BADCOMPARATOR",
		    "There is no such comparator");
	if (!ask) {
		s->collation = ch.which;
		s->descending = ch.descending;
	}
	tell(s, &ch);
	return imap_ok(cmd, ask ? "That is the comparator" :
	    "Will use this comparator");
}
