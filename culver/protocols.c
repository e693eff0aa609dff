/* culver/protocols.c - sets of protocols, as arguments and in JSON */
#include "config.h"

#include <jansson.h>

#include "culver/culver.h"
#include "libsession/protocols.h"

int
args_protocols(const struct opt *o, const char *list, unsigned *set_r)
{
	bool ok = protocols_parse(slice_str(list), ',', set_r);

	if (!ok)
		complain("--%s: \"%s\" is no list of imap, jmap and pop3",
		    o->name, list);
	return ok ? 0 : -1;
}

json_t *
protocols_json(unsigned set)
{
	json_t *a = json_array();
	struct slice s;
	struct buf b;

	buf_init(&b, 64);
	protocols_put(&b, set);
	for (s = buf_slice(&b); s.n > 0;) {
		struct slice word = slice_cut(&s, '+');

		json_array_append_new(a, json_stringn(word.p, word.n));
	}
	buf_release(&b);
	return a;
}
