/* imapd/keys.c - what messages are sorted and threaded by (RFC 5256 2, 5957) */
#include "config.h"

#include "imapd/keys.h"
#include "libbase/log.h"
#include "libbase/text.h"

enum { TEXT_MAX = 1000 };	/* octets that count */

enum { FAILED = 0xff };		/* the key of what can't be UTF-8 begins so */

/* RFC 5255 4.6: what can't be converted, octets if it is given, is ordered by
 * i;octet and behind all else. */
static struct slice
collate(enum collation c, struct slice s, struct slice octets, struct arena *a)
{
	struct slice key = SLICE_LIT("");
	struct buf b;

	if (octets.p == NULL && !utf8_valid(s))
		octets = s;
	buf_init(&b, SIZE_MAX / 2);
	if (octets.p == NULL) {
		s.n = utf8_cut(s, TEXT_MAX);
		collation_add(c, s, &b);
	} else {
		buf_addc(&b, (char)FAILED);
		buf_add_slice(&b, octets);
	}
	if (b.n > TEXT_MAX)
		b.n = TEXT_MAX;
	if (b.n > 0)
		key = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return key;
}

/* addr-mailbox of the first address, or what people see of it. */
static struct slice
address(const struct mime_addrs *l, bool display, enum collation c,
    struct fetch_msg *m, struct arena *a)
{
	const struct mime_addr *ad = l->n > 0 ? &l->a[0] : NULL;
	struct slice s, octets = { NULL, 0 };

	if (ad == NULL)
		return SLICE_LIT("");
	if (ad->kind != MIME_ADDR)	/* a group: its name is in both */
		s = mime_text_octets(m->a, ad->name, &octets);
	else if (!display)
		s = ad->mailbox;
	else {
		s = mime_text_octets(m->a, ad->name, &octets);
		if (s.n == 0)
			s = mime_addr_email(ad, m->a);
	}
	return collate(c, s, octets, a);
}

int
key_subject(struct fetch_msg *m, enum collation c, struct arena *a,
    struct slice *s_r, bool *reply_r)
{
	struct slice s, octets;
	int rc;

	if ((rc = fetch_msg_mime(m)) < 0)
		return rc;
	s = m->mime->root->env->subject;
	*reply_r = false;
	*s_r = SLICE_LIT("");
	if (s.p == NULL)
		return 0;
	s = mime_base_subject_of(mime_text_octets(m->a, s, &octets), m->a,
	    reply_r);
	if (octets.p != NULL)
		octets = mime_base_subject_of(octets, m->a, NULL);
	*s_r = collate(c, s, octets, a);
	return 0;
}

int
key_get(struct fetch_msg *m, enum key k, enum collation c, struct arena *a,
    struct key_value *v_r)
{
	const struct mime_env *env;
	bool reply;
	int rc;

	*v_r = (struct key_value){ 0 };
	if (k == KEY_ARRIVAL)
		v_r->n = m->info->received_at;
	else if (k == KEY_SIZE)
		v_r->n = m->info->size > INT64_MAX ? INT64_MAX :
		    (int64_t)m->info->size;
	if (k <= KEY_SIZE || k >= KEY_RELEVANCY)
		return 0;
	if ((rc = fetch_msg_mime(m)) < 0)
		return rc;
	env = m->mime->root->env;
	switch (k) {
	case KEY_DATE:
		v_r->n = env->sent.ok ? env->sent.t : m->info->received_at;
		break;
	case KEY_SUBJECT:
		return key_subject(m, c, a, &v_r->s, &reply);
	case KEY_CC:
		v_r->s = address(&env->cc, false, c, m, a);
		break;
	case KEY_FROM:
	case KEY_DISPLAYFROM:
		v_r->s = address(&env->from, k == KEY_DISPLAYFROM, c,
		    m, a);
		break;
	default:
		v_r->s = address(&env->to, k == KEY_DISPLAYTO, c,
		    m, a);
	}
	return 0;
}

static bool
failed(struct slice s)
{
	return s.n > 0 && (unsigned char)s.p[0] == FAILED;
}

int
key_compare(const struct key_value *x, const struct key_value *y,
    bool descending)
{
	int d;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	d = slice_cmp(x->s, y->s);
	return descending && failed(x->s) == failed(y->s) ? -d : d;
}

static int
annotation(const struct sort_order *o, size_t k, struct fetch_msg *m,
    struct arena *a, struct key_value *v_r)
{
	struct annotations_of have;
	struct slice value;
	int rc;

	*v_r = (struct key_value){ 0 };
	rc = annotate_load(o->s, m->st, m->a, m->info->email, &have);
	if (rc < 0)
		return rc;
	value = annotate_value(&have, &o->annotation[k], m->a);
	if (value.p != NULL)
		v_r->s = collate(o->collation, value, slice_make(NULL, 0), a);
	return 0;
}

int
order_get(const struct sort_order *o, struct fetch_msg *m, struct arena *a,
    struct key_value *v_r)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < o->n; k++)
		rc = o->key[k] == KEY_ANNOTATION ?
		    annotation(o, k, m, a, &v_r[k]) :
		    key_get(m, o->key[k], o->collation, a, &v_r[k]);
	return rc;
}

int
order_compare(const struct sort_order *o, const struct key_value *x,
    const struct key_value *y)
{
	for (size_t k = 0; k < o->n; k++) {
		int c = key_compare(&x[k], &y[k], o->descending);

		if (c != 0)
			return o->reverse[k] ? -c : c;
	}
	return 0;
}

/* ---- all messages -------------------------------------------------------- */

struct scan {
	struct search *r;
	int (*fn)(void *arg, struct fetch_msg *m, size_t i);
	void *arg;
	size_t at;
	int rc;
};

/* store_msg_scan()'s. */
static int
on_info(void *arg, const struct store_msg_info *info)
{
	struct scan *sc = arg;
	struct search *r = sc->r;
	struct imap_session *s = r->q.cmd->s;
	struct fetch_msg m = {
		.st = imap_store(s), .a = s->scratch, .info = info
	};

	while (sc->at < r->n && r->uid[sc->at] < info->uid)
		sc->at++;
	if (sc->at == r->n || r->uid[sc->at] != info->uid)
		return 0;
	arena_reset(s->scratch);
	sc->rc = sc->fn(sc->arg, &m, sc->at);
	fetch_msg_release(&m);
	if (sc->rc < 0)
		log_err("%s of UID %u: %s: %s", r->q.cmd->row->name,
		    (unsigned)info->uid, store_error(sc->rc)->text,
		    store_errmsg(imap_store(s)));
	return sc->rc < 0;
}

int
keys_scan(struct search *r,
    int (*fn)(void *arg, struct fetch_msg *m, size_t i), void *arg)
{
	struct imap_cmd *cmd = r->q.cmd;
	struct view *v = &cmd->s->view;
	struct scan sc = { .r = r, .fn = fn, .arg = arg };
	struct seqset set = { 0 };
	size_t cap = 0;
	int rc;

	for (size_t i = 0; i < r->n; i++)
		seqset_add(&set, &cap, cmd->a, r->uid[i]);
	if (set.n == 0 || v->dead)
		return 0;
	rc = store_msg_scan(imap_store(cmd->s), v->mailbox, set.r, set.n,
	    on_info, &sc);
	return rc == 1 ? sc.rc : rc;
}
