/* jmap-fcgi/ids.c - ids and state strings on the wire */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "jmap-fcgi/jmap.h"

const char *
id_text(char prefix, uint64_t id, char buf[ID_TEXT_MAX])
{
	snprintf(buf, ID_TEXT_MAX, "%c%" PRIx64, prefix, id);
	return buf;
}

json_t *
id_json(char prefix, uint64_t id)
{
	char buf[ID_TEXT_MAX];

	return json_string(id_text(prefix, id, buf));
}

int
id_parse(char prefix, struct slice s, uint64_t *id_r)
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

int
id_resolve(const struct jmap_req *r, char prefix, struct slice s,
    uint64_t *id_r)
{
	if (s.n > 0 && s.p[0] == '#') {
		json_t *v = json_object_getn(r->created, s.p + 1, s.n - 1);

		if (v == NULL)
			return -1;
		s = js_slice(v);
	}
	return id_parse(prefix, s, id_r);
}

json_t *
state_json(uint64_t modseq)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, modseq);
	return json_string(buf);
}

int
state_parse(struct slice s, uint64_t *modseq_r)
{
	if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return -1;
	return slice_uint(s, UINT64_MAX, modseq_r);
}
