/* jmap-fcgi/ids.c - ids and state strings on the wire */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "jmap-fcgi/jmap.h"

json_t *
id_json(char prefix, uint64_t id)
{
	char buf[STORE_ID_TEXT];

	return json_string(store_id_text(prefix, id, buf));
}

struct slice
id_text(const struct jmap_req *r, struct slice s)
{
	json_t *v = NULL;

	if (s.n > 1 && s.p[0] == '#')
		v = json_object_getn(r->created, s.p + 1, s.n - 1);
	return v != NULL ? js_slice(v) : s;
}

int
id_resolve(const struct jmap_req *r, char prefix, struct slice s,
    uint64_t *id_r)
{
	return store_id_from(prefix, id_text(r, s), id_r);
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
