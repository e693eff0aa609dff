/* libstore/backup.c - backups of an account: making, listing, verifying */
#include "config.h"

#include "libstore/store-int.h"

int
store_backup(struct store *st, const struct store_backup *b,
    struct store_backed *d_r)
{
	struct kv_backup conf = { .full = b->full, .keep_s = b->keep_s };
	struct kv_backed d;
	struct kv_repo *r;
	int rc;

	st->err[0] = '\0';
	if (!st->dir)
		return store_fail(st, STORE_E_INVALID,
		    "this engine has no files");
	if ((rc = kv_repo_open(b->dir, true, &r)) == 0)
		rc = kv_backup(st->kv, r, &conf, &d);
	if (rc < 0)
		(void)store_fail(st, rc, "%s", kv_repo_errmsg(r));
	else
		*d_r = (struct store_backed){ .modseq = d.modseq,
			.when = d.when, .octets = d.octets, .full = d.full };
	kv_repo_close(&r);
	return rc;
}

struct listing {
	void (*fn)(void *arg, const struct store_moments *m);
	void *arg;
};

static void
list_one(void *arg, const struct kv_moments *m)
{
	const struct listing *l = arg;
	struct store_moments s = { .from = m->from, .to = m->to,
		.from_modseq = m->from_modseq, .to_modseq = m->to_modseq,
		.run = m->run };

	l->fn(l->arg, &s);
}

int
store_backup_list(const char *dir,
    void (*fn)(void *arg, const struct store_moments *m), void *arg,
    void (*fault)(void *arg, const char *text))
{
	struct listing l = { fn, arg };
	struct kv_repo *r;
	int rc;

	if ((rc = kv_repo_open(dir, false, &r)) == 0)
		rc = kv_repo_moments(r, list_one, &l);
	if (rc < 0)
		fault(arg, kv_repo_errmsg(r));
	kv_repo_close(&r);
	return rc;
}

int
store_backup_verify(const struct store_conf *cf, const char *dir,
    void (*fn)(void *arg, const char *fault), void *arg, size_t *n_r)
{
	struct kv_conf kc = store_kv_conf(cf);
	struct kv_repo *r;
	int rc;

	*n_r = 0;
	if ((rc = kv_repo_open(dir, false, &r)) == 0)
		rc = kv_repo_verify(r, &kc, fn, arg);
	if (rc < 0)
		fn(arg, kv_repo_errmsg(r));
	else
		*n_r = (size_t)rc;
	kv_repo_close(&r);
	return rc < 0 ? rc : 0;
}
