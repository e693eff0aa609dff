/* libstore/msgid.c - which thread an Email belongs to (RFC 8621 section 3) */
#include "config.h"

#include "libbase/io.h"
#include "libbase/text.h"
#include "libstore/store-int.h"

/* "ignoring white space": and case, as RFC 5256 does. */
static struct slice
subject_key(const struct mime_env *env, struct arena *a)
{
	struct slice s = mime_base_subject(env->subject, a, NULL), f;
	char *p;
	size_t n = 0;

	if (s.n == 0)
		return SLICE_LIT("");
	if (utf8_fold(s, a, &f) < 0)
		f = s;
	p = arena_alloc(a, f.n);
	for (size_t i = 0; i < f.n; i++)
		if (f.p[i] != ' ' && f.p[i] != '\t')
			p[n++] = f.p[i];
	return slice_make(p, n);
}

static void
msgids_one(struct msgids *r, struct slice id, struct slice subject,
    struct arena *a)
{
	struct buf b;
	uint64_t h;

	(void)a;
	if (r->n == ROW_HASH_MAX)
		return;
	buf_init(&b, id.n + 1 + subject.n);
	buf_add_slice(&b, id);
	buf_addc(&b, '\0');
	buf_add_slice(&b, subject);
	h = hash64(buf_slice(&b));
	buf_release(&b);
	for (size_t i = 0; i < r->n; i++)
		if (r->hash[i] == h)
			return;
	r->hash[r->n++] = h;
}

void
msgids_of(const struct mime_msg *m, struct arena *a, struct msgids *r)
{
	const struct mime_env *env = m->root->env;
	struct slice field[3], subject, *ids;
	uint32_t n, max[3] = { 1, 4, ROW_HASH_MAX };

	r->n = 0;
	if (!env)
		return;
	subject = subject_key(env, a);
	field[0] = env->message_id;
	field[1] = env->in_reply_to;
	field[2] = env->references;
	for (int i = 0; i < 3; i++) {
		if (field[i].n == 0)
			continue;
		mime_msgids_parse(field[i], max[i], a, &ids, &n);
		for (uint32_t j = 0; j < n; j++)
			msgids_one(r, ids[j], subject, a);
	}
}

/* 1: the thread has an Email that lives. */
static int
thread_lives(struct work *w, uint64_t id)
{
	struct w_thread *t;
	struct w_email *e;
	uint64_t flags;
	int rc;

	if ((rc = w_thread(w, id, &t)) != STORE_E_NOTFOUND)
		return rc < 0 ? rc : 1;
	if ((rc = w_email(w, id, &e)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if (e->row.thread != id)
		return 0;
	rc = email_flags(w, e, &flags);
	return rc == STORE_E_NOTFOUND ? 0 : rc < 0 ? rc : 1;
}

/* The row of a hash; count 0 if there is none, thread 0 if that is dead. */
static int
msgid_load(struct work *w, uint64_t hash, struct row_msgid *m)
{
	struct slice v;
	int rc;

	*m = (struct row_msgid){ 0, 0 };
	rc = work_get(w, row_key_u64(ROW_K_MSGID, hash), &v);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	if (rc < 0 || (rc = row_msgid_get(v, m)) < 0)
		return rc;
	if ((rc = thread_lives(w, m->thread)) == 0)
		m->thread = 0;
	return rc < 0 ? rc : 0;
}

int
msgids_join(struct work *w, const struct msgids *ids, uint64_t forced,
    uint64_t fresh, uint64_t *thread_r)
{
	struct row_msgid m[ROW_HASH_MAX];
	uint64_t oldest = 0;
	int rc;

	for (size_t i = 0; i < ids->n; i++) {
		if ((rc = msgid_load(w, ids->hash[i], &m[i])) < 0)
			return rc;
		if (m[i].thread != 0 && (oldest == 0 || m[i].thread < oldest))
			oldest = m[i].thread;
	}
	*thread_r = forced ? forced : oldest ? oldest : fresh;
	for (size_t i = 0; i < ids->n; i++) {
		if (m[i].thread == 0)
			m[i].thread = *thread_r;
		m[i].count++;
		row_msgid_put(&w->st->val, &m[i]);
		rc = work_put(w, row_key_u64(ROW_K_MSGID, ids->hash[i]));
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
msgids_drop(struct work *w, const uint64_t *hash, size_t n)
{
	struct row_msgid m;
	struct row_key k;
	struct slice v;
	int rc;

	for (size_t i = 0; i < n; i++) {
		k = row_key_u64(ROW_K_MSGID, hash[i]);
		if ((rc = work_get(w, k, &v)) < 0 ||
		    (rc = row_msgid_get(v, &m)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "message id", hash[i]) : rc;
		if (--m.count == 0) {
			rc = work_del(w, k);
		} else {
			row_msgid_put(&w->st->val, &m);
			rc = work_put(w, k);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}
