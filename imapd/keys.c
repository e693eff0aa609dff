/* imapd/keys.c - what messages are sorted and threaded by (RFC 5256 2, 5957) */
#include "config.h"

#include "imapd/keys.h"
#include "libbase/log.h"
#include "libbase/text.h"

enum { TEXT_MAX = 1000 };	/* octets that count */

static struct slice
fold(struct slice s, struct arena *a)
{
	struct slice out;

	if (utf8_fold(s, a, &out) < 0)
		out = s;
	if (out.n > TEXT_MAX)
		out.n = TEXT_MAX;
	return arena_slice(a, out);
}

/* addr-mailbox of the first address, or what people see of it. */
static struct slice
address(const struct mime_addrs *l, bool display, struct arena *a)
{
	const struct mime_addr *ad = l->n > 0 ? &l->a[0] : NULL;
	struct slice s;

	if (ad == NULL)
		return SLICE_LIT("");
	if (ad->kind != MIME_ADDR)	/* a group: its name is in both */
		s = mime_text(a, ad->name);
	else if (!display)
		s = ad->mailbox;
	else {
		s = mime_text(a, ad->name);
		if (s.n == 0)
			s = mime_addr_email(ad, a);
	}
	return fold(s.p ? s : SLICE_LIT(""), a);
}

int
key_subject(struct fetch_msg *m, struct arena *a, struct slice *s_r,
    bool *reply_r)
{
	struct slice s;
	int rc;

	if ((rc = fetch_msg_mime(m)) < 0)
		return rc;
	s = m->mime->root->env->subject;
	*reply_r = false;
	*s_r = SLICE_LIT("");
	if (s.p != NULL)
		*s_r = fold(mime_base_subject(s, m->a, reply_r), a);
	return 0;
}

int
key_get(struct fetch_msg *m, enum key k, struct arena *a,
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
	if (k <= KEY_SIZE)
		return 0;
	if ((rc = fetch_msg_mime(m)) < 0)
		return rc;
	env = m->mime->root->env;
	switch (k) {
	case KEY_DATE:
		v_r->n = env->sent.ok ? env->sent.t : m->info->received_at;
		break;
	case KEY_SUBJECT:
		return key_subject(m, a, &v_r->s, &reply);
	case KEY_CC:
		v_r->s = address(&env->cc, false, a);
		break;
	case KEY_FROM:
	case KEY_DISPLAYFROM:
		v_r->s = address(&env->from, k == KEY_DISPLAYFROM, a);
		break;
	default:
		v_r->s = address(&env->to, k == KEY_DISPLAYTO, a);
	}
	return 0;
}

int
key_compare(const struct key_value *x, const struct key_value *y)
{
	size_t n = x->s.n < y->s.n ? x->s.n : y->s.n;
	int c;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	if (n > 0 && (c = memcmp(x->s.p, y->s.p, n)) != 0)
		return c;
	return (x->s.n > y->s.n) - (x->s.n < y->s.n);
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
