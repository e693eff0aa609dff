/* culver/create.c - the directories of new accounts, several at a time */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "culver/culver.h"
#include "libbase/log.h"

/* An account waits for its flushes most of the time, and flushes of several
 * processes go together. */
enum { WORKERS = 8, EACH = 16, UNDONE = 1 };

/* The limits that new accounts have. */
static int
set_quota(struct culver *c, const char *name)
{
	struct store *st = NULL;
	int rc;

	if (!c->conf->quota_size && !c->conf->quota_messages)
		return 0;
	rc = store_open(&c->store_conf, name, &st);
	if (rc == 0) {
		rc = store_quota_set(st, c->conf->quota_size,
		    c->conf->quota_messages);
	}
	store_close(&st);
	return rc;
}

static void
work(struct culver *c, const struct new_account *v, size_t n, int *rc,
    size_t first, size_t step, struct progress *pg)
{
	for (size_t i = first; i < n; i += step) {
		rc[i] = store_account_create(&c->store_conf, v[i].name);
		if (rc[i] == 0)
			rc[i] = set_quota(c, v[i].name);
		if (pg)
			progress_add(pg, step, step);
	}
}

void
accounts_create(struct culver *c, struct new_account *v, size_t n)
{
	size_t workers = n / EACH + 1, k;
	struct progress pg;
	pid_t pid[WORKERS];
	int *rc;

	if (n == 0)
		return;
	workers = workers < WORKERS ? workers : WORKERS;
	rc = mmap(NULL, n * sizeof(*rc), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rc == MAP_FAILED)
		fatal("mmap: %s", strerror(errno));
	for (size_t i = 0; i < n; i++)
		rc[i] = UNDONE;
	fflush(NULL);
	for (k = 1; k < workers; k++) {
		pid[k] = fork();
		if (pid[k] == 0) {
			work(c, v, n, rc, k, workers, NULL);
			_exit(0);
		}
	}
	progress_start(&pg, n);
	work(c, v, n, rc, 0, workers, &pg);
	for (k = 1; k < workers; k++) {
		while (pid[k] > 0 && waitpid(pid[k], NULL, 0) < 0 &&
		    errno == EINTR)
			;
	}
	/* What a worker that isn't there any more has left. */
	for (size_t i = 0; i < n; i++) {
		if (rc[i] == UNDONE)
			work(c, v, i + 1, rc, i, 1, NULL);
		v[i].rc = rc[i];
	}
	progress_clear(&pg);
	(void)munmap(rc, n * sizeof(*rc));
}
