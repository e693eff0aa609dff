/* jmap-fcgi/account.c - the accounts of a request, and rights in them */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/account.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

/* ---- rights ------------------------------------------------------------ */

static int
by_mailbox(const void *va, const void *vb)
{
	const struct account_right *a = va, *b = vb;

	return a->mailbox < b->mailbox ? -1 : a->mailbox > b->mailbox;
}

static int
load_rights(struct account *ac, struct arena *a)
{
	struct store_mailbox *mb;
	size_t n;
	int rc;

	xfree(ac->v);
	ac->v = NULL;
	ac->n = 0;
	ac->changed = 0;
	if ((rc = store_mailbox_list(ac->st, a, &mb, &n)) < 0)
		return rc;
	ac->v = xcalloc(n + 1, sizeof(*ac->v));
	for (size_t i = 0; i < n; i++) {
		ac->v[i].mailbox = mb[i].id;
		if (mb[i].changed > ac->changed)
			ac->changed = mb[i].changed;
		if ((rc = store_rights(ac->st, mb[i].id, ac->user,
		    &ac->v[i].rights)) < 0)
			return rc;
	}
	ac->n = n;
	qsort(ac->v, n, sizeof(*ac->v), by_mailbox);
	return 0;
}

/* Brings the rights to the state of the store. */
static void
refresh(struct account *ac)
{
	struct arena *a;
	int rc;

	if (ac->loaded && ac->modseq == store_modseq(ac->st))
		return;
	a = arena_new(0);
	ac->modseq = store_modseq(ac->st);
	ac->loaded = true;
	if ((rc = load_rights(ac, a)) < 0) {
		log_err("%s: rights in the account of %s: %s (%d)", ac->user,
		    ac->name, store_errmsg(ac->st), rc);
		ac->n = 0;
	}
	arena_free(&a);
}

unsigned
account_rights(struct account *ac, uint64_t mailbox)
{
	struct account_right key = { mailbox, 0 }, *r = NULL;

	if (account_is_own(ac))
		return STORE_RIGHTS_ALL;
	refresh(ac);
	if (ac->n > 0)
		r = bsearch(&key, ac->v, ac->n, sizeof(key), by_mailbox);
	return r != NULL ? r->rights : 0;
}

/* All rights that there are on any mailbox. */
static unsigned
any_rights(struct account *ac)
{
	unsigned all = 0;

	refresh(ac);
	for (size_t i = 0; i < ac->n; i++)
		if ((ac->v[i].rights & STORE_RIGHT_LOOKUP) != 0)
			all |= ac->v[i].rights;
	return all;
}

bool
account_read_only(struct account *ac)
{
	static const unsigned writing = STORE_RIGHT_SEEN | STORE_RIGHT_WRITE |
	    STORE_RIGHT_INSERT | STORE_RIGHT_CREATE | STORE_RIGHT_DELETE |
	    STORE_RIGHT_TRASH | STORE_RIGHT_EXPUNGE | STORE_RIGHT_ADMIN;

	return !account_is_own(ac) && (any_rights(ac) & writing) == 0;
}

bool
account_may_anywhere(struct account *ac, unsigned need)
{
	return account_is_own(ac) || (any_rights(ac) & need) == need;
}

uint64_t
account_rights_modseq(struct account *ac)
{
	if (account_is_own(ac))
		return 0;
	refresh(ac);
	return ac->changed;
}

bool
account_moved(struct account *ac, uint64_t since)
{
	struct store_mailbox *mb;
	struct arena *a;
	bool moved = true;
	size_t n;

	if (account_is_own(ac))
		return false;
	a = arena_new(0);
	if (store_mailbox_list(ac->st, a, &mb, &n) == 0) {
		moved = false;
		for (size_t i = 0; i < n; i++)
			if (mb[i].changed > since && mb[i].created <= since)
				moved = true;
	}
	arena_free(&a);
	return moved;
}

/* ---- blobs ------------------------------------------------------------- */

struct blob_look {
	struct account *ac;
	const struct store_blobid *id;
	uint64_t size;
	struct arena *a;
};

/* 1: it is this Email's, and the user may read that. */
static int
look(void *arg, const struct store_msg_info *m)
{
	struct blob_look *l = arg;
	struct store_email e;
	int rc;

	if (m->size != l->size)
		return 0;
	arena_reset(l->a);
	rc = store_email_get(l->ac->st, l->a, m->email, &e);
	if (rc < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if (memcmp(&e.blob, l->id, sizeof(e.blob)) != 0)
		return 0;
	for (size_t i = 0; i < e.n_in; i++)
		if (!e.in[i].deleted && account_may(l->ac, e.in[i].mailbox,
		    STORE_RIGHT_READ))
			return 1;
	return 0;
}

bool
account_has_blob(struct account *ac, const struct store_blobid *id,
    uint64_t size)
{
	struct blob_look l = { ac, id, size, NULL };
	int rc;

	if (account_is_own(ac))
		return true;
	l.a = arena_new(0);
	rc = store_email_scan(ac->st, 0, look, &l);
	arena_free(&l.a);
	if (rc < 0)
		log_err("%s: blobs of %s: %s (%d)", ac->user, ac->name,
		    store_errmsg(ac->st), rc);
	return rc == 1;
}

/* ---- the accounts ------------------------------------------------------ */

static struct account *
account_new(struct jmap_user *u, struct arena *a, struct store *st)
{
	struct account *ac = arena_alloc(a, sizeof(*ac));

	ac->st = st;
	ac->user = u->account;
	ac->own = st == u->st;
	ac->name = ac->own ? u->account :
	    arena_strdup(a, store_account_name(st));
	ac->id = ac->own ? u->account_id : account_id(a, st);
	return ac;
}

/* Another's account, if anything in it is shown to the user. */
static struct account *
open_other(const struct jmap_env *env, struct jmap_user *u, struct arena *a,
    const char *owner)
{
	struct store *st = NULL;
	struct account *ac;
	int rc;

	if (strcmp(owner, u->account) == 0)
		return NULL;
	if ((rc = pool_get(env->pool, owner, &st)) < 0) {
		if (rc == STORE_E_NOTFOUND)
			store_shares_forget(u->st, owner);
		else
			log_warn("%s: account of %s: %s", u->account, owner,
			    store_error(rc)->text);
		return NULL;
	}
	ac = account_new(u, a, st);
	if ((any_rights(ac) & STORE_RIGHT_LOOKUP) != 0)
		return ac;
	store_shares_review(st, u->account);
	xfree(ac->v);
	pool_put(env->pool, &st, false);
	return NULL;
}

struct account *
accounts_list(const struct jmap_env *env, struct jmap_user *u,
    struct arena *a)
{
	struct account **at;
	const char **owners;
	size_t n, k = 0;

	if (u->accounts != NULL)
		return u->accounts;
	u->accounts = account_new(u, a, u->st);
	if (env->pool == NULL || store_shares(u->st, a, &owners, &n) < 0)
		return u->accounts;
	at = &u->accounts->next;
	for (size_t i = 0; i < n && k < OTHERS_MAX; i++) {
		if ((*at = open_other(env, u, a, owners[i])) == NULL)
			continue;
		at = &(*at)->next;
		k++;
	}
	return u->accounts;
}

struct account *
accounts_find(const struct jmap_env *env, struct jmap_user *u,
    struct arena *a, struct slice id)
{
	struct account *ac = accounts_list(env, u, a);

	while (ac != NULL && !slice_eq(id, slice_str(ac->id)))
		ac = ac->next;
	return ac;
}

void
accounts_release(const struct jmap_env *env, struct jmap_user *u)
{
	for (struct account *ac = u->accounts; ac != NULL; ac = ac->next) {
		xfree(ac->v);
		ac->v = NULL;
		if (!ac->own)
			pool_put(env->pool, &ac->st, ac->broken);
	}
	u->accounts = NULL;
}
