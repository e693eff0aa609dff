/* libsession/protocols.c - sets of protocols that one can log in by */
#include "config.h"

#include "libsession/linefile.h"
#include "libsession/protocols.h"

static const struct {
	const char *name;
	unsigned bit;
} protocols[] = {
	{ "imap", 1U << CONF_IMAP },
	{ "jmap", 1U << CONF_JMAP },
	{ "pop3", 1U << CONF_POP3 },
};
enum { N_PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

bool
protocols_parse(struct slice s, unsigned *set_r)
{
	*set_r = 0;
	while (s.n > 0) {
		struct slice word = linefile_cut(&s, '+');
		unsigned bit = 0;

		for (size_t i = 0; i < N_PROTOCOLS; i++)
			if (slice_eq(word, slice_str(protocols[i].name)))
				bit = protocols[i].bit;
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
		if (set & protocols[i].bit) {
			buf_add_str(b, sep);
			buf_add_str(b, protocols[i].name);
			sep = "+";
		}
}
