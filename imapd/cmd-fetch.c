/* imapd/cmd-fetch.c - FETCH (RFC 9051 6.4.5, RFC 7162): a message at a time */
#include "config.h"

#include "imapd/fetch.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

struct fetch {
	struct imap_cmd *cmd;
	struct fetch_request q;
	bool *seen;		/* by index: \Seen was set by this command */
	size_t at;		/* index in the view to look for the next at */
	size_t done;		/* messages answered */
	int failed;		/* of messages that could not be read */
	bool undecodable;	/* a part's encoding isn't known */
};

/* ---- one message ------------------------------------------------------- */

static int
prepare(struct fetch *f, struct fetch_msg *m, struct fetch_data *d)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < f->q.n; i++) {
		const struct fetch_item *item = &f->q.items[i];

		if (item->kind == FETCH_SECTION)
			rc = section_prepare(m, &item->sec, &d[i]);
		else if (item->kind == FETCH_BINARY ||
		    item->kind == FETCH_BINARY_SIZE)
			rc = binary_prepare(m, item, &d[i]);
		else if (item->kind == FETCH_ANNOTATION)
			rc = annotate_load(f->cmd->s, m->st, m->a,
			    m->info->email, &d[i].annotations);
		else if (item->kind >= FETCH_ENVELOPE)
			rc = fetch_msg_mime(m);
	}
	return rc < 0 ? rc : 0;
}

static void
put_id(struct enc *e, const char *what, char prefix, uint64_t id)
{
	char text[STORE_ID_TEXT];

	enc_raw(e, what);
	enc_raw(e, store_id_text(prefix, id, text));
	enc_raw(e, ")");
}

static int
put_item(struct fetch *f, struct fetch_msg *m, const struct store_msg *vm,
    const struct fetch_item *item, const struct fetch_data *d)
{
	struct enc *e = &f->cmd->s->out;

	enc_sp(e);
	switch (item->kind) {
	case FETCH_UID:
		enc_raw(e, "UID ");
		enc_u64(e, vm->uid);
		break;
	case FETCH_FLAGS:
		enc_raw(e, "FLAGS");
		imap_flags_put(f->cmd->s, vm->flags,
		    view_is_recent(&f->cmd->s->view, vm->uid));
		break;
	case FETCH_MODSEQ:
		e->open = true;		/* the space is there */
		imap_modseq_put(f->cmd->s, vm->modseq);
		break;
	case FETCH_INTERNALDATE:
		enc_raw(e, "INTERNALDATE ");
		enc_date_time(e, m->info->received_at);
		break;
	case FETCH_SIZE:
		enc_raw(e, "RFC822.SIZE ");
		enc_u64(e, m->info->size);
		break;
	case FETCH_SAVEDATE:
		enc_raw(e, "SAVEDATE ");
		enc_date_time(e, m->info->saved_at);
		break;
	case FETCH_EMAILID:
		put_id(e, "EMAILID (", 'E', m->info->email);
		break;
	case FETCH_THREADID:
		put_id(e, "THREADID (", 'T', m->info->thread);
		break;
	case FETCH_ANNOTATION:
		annotate_put(f->cmd->s, m->a, &d->annotations,
		    item->annotations);
		break;
	case FETCH_ENVELOPE:
		enc_raw(e, "ENVELOPE ");
		envelope_put(e, m->mime->root->env);
		break;
	case FETCH_BODY:
	case FETCH_BODYSTRUCTURE:
		enc_raw(e, item->kind == FETCH_BODY ? "BODY " :
		    "BODYSTRUCTURE ");
		bodystructure_put(e, m->mime->root,
		    item->kind == FETCH_BODYSTRUCTURE);
		break;
	case FETCH_PREVIEW:
		enc_raw(e, "PREVIEW ");
		enc_nstring(e, m->mime->preview);
		break;
	case FETCH_BINARY_SIZE:
		enc_raw(e, item->label);
		section_put_label(e, &item->sec);
		enc_raw(e, " ");
		enc_u64(e, d->len);
		break;
	case FETCH_SECTION:
	case FETCH_BINARY:
		enc_raw(e, item->label);
		if (item->bracket)
			section_put_label(e, &item->sec);
		enc_raw(e, " ");
		return item->kind == FETCH_BINARY ? binary_put(m, e, d) :
		    section_put(m, e, d);
	}
	return 0;
}

static bool
wanted(const struct fetch *f, enum fetch_kind kind)
{
	for (size_t i = 0; i < f->q.n; i++)
		if (f->q.items[i].kind == kind)
			return true;
	return false;
}

/* That \Seen is set now; with CONDSTORE the mod-sequence and UID, too (RFC 7162
 * 3.2.4).  What was asked for is there already. */
static int
put_seen(struct fetch *f, struct fetch_msg *m, const struct store_msg *vm)
{
	const struct imap_session *s = f->cmd->s;
	const struct fetch_item flags = { .kind = FETCH_FLAGS };
	const struct fetch_item modseq = { .kind = FETCH_MODSEQ };
	const struct fetch_item uid = { .kind = FETCH_UID };
	int rc = 0;

	if (!wanted(f, FETCH_FLAGS))
		rc = put_item(f, m, vm, &flags, NULL);
	if (!(s->enabled & IMAP_CONDSTORE))
		return rc;
	if (rc >= 0 && !wanted(f, FETCH_MODSEQ))
		rc = put_item(f, m, vm, &modseq, NULL);
	if (rc >= 0 && !(s->enabled & IMAP_UIDONLY) && !wanted(f, FETCH_UID))
		rc = put_item(f, m, vm, &uid, NULL);
	return rc;
}

/* info is NULL where the view knows all.  < 0: a literal is unfinished. */
static int
put_message(struct fetch *f, size_t i, const struct store_msg_info *info)
{
	struct imap_session *s = f->cmd->s;
	const struct store_msg *vm = &s->view.m[i];
	struct fetch_msg m = {
		.st = imap_store(s), .a = s->scratch, .info = info
	};
	struct fetch_data *d;
	int rc;

	arena_reset(s->scratch);
	d = arena_calloc(s->scratch, f->q.n, sizeof(*d));
	if ((rc = prepare(f, &m, d)) < 0) {
		fetch_msg_release(&m);
		if (rc == STORE_E_INVALID) {	/* RFC 3516 4.3 */
			f->undecodable = true;
			f->done++;
			return 0;
		}
		f->failed = rc;
		log_err("FETCH of UID %u: %s: %s", (unsigned)vm->uid,
		    store_error(rc)->text, store_errmsg(imap_store(s)));
		return rc == STORE_E_FENCED ? rc : 0;
	}
	imap_fetch_open(s, i);
	for (size_t k = 0; rc >= 0 && k < f->q.n; k++)
		rc = put_item(f, &m, vm, &f->q.items[k], &d[k]);
	if (rc >= 0 && f->seen != NULL && f->seen[i])
		rc = put_seen(f, &m, vm);
	enc_close(&s->out);
	enc_eol(&s->out);
	fetch_msg_release(&m);
	f->done++;
	return rc;
}

/* store_msg_scan()'s: messages come by UID, as they are in the view. */
static int
on_info(void *arg, const struct store_msg_info *info)
{
	struct fetch *f = arg;
	struct view *v = &f->cmd->s->view;

	while (f->at < v->n && v->m[f->at].uid < info->uid)
		f->at++;
	if (f->at == v->n || v->m[f->at].uid != info->uid)
		return 0;
	if (put_message(f, f->at, info) < 0 || sio_failed(f->cmd->s->x->io))
		return 1;
	return 0;
}

/* ---- all of them ------------------------------------------------------- */

/* BODY[] and its like set \Seen: of all messages in one change. */
static int
set_seen(struct fetch *f, const uint32_t *uids, size_t n)
{
	struct imap_session *s = f->cmd->s;
	struct view *v = &s->view;
	uint32_t *todo = xcalloc(n + 1, sizeof(*todo)), *refused;
	uint64_t *flags = xcalloc(n + 1, sizeof(*flags));
	struct imap_quiet quiet = { todo, flags, 0 };
	size_t n_refused;
	int rc = 0;

	if (!imap_may(s, STORE_RIGHT_SEEN))
		n = 0;	/* RFC 4314 4 */
	arena_defer(f->cmd->a, xfree, todo);
	arena_defer(f->cmd->a, xfree, flags);
	for (size_t i = 0; i < n; i++) {
		uint64_t old = v->m[view_find(v, uids[i])].flags;

		if (old & STORE_SEEN)
			continue;
		flags[quiet.n] = old | STORE_SEEN;
		todo[quiet.n++] = uids[i];
	}
	if (quiet.n == 0)
		return 0;
	rc = store_msgs_flag(imap_store(s), f->cmd->a, v->mailbox, todo,
	    quiet.n, STORE_FLAG_ADD, STORE_SEEN, UINT64_MAX, &refused,
	    &n_refused, NULL);
	if (rc < 0)
		return rc;
	if ((rc = imap_sync(s, false, &quiet)) < 0)
		return rc;
	f->seen = xcalloc(v->n + 1, sizeof(*f->seen));
	arena_defer(f->cmd->a, xfree, f->seen);
	for (size_t i = 0; i < quiet.n; i++) {
		ptrdiff_t k = view_find(v, todo[i]);

		if (k >= 0)
			f->seen[k] = true;
	}
	return 0;
}

static int
fetch_from_view(struct fetch *f, const uint32_t *uids, size_t n)
{
	struct view *v = &f->cmd->s->view;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		if (k >= 0)
			put_message(f, (size_t)k, NULL);
		if (sio_failed(f->cmd->s->x->io))
			break;
	}
	return 0;
}

static int
fetch_from_store(struct fetch *f, struct view_span *s, size_t n)
{
	struct view *v = &f->cmd->s->view;
	struct store_range *r = arena_calloc(f->cmd->a, n, sizeof(*r));

	for (size_t i = 0; i < n; i++)
		r[i] = (struct store_range){ v->m[s[i].from].uid,
			v->m[s[i].to].uid };
	return store_msg_scan(imap_store(f->cmd->s), v->mailbox, r, n, on_info,
	    f);
}

/* Keywords that came with new messages may not have been told yet. */
static void
announce_keywords(struct fetch *f, const uint32_t *uids, size_t n)
{
	struct view *v = &f->cmd->s->view;
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t k = view_find(v, uids[i]);

		all |= k >= 0 ? v->m[k].flags : 0;
	}
	imap_flags_announce(f->cmd->s, all);
}

static int
fetch_uids(struct fetch *f, const uint32_t *uids, size_t n)
{
	struct imap_session *s = f->cmd->s;
	struct seqset set = { 0 };
	size_t cap = 0;

	for (size_t i = 0; i < n; i++)
		seqset_add(&set, &cap, f->cmd->a, uids[i]);
	return store_msg_scan(imap_store(s), s->view.mailbox, set.r, set.n,
	    on_info, f);
}

void
fetch_tell(struct imap_session *s, const struct fetch_request *q,
    const uint32_t *uids, size_t n)
{
	struct arena *a = arena_new(0);
	struct imap_cmd cmd = { .s = s, .a = a };
	struct fetch f = { .cmd = &cmd, .q = *q };
	int rc = 0;

	f.q.cap = f.q.n;	/* its items aren't ours to move */
	/* RFC 7162 3.1.4.2, 3.2.4 */
	if (s->enabled & IMAP_CONDSTORE)
		fetch_want(a, &f.q, FETCH_MODSEQ);
	if (s->enabled & IMAP_QRESYNC && !(s->enabled & IMAP_UIDONLY))
		fetch_want(a, &f.q, FETCH_UID);
	if (f.q.wants_flags)
		announce_keywords(&f, uids, n);
	if (f.q.most <= FETCH_MODSEQ)
		rc = fetch_from_view(&f, uids, n);
	else if (n > 0 && !s->view.dead)
		rc = fetch_uids(&f, uids, n);
	if (rc == 1 || rc == STORE_E_FENCED)
		s->bye = true;	/* within a literal */
	arena_free(&a);
}

/* Leaves out what is below a UID of the first or a later span. */
static void
drop_below(const struct view *v, struct view_span **s, size_t *n, uint32_t uid)
{
	while (*n > 0 && v->m[(*s)->to].uid < uid) {
		(*s)++;
		(*n)--;
	}
	if (*n > 0 && v->m[(*s)->from].uid < uid)
		(*s)->from = (size_t)view_find(v, uid);
}

static enum imap_next
fetch(struct fetch *f, struct seqset *set)
{
	struct imap_cmd *cmd = f->cmd;
	struct view *v = &cmd->s->view;
	struct view_span *spans;
	size_t n_spans, n, missing;
	uint32_t *uids;
	int rc = 0;

	uids = view_uids(v, set, cmd->uid, cmd->a, &n, &missing);
	n = imap_limit(cmd, &uids, n);
	/* A failure to say that they were seen must not hide them. */
	if (f->q.sets_seen && !v->readonly && !v->dead &&
	    (rc = set_seen(f, uids, n)) < 0)
		log_err("FETCH: setting \\Seen: %s: %s",
		    store_error(rc)->text, store_errmsg(imap_store(cmd->s)));
	if (f->q.wants_flags || f->q.sets_seen)
		announce_keywords(f, uids, n);
	view_spans(v, set, cmd->uid, cmd->a, &spans, &n_spans);
	if (cmd->limited != 0)
		drop_below(v, &spans, &n_spans, cmd->limited);
	if (f->q.most <= FETCH_MODSEQ)
		rc = fetch_from_view(f, uids, n);
	else if (n_spans > 0 && !v->dead)
		rc = fetch_from_store(f, spans, n_spans);
	if (rc == 1 || rc == STORE_E_FENCED) {
		/* Within a literal: nothing more can be said. */
		cmd->s->bye = true;
		return IMAP_BYE;
	}
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return imap_store_failed(cmd, rc);
	if (f->failed < 0)
		return imap_store_failed(cmd, f->failed);
	if (f->undecodable)
		return imap_no(cmd, "UNKNOWN-CTE",
		    "The encoding of a part isn't known");
	if (!cmd->uid && (missing > 0 || f->done < n))
		return imap_no(cmd, "EXPUNGEISSUED",
		    "Some of the messages were expunged");
	return imap_ok(cmd, "Fetched");
}

/* PARTIAL: of the set's messages some. */
static void
cut(struct fetch *f, struct seqset *set)
{
	struct imap_cmd *cmd = f->cmd;
	struct view *v = &cmd->s->view;
	size_t n, from, to, cap = 0;
	uint32_t *uids = view_uids(v, set, true, cmd->a, &n, NULL);

	imap_partial_range(&f->q.partial, n, &from, &to);
	*set = (struct seqset){ 0 };
	for (; from < to; from++)
		seqset_add(set, &cap, cmd->a, uids[from]);
}

/* CHANGEDSINCE: of the set only what changed remains; arg is the set. */
static int
narrow(struct fetch *f, struct imap_args arg, struct seqset *set)
{
	struct imap_cmd *cmd = f->cmd;
	struct view *v = &cmd->s->view;
	struct seqset whole, out = { 0 };
	size_t cap = 0;
	int rc;

	if ((rc = imap_sync(cmd->s, cmd->uid, NULL)) < 0)
		return rc;
	/* "*" may be one that vanished. */
	if (f->q.vanished && v->uidnext > 1 &&
	    imap_args_seqset(&arg, v->uidnext - 1, &whole) &&
	    (rc = imap_tell_vanished(cmd, &whole, f->q.since)) < 0)
		return rc;
	for (size_t i = 0; i < v->n; i++) {
		uint32_t no = cmd->uid ? v->m[i].uid : (uint32_t)i + 1;

		if (v->m[i].modseq > f->q.since && seqset_has(set, no))
			seqset_add(&out, &cap, cmd->a, no);
	}
	*set = out;
	return 0;
}

enum imap_next
cmd_fetch(struct imap_cmd *cmd)
{
	struct fetch f = { .cmd = cmd };
	struct imap_args arg = cmd->args;
	int rc;
	struct seqset set;

	if (!imap_set(cmd, &set))
		return IMAP_DONE;
	if (!fetch_parse(&cmd->args, &f.q))
		return imap_bad_args(cmd);
	if (f.q.vanished && !(cmd->uid && cmd->s->enabled & IMAP_QRESYNC))
		return imap_bad(cmd,
		    "VANISHED is for UID FETCH, with QRESYNC enabled");
	if (f.q.partial.given && !cmd->uid)
		return imap_bad(cmd, "PARTIAL is for UID FETCH");
	if (f.q.changed)
		fetch_want(cmd->a, &f.q, FETCH_MODSEQ);
	if (f.q.wants_modseq)
		imap_enable(cmd->s, IMAP_CONDSTORE);
	if (cmd->uid && !(cmd->s->enabled & IMAP_UIDONLY))
		fetch_want(cmd->a, &f.q, FETCH_UID);
	if (f.q.partial.given)
		cut(&f, &set);
	if (f.q.changed && (rc = narrow(&f, arg, &set)) < 0)
		return imap_store_failed(cmd, rc);
	return fetch(&f, &set);
}
