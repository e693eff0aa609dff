/* libsession/protocols.c - sets of protocols that one can log in by */
#include "config.h"

#include "libsession/protocols.h"

static const enum conf_protocol all[] = { CONF_IMAP, CONF_JMAP, CONF_POP3 };
enum { N_PROTOCOLS = sizeof(all) / sizeof(all[0]) };

bool
protocols_parse(struct slice s, char sep, unsigned *set_r)
{
	*set_r = 0;
	while (s.n > 0) {
		struct slice word = slice_cut(&s, sep);
		unsigned bit = 0;

		for (size_t i = 0; i < N_PROTOCOLS; i++)
			if (slice_eq(word, slice_str(conf_protocol_name(all[i]))))
				bit = 1U << all[i];
		if (bit == 0)
			return false;
		*set_r |= bit;
	}
	return *set_r != 0;
}

void
protocols_put(struct buf *b, unsigned set)
{
	const char *sep = "";

	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (set & 1U << all[i]) {
			buf_add_str(b, sep);
			buf_add_str(b, conf_protocol_name(all[i]));
			sep = "+";
		}
}
