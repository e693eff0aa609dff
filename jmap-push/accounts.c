/* jmap-push/accounts.c - the accounts that have something to push */
#include "config.h"

#include <search.h>
#include <string.h>

#include "jmap-push/push.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

/* The list's newest is the first; the tree finds one by its name. */
static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct account *)a)->name,
	    ((const struct account *)b)->name);
}

void
account_changed(struct pusher *p, const char *name)
{
	struct account *a = xcalloc(1, sizeof(*a)), **at;

	a->name = xstrdup(name);
	at = tsearch(a, &p->by_name, by_name);
	if (at == NULL)
		fatal("out of memory");
	if (*at != a) {
		xfree(a->name);
		xfree(a);
		(*at)->changed = true;
		return;
	}
	a->changed = true;
	a->next = p->accounts;
	if (a->next != NULL)
		a->next->prev = a;
	p->accounts = a;
}

void
account_due(struct account *a, int64_t at)
{
	if (a->due == 0 || at < a->due)
		a->due = at;
}

static void
forget(struct pusher *p, struct account *a)
{
	tdelete(a, &p->by_name, by_name);
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		p->accounts = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	xfree(a->name);
	xfree(a);
}

static bool
ready(const struct account *a, int64_t now)
{
	return a->posts == 0 && (a->changed || (a->due > 0 && a->due <= now));
}

void
accounts_run(struct pusher *p, int64_t now)
{
	struct account *a, *next;

	for (a = p->accounts; a != NULL; a = next) {
		next = a->next;
		if (ready(a, now) && !posts_full(p->posts)) {
			a->changed = false;
			a->due = 0;
			look(p, a, now);
		}
		if (!a->changed && a->posts == 0 && a->due == 0)
			forget(p, a);
	}
}

int
accounts_wait_ms(const struct pusher *p, int64_t now, int max_ms)
{
	int64_t ms = max_ms;

	if (p->accounts == NULL)
		return -1;
	for (const struct account *a = p->accounts; a != NULL; a = a->next) {
		if (a->posts > 0)
			continue;
		if (ready(a, now))
			/* There was no room for its posts. */
			return posts_full(p->posts) ? max_ms : 0;
		if ((a->due - now) * 1000 < ms)
			ms = (a->due - now) * 1000;
	}
	return (int)ms;
}

void
accounts_free(struct pusher *p)
{
	while (p->accounts != NULL)
		forget(p, p->accounts);
}
