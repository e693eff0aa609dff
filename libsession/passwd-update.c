/* libsession/passwd-update.c - the password file: writing */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/text.h"
#include "libsession/passwd-int.h"
#include "libsession/protocols.h"

static bool
hash_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == ':' ||
		    s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

bool
passwd_full_name_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == ':' ||
		    s.p[i] == ',' || s.p[i] == 0x7f)
			return false;
	return utf8_valid(s);
}

static bool
name_ok(struct slice s, struct arena *a)
{
	struct slice name;

	return passwd_name(s, a, &name) == 0 && slice_eq(name, s);
}

/* ":key" first, then ",key". */
static void
add_key(struct buf *b, const char *key, struct slice value, bool there)
{
	const char *colon = memchr(b->p, ':', b->n);

	if (!there)
		return;
	/* The hash has no colon. */
	buf_addc(b, memchr(colon + 1, ':', b->n -
	    (size_t)(colon + 1 - b->p)) == NULL ? ':' : ',');
	buf_add_str(b, key);
	buf_add_slice(b, value);
}

/* 0, or -1 with EINVAL. */
static int
new_line(const struct passwd_entry *e, struct arena *a,
    struct linefile_line *l_r)
{
	struct buf b, list;

	if (!name_ok(e->name, a) ||
	    (e->hash.p != NULL && !hash_ok(e->hash)) ||
	    (e->alias_of.n > 0 && !name_ok(e->alias_of, a)) ||
	    !passwd_full_name_ok(e->full_name)) {
		errno = EINVAL;
		return -1;
	}
	*l_r = (struct linefile_line){ .key = e->name };
	if (e->hash.p == NULL)
		return 0;
	buf_init(&b, LINEFILE_LINE_MAX);
	buf_init(&list, 64);
	buf_add_slice(&b, e->name);
	buf_addc(&b, ':');
	buf_add_slice(&b, e->hash);
	add_key(&b, "alias-of=", e->alias_of, e->alias_of.n > 0);
	add_key(&b, "name=", e->full_name, e->full_name.n > 0);
	if (e->protocols != 0) {
		protocols_put(&list, e->protocols);
		add_key(&b, "for=", buf_slice(&list), true);
	}
	add_key(&b, "no-send", slice_make(NULL, 0), e->no_send);
	add_key(&b, "disabled", slice_make(NULL, 0), e->disabled);
	if (!b.overflow)
		l_r->line = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	buf_release(&list);
	errno = EINVAL;
	return l_r->line.p != NULL ? 0 : -1;
}

int
passwd_update_many(const struct conf *c, const struct passwd_entry *e,
    size_t n)
{
	struct linefile f = passwd_linefile(c);
	struct arena *a = arena_new(0);
	struct linefile_line *v = arena_calloc(a, n, sizeof(*v));
	int rc = 0, err;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = new_line(&e[i], a, &v[i]);
	if (rc == 0)
		rc = linefile_update(&f, v, n);
	err = errno;
	arena_free(&a);
	errno = err;
	return rc;
}

int
passwd_update(const struct conf *c, const struct passwd_entry *e)
{
	return passwd_update_many(c, e, 1);
}
