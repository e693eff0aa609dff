/*
 * imapd/copy-across.c - COPY and MOVE between accounts
 *
 * The octets go through a spool, and are a new Email in the target.  MOVE adds
 * all, durably, before it removes any: if the process dies in between, messages
 * are in both.
 */
#include "config.h"

#include "imapd/copy.h"
#include "libbase/xalloc.h"

enum {
	PIECE = 64 * 1024,
	BATCH = 64,			/* messages of one change, at most, */
	BATCH_OCTETS = 32 * 1024 * 1024	/* and about */
};

struct across {
	struct imap_cmd *cmd;
	struct store *from;
	const struct imap_place *to;
	uint64_t allowed;
	struct slice *names;		/* of the source's keywords, by bit */
	size_t n_names;
	uint64_t map[64];		/* bits in the target; 0: not known yet */
	char *piece;
	struct store_new new[BATCH];
	uint32_t uid[BATCH];
	uint64_t email[BATCH];
	size_t n;
	uint64_t octets;
	struct store_pair *pairs;
	size_t n_pairs;
};

/* The same flags in the target, as far as they may be set there. */
static int
map_flags(struct across *x, uint64_t flags, uint64_t *flags_r)
{
	int rc;

	*flags_r = flags & ((UINT64_C(1) << STORE_KEYWORD_FIRST) - 1);
	for (size_t i = STORE_KEYWORD_FIRST; i < x->n_names &&
	    x->to->rights & STORE_RIGHT_WRITE; i++) {
		if (!(flags >> i & 1) || x->names[i].p == NULL)
			continue;
		if (x->map[i] == 0) {
			rc = store_keyword_bit(x->to->st, x->names[i], true,
			    &x->map[i]);
			if (rc == STORE_E_LIMIT)
				x->map[i] = IMAP_NO_FLAG;
			else if (rc < 0)
				return rc;
		}
		*flags_r |= x->map[i];
	}
	*flags_r &= x->allowed & ~IMAP_NO_FLAG;
	return 0;
}

static int
spool_blob(struct across *x, const struct store_msg_info *m,
    struct store_spool *sp)
{
	struct store_blob *b;
	uint64_t size;
	int rc;

	if ((rc = store_blob_open_ref(x->from, m->ref, &b)) < 0)
		return rc;
	size = store_blob_size(b);
	for (uint64_t at = 0; rc >= 0 && at < size;) {
		size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;

		rc = store_blob_read(b, at, x->piece, n);
		if (rc >= 0)
			rc = store_spool_add(sp, x->piece, n);
		at += n;
	}
	store_blob_close(&b);
	return rc < 0 ? rc : store_spool_done(sp);
}

static void
batch_free(struct across *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct store_spool *sp = x->new[i].spool;

		store_spool_free(&sp);
	}
	x->n = 0;
	x->octets = 0;
}

/* The annotations that the user sees, as far as he may make them there. */
static int
annotate(struct across *x, uint64_t email, uint32_t uid)
{
	struct imap_cmd *cmd = x->cmd;
	struct store_metadata *v;
	uint32_t *refused;
	size_t n, n_refused, out = 0;
	int rc;

	rc = store_metadata_get(x->from, cmd->a, email, cmd->s->x->account,
	    &v, &n);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		if (!v[i].shared || x->to->rights & STORE_RIGHT_NOTES)
			v[out++] = v[i];
	if (rc < 0 || out == 0)
		return rc;
	return store_msgs_annotate(x->to->st, cmd->a, x->to->mb.id, &uid, 1,
	    cmd->s->x->account, v, out, UINT64_MAX, &refused, &n_refused);
}

static int
batch_add(struct across *x)
{
	struct store_added added[BATCH];
	uint64_t any = 0;
	int rc;

	if (x->n == 0)
		return 0;
	rc = store_email_add(x->to->st, x->new, x->n, added, NULL);
	for (size_t i = 0; rc >= 0 && i < x->n; i++)
		x->pairs[x->n_pairs++] = (struct store_pair){
			x->uid[i], added[i].uid
		};
	if (rc >= 0)
		rc = store_metadata_modseq(x->from, &any);
	for (size_t i = 0; rc >= 0 && any > 0 && i < x->n; i++)
		rc = annotate(x, x->email[i], added[i].uid);
	batch_free(x);
	return rc < 0 ? rc : 0;
}

static int
take(void *arg, const struct store_msg_info *m)
{
	*(struct store_msg_info *)arg = *m;
	return 1;
}

static int
copy_one(struct across *x, uint64_t mailbox, uint32_t uid)
{
	struct store_range r = { uid, uid };
	struct store_msg_info m;
	struct store_new *new;
	int rc;

	if ((rc = store_msg_scan(x->from, mailbox, &r, 1, take, &m)) != 1)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	new = &x->new[x->n];
	*new = (struct store_new){
		.spool = store_spool_new(&x->cmd->s->x->store_conf, true, 0),
		.mailboxes = &x->to->mb.id, .n_mailboxes = 1,
		.received_at = m.received_at
	};
	x->email[x->n] = m.email;
	x->uid[x->n++] = uid;
	x->octets += m.size;
	if ((rc = spool_blob(x, &m, new->spool)) < 0 ||
	    (rc = map_flags(x, m.flags, &new->flags)) < 0)
		return rc;
	return x->n == BATCH || x->octets >= BATCH_OCTETS ? batch_add(x) : 0;
}

/* RFC 9051 6.4.7: all or nothing. */
static void
take_back(struct across *x)
{
	uint32_t *uids = arena_calloc(x->cmd->a, x->n_pairs + 1,
	    sizeof(*uids));

	for (size_t i = 0; i < x->n_pairs; i++)
		uids[i] = x->pairs[i].to;
	if (x->n_pairs > 0)
		(void)store_msgs_remove(x->to->st, x->cmd->a, x->to->mb.id,
		    uids, x->n_pairs, NULL);
}

static int
remove_sources(struct across *x, uint64_t mailbox)
{
	uint32_t *uids = arena_calloc(x->cmd->a, x->n_pairs + 1,
	    sizeof(*uids));

	for (size_t i = 0; i < x->n_pairs; i++)
		uids[i] = x->pairs[i].from;
	return x->n_pairs == 0 ? 0 : store_msgs_remove(x->from, x->cmd->a,
	    mailbox, uids, x->n_pairs, NULL);
}

int
copy_across(struct imap_cmd *cmd, const struct imap_place *to,
    const uint32_t *uids, size_t n, bool move, struct store_pair **p_r,
    size_t *n_r)
{
	const struct view *v = &cmd->s->view;
	struct across *x = arena_calloc(cmd->a, 1, sizeof(*x));
	int rc;

	x->cmd = cmd;
	x->from = v->st;
	x->to = to;
	x->allowed = imap_flags_allowed(to->rights);
	x->piece = arena_alloc(cmd->a, PIECE);
	x->pairs = arena_calloc(cmd->a, n + 1, sizeof(*x->pairs));
	rc = store_keywords(x->from, cmd->a, &x->names, &x->n_names);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = copy_one(x, v->mailbox, uids[i]);
		imap_progress(cmd, i + 1, n);
	}
	if (rc >= 0)
		rc = batch_add(x);
	batch_free(x);
	if (rc < 0)
		take_back(x);
	else if (move)
		rc = remove_sources(x, v->mailbox);
	*p_r = x->pairs;
	*n_r = x->n_pairs;
	return rc < 0 ? rc : 0;
}
