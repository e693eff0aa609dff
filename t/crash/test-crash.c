/* t/crash/test-crash.c - random kill -9 of who works on one account */
#include "config.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "t/crash/crash.h"

/*
 * Three writers, two readers and a process that compacts and sweeps work on one
 * account, and one of them at a time is killed and started again.  After each
 * round all are killed, in every second round the page cache is "lost" (files
 * are cut to what was flushed), and everything that was acknowledged is
 * checked.
 */
enum {
	CHILDREN = WRITERS + READERS + 1,
	KILLS_A_ROUND = 20, KILLS = 60, KILLS_LONG = 2000,
	HANG_MS = 2000
};

struct shared *sh;
struct kv_conf crash_conf = { .lock_wait_ms = 10000 };
char crash_dir[200];
static pid_t child[CHILDREN];
static uint32_t rnd;
static double *resume;
static size_t n_resume;
static int hangs, cuts;

void
crash_seed(uint32_t seed)
{
	rnd = seed == 0 ? 1 : seed;
}

uint32_t
crash_rand(uint32_t n)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 17;
	rnd ^= rnd << 5;
	return rnd % n;
}

void
crash_fault(const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sh->faults++;
	dprintf(STDOUT_FILENO, "# fault: %s\n", text);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
nap_us(long us)
{
	const struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

static void
start(int i)
{
	uint32_t seed = crash_rand(UINT32_MAX);
	pid_t parent = getpid();

	fflush(stdout);
	if ((child[i] = fork()) != 0)
		return;
	crash_seed(seed);
	if (getppid() != parent)
		_exit(0);
	if (i < WRITERS)
		writer_main(i);
	else if (i < WRITERS + READERS)
		reader_main();
	else
		idler_main();
}

static void
stop(int i)
{
	if (child[i] > 0) {
		kill(child[i], SIGKILL);
		while (waitpid(child[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
	child[i] = 0;
}

/* Children that ended by themselves (a failed flush) are started again. */
static void
reap(void)
{
	for (int i = 0; i < CHILDREN; i++)
		if (child[i] > 0 && waitpid(child[i], NULL, WNOHANG) > 0)
			start(i);
}

/* How long until somebody commits again. */
static void
measure(void)
{
	uint64_t before = sh->commits;
	double t0 = now_ms(), t;

	do {
		nap_us(50);
		t = now_ms() - t0;
		reap();
	} while (sh->commits == before && t < HANG_MS);
	if (t >= HANG_MS) {
		hangs++;
		crash_fault("no commit for %d ms", HANG_MS);
	}
	resume[n_resume++] = t;
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

static void
round_of(int kills, bool cut)
{
	uint64_t before = sh->commits;

	for (int i = 0; i < CHILDREN; i++)
		start(i);
	/* They first check what is there. */
	for (int i = 0; sh->commits < before + 20 && i < HANG_MS; i++)
		nap_us(1000);
	for (int k = 0; k < kills; k++) {
		int i = (int)crash_rand(CHILDREN);

		nap_us(3000 + (long)crash_rand(25000));
		reap();
		stop(i);
		measure();
		start(i);
	}
	for (int i = 0; i < CHILDREN; i++)
		stop(i);
	if (cut) {
		disk_cut();
		cuts++;
	}
	verify_all();
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
report(int kills)
{
	uint64_t acked = 0;

	for (int w = 0; w < WRITERS; w++)
		acked += sh->w[w].acked;
	qsort(resume, n_resume, sizeof(*resume), compare);
	printf("# kills %d, acknowledged transactions %llu, faults %d, "
	       "hangs %d, cuts %d\n", kills, (unsigned long long)acked,
	    (int)sh->faults, hangs, cuts);
	printf("# others go on after: median %.2f ms, p99 %.2f ms; "
	       "compactions and sweeps %llu, failed calls %llu\n",
	    resume[n_resume / 2], resume[n_resume * 99 / 100],
	    (unsigned long long)sh->compactions,
	    (unsigned long long)sh->failed_calls);
	printf("%s 1 - what was acknowledged is there\n",
	    sh->faults == 0 && acked > 0 ? "ok" : "not ok");
	printf("%s 2 - nobody hangs\n", hangs == 0 ? "ok" : "not ok");
}

static int
setup(const char *top)
{
	struct kv *kv;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		return -1;
	for (int w = 0; w < WRITERS; w++)
		sh->w[w].pending_group = -1;
	snprintf(crash_dir, sizeof(crash_dir), "%s/account", top);
	disk_hook(false);
	if (kv_open(&crash_conf, crash_dir, KV_CREATE, &kv) < 0)
		return -1;
	kv_close(&kv);
	return 0;
}

int
main(void)
{
	const char *env = getenv("CULVER_LONG"), *n = getenv("CRASH_KILLS");
	const char *s = getenv("CRASH_SEED");
	int kills = env != NULL && *env == '1' ? KILLS_LONG : KILLS;
	char top[] = "/tmp/culver-crash.XXXXXX";
	uint32_t seed;

	if (n != NULL)
		kills = (int)strtol(n, NULL, 10);
	random_bytes(&seed, sizeof(seed));
	if (s != NULL)
		seed = (uint32_t)strtoul(s, NULL, 10);
	printf("1..2\n# seed %u\n", seed);
	crash_seed(seed);
	if (mkdtemp(top) == NULL || setup(top) < 0) {
		printf("Bail out! no account\n");
		return 1;
	}
	/* Failed flushes are logged by those who end of them. */
	(void)log_open("crash", "/dev/null", LOG_L_ERR);
	resume = xcalloc((size_t)kills + 1, sizeof(*resume));
	for (int done = 0; done < kills && sh->faults == 0;
	    done += KILLS_A_ROUND)
		round_of(kills - done < KILLS_A_ROUND ? kills - done :
							KILLS_A_ROUND,
		    done / KILLS_A_ROUND % 2 == 0);
	report(kills);
	xfree(resume);
	if (sh->faults == 0)
		(void)nftw(top, rm, 20, FTW_DEPTH | FTW_PHYS);
	else
		printf("# the files are in %s\n", top);
	return sh->faults != 0;
}
