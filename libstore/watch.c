/* libstore/watch.c - waiting for changes of accounts */
#include "config.h"

#include "libbase/xalloc.h"
#include "libstore/store-int.h"

struct store_watch {
	struct kv_watch *w;
};

int
store_watch_new(const struct store_conf *cf, bool many,
    struct store_watch **w_r)
{
	struct kv_conf kc = store_kv_conf(cf);
	struct store_watch *w = xcalloc(1, sizeof(*w));
	int rc;

	if ((rc = kv_watch_new(&kc, many, &w->w)) < 0) {
		xfree(w);
		return rc;
	}
	*w_r = w;
	return 0;
}

void
store_watch_free(struct store_watch **w)
{
	if (!*w)
		return;
	kv_watch_free(&(*w)->w);
	xfree(*w);
	*w = NULL;
}

int
store_watch_fd(const struct store_watch *w)
{
	return kv_watch_fd(w->w);
}

int
store_watch_add(struct store_watch *w, struct store *st, void *cookie)
{
	return kv_watch_add(w->w, st->kv, cookie);
}

void
store_watch_del(struct store_watch *w, void *cookie)
{
	kv_watch_del(w->w, cookie);
}

int
store_watch_next(struct store_watch *w, void **cookie_r)
{
	return kv_watch_next(w->w, cookie_r);
}
