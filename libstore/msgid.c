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

/* The oldest living thread that has an Email with this hash, if it is older
 * than *oldest (or that is 0). */
static int
msgid_oldest(struct work *w, uint64_t hash, uint64_t *oldest)
{
	struct row_key from = row_key_u64(ROW_K_MSGID, hash);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t h, thread;
	int rc;

	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u64(key, ROW_K_MSGID, &h, &thread))
			rc = STORE_E_CORRUPT;
		else if (*oldest != 0 && thread >= *oldest)
			break;	/* they ascend */
		else if ((rc = thread_lives(w, thread)) > 0)
			*oldest = thread;
	}
	kv_scan_close(&s);
	return rc < 0 ? rc : 0;
}

/* Counts one Email more or less. */
static int
msgid_count(struct work *w, uint64_t hash, uint64_t thread, int sign)
{
	struct row_key k = row_key_u64_u64(ROW_K_MSGID, hash, thread);
	uint32_t n = 0;
	struct slice v;
	int rc;

	rc = work_get(w, k, &v);
	if (rc == 0)
		rc = row_u32_get(v, &n);
	if (rc < 0 && (rc != STORE_E_NOTFOUND || sign < 0))
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "message id", hash) : rc;
	n += (uint32_t)sign;
	if (n == 0)
		return work_del(w, k);
	row_u32_put(&w->st->val, n);
	return work_put(w, k);
}

int
msgids_join(struct work *w, const struct msgids *ids, uint64_t forced,
    uint64_t fresh, uint64_t *thread_r)
{
	uint64_t oldest = forced;
	int rc;

	for (size_t i = 0; i < ids->n && !forced; i++)
		if ((rc = msgid_oldest(w, ids->hash[i], &oldest)) < 0)
			return rc;
	*thread_r = oldest ? oldest : fresh;
	for (size_t i = 0; i < ids->n; i++)
		if ((rc = msgid_count(w, ids->hash[i], *thread_r, 1)) < 0)
			return rc;
	return 0;
}

int
msgids_drop(struct work *w, const struct row_email *e)
{
	int rc;

	for (size_t i = 0; i < e->n_hash; i++)
		if ((rc = msgid_count(w, e->hash[i], e->thread, -1)) < 0)
			return rc;
	return 0;
}
