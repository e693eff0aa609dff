/* libstore/flags.c - changing flags of messages (RFC 9051 6.4.6, RFC 7162) */
#include "config.h"

#include "libstore/store-int.h"

struct flag_arg {
	uint64_t mailbox;
	const uint32_t *uid;
	size_t n, pos, next;	/* of uid: this portion starts, ended */
	enum store_flag_op op;
	uint64_t flags, mask, unchanged_since;
	uint32_t *modified;
	size_t n_modified, had;	/* had: before this portion */
};

static uint64_t
flags_after(uint64_t old, const struct flag_arg *f)
{
	switch (f->op) {
	case STORE_FLAG_ADD:
		return old | (f->flags & f->mask);
	case STORE_FLAG_DEL:
		return old & ~(f->flags & f->mask);
	case STORE_FLAG_SET:
		break;
	}
	return (old & ~f->mask) | (f->flags & f->mask);
}

/* 1: more to do, from arg->next on. */
static int
flag_portion(struct work *w, void *arg)
{
	struct flag_arg *f = arg;
	struct w_msg g = { 0 };
	struct w_mailbox *m;
	int rc;

	f->n_modified = f->had;
	f->next = f->pos;
	if ((rc = keywords_known(w, f->flags)) < 0 ||
	    (rc = w_mailbox(w, f->mailbox, &m)) < 0)
		return rc;
	for (; f->next < f->n && !work_full(w); f->next++) {
		rc = w_msg(w, m, f->uid[f->next], &g);
		if (rc == STORE_E_NOTFOUND)
			continue;
		if (rc < 0)
			return rc;
		if (g.hot.modseq > f->unchanged_since) {
			f->modified[f->n_modified++] = f->uid[f->next];
			continue;
		}
		rc = msg_set_flags(w, &g,
		    flags_after(g.hot.flags, f));
		if (rc < 0)
			return rc;
	}
	return f->next < f->n;
}

int
store_msgs_flag_some(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, enum store_flag_op op, uint64_t flags,
    uint64_t mask, uint64_t unchanged_since, uint32_t **modified_r, size_t *n_modified_r,
    uint64_t *modseq_r)
{
	struct flag_arg f = {
		.mailbox = mailbox, .uid = uids, .n = n, .op = op,
		.flags = flags, .mask = mask,
		.unchanged_since = unchanged_since
	};
	/* \Deleted is the first step of deleting. */
	int rc, mode = op != STORE_FLAG_DEL && (flags & STORE_DELETED) ?
	    KV_FREES : 0;
	uint64_t modseq;

	f.modified = arena_calloc(a,
	    unchanged_since == UINT64_MAX ? 0 : n, sizeof(*f.modified));
	do {
		rc = store_run(st, mode, flag_portion, &f, &modseq);
		f.pos = f.next;
		f.had = f.n_modified;
	} while (rc > 0);
	if (rc < 0)
		return rc;
	if (modified_r) {
		*modified_r = f.modified;
		*n_modified_r = f.n_modified;
	}
	if (modseq_r)
		*modseq_r = modseq;
	return 0;
}

int
store_msgs_flag(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, enum store_flag_op op, uint64_t flags,
    uint64_t unchanged_since, uint32_t **modified_r, size_t *n_modified_r,
    uint64_t *modseq_r)
{
	return store_msgs_flag_some(st, a, mailbox, uids, n, op, flags,
	    UINT64_MAX, unchanged_since, modified_r, n_modified_r, modseq_r);
}
