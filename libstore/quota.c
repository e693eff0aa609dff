/* libstore/quota.c - what an account uses, and may use */
#include "config.h"

#include "libstore/store-int.h"

int
store_usage(struct store *st, struct store_usage *u_r)
{
	struct row_head h;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = head_read(t, st->ra, &h)) == 0)
		*u_r = (struct store_usage){
			.size = h.size, .messages = h.messages,
			.mailboxes = h.mailboxes,
			.size_limit = h.size_limit,
			.message_limit = h.message_limit,
			.mailbox_limit = store_max_mailboxes(st->cf)
		};
	ro_end(st);
	return rc;
}

static int
quota_set(struct work *w, void *arg)
{
	const struct store_usage *u = arg;

	if (w->head.size_limit == u->size_limit &&
	    w->head.message_limit == u->message_limit)
		return 0;
	w->head.size_limit = u->size_limit;
	w->head.message_limit = u->message_limit;
	w->dirty = true;
	return 0;
}

int
store_quota_set(struct store *st, uint64_t size, uint64_t messages)
{
	struct store_usage u = {
		.size_limit = size, .message_limit = messages
	};

	return store_run(st, 0, quota_set, &u, NULL);
}
