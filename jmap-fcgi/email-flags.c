/* jmap-fcgi/email-flags.c - keywords and mailboxIds (RFC 8621 4.1.1) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

enum { KEYWORD_MAX = 255 };
#define FLAGS_ALL (~(STORE_DELETED | UINT64_C(0x20)))

static void
put_keyword(json_t *o, struct slice name)
{
	char text[KEYWORD_MAX + 1];
	size_t n = name.n < KEYWORD_MAX ? name.n : KEYWORD_MAX;

	for (size_t i = 0; i < n; i++)
		text[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ?
		    (char)(name.p[i] + 32) : name.p[i];
	text[n] = '\0';
	js_put(o, text, json_true());
}

json_t *
email_keywords(struct jmap_call *c, uint64_t flags, int *rc_r)
{
	struct slice *names;
	json_t *o;
	size_t n;
	int rc;

	if ((rc = store_keywords(c->st, c->req->scratch, &names, &n)) < 0) {
		*rc_r = jmap_store_failed(c->req, "keywords", rc);
		return NULL;
	}
	o = json_object();
	flags &= FLAGS_ALL;
	for (size_t bit = 0; bit < n && bit < 64; bit++)
		if ((flags & UINT64_C(1) << bit) != 0 &&
		    names[bit].p != NULL)
			put_keyword(o, names[bit]);
	*rc_r = 0;
	return o;
}

json_t *
email_mailboxes(const struct store_email *e)
{
	json_t *o = json_object();
	char id[STORE_ID_TEXT];

	for (size_t i = 0; i < e->n_in; i++)
		js_put(o, store_id_text('M', e->in[i].mailbox, id), json_true());
	return o;
}

bool
email_keyword_ok(struct slice s)
{
	if (s.n < 1 || s.n > KEYWORD_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e ||
		    strchr("(){]%*\"\\", s.p[i]) != NULL)
			return false;
	return true;
}

int
email_keyword_bit(struct jmap_call *c, struct slice s, uint64_t *bit_r)
{
	int rc;

	*bit_r = 0;
	rc = store_keyword_bit(c->st, s, false, bit_r);
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

int
email_flags_parse(struct jmap_call *c, json_t *v, uint64_t *flags_r)
{
	uint64_t flags = 0, *bits;
	struct slice *names;
	const char *key;
	json_t *set;
	size_t n = 0;
	int rc;

	if (json_is_null(v)) {	/* the default: none */
		*flags_r = 0;
		return 0;
	}
	if (!json_is_object(v))
		return JMAP_E_ARGS;
	names = arena_calloc(c->arena, json_object_size(v), sizeof(*names));
	bits = arena_calloc(c->arena, json_object_size(v), sizeof(*bits));
	json_object_foreach(v, key, set) {
		names[n++] = slice_str(key);
		if (!json_is_true(set) || !email_keyword_ok(names[n - 1]))
			return JMAP_E_ARGS;
	}
	/* Keywords are few: who may not set any makes none. */
	rc = store_keyword_bits(c->st, names, n,
	    account_may_anywhere(c->acct, STORE_RIGHT_WRITE), bits);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (bits[i] == 0)
			return STORE_E_NOTFOUND;
		flags |= bits[i];
	}
	*flags_r = flags;
	return 0;
}

int
email_mailboxes_parse(struct jmap_call *c, json_t *v, uint64_t **ids_r,
    size_t *n_r)
{
	uint64_t *ids;
	const char *key;
	json_t *set;
	size_t n = 0;

	if (!json_is_object(v) || json_object_size(v) == 0)
		return -1;
	ids = arena_calloc(c->arena, json_object_size(v), sizeof(*ids));
	json_object_foreach(v, key, set) {
		if (!json_is_true(set) || id_resolve(c->req, 'M',
		    slice_str(key), &ids[n]) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (ids[i] == ids[n])
				return -1;
		n++;
	}
	*ids_r = ids;
	*n_r = n;
	return 0;
}
