/* t/crash/store-verify.c - is the account what a worker was promised? */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "t/crash/store-crash.h"

/* What is there of a worker's. */
struct found {
	struct job *j;
	struct store_email *e;
	uint64_t *content;
	size_t n, cap, cap2;
};

static int
collect(void *arg, const struct store_msg_info *m)
{
	struct found *f = arg;
	uint64_t content = (uint64_t)m->received_at;

	if (content % 16 != (uint64_t)f->j->w)
		return 0;
	f->e = arena_grow(f->j->a, f->e, &f->cap, f->n + 1, sizeof(*f->e));
	f->content = arena_grow(f->j->a, f->content, &f->cap2, f->n + 1,
	    sizeof(*f->content));
	f->content[f->n] = content;
	f->e[f->n++].id = m->email;
	return 0;
}

static bool
load(struct job *j, struct found *f)
{
	*f = (struct found){ .j = j };
	if (store_email_scan(j->st, 0, collect, f) < 0)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (store_email_get(j->st, j->a, f->e[i].id, &f->e[i]) < 0) {
			crash_fault("worker %d: an Email can't be had: %s",
			    j->w, store_errmsg(j->st));
			return false;
		}
	return true;
}

/* Why it isn't that: for a person. */
static const char *
message_differs(struct job *j, const struct model *m, const struct m_msg *g,
    const struct store_email *e)
{
	size_t places = 0;

	if (g->email != 0 && g->email != e->id)
		return "another Email";
	if ((e->flags & own_flags(j->w)) != (g->flags & own_flags(j->w)))
		return "other flags";
	for (int p = 0; p < PLACES; p++) {
		const struct store_membership *in = NULL;

		if (g->uid[p] == 0)
			continue;
		places++;
		for (size_t k = 0; k < e->n_in; k++)
			if (e->in[k].mailbox == place_id(m, p))
				in = &e->in[k];
		if (in == NULL)
			return "not in a mailbox";
		if (in->deleted != g->deleted[p])
			return "deleted or not";
		if (g->uid[p] != UID_UNKNOWN && g->uid[p] != in->uid)
			return "another UID";
	}
	return places == e->n_in ? NULL : "in another mailbox";
}

/* Finds the ids of mailboxes that were just made. */
static const char *
boxes_differ(struct job *j, struct model *m)
{
	for (int p = 0; p < BOXES; p++) {
		struct m_box *b = &m->box[p];
		struct store_mailbox mb;
		char name[40];
		int rc;

		box_name(j->w, b->serial, name);
		rc = store_mailbox_find(j->st, j->a, slice_str(name), &mb);
		if (!b->there && b->serial != 0 && rc != STORE_E_NOTFOUND)
			return "a mailbox is still there";
		if (!b->there)
			continue;
		if (rc < 0)
			return "a mailbox is not there";
		if (b->id != 0 && b->id != mb.id)
			return "another mailbox";
		b->id = mb.id;
		if (b->uidvalidity == 0)
			b->uidvalidity = mb.uidvalidity;
		if (b->uidvalidity != mb.uidvalidity)
			return "another UIDVALIDITY";
		if (b->uidvalidity <= b->old_validity)
			return "the UIDVALIDITY of a mailbox before it";
		if (mb.uidnext <= b->last_uid)
			return "UIDNEXT went back";
	}
	return NULL;
}

static const char *
uploads_differ(struct job *j, const struct model *m)
{
	for (int i = 0; i < UPLOADS; i++) {
		unsigned char hash[SHA256_LEN];
		struct store_blobid id;
		struct store_blob *b;
		struct slice have, want;
		bool same;

		if (m->upload[i] == 0)
			continue;
		want = content_text(j->a, m->upload[i]);
		sha256_of(want, hash);
		memcpy(id.h, hash, sizeof(id.h));
		if (store_blob_open(j->st, &id, &b) < 0)
			return "an upload is lost";
		same = store_blob_octets(b, &have) == 0 && slice_eq(have, want);
		store_blob_close(&b);
		if (!same)
			return "an upload has other octets";
	}
	return NULL;
}

/* Is there a mailbox besides, say by an old name? */
static bool
boxes_besides(struct job *j, const struct model *m)
{
	struct store_mailbox *mb;
	size_t n, mine = 0;
	char prefix[20];

	snprintf(prefix, sizeof(prefix), "w%d-", j->w);
	if (store_mailbox_list(j->st, j->a, &mb, &n) < 0)
		return true;
	for (size_t i = 0; i < n; i++)
		mine += slice_starts(mb[i].name,
		    slice_str(prefix));
	for (int p = 0; p < BOXES; p++)
		mine -= m->box[p].there;
	return mine != 0;
}

static const char *
differs(struct job *j, struct model *m, const struct found *f)
{
	struct store_usage u;
	const char *why = boxes_differ(j, m);
	size_t n = 0;

	if (why == NULL && boxes_besides(j, m))
		why = "a mailbox is there that shouldn't";
	for (int i = 0; i < MSGS && why == NULL; i++) {
		const struct m_msg *g = &m->msg[i];
		size_t k = 0;

		if (g->content == 0)
			continue;
		n++;
		while (k < f->n && f->content[k] != g->content)
			k++;
		why = k == f->n ? "a message is lost" :
		    message_differs(j, m, g, &f->e[k]);
	}
	if (why == NULL && n != f->n)
		why = "a message is there that shouldn't";
	if (why == NULL && m->quota != 0 &&
	    (store_usage(j->st, &u) < 0 || u.size_limit != m->quota))
		why = "another quota";
	return why != NULL ? why : uploads_differ(j, m);
}

static void
octets_are_right(struct job *j, const struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!content_is(j, f->e[i].ref, f->content[i]))
			crash_fault("worker %d: content %llu is not what it was"
				    ": %s", j->w,
			    (unsigned long long)f->content[i],
			    store_errmsg(j->st));
}

/* A UID of the common mailbox belongs to one message for all times. */
static void
common_uid(struct job *j, uint32_t uid, uint64_t content)
{
	uint64_t none = 0;

	if (uid < COMMON_UIDS &&
	    !atomic_compare_exchange_strong(&ss->uid_content[uid], &none,
		content))
		crash_fault("worker %d: UID %u was given to %llu, and to %llu",
		    j->w, uid, (unsigned long long)none,
		    (unsigned long long)content);
}

static void
learn_one(struct job *j, struct model *m, struct m_msg *g, uint32_t *last)
{
	struct store_email e;

	if (store_email_get(j->st, j->a, g->email, &e) < 0) {
		crash_fault("worker %d: content %llu can't be had: %s", j->w,
		    (unsigned long long)g->content, store_errmsg(j->st));
		return;
	}
	for (int p = 0; p < PLACES; p++)
		for (size_t k = 0; k < e.n_in && g->uid[p] == UID_UNKNOWN; k++) {
			if (e.in[k].mailbox != place_id(m, p))
				continue;
			g->uid[p] = e.in[k].uid;
			if (p == COMMON)
				common_uid(j, g->uid[p], g->content);
			else if (g->uid[p] <= m->box[p].last_uid)
				crash_fault("worker %d: UID %u again", j->w,
				    g->uid[p]);
			else if (g->uid[p] > last[p])
				last[p] = g->uid[p];
		}
}

void
store_learn(struct job *j, struct model *m)
{
	uint32_t last[BOXES] = { 0 };

	for (int i = 0; i < MSGS; i++) {
		struct m_msg *g = &m->msg[i];
		bool unknown = false;

		for (int p = 0; p < PLACES; p++)
			unknown |= g->uid[p] == UID_UNKNOWN;
		if (g->content != 0 && unknown)
			learn_one(j, m, g, last);
	}
	for (int p = 0; p < BOXES; p++) {
		struct m_box *b = &m->box[p];
		struct store_mailbox mb;

		if (last[p] > b->last_uid)
			b->last_uid = last[p];
		if (b->there && b->uidvalidity == 0 &&
		    store_mailbox_get(j->st, j->a, b->id, &mb) == 0) {
			b->uidvalidity = mb.uidvalidity;
			if (b->uidvalidity <= b->old_validity)
				crash_fault("worker %d: UIDVALIDITY %u again",
				    j->w, b->uidvalidity);
		}
	}
}

/* As a writer, so that what dead ones left behind is repaired now and not
 * later: whether it is done or not. */
static void
repair(struct job *j)
{
	struct kv_conf conf = { .lock_wait_ms = 10000 };
	struct kv_txn *txn;
	struct kv *kv;

	if (kv_open(&conf, crash_dir, 0, &kv) < 0) {
		crash_fault("the engine can't open it");
		return;
	}
	if (kv_begin(kv, KV_RW, &txn) < 0)
		crash_fault("begin: %s", kv_errmsg(kv));
	else
		kv_abort(&txn);
	kv_close(&kv);
	(void)store_refresh(j->st);
}

void
store_verify_worker(struct job *j)
{
	struct worker *w = &ss->w[j->w];
	int s = w->state & 1;
	const char *why, *why2 = NULL;
	struct model *m;
	struct found f;

	repair(j);
	if (store_modseq(j->st) < w->acked_modseq)
		crash_fault("modseq is %llu, acknowledged was %llu",
		    (unsigned long long)store_modseq(j->st),
		    (unsigned long long)w->acked_modseq);
	if (!load(j, &f))
		return;
	m = &w->m[s];
	why = differs(j, m, &f);
	if (why != NULL && (w->state & 2)) {
		m = &w->m[!s];
		why2 = differs(j, m, &f);
	}
	if (why != NULL && (why2 != NULL || !(w->state & 2))) {
		crash_fault("worker %d: %s%s%s; state %d, modseq %llu", j->w,
		    why, why2 == NULL ? "" : "; or ",
		    why2 == NULL ? "" : why2, (int)w->state,
		    (unsigned long long)store_modseq(j->st));
		for (uint32_t i = w->n_said < 8 ? 0 : w->n_said - 8;
		    i < w->n_said; i++)
			dprintf(STDOUT_FILENO, "# %s\n", w->said[i % 8]);
		return;
	}
	octets_are_right(j, &f);
	for (int i = 0; i < MSGS; i++)
		for (size_t k = 0; k < f.n; k++)
			if (m->msg[i].content == f.content[k])
				m->msg[i].email = f.e[k].id;
	store_learn(j, m);
	w->state = m == &w->m[0] ? 0 : 1;
}
