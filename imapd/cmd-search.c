/* imapd/cmd-search.c - SEARCH (RFC 9051 6.4.4, RFC 7162 3.1.5, 5182, 5267) */
#include "config.h"

#include "imapd/search.h"

enum imap_next
cmd_search(struct imap_cmd *cmd)
{
	struct search *r = arena_calloc(cmd->a, 1, sizeof(*r));
	int rc;

	r->q.cmd = cmd;
	if (!search_parse(&r->q, &cmd->args))
		return search_failed(r, 0);
	r = context_begin(r);
	if ((rc = search_run(r)) < 0)
		return search_failed(r, rc);
	context_found(r, NULL);
	search_answer(r, "* SEARCH");
	search_release(r);
	return imap_ok(cmd, "Searched");
}
