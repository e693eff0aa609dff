/* pop3d/maildrop.c - the mailbox as one POP3 session sees it */
#include "config.h"

#include <string.h>
#include <time.h>

#include "libbase/xalloc.h"
#include "pop3d/pop3.h"

/* What pop3-delete = "flag" sets: POP3 shows such a message no more. */
#define HIDDEN "$POP3Deleted"

static int
drop_add(void *arg, const struct store_msg_info *info)
{
	struct pop3_drop *d = arg;
	struct pop3_msg *m;

	if (info->flags & d->hidden)
		return 0;
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

/* RFC 2449 6.5: the time between two logins. */
static bool
too_soon(struct pop3 *p)
{
	int64_t now = time(NULL), last;

	if (p->s->conf->pop3_login_delay_s == 0 || p->s->preauth != NULL)
		return false;
	last = store_maildrop_last(p->s->store);
	if (last <= now && now - last < p->s->conf->pop3_login_delay_s)
		return true;
	store_maildrop_note(p->s->store);
	return false;
}

int
drop_open(struct pop3 *p)
{
	static const struct store_range all = { 1, UINT32_MAX };
	const struct conf *c = p->s->conf;
	struct store *st = p->s->store;
	struct store_mailbox mb;
	int rc;

	/* RFC 1939 section 4: exclusive access, given up when the process ends. */
	if ((rc = store_maildrop_lock(st)) < 0)
		return rc;
	if (too_soon(p)) {
		store_maildrop_unlock(st);
		return DROP_E_DELAY;
	}
	if ((rc = store_refresh(st)) < 0 ||
	    (rc = store_mailbox_find(st, p->arena,
		slice_str(c->pop3_mailbox), &mb)) < 0)
		return rc;
	p->drop.mailbox = mb.id;
	p->drop.uidvalidity = mb.uidvalidity;
	if (c->pop3_delete == CONF_POP3_FLAG &&
	    store_keyword_bit(st, SLICE_LIT(HIDDEN), false,
		&p->drop.hidden) < 0)
		p->drop.hidden = 0;
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

/* The mailbox with the role trash; made if there is none. */
static int
trash(struct pop3 *p, uint64_t *id_r)
{
	struct store *st = p->s->store;
	struct store_mailbox *m;
	size_t n;
	int rc;

	if ((rc = store_mailbox_list(st, p->arena, &m, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (m[i].role == STORE_ROLE_TRASH) {
			*id_r = m[i].id;
			return 0;
		}
	return store_mailbox_create_path(st, SLICE_LIT("Trash"),
	    STORE_ROLE_TRASH, id_r);
}

static int
delete(struct pop3 *p, const uint32_t *uids, size_t n)
{
	struct store *st = p->s->store;
	uint64_t from = p->drop.mailbox, to = from, flag;
	struct store_pair *pairs;
	uint32_t *modified;
	size_t n_done;
	int rc = 0;

	switch (p->s->conf->pop3_delete) {
	case CONF_POP3_FLAG:
		if ((rc = store_keyword_bit(st, SLICE_LIT(HIDDEN), true,
		    &flag)) < 0)
			return rc;
		return store_msgs_flag(st, p->arena, from, uids, n,
		    STORE_FLAG_ADD, flag, UINT64_MAX, &modified, &n_done,
		    NULL);
	case CONF_POP3_TRASH:
		if ((rc = trash(p, &to)) < 0)
			return rc;
		break;
	case CONF_POP3_EXPUNGE:
		break;
	}
	if (to == from)
		return store_msgs_remove(st, p->arena, from, uids, n, NULL);
	return store_msgs_copy(st, p->arena, from, uids, n, to, true, &pairs,
	    &n_done, NULL);
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
	rc = delete(p, uids, n);
	xfree(uids);
	return rc;
}
