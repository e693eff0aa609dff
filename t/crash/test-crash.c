/* t/crash/test-crash.c - random kill -9 of who works with the engine */
#include "config.h"

#include <stdio.h>

#include "t/crash/crash.h"

/*
 * Three writers, two readers and a process that compacts and sweeps work on one
 * account, and one of them at a time is killed and started again.  After each
 * round all are killed, in every second round the page cache is "lost" (files
 * are cut to what was flushed), and everything that was acknowledged is
 * checked.
 *
 *	CULVER_LONG=1	4,000 kills instead of 60
 *	CRASH_KILLS=n	that many
 *	CRASH_SEED=n	not the same again, but what is chosen at random
 */
struct kv_conf crash_conf = { .lock_wait_ms = 10000 };

static void
run_child(int i)
{
	if (i < WRITERS)
		writer_main(i);
	else if (i < WRITERS + READERS)
		reader_main();
	else
		idler_main();
}

static void
fault_of_check(void *arg, const char *text)
{
	(void)arg;
	crash_fault("check: %s", text);
}

/* Nobody is left; is everything there? */
static void
verify_all(void)
{
	struct kv *kv;
	int rc = kv_open(&crash_conf, crash_dir, 0, &kv);

	if (rc < 0) {
		crash_fault("open after the round: %d", rc);
		return;
	}
	if (kv_modseq(kv) < sh->seen_modseq)
		crash_fault("a reader was shown %llu, now it is %llu",
		    (unsigned long long)sh->seen_modseq,
		    (unsigned long long)kv_modseq(kv));
	for (int w = 0; w < WRITERS; w++)
		verify_writer(kv, w);
	if (kv_check(kv, fault_of_check, NULL) < 0)
		crash_fault("check: %s", kv_errmsg(kv));
	kv_close(&kv);
}

static int
setup(const char *top)
{
	struct kv *kv;

	for (int w = 0; w < WRITERS; w++)
		sh->w[w].pending_group = -1;
	snprintf(crash_dir, sizeof(crash_dir), "%s/account", top);
	if (kv_open(&crash_conf, crash_dir, KV_CREATE, &kv) < 0)
		return -1;
	kv_close(&kv);
	return 0;
}

int
main(void)
{
	static const struct crash_plan plan = {
		.children = WRITERS + READERS + 1,
		.kills = 60, .kills_long = 4000,
		.setup = setup, .child = run_child, .verify = verify_all
	};

	return crash_main(&plan);
}
