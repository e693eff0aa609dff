/* libmime/envelope.c - the header fields of a message's envelope */
#include "config.h"

#include "libmime/mime-int.h"

/* From, Sender and Reply-To are read last; one address each is theirs. */
enum { ONE = 1 };

enum env_id {
	E_NONE, E_BCC, E_CC, E_DATE, E_FROM, E_IN_REPLY_TO, E_MESSAGE_ID,
	E_REFERENCES, E_REPLY_TO, E_SENDER, E_SUBJECT, E_TO
};

static enum env_id
env_id(struct slice name)
{
	switch (name.n) {
	case 2:
		return mime_is(name, "to") ? E_TO :
		    mime_is(name, "cc") ? E_CC : E_NONE;
	case 3:
		return mime_is(name, "bcc") ? E_BCC : E_NONE;
	case 4:
		return mime_is(name, "from") ? E_FROM :
		    mime_is(name, "date") ? E_DATE : E_NONE;
	case 6:
		return mime_is(name, "sender") ? E_SENDER : E_NONE;
	case 7:
		return mime_is(name, "subject") ? E_SUBJECT : E_NONE;
	case 8:
		return mime_is(name, "reply-to") ? E_REPLY_TO : E_NONE;
	case 10:
		return mime_is(name, "message-id") ? E_MESSAGE_ID :
		    mime_is(name, "references") ? E_REFERENCES : E_NONE;
	case 11:
		return mime_is(name, "in-reply-to") ? E_IN_REPLY_TO : E_NONE;
	default:
		return E_NONE;
	}
}

/* least: so many are taken even if none are left. */
static void
append(struct mime_env_state *s, struct mime_addrs *l, struct slice value,
    uint32_t least, struct arena *a)
{
	uint32_t before = l->n, left = *s->addrs_left, used;

	mime_addrs_append(value, left > least ? left : least, a, l);
	used = l->n - before;
	*s->addrs_left -= used < left ? used : left;
}

bool
mime_env_field(struct mime_env_state *s, struct slice name, struct slice value,
    struct arena *a)
{
	switch (env_id(name)) {
	case E_BCC:
		append(s, &s->env->bcc, value, 0, a);
		return true;
	case E_CC:
		append(s, &s->env->cc, value, 0, a);
		return true;
	case E_TO:
		append(s, &s->env->to, value, 0, a);
		return true;
	case E_DATE:
		s->date = value;
		return true;
	case E_FROM:
		s->from = value;
		return true;
	case E_IN_REPLY_TO:
		s->in_reply_to = value;
		return true;
	case E_MESSAGE_ID:
		s->message_id = value;
		return true;
	case E_REFERENCES:
		s->references = value;
		return true;
	case E_REPLY_TO:
		s->reply_to = value;
		return true;
	case E_SENDER:
		s->sender = value;
		return true;
	case E_SUBJECT:
		s->subject = value;
		return true;
	case E_NONE:
		break;
	}
	return false;
}

static struct slice
text(struct slice v, struct arena *a)
{
	return v.p == NULL ? v : slice_trim(mime_unfold(a, v));
}

void
mime_env_finish(struct mime_env_state *s, struct arena *a)
{
	struct mime_env *e = s->env;

	if (s->from.p != NULL)
		append(s, &e->from, s->from, ONE, a);
	if (s->sender.p != NULL)
		append(s, &e->sender, s->sender, ONE, a);
	if (s->reply_to.p != NULL)
		append(s, &e->reply_to, s->reply_to, ONE, a);
	e->date = text(s->date, a);
	e->subject = text(s->subject, a);
	e->in_reply_to = text(s->in_reply_to, a);
	e->message_id = text(s->message_id, a);
	e->references = text(s->references, a);
	if (e->date.p != NULL)
		e->sent = mime_date_parse(e->date);
}
