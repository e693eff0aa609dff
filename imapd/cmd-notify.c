/* imapd/cmd-notify.c - NOTIFY (RFC 5465): its arguments */
#include "config.h"

#include "imapd/notify.h"
#include "libbase/xalloc.h"

enum { NAMES_MAX = 1000 };

#define EVENTS "MessageNew MessageExpunge FlagChange AnnotationChange " \
	"MailboxName SubscriptionChange MailboxMetadataChange " \
	"ServerMetadataChange"

struct parse {
	struct imap_cmd *cmd;
	struct notify *n;
	size_t cap;
	bool unknown;		/* an event that isn't supported */
	bool selected;		/* that filter was there */
};

static bool
is_selected(const struct notify_group *g)
{
	return g->filter <= NOTIFY_SELECTED_DELAYED;
}

static bool
add_name(struct imap_args *v, struct notify_group *g, size_t *cap)
{
	struct slice name;

	if (g->n == NAMES_MAX) {
		v->err = "too many mailboxes";
		return false;
	}
	if (!imap_args_mailbox(v, &name))
		return false;
	if (slice_ieq(name, SLICE_LIT("INBOX")))
		name = SLICE_LIT("INBOX");
	g->name = arena_grow(v->a, g->name, cap, g->n + 1, sizeof(*g->name));
	g->name[g->n++] = name;
	return true;
}

/* one-or-more-mailbox */
static bool
names(struct imap_args *v, struct notify_group *g)
{
	struct imap_args in;
	size_t cap = 0;

	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return add_name(v, g, &cap);
	imap_args_list(v, &in, "mailboxes");
	do {
		if (!add_name(&in, g, &cap)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	return true;
}

static bool
filter(struct parse *p, struct imap_args *v, struct notify_group *g)
{
	static const char *const words[] = {
		[NOTIFY_SELECTED] = "SELECTED",
		[NOTIFY_SELECTED_DELAYED] = "SELECTED-DELAYED",
		[NOTIFY_INBOXES] = "INBOXES", [NOTIFY_PERSONAL] = "PERSONAL",
		[NOTIFY_SUBSCRIBED] = "SUBSCRIBED",
		[NOTIFY_SUBTREE] = "SUBTREE", [NOTIFY_MAILBOXES] = "MAILBOXES"
	};
	int f = NOTIFY_SELECTED;

	while (f <= NOTIFY_MAILBOXES && !imap_args_word(v, words[f]))
		f++;
	if (f > NOTIFY_MAILBOXES)
		return imap_args_expected(v, "which mailboxes");
	g->filter = (enum notify_filter)f;
	if (is_selected(g) && p->selected) {
		v->err = "SELECTED or SELECTED-DELAYED, once";
		return false;
	}
	p->selected = p->selected || is_selected(g);
	return f < NOTIFY_SUBTREE || names(v, g);
}

/* The data items of MessageNew. */
static bool
new_items(struct parse *p, struct imap_args *v, const struct notify_group *g)
{
	struct fetch_request *q = arena_calloc(v->a, 1, sizeof(*q));
	struct imap_args in;

	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return true;
	if (!is_selected(g)) {
		v->err = "data items are for the selected mailbox";
		return false;
	}
	imap_args_list(v, &in, "data items");
	if (!fetch_parse_list(&in, q)) {
		v->err = in.err;
		return false;
	}
	p->n->fetch = q;
	return true;
}

static bool
event(struct parse *p, struct imap_args *v, struct notify_group *g)
{
	static const struct {
		const char *word;
		unsigned event;
	} words[] = {
		{ "MessageNew", NOTIFY_NEW },
		{ "MessageExpunge", NOTIFY_EXPUNGE },
		{ "FlagChange", NOTIFY_FLAGS },
		{ "AnnotationChange", NOTIFY_ANNOTATIONS },
		{ "MailboxName", NOTIFY_NAME },
		{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
		{ "MailboxMetadataChange", NOTIFY_METADATA },
		{ "ServerMetadataChange", NOTIFY_SERVER },
	};
	struct slice word;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!imap_args_word(v, words[i].word))
			continue;
		if (is_selected(g) && !(words[i].event & NOTIFY_MESSAGES)) {
			v->err = "that is no event of messages";
			return false;
		}
		g->events |= words[i].event;
		return words[i].event != NOTIFY_NEW || new_items(p, v, g);
	}
	p->unknown = true;
	return imap_args_atom(v, &word, "an event");
}

static bool
events(struct parse *p, struct imap_args *v, struct notify_group *g)
{
	struct imap_args in;
	unsigned m;

	if (imap_args_word(v, "NONE"))
		return true;
	if (!imap_args_list(v, &in, "NONE or a list of events"))
		return false;
	do {
		if (!event(p, &in, g)) {
			v->err = in.err;
			return false;
		}
	} while (in.next != NULL);
	m = g->events & NOTIFY_MESSAGES;
	if (p->unknown || m == 0 || (m & NOTIFY_NEW && m & NOTIFY_EXPUNGE))
		return true;
	v->err = "MessageNew and MessageExpunge go together, and with "
	    "FlagChange";
	return false;
}

static bool
group(struct parse *p, struct imap_args *v)
{
	struct notify *n = p->n;
	struct notify_group *g;
	struct imap_args in;

	n->group = arena_grow(v->a, n->group, &p->cap, n->n + 1,
	    sizeof(*n->group));
	g = &n->group[n->n++];
	*g = (struct notify_group){ 0 };
	if (!imap_args_list(v, &in, "a group of events"))
		return false;
	if (!filter(p, &in, g) || !events(p, &in, g) || !imap_args_end(&in)) {
		v->err = in.err;
		return false;
	}
	if (is_selected(g)) {
		n->selected = g->events;
		n->delayed = g->filter == NOTIFY_SELECTED_DELAYED;
	} else
		n->events |= g->events;
	return true;
}

enum imap_next
cmd_notify(struct imap_cmd *cmd)
{
	struct notify *n = arena_calloc(cmd->a, 1, sizeof(*n));
	struct parse p = { .cmd = cmd, .n = n };
	struct imap_args *v = &cmd->args;

	if (imap_args_word(v, "NONE"))
		return imap_args_end(v) ? imap_notify_set(cmd, n) :
		    imap_bad_args(cmd);
	if (!imap_args_word(v, "SET")) {
		imap_args_expected(v, "SET or NONE");
		return imap_bad_args(cmd);
	}
	n->status = imap_args_word(v, "STATUS");
	do {
		if (!group(&p, v))
			return imap_bad_args(cmd);
	} while (v->next != NULL);
	if (p.unknown)
		return imap_no(cmd, "BADEVENT (" EVENTS ")",
		    "There is an event that can't be told of");
	return imap_notify_set(cmd, n);
}
