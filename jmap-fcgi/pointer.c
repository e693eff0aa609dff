/* jmap-fcgi/pointer.c - JSON pointers (RFC 6901) with RFC 8620's "*" */
#include "config.h"

#include "jmap-fcgi/jmap.h"

enum { TOKENS_MAX = JS_DEPTH_MAX };

/* ~0 and ~1 (RFC 6901 section 4). */
static int
unescape(struct arena *a, struct slice in, struct slice *out_r)
{
	char *p;
	size_t n = 0;

	if (in.n == 0 || memchr(in.p, '~', in.n) == NULL) {
		*out_r = in.p ? in : SLICE_LIT("");
		return 0;
	}
	p = arena_alloc(a, in.n);
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '~') {
			p[n++] = in.p[i];
			continue;
		}
		if (++i == in.n || (in.p[i] != '0' && in.p[i] != '1'))
			return -1;
		p[n++] = in.p[i] == '0' ? '~' : '/';
	}
	*out_r = slice_make(p, n);
	return 0;
}

int
pointer_split(struct arena *a, struct slice path, struct slice *tok,
    size_t max, size_t *n_r)
{
	size_t n = 0;

	for (;;) {
		const char *end = path.n ? memchr(path.p, '/', path.n) : NULL;
		size_t len = end ? (size_t)(end - path.p) : path.n;

		if (n == max ||
		    unescape(a, slice_make(path.p, len), &tok[n]) < 0)
			return -1;
		n++;
		if (end == NULL)
			break;
		path = slice_make(end + 1, path.n - len - 1);
	}
	*n_r = n;
	return 0;
}

/* An array index: digits without a leading zero. */
static json_t *
item(json_t *array, struct slice tok)
{
	uint64_t i;

	if ((tok.n > 1 && tok.p[0] == '0') ||
	    slice_uint(tok, UINT32_MAX, &i) < 0)
		return NULL;
	return json_array_get(array, (size_t)i);
}

static json_t *walk(json_t *v, const struct slice *tok, size_t n,
    size_t *left);

/* "*": the rest applied to every item, arrays flattened by one level. */
static json_t *
walk_all(json_t *array, const struct slice *tok, size_t n, size_t *left)
{
	json_t *out = json_array(), *v;
	size_t i;

	json_array_foreach(array, i, v) {
		json_t *got = walk(v, tok, n, left);
		size_t add = json_is_array(got) ? json_array_size(got) : 1;

		if (got == NULL || add + 1 > *left) {
			json_decref(got);
			json_decref(out);
			return NULL;
		}
		*left -= add + 1;
		if (json_is_array(got)) {
			json_array_extend(out, got);
			json_decref(got);
		} else {
			json_array_append_new(out, got);
		}
	}
	return out;
}

static json_t *
walk(json_t *v, const struct slice *tok, size_t n, size_t *left)
{
	for (; n > 0 && v != NULL; tok++, n--) {
		if (json_is_array(v)) {
			if (slice_eq(*tok, SLICE_LIT("*")))
				return walk_all(v, tok + 1, n - 1, left);
			v = item(v, *tok);
		} else {
			v = json_object_getn(v, tok->p, tok->n);
		}
	}
	return json_incref(v);
}

json_t *
pointer_get(json_t *v, struct slice path, size_t *left)
{
	struct slice tok[TOKENS_MAX];
	struct arena *a;
	json_t *out = NULL;
	size_t n;

	if (path.n == 0)
		return json_incref(v);
	if (path.p[0] != '/')
		return NULL;
	a = arena_new(0);
	if (pointer_split(a, slice_make(path.p + 1, path.n - 1), tok,
	    TOKENS_MAX, &n) == 0)
		out = walk(v, tok, n, left);
	arena_free(&a);
	return out;
}
