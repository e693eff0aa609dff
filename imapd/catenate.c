/* imapd/catenate.c - a message from parts of others (RFC 4469) */
#include "config.h"

#include "imapd/append.h"

static void
add_url(struct imap_cmd *cmd, struct append_msg *m, struct slice url)
{
	int rc;

	if (m->rc < 0 || m->bad_url.p != NULL)
		return;
	rc = url_append(cmd, url, m->spool);
	if (rc == 1)
		m->bad_url = url;
	else
		m->rc = rc;
}

/* "UTF8 (literal8)", RFC 6855 4. */
static int
utf8_part(struct imap_cmd *cmd, struct imap_args *in)
{
	const struct imap_arg *list = in->next;

	if (!(cmd->s->enabled & IMAP_UTF8))
		in->err = "UTF8 has to be enabled first";
	else if (list == NULL || list->type != IMAP_ARG_LIST)
		imap_args_expected(in, "a list after UTF8");
	else if (list->first == NULL)
		return 1;
	else if (list->first->type != IMAP_ARG_STREAM ||
	    list->first->next != NULL)
		imap_args_expected(in, "a list of one literal8");
	else
		in->next = list->next;
	return 0;
}

/* "TEXT literal" or "URL astring".  0; 1: the list ends after the word. */
static int
part(struct imap_cmd *cmd, struct append_msg *m, struct imap_args *in,
    bool *url_r)
{
	struct slice url;

	*url_r = false;
	if (imap_args_word(in, "UTF8"))
		return utf8_part(cmd, in);
	*url_r = imap_args_word(in, "URL");
	if (!*url_r && !imap_args_word(in, "TEXT")) {
		imap_args_expected(in, "URL, TEXT or UTF8");
		return 0;
	}
	if (in->next == NULL)
		return 1;
	if (*url_r) {
		if (imap_args_astring(in, &url, "a URL"))
			add_url(cmd, m, url);
	} else if (in->next->type == IMAP_ARG_STREAM)
		in->next = in->next->next;	/* it is in the spool */
	else
		imap_args_expected(in, "a literal after TEXT");
	return 0;
}

const char *
catenate_go_on(struct imap_cmd *cmd, struct append_msg *m, bool text,
    bool *keep_r)
{
	struct imap_args in = { .a = cmd->a };
	const struct imap_arg *at;
	bool url = false;
	int word = 0;

	in.next = m->last ? m->last->next : m->list->first;
	while (in.err == NULL && in.next != NULL) {
		at = in.next;
		if ((word = part(cmd, m, &in, &url)) == 1)
			break;
		for (; at != in.next; at = at->next)
			m->last = at;
	}
	if (in.err == NULL && word != text)
		imap_args_expected(&in, text ? "URL or TEXT" :
		    "more after URL or TEXT");
	*keep_r = url;
	return in.err;
}
