/* t/crash/test-store-crash.c - random kill -9 of who works with the store */
#include "config.h"

#include <stdio.h>
#include <sys/mman.h>

#include "t/crash/store-crash.h"

/*
 * Eight processes work on one account: three threads of one process and five
 * other processes change it in every way that store.h has, each knowing exactly
 * what it was promised, one reader follows the changes, and one does the
 * upkeep.  One at a time is killed and started again.  After each round all are
 * killed, in every second round the page cache is "lost" (files are cut to what
 * was flushed); then everything that was acknowledged must be there, and the
 * account must be consistent.
 *
 *	CULVER_LONG=1	6,000 kills instead of 60
 *	CRASH_KILLS=n	that many
 *	CRASH_SEED=n	not the same again, but what is chosen at random
 */
enum { PROCESSES = 1 + WORKERS - THREADS + 2 };

struct store_conf store_crash_conf;

static void
run_child(int i)
{
	if (i == 0)
		workers_main();
	else if (i <= WORKERS - THREADS)
		worker_main(THREADS + i - 1);
	else if (i == WORKERS - THREADS + 1)
		store_reader_main();
	else
		store_idler_main();
}

static void
tell(void *arg, const char *text)
{
	(void)arg;
	crash_fault("check: %s", text);
}

static void
verify(void)
{
	struct job j;
	size_t n = 0;
	int rc;

	for (int w = 0; w < WORKERS && sh->faults == 0; w++) {
		job_open(&j, w);
		if (store_modseq(j.st) < sh->seen_modseq)
			crash_fault("a reader was shown %llu, now it is %llu",
			    (unsigned long long)sh->seen_modseq,
			    (unsigned long long)store_modseq(j.st));
		store_verify_worker(&j);
		if (w == 0 && ((rc = store_check(j.st, true, tell, NULL,
			&n)) < 0 || n > 0))
			crash_fault("check: %d, %zu faults", rc, n);
		job_close(&j);
	}
}

static int
setup(const char *top)
{
	static char mail_dir[100];
	struct store_mailbox mb;
	struct job j;

	ss = mmap(NULL, sizeof(*ss), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ss == MAP_FAILED)
		return -1;
	snprintf(mail_dir, sizeof(mail_dir), "%s", top);
	snprintf(crash_dir, sizeof(crash_dir), "%s/%s", mail_dir,
	    STORE_CRASH_ACCOUNT);
	store_crash_conf.mail_dir = mail_dir;
	store_crash_conf.lock_wait_ms = 10000;
	if (store_account_create(&store_crash_conf, STORE_CRASH_ACCOUNT) < 0)
		return -1;
	job_open(&j, 0);
	if (store_mailbox_find(j.st, j.a, slice_str("INBOX"), &mb) < 0)
		return -1;
	ss->common = mb.id;
	for (int w = 0; w <= WORKERS; w++) {
		char name[20];

		snprintf(name, sizeof(name), "kw%d", w);
		if (store_keyword_bit(j.st, slice_str(name), true,
			&ss->keyword[w]) < 0)
			return -1;
	}
	job_close(&j);
	return 0;
}

int
main(void)
{
	static const struct crash_plan plan = {
		.children = PROCESSES, .kills = 60, .kills_long = 6000,
		.setup = setup, .child = run_child, .verify = verify
	};

	return crash_main(&plan);
}
