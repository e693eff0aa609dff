/* t/formats/sample.c - what a stored sample account has, as text */
#include "config.h"

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "t/formats/sample.h"

#define LL(v) ((unsigned long long)(v))

struct dump {
	struct store *st;
	struct arena *a;
	struct buf *b;
	int rc;			/* the first error */
};

static uint64_t
digest(const char *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static bool
good(struct dump *d, int rc)
{
	if (rc < 0 && d->rc == 0)
		d->rc = rc;
	return rc >= 0;
}

static void
dump_blob(struct dump *d, const struct store_blobid *id)
{
	char text[STORE_BLOBID_LEN + 1];
	struct store_blob *b;
	struct slice s;

	store_blobid_text(id, text);
	if (!good(d, store_blob_open(d->st, id, &b)))
		return;
	if (good(d, store_blob_octets(b, &s)))
		buf_printf(d->b, "  blob %s %zu %016llx\n", text, s.n,
		    LL(digest(s.p, s.n)));
	store_blob_close(&b);
}

static void
dump_email(struct dump *d, uint64_t id)
{
	struct store_email e;
	struct mime_msg *m;
	uint64_t *th;
	size_t n;

	if (!good(d, store_email_get(d->st, d->a, id, &e)))
		return;
	buf_printf(d->b, " email %llx thread %llx size %llu received %lld "
	    "flags %llx modseq %llu\n", LL(e.id), LL(e.thread), LL(e.size),
	    (long long)e.received_at, LL(e.flags), LL(e.modseq));
	for (size_t i = 0; i < e.n_in; i++)
		buf_printf(d->b, "  in %llx uid %u modseq %llu deleted %d "
		    "saved %lld\n", LL(e.in[i].mailbox), e.in[i].uid,
		    LL(e.in[i].modseq), e.in[i].deleted,
		    (long long)e.in[i].saved_at);
	dump_blob(d, &e.blob);
	if (good(d, store_email_mime(d->st, d->a, e.ref, &m)) && m->root->env)
		buf_printf(d->b, "  subject %.*s\n", (int)m->root->env->subject.n,
		    m->root->env->subject.p);
	if (!good(d, store_thread_get(d->st, d->a, e.thread, &th, &n)))
		return;
	for (size_t i = 0; i < n; i++)
		buf_printf(d->b, "  with %llx\n", LL(th[i]));
}

static int
dump_msg(void *arg, const struct store_msg_info *m)
{
	struct dump *d = arg;

	buf_printf(d->b, " uid %u modseq %llu flags %llx email %llx\n", m->uid,
	    LL(m->modseq), LL(m->flags), LL(m->email));
	dump_email(d, m->email);
	return d->rc;
}

static void
dump_mailbox(struct dump *d, const struct store_mailbox *m)
{
	struct store_range all = { 1, UINT32_MAX };
	struct store_mailbox same;
	struct slice path;
	uint32_t *uid;
	size_t n;

	if (!good(d, store_mailbox_path(d->st, d->a, m->id, &path)) ||
	    !good(d, store_mailbox_find(d->st, d->a, path, &same)))
		return;
	buf_printf(d->b, "mailbox %llx %.*s %llx role %d sort %u subscribed %d "
	    "uidvalidity %u uidnext %u modseq %llu %llu %llu %llu "
	    "counts %u %u %u %u %u %u %llu %llu\n", LL(m->id), (int)path.n,
	    path.p, LL(same.id), (int)m->role, m->sort_order, m->subscribed,
	    m->uidvalidity, m->uidnext, LL(m->highestmodseq), LL(m->created),
	    LL(m->changed), LL(m->counted), m->total, m->deleted, m->unseen,
	    m->unread, m->threads, m->unread_threads, LL(m->size),
	    LL(m->deleted_size));
	if (good(d, store_vanished(d->st, d->a, m->id, 1, &uid, &n)))
		for (size_t i = 0; i < n; i++)
			buf_printf(d->b, " vanished %u\n", uid[i]);
	good(d, store_msg_scan(d->st, m->id, &all, 1, dump_msg, d));
}

static void
dump_changes(struct dump *d, enum store_type t)
{
	struct store_change *c;
	uint64_t state, last;
	size_t n;
	bool more;

	if (!good(d, store_changes(d->st, d->a, t, 1, 0, &c, &n, &state,
	    &more)) || !good(d, store_type_modseq(d->st, t, &last)))
		return;
	buf_printf(d->b, "changes %d last %llu\n", (int)t, LL(last));
	for (size_t i = 0; i < n; i++)
		buf_printf(d->b, " %d %llx %llu\n", (int)c[i].kind, LL(c[i].id),
		    LL(c[i].modseq));
}

int
sample_dump(struct store *st, struct buf *b)
{
	struct dump d = { .st = st, .a = arena_new(0), .b = b };
	struct store_mailbox *mb;
	struct store_usage u;
	struct slice *name;
	size_t n;

	buf_printf(b, "account %s modseq %llu\n", store_account_id(st),
	    LL(store_modseq(st)));
	if (good(&d, store_usage(st, &u)))
		buf_printf(b, "usage %llu %llu %llu of %llu %llu\n", LL(u.size),
		    LL(u.messages), LL(u.mailboxes), LL(u.size_limit),
		    LL(u.message_limit));
	if (good(&d, store_keywords(st, d.a, &name, &n)))
		for (size_t i = 0; i < n; i++)
			buf_printf(b, "keyword %zu %.*s\n", i, (int)name[i].n,
			    name[i].p ? name[i].p : "");
	if (good(&d, store_mailbox_list(st, d.a, &mb, &n)))
		for (size_t i = 0; i < n; i++)
			dump_mailbox(&d, &mb[i]);
	dump_changes(&d, STORE_T_EMAIL);
	dump_changes(&d, STORE_T_MAILBOX);
	dump_changes(&d, STORE_T_THREAD);
	arena_free(&d.a);
	return d.rc;
}
