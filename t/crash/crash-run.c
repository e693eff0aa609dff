/* t/crash/crash-run.c - starts processes, kills them, and looks what is left */
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

enum { KILLS_A_ROUND = 20, HANG_MS = 2000 };

struct shared *sh;
char crash_dir[200];
static const struct crash_plan *plan;
static pid_t child[CRASH_CHILDREN];
static _Thread_local uint32_t rnd;
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
	if (++sh->faults > 20)
		return;
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
	if (getppid() == parent)
		plan->child(i);
	_exit(0);
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
	for (int i = 0; i < plan->children; i++)
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
	} while (sh->commits == before && t < HANG_MS && sh->faults == 0);
	if (t >= HANG_MS) {
		hangs++;
		crash_fault("no commit for %d ms", HANG_MS);
	}
	resume[n_resume++] = t;
}

static void
round_of(int kills, bool cut)
{
	uint64_t before = sh->commits;

	for (int i = 0; i < plan->children; i++)
		start(i);
	/* They first check what is there. */
	for (int i = 0; sh->commits < before + 20 && i < HANG_MS; i++)
		nap_us(1000);
	for (int k = 0; k < kills && sh->faults == 0; k++) {
		int i = (int)crash_rand((uint32_t)plan->children);

		nap_us(3000 + (long)crash_rand(25000));
		reap();
		stop(i);
		measure();
		start(i);
	}
	for (int i = 0; i < plan->children; i++)
		stop(i);
	if (cut) {
		disk_cut();
		cuts++;
	}
	plan->verify();
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
	uint64_t acked = sh->commits;

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

int
crash_main(const struct crash_plan *p)
{
	const char *env = getenv("CULVER_LONG"), *n = getenv("CRASH_KILLS");
	const char *s = getenv("CRASH_SEED");
	int kills = env != NULL && *env == '1' ? p->kills_long : p->kills;
	char top[] = "/tmp/culver-crash.XXXXXX";
	uint32_t seed;

	plan = p;
	if (n != NULL)
		kills = (int)strtol(n, NULL, 10);
	random_bytes(&seed, sizeof(seed));
	if (s != NULL)
		seed = (uint32_t)strtoul(s, NULL, 10);
	printf("1..2\n# seed %u\n", seed);
	crash_seed(seed);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Failed flushes are logged by those who end of them. */
	(void)log_open("crash", "/dev/null", LOG_L_ERR);
	disk_hook();
	if (sh == MAP_FAILED || mkdtemp(top) == NULL || p->setup(top) < 0) {
		printf("Bail out! no account\n");
		return 1;
	}
	resume = xcalloc((size_t)kills + 1, sizeof(*resume));
	for (int done = 0; done < kills && sh->faults == 0;
	    done += KILLS_A_ROUND)
		round_of(kills - done < KILLS_A_ROUND ? kills - done :
							KILLS_A_ROUND,
		    done / KILLS_A_ROUND % 2 == 0);
	report((int)n_resume);
	xfree(resume);
	if (sh->faults == 0)
		(void)nftw(top, rm, 20, FTW_DEPTH | FTW_PHYS);
	else
		printf("# the files are in %s\n", top);
	return sh->faults != 0;
}
