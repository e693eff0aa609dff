/*
 * imapd/cmd-append.c - APPEND (RFC 9051 6.3.12, RFC 3502 MULTIAPPEND, RFC 4469
 * CATENATE, RFC 6855 4 UTF8) and REPLACE (RFC 8508)
 *
 * Header fields with 8-bit octets are taken whatever was enabled: there is much
 * old mail with such, which must not be lost when it moves to this server.
 */
#include "config.h"

#include "imapd/append.h"
#include "imapd/date.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

static void
free_spools(void *p)
{
	struct append *ap = p;

	for (size_t i = 0; i < ap->n; i++)
		store_spool_free(&ap->m[i].spool);
	xfree(ap->m);
}

struct append *
append_state(struct imap_cmd *cmd)
{
	struct append *ap = cmd->state;

	if (ap == NULL) {
		ap = cmd->state = arena_calloc(cmd->a, 1, sizeof(*ap));
		arena_defer(cmd->a, free_spools, ap);
	}
	return ap;
}

size_t
append_most(struct imap_cmd *cmd, const char **code_r)
{
	uint32_t most = imap_limit_save(cmd->s);

	*code_r = "LIMIT";
	if (most == 0)
		return APPEND_MAX;
	most = most < APPEND_MAX ? most : APPEND_MAX;
	*code_r = arena_printf(cmd->a, "MESSAGELIMIT %u", (unsigned)most);
	return most;
}

struct append_msg *
append_new(struct imap_cmd *cmd, size_t at)
{
	struct append *ap = append_state(cmd);
	const char *code;

	if (ap->n == append_most(cmd, &code))
		return NULL;
	if (ap->n == ap->cap) {
		ap->cap = ap->cap ? ap->cap * 2 : 4;
		ap->m = xreallocarray(ap->m, ap->cap, sizeof(*ap->m));
	}
	memmove(ap->m + at + 1, ap->m + at, (ap->n - at) * sizeof(*ap->m));
	ap->m[at] = (struct append_msg){
		.spool = store_spool_new(&cmd->s->x->store_conf, true, 0)
	};
	ap->n++;
	return &ap->m[at];
}

/* ---- the literal ------------------------------------------------------- */

static enum imap_literal_rc
refuse(struct imap_cmd *cmd, const char *code, const char *text)
{
	cmd->s->parser.code = code;
	cmd->s->parser.err = text;
	return IMAP_LIT_REFUSE;
}

static bool
over_quota(struct store *st, uint64_t size)
{
	struct store_usage u;

	if (store_usage(st, &u) < 0)
		return false;
	return (u.size_limit > 0 && u.size + size > u.size_limit) ||
	    (u.message_limit > 0 && u.messages >= u.message_limit);
}

/* Whatever can be refused is refused before the client sends the message. */
static enum imap_literal_rc
check_mailbox(struct imap_cmd *cmd, uint64_t size)
{
	struct append *ap = append_state(cmd);
	struct imap_args args = cmd->args;
	struct slice name;
	int rc = 0;

	if (size > cmd->s->x->conf->max_message)
		return refuse(cmd, "TOOBIG", "The message is too big");
	if (!ap->checked) {
		/* REPLACE: past the message's number. */
		if (cmd->row->flags & IMAP_WRITE && args.next != NULL)
			args.next = args.next->next;
		if (!imap_args_mailbox(&args, &name))
			return refuse(cmd, NULL, args.err);
		rc = imap_mailbox(cmd, name, STORE_RIGHT_INSERT, &ap->to);
		ap->checked = rc >= 0;
		cmd->s->others.held = ap->to.st;
	}
	if (rc == STORE_E_NOTFOUND && ap->to.own)
		return refuse(cmd, "TRYCREATE", "There is no such mailbox");
	if (rc < 0)
		return refuse(cmd, store_error(rc)->imap,
		    store_error(rc)->text);
	if (!(cmd->row->flags & IMAP_WRITE) && over_quota(ap->to.st, size))
		return refuse(cmd, "OVERQUOTA", "The quota is used up");
	return IMAP_LIT_STREAM;
}

/* The list that the literal is in, if it stands behind that word. */
static const struct imap_arg *
list_after(const struct imap_parser *p, const char *word)
{
	const struct imap_arg *list = p->open[1].arg;

	for (const struct imap_arg *a = p->args; a != NULL; a = a->next)
		if (a->next == list && a->type == IMAP_ARG_ATOM &&
		    slice_ieq(a->s, slice_str(word)))
			return list;
	return NULL;
}

/* UTF8 (~{n}: the literal is the message.  NULL, or what is wrong. */
static const char *
check_utf8(struct imap_cmd *cmd, const struct imap_arg *list, bool binary)
{
	if (!(cmd->s->enabled & IMAP_UTF8))
		return "UTF8 has to be enabled first";
	if (!binary || list->first != NULL)
		return "expected one literal8 in the list";
	return NULL;
}

static enum imap_literal_rc
append_begin(struct imap_cmd *cmd, uint64_t size, bool binary)
{
	const struct imap_parser *p = &cmd->s->parser;
	struct append *ap = append_state(cmd);
	struct append_msg *m = ap->n > 0 ? &ap->m[ap->n - 1] : NULL;
	const struct imap_arg *list = NULL, *utf8 = NULL;
	enum imap_literal_rc rc;
	const char *err = NULL, *code;
	bool keep = false;

	if (p->depth > 0 && (list = list_after(p, "CATENATE")) == NULL &&
	    (p->depth > 1 || (utf8 = list_after(p, "UTF8")) == NULL))
		return binary ? refuse(cmd, NULL, "expected UTF8 or CATENATE "
		    "before a list with a literal8") :
		    IMAP_LIT_KEEP;	/* and it will be found wrong */
	if (utf8 != NULL && (err = check_utf8(cmd, utf8, binary)) != NULL)
		return refuse(cmd, NULL, err);
	if ((rc = check_mailbox(cmd, size)) != IMAP_LIT_STREAM)
		return rc;
	if (m == NULL || list == NULL || m->list != list) {
		if ((m = append_new(cmd, ap->n)) == NULL) {
			append_most(cmd, &code);
			return refuse(cmd, code,
			    "Too many messages in one command");
		}
		m->list = list != NULL ? list : utf8;
	}
	if (list != NULL && p->depth == 2 && !binary)
		err = "expected a literal8 after UTF8";
	else if (list != NULL)
		err = catenate_go_on(cmd, m, true, &keep);
	if (err != NULL)
		return refuse(cmd, NULL, err);
	m->binary = binary;
	return keep ? IMAP_LIT_KEEP : IMAP_LIT_STREAM;
}

static void
append_octets(struct imap_cmd *cmd, struct slice s)
{
	struct append *ap = cmd->state;
	struct append_msg *m = &ap->m[ap->n - 1];

	if (memchr(s.p, '\0', s.n) != NULL)
		m->nul = true;
	if (m->rc == 0 && !m->nul && m->bad_url.p == NULL)
		m->rc = store_spool_add(m->spool, s.p, s.n);
}

static void
append_end(struct imap_cmd *cmd)
{
	(void)cmd;	/* what is left is done when the line has ended */
}

const struct imap_stream append_stream = {
	append_begin, append_octets, append_end
};

/* ---- the command ------------------------------------------------------- */

/* The message's octets: a literal, or CATENATE and a list. */
static bool
parse_data(struct imap_cmd *cmd, struct imap_args *v, size_t at)
{
	struct append *ap = append_state(cmd);
	struct append_msg *m = at < ap->n ? &ap->m[at] : NULL;
	bool keep;

	if (imap_args_word(v, "UTF8")) {
		if (v->next == NULL || v->next->type != IMAP_ARG_LIST ||
		    m == NULL || m->list != v->next ||
		    v->next->first->next != NULL)
			return imap_args_expected(v,
			    "a list of one literal8");
		v->next = v->next->next;
		return true;
	}
	if (!imap_args_word(v, "CATENATE")) {
		if (v->next == NULL || v->next->type != IMAP_ARG_STREAM)
			return imap_args_expected(v,
			    "the message as a literal");
		v->next = v->next->next;
		return true;
	}
	if (v->next == NULL || v->next->type != IMAP_ARG_LIST)
		return imap_args_expected(v, "a list of URLs and texts");
	if (m == NULL || m->list != v->next) {	/* nothing of it is text */
		if ((m = append_new(cmd, at)) == NULL) {
			v->err = "too many messages in one command";
			return false;
		}
		m->list = v->next;
	}
	if ((v->err = catenate_go_on(cmd, m, false, &keep)) != NULL)
		return false;
	v->next = v->next->next;
	return true;
}

/* [flag-list] [date-time] [ANNOTATION (...)] data (RFC 5257 4.6) */
static bool
parse_message(struct imap_cmd *cmd, struct imap_args *v, size_t at,
    struct imap_args *flags_r, int64_t *date_r, struct annotate_set *set)
{
	struct slice date;

	*flags_r = (struct imap_args){ .a = cmd->a };
	*date_r = INT64_MIN;
	if (v->next != NULL && v->next->type == IMAP_ARG_LIST)
		imap_args_list(v, flags_r, "flags");
	if (v->next != NULL && v->next->type == IMAP_ARG_QUOTED) {
		if (imap_date_time(v->next->s, date_r) < 0)
			return imap_args_expected(v, "a date and time like "
			    "\"17-Jul-1996 02:44:25 -0700\"");
		imap_args_string(v, &date, "a date and time");
	}
	if (imap_args_word(v, "ANNOTATION") && !annotate_set_parse(v, set))
		return false;
	return parse_data(cmd, v, at);
}

/* "BADURL url", as far as a response code can have it. */
static enum imap_next
bad_url(struct imap_cmd *cmd, struct slice url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f || url.p[i] == ']')
			return imap_no(cmd, "BADURL \"\"",
			    "A URL leads nowhere");
	return imap_no(cmd, arena_printf(cmd->a, "BADURL %.*s",
	    (int)(url.n < 1000 ? url.n : 1000), url.p), "A URL leads nowhere");
}

/* false: answered. */
static bool
finish(struct imap_cmd *cmd, struct append_msg *m)
{
	int rc;

	/* RFC 3516 4.3: what isn't text has to be encoded. */
	if (m->nul && m->binary)
		imap_no(cmd, "UNKNOWN-CTE", "A message with NUL can't be kept");
	else if (m->nul)
		imap_bad(cmd, "NUL in the message");
	else if (m->bad_url.p != NULL)
		bad_url(cmd, m->bad_url);
	else if ((rc = m->rc) < 0 || (rc = store_spool_done(m->spool)) < 0)
		imap_store_failed(cmd, rc);
	else if (store_spool_size(m->spool) == 0)
		imap_no(cmd, NULL, "The message is empty");
	else
		return true;
	return false;
}

/* "APPENDUID validity uids"; NULL where the user may not select the mailbox: he
 * isn't to learn anything of it (RFC 4315 3). */
static const char *
appenduid(struct imap_cmd *cmd, const struct imap_place *to,
    const struct store_added *added, size_t n)
{
	uint32_t *uids = arena_calloc(cmd->a, n, sizeof(*uids));
	struct buf code;
	const char *text;

	if (!(to->rights & STORE_RIGHT_READ))
		return NULL;
	for (size_t i = 0; i < n; i++)
		uids[i] = added[i].uid;
	buf_init(&code, 64 * 1024);
	buf_printf(&code, "APPENDUID %u ", (unsigned)to->mb.uidvalidity);
	seqset_print(&code, uids, n);
	text = arena_strndup(cmd->a, code.p, code.n);
	buf_release(&code);
	return text;
}

static enum imap_next
no_mailbox(struct imap_cmd *cmd, const struct imap_place *to, int rc)
{
	if (rc == STORE_E_NOTFOUND && to->own)
		return imap_no(cmd, "TRYCREATE", "There is no such mailbox");
	return imap_store_failed(cmd, rc);
}

/* What an APPEND says of its messages beside them.  They are there already, and
 * a second time they would be twice: so a failure is told beside the OK. */
static void
annotate(struct imap_cmd *cmd, const struct imap_place *to,
    const struct store_added *added, const struct annotate_set *set, size_t n)
{
	struct enc *e = &cmd->s->out;
	uint32_t *refused;
	size_t n_refused;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		if (set[i].n > 0)
			rc = store_msgs_annotate(to->st, cmd->a, to->mb.id,
			    &added[i].uid, 1, cmd->s->x->account, set[i].v,
			    set[i].n, UINT64_MAX, &refused, &n_refused);
	if (rc >= 0)
		return;
	log_err("%s: annotations: %s: %s", cmd->row->name,
	    store_error(rc)->text, store_errmsg(to->st));
	enc_raw(e, "* NO ");
	enc_say(e, "Annotations could not be kept");
	enc_eol(e);
}

static enum imap_next
add(struct imap_cmd *cmd, struct store_new *new, size_t n,
    const struct imap_place *to, const struct annotate_set *set)
{
	struct store_added *added = arena_calloc(cmd->a, n, sizeof(*added));
	int rc;

	for (size_t i = 0; i < n; i++) {
		new[i].mailboxes = &to->mb.id;
		new[i].n_mailboxes = 1;
	}
	if ((rc = store_email_add(to->st, new, n, added, NULL)) < 0)
		return no_mailbox(cmd, to, rc);
	annotate(cmd, to, added, set, n);
	return imap_ok_code(cmd, appenduid(cmd, to, added, n),
	    "Appended");
}

/* The messages of the command; 0: answered. */
static size_t
messages(struct imap_cmd *cmd, const struct imap_place *to,
    struct store_new *new, struct annotate_set *set)
{
	struct append *ap = append_state(cmd);
	struct imap_args *v = &cmd->args, *flags;
	const char *code;
	size_t n = 0, most = append_most(cmd, &code);

	flags = arena_calloc(cmd->a, APPEND_MAX, sizeof(*flags));
	do {
		if (n == most) {
			imap_no(cmd, code,
			    "Too many messages in one command");
			return 0;
		}
		if (!parse_message(cmd, v, n, &flags[n],
		    &new[n].received_at, &set[n])) {
			imap_bad_args(cmd);
			return 0;
		}
		n++;
	} while (v->next != NULL);
	for (size_t i = 0; i < n; i++) {
		if (!imap_flags_parse(cmd, to->st, to->rights, &flags[i],
		    &new[i].flags) ||
		    !annotate_set_allowed(cmd, to->st, &set[i], to->rights) ||
		    !finish(cmd, &ap->m[i]))
			return 0;
		new[i].flags &= imap_flags_allowed(to->rights);
		new[i].spool = ap->m[i].spool;
	}
	return n;
}

enum imap_next
cmd_append(struct imap_cmd *cmd)
{
	struct store_new *new = arena_calloc(cmd->a, APPEND_MAX, sizeof(*new));
	struct annotate_set *set = arena_calloc(cmd->a, APPEND_MAX,
	    sizeof(*set));
	struct imap_place to;
	struct slice name, raw;
	size_t n;
	int rc;

	if (!imap_args_name(&cmd->args, &name, &raw))
		return imap_bad_args(cmd);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_INSERT, &to)) < 0)
		return no_mailbox(cmd, &to, rc);
	cmd->s->others.held = to.st;
	if ((n = messages(cmd, &to, new, set)) == 0)
		return IMAP_DONE;
	/* RFC 9051 6.3.12: what the mailbox is really called. */
	(void)imap_list_put(cmd, to.st, to.mb.id, raw, false);
	return add(cmd, new, n, &to, set);
}

/* ---- REPLACE --------------------------------------------------------------- */

/* One message of the mailbox; 0: answered. */
static uint32_t
one_message(struct imap_cmd *cmd)
{
	struct view *v = &cmd->s->view;
	struct seqset set;
	uint32_t *uids;
	size_t n, missing;
	int rc;

	if (!imap_set(cmd, &set))
		return 0;
	if (set.n != 1 || set.r[0].from != set.r[0].to) {
		imap_bad(cmd, "REPLACE is for one message");
		return 0;
	}
	/* Learns whether it is gone. */
	if ((rc = imap_sync(cmd->s, false, NULL)) < 0) {
		imap_store_failed(cmd, rc);
		return 0;
	}
	uids = view_uids(v, &set, cmd->uid, cmd->a, &n, &missing);
	if (n == 1)
		return uids[0];
	imap_no(cmd, cmd->uid ? "NONEXISTENT" : "EXPUNGEISSUED",
	    "That message isn't there any more");
	return 0;
}

/* The new one is there before the old one goes. */
static int
replace_elsewhere(struct imap_cmd *cmd, const struct imap_place *to,
    const struct store_new *new, uint32_t uid, struct store_added *added_r)
{
	struct view *v = &cmd->s->view;
	int rc;

	if ((rc = store_email_add(to->st, new, 1, added_r, NULL)) < 0)
		return rc;
	return store_msgs_remove(v->st, cmd->a, v->mailbox, &uid, 1, NULL);
}

enum imap_next
cmd_replace(struct imap_cmd *cmd)
{
	struct store_new *new = arena_calloc(cmd->a, APPEND_MAX, sizeof(*new));
	struct annotate_set *set = arena_calloc(cmd->a, APPEND_MAX,
	    sizeof(*set));
	struct enc *e = &cmd->s->out;
	struct store_added added;
	struct imap_place to;
	struct slice name;
	const char *code;
	uint32_t uid;
	size_t n;
	int rc;

	if (!imap_may(cmd->s, STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE))
		return imap_no(cmd, "NOPERM",
		    "You may not remove messages here");
	if ((uid = one_message(cmd)) == 0)
		return IMAP_DONE;
	if (!imap_args_mailbox(&cmd->args, &name))
		return imap_bad_args(cmd);
	if ((rc = imap_mailbox(cmd, name, STORE_RIGHT_INSERT, &to)) < 0)
		return no_mailbox(cmd, &to, rc);
	cmd->s->others.held = to.st;
	if ((n = messages(cmd, &to, new, set)) == 0)
		return IMAP_DONE;
	if (n != 1)
		return imap_bad(cmd, "REPLACE takes one message");
	new->mailboxes = &to.mb.id;
	new->n_mailboxes = 1;
	if (to.st != cmd->s->view.st)
		rc = replace_elsewhere(cmd, &to, new, uid, &added);
	else
		rc = store_email_replace(to.st, new, cmd->s->view.mailbox,
		    uid, &added, NULL);
	if (rc == STORE_E_NOTFOUND)
		return imap_no(cmd, "EXPUNGEISSUED",
		    "The message or the mailbox was removed");
	if (rc < 0)
		return imap_store_failed(cmd, rc);
	annotate(cmd, &to, &added, set, 1);
	if ((code = appenduid(cmd, &to, &added, 1)) != NULL) {
		enc_raw(e, "* OK [");
		enc_raw(e, code);
		enc_raw(e, "] ");
		enc_say(e, "Replacement ready");
		enc_eol(e);
	}
	return imap_ok_expunged(cmd, "Replaced");
}
