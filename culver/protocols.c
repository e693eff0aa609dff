/* culver/protocols.c - sets of protocols, as arguments and in JSON */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "culver/culver.h"
#include "libbase/xalloc.h"
#include "libsession/protocols.h"

int
args_protocols(const struct opt *o, const char *list, unsigned *set_r)
{
	char *text = xstrdup(list);
	bool ok;

	for (char *p = text; *p != '\0'; p++)
		*p = *p == ',' ? '+' : *p == '+' ? ',' : *p;
	ok = protocols_parse(slice_str(text), set_r);
	xfree(text);
	if (!ok)
		complain("--%s: \"%s\" is no list of imap, jmap and pop3",
		    o->name, list);
	return ok ? 0 : -1;
}

json_t *
protocols_json(unsigned set)
{
	json_t *a = json_array();
	struct slice s, word;
	struct buf b;

	buf_init(&b, 64);
	protocols_put(&b, set);
	for (s = buf_slice(&b); s.n > 0;) {
		const char *plus = memchr(s.p, '+', s.n);

		word = slice_make(s.p, plus ? (size_t)(plus - s.p) : s.n);
		json_array_append_new(a, json_stringn(word.p, word.n));
		s = plus ? slice_make(plus + 1, s.n - word.n - 1) :
		    slice_make(NULL, 0);
	}
	buf_release(&b);
	return a;
}
