/*
 * libstore/push.c - push subscriptions, and which accounts have any
 *
 * The subscriptions are rows.  The files in mail_dir/.push are hints for whoever
 * pushes: there may be one without any subscription.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/push.h"
#include "libstore/store-int.h"

#define PUSH ".push"
enum { HOUR = 3600 };

/* ---- reading ----------------------------------------------------------- */

static void
fill(struct store_push *v, uint64_t id, const struct row_push *r,
    struct arena *a)
{
	*v = (struct store_push){
		.id = id, .state = (enum store_push_state)r->state,
		.expires = r->expires, .user = arena_slice(a, r->user),
		.device = arena_slice(a, r->device),
		.url = arena_slice(a, r->url),
		.code = arena_slice(a, r->code),
		.p256dh = arena_slice(a, r->p256dh),
		.auth = arena_slice(a, r->auth), .all_types = r->all_types,
		.n_type = r->n_type, .told = r->told,
		.next_try = r->next_try, .attempts = r->attempts,
		.gap_s = r->gap_s
	};
	memcpy(v->credential, r->credential, sizeof(v->credential));
	if (r->n_type > 0)
		v->type = arena_calloc(a, r->n_type, sizeof(*v->type));
	for (size_t i = 0; i < r->n_type; i++)
		v->type[i] = arena_slice(a, r->type[i]);
}

struct list {
	struct arena *a, *tmp;
	struct store_push *v;
	size_t n, cap;
};

static int
note(void *arg, uint64_t id, struct slice val)
{
	struct list *l = arg;
	struct row_push r;
	int rc;

	if ((rc = row_push_get(val, l->tmp, &r)) < 0)
		return rc;
	l->v = arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	fill(&l->v[l->n++], id, &r, l->a);
	return 0;
}

int
store_push_list(struct store *st, struct arena *a, struct store_push **v_r,
    size_t *n_r)
{
	struct list l = { .a = a };
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	l.tmp = st->ra;
	rc = objects_each(t, ROW_K_PUSH, note, &l);
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "push subscription", 0) : rc;
	*v_r = l.v;
	*n_r = l.n;
	return 0;
}

static int
push_read(struct kv_txn *t, struct arena *a, uint64_t id, struct row_push *r)
{
	struct row_key k = row_key_u64(ROW_K_PUSH, id);
	struct slice val;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), &val)) < 0)
		return rc;
	return row_push_get(val, a, r);
}

int
store_push_get(struct store *st, struct arena *a, uint64_t id,
    struct store_push *v_r)
{
	struct row_push r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = push_read(t, st->ra, id, &r)) == 0)
		fill(v_r, id, &r, a);
	ro_end(st);
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "push subscription", id) : rc;
}

/* ---- changing ---------------------------------------------------------- */

struct change {
	const struct store_push *v;
	unsigned set;
	uint64_t id;
};

static bool
texts_ok(const struct store_push *v)
{
	struct slice t[] = { v->user, v->device, v->url, v->code };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].n == 0 || t[i].n > STORE_PUSH_TEXT_MAX)
			return false;
	if (v->p256dh.p == NULL)
		return v->auth.p == NULL;
	return v->p256dh.n == STORE_PUSH_KEY && v->auth.n == STORE_PUSH_AUTH;
}

static bool
types_ok(const struct store_push *v)
{
	if (v->all_types)
		return true;
	for (size_t i = 0; i < v->n_type; i++)
		if (v->type[i].n > STORE_PUSH_TEXT_MAX / 8)
			return false;
	return v->n_type <= STORE_PUSH_TYPES_MAX;
}

static void
take(struct row_push *r, const struct store_push *v, unsigned set)
{
	if ((set & STORE_PUSH_SET_STATE) && v->state > r->state)
		r->state = (uint8_t)v->state;
	if (set & STORE_PUSH_SET_EXPIRES)
		r->expires = v->expires;
	if (set & STORE_PUSH_SET_TYPES) {
		r->all_types = v->all_types;
		r->type = v->all_types ? NULL : v->type;
		r->n_type = v->all_types ? 0 : v->n_type;
	}
	if (set & STORE_PUSH_SET_TRY) {
		r->told = v->told;
		r->next_try = v->next_try;
		r->attempts = v->attempts;
		r->gap_s = v->gap_s;
	}
}

static int
count(void *arg, uint64_t id, struct slice val)
{
	(void)id;
	(void)val;
	++*(size_t *)arg;
	return 0;
}

/* One more in this hour. */
static int
rate(struct work *w)
{
	struct row_key k = row_key_kind(ROW_K_PUSH);
	struct row_push_rate r = { w->now, 0 };
	struct slice val;
	int rc;

	rc = work_get(w, k, &val);
	if (rc == 0)
		rc = row_push_rate_get(val, &r);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return rc;
	if (r.since > w->now || w->now - r.since >= HOUR)
		r = (struct row_push_rate){ w->now, 0 };
	if (r.n++ >= STORE_PUSH_HOURLY)
		return STORE_E_BUSY;
	row_push_rate_put(&w->st->val, &r);
	return work_put(w, k);
}

static int
create(struct work *w, void *arg)
{
	struct change *c = arg;
	const struct store_push *v = c->v;
	struct row_push r;
	size_t n = 0;
	int rc;

	if ((rc = objects_each(w->t, ROW_K_PUSH, count, &n)) < 0)
		return rc;
	if (n >= STORE_PUSH_MAX)
		return STORE_E_LIMIT;
	if ((rc = rate(w)) < 0)
		return rc;
	memset(&r, 0, sizeof(r));
	r.user = v->user;
	memcpy(r.credential, v->credential, sizeof(r.credential));
	r.device = v->device;
	r.url = v->url;
	r.code = v->code;
	r.p256dh = v->p256dh;
	r.auth = v->auth;
	take(&r, v, STORE_PUSH_SET_EXPIRES | STORE_PUSH_SET_TYPES);
	r.told = w->modseq;
	c->id = work_id(w);
	if ((rc = row_push_put(&w->st->val, &r)) < 0)
		return rc;
	return work_put(w, row_key_u64(ROW_K_PUSH, c->id));
}

int
store_push_create(struct store *st, const struct store_push *v,
    uint64_t *id_r)
{
	struct change c = { .v = v };
	int rc;

	if (!texts_ok(v) || !types_ok(v))
		return STORE_E_INVALID;
	if ((rc = store_push_hint(st)) < 0 ||
	    (rc = store_run(st, 0, create, &c, NULL)) < 0)
		return rc;
	*id_r = c.id;
	/* Who pushes may have seen the file before there was a subscription, and
	 * taken it away: the commit then woke nobody. */
	if ((rc = store_push_hint(st)) == 0)
		push_wake(st);
	return rc;
}

static int
update(struct work *w, void *arg)
{
	struct change *c = arg;
	struct row_push r;
	int rc;

	if ((rc = push_read(w->t, w->a, c->id, &r)) < 0)
		return rc;
	take(&r, c->v, c->set);
	if ((rc = row_push_put(&w->st->val, &r)) < 0)
		return rc;
	return work_put(w, row_key_u64(ROW_K_PUSH, c->id));
}

int
store_push_update(struct store *st, uint64_t id, const struct store_push *v,
    unsigned set)
{
	struct change c = { .v = v, .set = set, .id = id };
	int rc;

	if ((set & STORE_PUSH_SET_TYPES) && !types_ok(v))
		return STORE_E_INVALID;
	if (set == 0)
		return 0;
	if ((rc = store_run(st, 0, update, &c, NULL)) < 0)
		return rc;
	return set & ~(unsigned)STORE_PUSH_SET_TRY ? store_push_hint(st) : 0;
}

static int
destroy(struct work *w, void *arg)
{
	struct change *c = arg;
	struct row_push r;
	int rc;

	if ((rc = push_read(w->t, w->a, c->id, &r)) < 0)
		return rc;
	return work_del(w, row_key_u64(ROW_K_PUSH, c->id));
}

int
store_push_destroy(struct store *st, uint64_t id)
{
	struct change c = { .id = id };

	return store_run(st, 0, destroy, &c, NULL);
}

/* ---- hints ------------------------------------------------------------- */

char *
store_push_dir(const struct store_conf *cf)
{
	return hint_dir(cf, PUSH) < 0 ? NULL :
	    xasprintf("%s/" PUSH, cf->mail_dir);
}

int
store_push_hint(struct store *st)
{
	int fd, rc;

	if (!store_conf_files(st->cf))
		return 0;
	if ((rc = hint_open(st->cf, PUSH, st->name, &fd)) == 0) {
		if (futimens(fd, NULL) < 0)
			rc = store_errno_rc(errno);
		io_close(&fd);
	}
	return rc < 0 ? store_fail(st, rc, PUSH "/%s can't be made",
	    st->name) : 0;
}

int
store_push_settle(struct store *st)
{
	struct arena *a = arena_new(0);
	struct store_push *v;
	size_t n;
	int rc;

	if ((rc = store_push_list(st, a, &v, &n)) == 0 && n == 0) {
		store_push_forget(st->cf, st->name);
		/* Who makes one looks after the file once more after it. */
		if ((rc = store_refresh(st)) >= 0 &&
		    (rc = store_push_list(st, a, &v, &n)) == 0 && n > 0)
			rc = store_push_hint(st);
	}
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

int
store_push_each(const struct store_conf *cf,
    int (*fn)(void *arg, const char *account), void *arg)
{
	return store_conf_files(cf) ? hint_each(cf, PUSH, fn, arg) : 0;
}

int64_t
store_push_touched(const struct store_conf *cf, const char *account)
{
	char *path = hint_path(cf, PUSH, account);
	struct stat sb;
	bool there = stat(path, &sb) == 0;

	xfree(path);
	return there ? (int64_t)sb.st_mtim.tv_sec : 0;
}

static void
wake(const char *path, const char *account)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (fd >= 0)
		(void)sendto(fd, account, strlen(account), MSG_NOSIGNAL,
		    (struct sockaddr *)&sun, sizeof(sun));
	io_close(&fd);
}

void
push_wake(const struct store *st)
{
	const char *to = st->cf->push_socket;
	char *path;

	if (to == NULL || !store_conf_files(st->cf))
		return;
	path = hint_path(st->cf, PUSH, st->name);
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		wake(to, st->name);
	xfree(path);
}

void
store_push_forget(const struct store_conf *cf, const char *account)
{
	hint_drop(cf, PUSH, account);
}
