/* imapd/match.c - LIST patterns */
#include "config.h"

#include "imapd/match.h"

static bool
wild(char c)
{
	return c == '*' || c == '%';
}

void
match_init(struct match *m, struct arena *a, struct slice ref,
    struct slice pat)
{
	char *p = arena_alloc(a, ref.n + pat.n + 1);
	size_t n = 0;

	m->literals = 0;
	for (size_t i = 0; i < ref.n + pat.n; i++) {
		char c = i < ref.n ? ref.p[i] : pat.p[i - ref.n];

		if (!wild(c))
			m->literals++;
		else if (n > 0 && wild(p[n - 1])) {
			if (c == '*')
				p[n - 1] = c;
			continue;
		}
		p[n++] = c;
	}
	m->pat = slice_make(p, n);
	m->row = arena_calloc(a, n + 1, sizeof(bool));
}

static bool
same(char name, char pat, bool fold)
{
	if (fold && pat >= 'a' && pat <= 'z')
		pat = (char)(pat - 'a' + 'A');
	return name == pat;
}

/* row[j]: what was seen of the name matches the first j of the pattern. */
static bool
step(const struct match *m, char c, bool fold)
{
	bool diagonal = m->row[0], any = false;

	m->row[0] = false;
	for (size_t j = 0; j < m->pat.n; j++) {
		bool was = m->row[j + 1];
		char p = m->pat.p[j];

		if (wild(p))
			m->row[j + 1] = m->row[j] ||
			    (was && (p == '*' || c != '/'));
		else
			m->row[j + 1] = diagonal && same(c, p, fold);
		/* An empty wildcard after this octet needs the row below, which
		 * m->row[j] is by now. */
		diagonal = was;
		any = any || m->row[j + 1];
	}
	return any;
}

bool
match_name(const struct match *m, struct slice name)
{
	bool inbox = slice_starts(name, SLICE_LIT("INBOX")) &&
	    (name.n == 5 || name.p[5] == '/');

	if (m->literals > name.n)
		return false;
	m->row[0] = true;
	for (size_t j = 0; j < m->pat.n; j++)
		m->row[j + 1] = m->row[j] && wild(m->pat.p[j]);
	for (size_t i = 0; i < name.n; i++)
		if (!step(m, name.p[i], inbox && i < 5))
			return false;
	return m->row[m->pat.n];
}
