/* t/crash/test-power.c - the power is lost at any moment */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/sys.h"
#include "t/crash/power.h"

/*
 * A row of processes, each of which dies somewhere in the middle, works on an
 * account; every effect on its files is recorded, also what Berkeley DB writes,
 * and flushes do nothing else.  Then for many moments, and many choices of what
 * the disk came to hold of what wasn't flushed until then, the files are made
 * anew and opened: everything that was acknowledged or shown must be there.  Of
 * some of these repairs the power is taken again.
 *
 *	CULVER_LONG=1	20,000 disks instead of some hundreds
 *	POWER_DISKS=n	that many
 *	CRASH_SEED=n	the same once more; everything follows from the seed
 */
enum {
	DISKS = 300, DISKS_LONG = 20000,
	LIVES = 16, STEPS = 25,		/* of the processes of a history */
	PER_HISTORY = 100,
	AGAIN = 10,			/* the repair of every nth, so often */
	AGAIN_EACH = 3
};

struct kv_conf power_conf = { .lock_wait_ms = 1 };
char power_root[200];
static char top[] = "/tmp/culver-power.XXXXXX";
static uint32_t *rnd;		/* shared: children go on with it */
static struct power_log *first, *second;
static uint32_t born[LIVES], n_born;	/* before which effects */
static unsigned disks, disks_again, histories, effects, acked, shown,
    compactions, punches, flushes_failed;

void
power_seed(uint32_t seed)
{
	*rnd = seed == 0 ? 1 : seed;
}

uint32_t
power_rand(uint32_t n)
{
	*rnd ^= *rnd << 13;
	*rnd ^= *rnd >> 17;
	*rnd ^= *rnd << 5;
	return n == 0 ? 0 : *rnd % n;
}

void
power_fault(const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	world->faults++;
	dprintf(STDOUT_FILENO, "# fault: %s\n", text);
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
rm_tree(const char *path)
{
	(void)nftw(path, rm, 20, FTW_DEPTH | FTW_PHYS);
}

/* ---- a history ---------------------------------------------------------- */

static void
life(const char *dir)
{
	pid_t pid;
	int st = 0;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		fate.die_in = power_rand(4) != 0 ? power_rand(120) + 1 : 0;
		fate.failing = power_rand(3) == 0;
		work(dir, STEPS);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st) ||
	    (WEXITSTATUS(st) != 0 && WEXITSTATUS(st) != 9))
		power_fault("a process ended with status %#x", (unsigned)st);
}

/* With everything on the disk it is what the processes left: so nothing escapes
 * the recording. */
static int
compare(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = st->st_size > 0 ? (size_t)st->st_size : 0;
	char other[400], *a, *b;
	struct stat st2;
	int fd, fd2;

	(void)ftw;
	if (type != FTW_F)
		return 0;
	snprintf(other, sizeof(other), "%s/disk/%s", top,
	    path + strlen(power_root) + 1);
	a = xmalloc(n + 1);
	b = xmalloc(n + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fd2 = open(other, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd2 < 0 || fstat(fd2, &st2) < 0 ||
	    st2.st_size != st->st_size || io_pread_full(fd, a, n, 0) < 0 ||
	    io_pread_full(fd2, b, n, 0) < 0 || memcmp(a, b, n) != 0)
		power_fault("the model's %s differs", other);
	io_close(&fd);
	io_close(&fd2);
	xfree(a);
	xfree(b);
	return 0;
}

static void
compare_all(void)
{
	struct disk *d = disk_new(first);
	char path[100];

	snprintf(path, sizeof(path), "%s/disk", top);
	for (uint32_t i = 0; i < first->n; i++)
		disk_step(d, &first->ev[i]);
	disk_materialise(d, LOSS_NONE, path);
	(void)nftw(power_root, compare, 20, FTW_PHYS);
	disk_free(&d);
	rm_tree(path);
}

static void
count_all(void)
{
	for (uint32_t i = 0; i < first->n; i++) {
		const struct event *e = &first->ev[i];

		effects++;
		acked += e->kind == EV_ACKED;
		shown += e->kind == EV_SHOWN;
		flushes_failed += e->kind == EV_FLUSH_FAILED;
		punches += e->kind == EV_PUNCH;
		compactions += e->kind == EV_RENAME &&
		    strcmp(e->name, "journal.new") == 0;
	}
}

static void
make_history(void)
{
	char dir[220];

	snprintf(power_root, sizeof(power_root), "%s/live", top);
	snprintf(dir, sizeof(dir), "%s/account", power_root);
	(void)mkdir(power_root, 0700);
	world->n = world->next_blob = 0;
	power_record(first, power_root);
	for (n_born = 0; n_born < LIVES && !power_full(first); n_born++) {
		born[n_born] = first->n;
		life(dir);
	}
	power_stop();
	compare_all();
	rm_tree(power_root);
	histories++;
	count_all();
}

/* ---- disks -------------------------------------------------------------- */

static void
need_add(struct power_need *need, const struct event *e)
{
	if (e->kind == EV_MADE)
		need->made = true;
	if (e->kind != EV_ACKED && e->kind != EV_SHOWN)
		return;
	/* The last few say it all, but for mistakes of this test. */
	if (need->n > 0 && need->txn[need->n - 1] == e->txn)
		return;
	need->txn = xreallocarray(need->txn, need->n + 1, sizeof(uint32_t));
	need->txn[need->n++] = e->txn;
}

/* What a process may die of while it repairs. */
static bool
repair_once(const char *dir)
{
	struct kv *kv;
	uint32_t no;

	if (kv_open(&power_conf, dir, 0, &kv) < 0)
		return false;
	(void)work_rows(kv, &no);
	(void)kv_idle(kv, true);
	(void)work_rows(kv, &no);
	kv_close(&kv);
	return true;
}

/* What led there, for who looks into a fault. */
static void
tell_events(const struct power_log *l, uint32_t from, uint32_t to)
{
	static const char *const kinds[] = { "write", "size", "punch", "flush",
		"flush fails", "link", "unlink", "rename", "acked", "shown",
		"made" };

	for (uint32_t i = from; i < to; i++) {
		const struct event *e = &l->ev[i];

		printf("# %u: %s node %d off %llu n %llu dir %u txn %u %s %s\n",
		    i, kinds[e->kind], (int)e->node,
		    (unsigned long long)e->off, (unsigned long long)e->n,
		    e->dir, e->txn, e->name, e->to);
	}
}

/* The power goes, and while that is being repaired it goes again. */
static void
lose_again(const char *from, const struct power_need *need)
{
	struct power_need more = { .made = true };
	uint32_t start, at = 0, point;
	char dir[120], path[100];
	struct disk *d;

	snprintf(dir, sizeof(dir), "%.100s/account", from);
	snprintf(path, sizeof(path), "%s/again", top);
	power_record(second, from);
	start = second->n;
	if (!repair_once(dir)) {
		power_stop();
		return;
	}
	power_stop();
	for (size_t i = 0; i < need->n; i++) {
		struct event e = { .kind = EV_ACKED, .txn = need->txn[i] };

		need_add(&more, &e);
	}
	d = disk_new(second);
	point = start;
	for (int i = 0; i < AGAIN_EACH && world->faults == 0; i++) {
		uint32_t n = world->n;

		point += power_rand((second->n - point) / 2 + 1);
		for (; at < point; at++) {
			disk_step(d, &second->ev[at]);
			need_add(&more, &second->ev[at]);
		}
		disk_materialise(d, (enum power_loss)power_rand(LOSS_KINDS),
		    path);
		snprintf(dir, sizeof(dir), "%s/account", path);
		if (!power_verify(dir, &more)) {
			power_fault("it was the second loss, after %u of %u",
			    point - start, second->n - start);
			tell_events(second, 0, point);
		}
		else
			rm_tree(path);
		disks_again++;
		world->n = n;
	}
	disk_free(&d);
	xfree(more.txn);
}

static void
lose(const struct disk *d, uint32_t at, const struct power_need *need)
{
	enum power_loss how = (enum power_loss)power_rand(LOSS_KINDS);
	uint32_t n = world->n;
	char path[100], dir[120];

	snprintf(path, sizeof(path), "%s/disk", top);
	snprintf(dir, sizeof(dir), "%s/account", path);
	snprintf(power_root, sizeof(power_root), "%s", path);
	disk_materialise(d, how, path);
	disks++;
	if (disks % AGAIN == 0)
		lose_again(path, need);
	else if (!power_verify(dir, need)) {
		power_fault("after %u of %u effects, kind of loss %d", at,
		    first->n, (int)how);
		tell_events(first, at < 60 ? 0 : at - 60, at);
	}
	world->n = n;
	if (world->faults == 0)
		rm_tree(path);
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
lose_often(unsigned n)
{
	uint32_t *point = xcalloc(n, sizeof(*point)), at = 0;
	struct power_need need = { .n = 0 };
	struct disk *d = disk_new(first);

	/* Half of them when somebody repairs what another left. */
	for (unsigned i = 0; i < n; i++) {
		point[i] = power_rand(first->n + 1);
		if (i % 2 == 0) {
			point[i] = born[power_rand(n_born)] + power_rand(25);
			if (point[i] > first->n)
				point[i] = first->n;
		}
	}
	qsort(point, n, sizeof(*point), by_number);
	for (unsigned i = 0; i < n && world->faults == 0; i++) {
		for (; at < point[i]; at++) {
			disk_step(d, &first->ev[at]);
			need_add(&need, &first->ev[at]);
		}
		lose(d, at, &need);
	}
	disk_free(&d);
	xfree(point);
	xfree(need.txn);
}

/* ---- all ---------------------------------------------------------------- */

static void *
shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	return p;
}

int
main(void)
{
	static struct sys_hook hook = { .survive = true,
		.own_pack = 32 * 1024, .pack_limit = 48 * 1024 };
	const char *env = getenv("CULVER_LONG"), *n = getenv("POWER_DISKS");
	const char *s = getenv("CRASH_SEED");
	unsigned most = env != NULL && *env == '1' ? DISKS_LONG : DISKS;
	uint32_t seed;

	if (n != NULL)
		most = (unsigned)strtoul(n, NULL, 10);
	random_bytes(&seed, sizeof(seed));
	if (s != NULL)
		seed = (uint32_t)strtoul(s, NULL, 10);
	printf("1..1\n# seed %u\n", seed);
	rnd = shared(sizeof(*rnd));
	world = shared(sizeof(*world));
	first = shared(sizeof(*first));
	second = shared(sizeof(*second));
	power_seed(seed);
	sys_hook = &hook;
	if (mkdtemp(top) == NULL) {
		printf("Bail out! no directory\n");
		return 1;
	}
	(void)log_open("power", "/dev/null", LOG_L_ERR);
	while (disks < most && world->faults == 0) {
		make_history();
		lose_often(most - disks < PER_HISTORY ? most - disks :
							PER_HISTORY);
	}
	printf("# %u histories: %u effects, %u transactions acknowledged, shown "
	       "%u times, %u journals replaced, %u holes, %u failed flushes\n",
	    histories, effects, acked, shown, compactions, punches,
	    flushes_failed);
	printf("# %u disks, and %u after a second loss, faults %u\n", disks,
	    disks_again, world->faults);
	printf("%s 1 - what was acknowledged or shown outlives any loss of "
	       "power\n", world->faults == 0 ? "ok" : "not ok");
	if (world->faults == 0)
		rm_tree(top);
	else
		printf("# the files are in %s\n", top);
	return world->faults != 0;
}
