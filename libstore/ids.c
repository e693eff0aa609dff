/* libstore/ids.c - ids as clients see them (RFC 8620 1.2, RFC 8474 4) */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "libstore/store.h"

const char *
store_id_text(char prefix, uint64_t id, char buf[STORE_ID_TEXT])
{
	snprintf(buf, STORE_ID_TEXT, "%c%" PRIx64, prefix, id);
	return buf;
}

int
store_id_from(char prefix, struct slice s, uint64_t *id_r)
{
	uint64_t id = 0;

	if (s.n < 2 || s.n > 17 || s.p[0] != prefix || s.p[1] == '0')
		return -1;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			id = id << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			id = id << 4 | (uint64_t)(c - 'a' + 10);
		else
			return -1;
	}
	*id_r = id;
	return 0;
}
