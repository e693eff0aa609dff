/* pop3d/maildrop.c - the INBOX as one POP3 session sees it */
#include "config.h"

#include <string.h>

#include "libbase/xalloc.h"
#include "pop3d/pop3.h"

static int
drop_add(void *arg, const struct store_msg_info *info)
{
	struct pop3_drop *d = arg;
	struct pop3_msg *m;

	if (d->n == d->cap) {
		d->cap = d->cap == 0 ? 64 : d->cap * 2;
		d->msg = xreallocarray(d->msg, d->cap, sizeof(*d->msg));
	}
	m = &d->msg[d->n++];
	*m = (struct pop3_msg){ .uid = info->uid,
		.size = info->size,
		.email = info->email };
	memcpy(m->ref, info->ref, sizeof(m->ref));
	d->n_live++;
	d->live_size += info->size;
	return 0;
}

int
drop_open(struct pop3 *p)
{
	static const struct store_range all = { 1, UINT32_MAX };
	struct store *st = p->s->store;
	struct store_mailbox mb;
	int rc;

	/* RFC 1939 section 4: exclusive access, given up when the process ends. */
	if ((rc = store_maildrop_lock(st)) < 0)
		return rc;
	if ((rc = store_refresh(st)) < 0 ||
	    (rc = store_mailbox_find(st, p->arena, SLICE_LIT("INBOX"), &mb)) <
		0)
		return rc;
	p->drop.mailbox = mb.id;
	return store_msg_scan(st, mb.id, &all, 1, drop_add, &p->drop);
}

void
drop_release(struct pop3_drop *d)
{
	xfree(d->msg);
	*d = (struct pop3_drop){ 0 };
}

struct pop3_msg *
drop_msg(struct pop3 *p, struct slice number)
{
	uint64_t n;

	if (slice_uint(number, p->drop.n, &n) < 0 || n == 0 ||
	    p->drop.msg[n - 1].deleted)
		return NULL;
	return &p->drop.msg[n - 1];
}

void
drop_delete(struct pop3_drop *d, struct pop3_msg *m)
{
	m->deleted = true;
	d->n_live--;
	d->live_size -= m->size;
}

void
drop_reset(struct pop3_drop *d)
{
	d->n_live = d->n;
	d->live_size = 0;
	for (size_t i = 0; i < d->n; i++) {
		d->msg[i].deleted = false;
		d->live_size += d->msg[i].size;
	}
}

int
drop_commit(struct pop3 *p)
{
	struct pop3_drop *d = &p->drop;
	uint32_t *uids;
	size_t n = 0;
	int rc;

	if (d->n_live == d->n)
		return 0;
	uids = xreallocarray(NULL, d->n - d->n_live, sizeof(*uids));
	for (size_t i = 0; i < d->n; i++)
		if (d->msg[i].deleted)
			uids[n++] = d->msg[i].uid;
	rc = store_msgs_remove(p->s->store, p->arena, d->mailbox, uids, n,
	    NULL);
	xfree(uids);
	return rc;
}
