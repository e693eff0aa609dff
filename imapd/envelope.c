/* imapd/envelope.c - ENVELOPE (RFC 9051 7.5.2) */
#include "config.h"

#include "imapd/fetch.h"

static void
put_addr(struct enc *e, struct slice name, struct slice route,
    struct slice mailbox, struct slice domain)
{
	enc_raw(e, "(");
	enc_nstring(e, name);
	enc_raw(e, " ");
	enc_nstring(e, route);
	enc_raw(e, " ");
	enc_nstring(e, mailbox);
	enc_raw(e, " ");
	enc_nstring(e, domain);
	enc_raw(e, ")");
}

static struct slice
present(struct slice s)
{
	return s.p != NULL ? s : SLICE_LIT("");
}

/* NIL as domain tells a group: a mailbox without a domain has "". */
static void
put_addrs(struct enc *e, const struct mime_addrs *l)
{
	const struct slice nil = { NULL, 0 };

	if (l->n == 0) {
		enc_raw(e, "NIL");
		return;
	}
	enc_raw(e, "(");
	for (uint32_t i = 0; i < l->n; i++) {
		const struct mime_addr *ad = &l->a[i];

		if (ad->kind == MIME_ADDR_GROUP)
			put_addr(e, nil, nil, present(ad->name), nil);
		else if (ad->kind == MIME_ADDR_GROUP_END)
			put_addr(e, nil, nil, nil, nil);
		else
			put_addr(e, ad->name, ad->route,
			    present(ad->mailbox), present(ad->domain));
	}
	enc_raw(e, ")");
}

void
envelope_put(struct enc *e, const struct mime_env *env)
{
	const struct mime_addrs *from = &env->from;

	enc_raw(e, "(");
	enc_nstring(e, env->date);
	enc_raw(e, " ");
	enc_nstring(e, env->subject);
	enc_raw(e, " ");
	put_addrs(e, from);
	enc_raw(e, " ");
	put_addrs(e, env->sender.n > 0 ? &env->sender : from);
	enc_raw(e, " ");
	put_addrs(e, env->reply_to.n > 0 ? &env->reply_to : from);
	enc_raw(e, " ");
	put_addrs(e, &env->to);
	enc_raw(e, " ");
	put_addrs(e, &env->cc);
	enc_raw(e, " ");
	put_addrs(e, &env->bcc);
	enc_raw(e, " ");
	enc_nstring(e, env->in_reply_to);
	enc_raw(e, " ");
	enc_nstring(e, env->message_id);
	enc_raw(e, ")");
}
