/* t/unit/test-store-fault.c - every system call of the whole store fails */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libstore/kv/sys.h"
#include "t/unit/fault-script.h"
#include "t/unit/fault.h"

/*
 * The script's operations are done in order; the nth system call fails, or all
 * from the nth on until the operation that met the first of them is over.
 * That operation either succeeded, and then all of it is there, or it failed
 * with an error that says what happened, and then nothing is.  Once the fault
 * is gone it succeeds, on the same handle unless the error says that the
 * handle is done with.  At the end the account is sound and no descriptor was
 * lost.
 */
static const int errors[] = { ENOSPC, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM,
	EINTR, FAULT_SHORT };
enum { ERRORS = sizeof(errors) / sizeof(errors[0]), OPS_MAX = 64 };

static struct script script;
static char *states[OPS_MAX + 1];	/* after each operation, undisturbed */
static unsigned calls[ERRORS];		/* that may fail so */
static unsigned runs, failures;

/* What a child tells. */
struct progress {
	size_t op;		/* being done */
	int rc;			/* of one that failed */
};

static struct progress *progress;

/* Deaths of the process at a failed flush are tested apart. */
static const struct sys_hook survive = { .survive = true,
	.own_pack = 200 * 1024 };

static const char *
error_name(int err)
{
	return err == FAULT_SHORT ? "a short transfer" : strerror(err);
}

static char *
state(void)
{
	struct buf b;
	char *text;
	int rc;

	buf_init(&b, 1 << 20);
	rc = script_state(&script, &b);
	if (rc < 0)
		fail_msg("the state can't be read: %d", rc);
	text = xstrndup(b.n > 0 ? b.p : "", b.n);
	buf_release(&b);
	return text;
}

static bool
is_state(size_t after)
{
	char *now = state();
	bool same = strcmp(now, states[after]) == 0;

	xfree(now);
	return same;
}

static void
print_fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# fault: %s\n", text);
}

static void
check_account(const char *name)
{
	struct store *st;
	size_t n = 0;
	int rc = store_open(&script.conf, name, &st);

	if (rc == STORE_E_NOTFOUND)
		return;
	assert_int_equal(rc, 0);
	assert_int_equal(store_check(st, true, print_fault, NULL, &n), 0);
	assert_int_equal(n, 0);
	store_close(&st);
}

/* ---- one run ------------------------------------------------------------ */

/* Does the error say what happened? */
static bool
fits(int rc, int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return rc == STORE_E_NOSPACE || rc == STORE_E_UNKNOWN;
	case EINTR:
	case FAULT_SHORT:
		return false;	/* nobody's business */
	case ENOMEM:
		return rc == STORE_E_NOMEM || rc == STORE_E_IO ||
		    rc == STORE_E_UNKNOWN;
	default:
		return rc == STORE_E_IO || rc == STORE_E_UNKNOWN;
	}
}

struct run {
	int err;
	unsigned at;
	bool stays;
	unsigned seen;
	bool hit;
	size_t op;		/* that was hit */
};

static void
complain(const struct run *r, size_t i, int rc, const char *what)
{
	char *now = state();

	print_message("# was:\n%s# is:\n%s# should be:\n%s", states[i], now,
	    states[i + 1]);
	fail_msg("%s: %s (%s, call %u, %s%s in %s): %d %s; %s",
	    script_ops[i].name, what, error_name(r->err), r->at, fault.what,
	    r->stays ? " and on" : "", script_ops[r->op].name, rc,
	    script.st != NULL ? store_errmsg(script.st) : "", script.fault);
}

static void
reopen(void)
{
	store_close(&script.st);
	assert_int_equal(store_open(&script.conf, "alice", &script.st), 0);
}

/* The operation met the fault and failed. */
static void
failed(const struct run *r, size_t i, int rc)
{
	const struct script_op *op = &script_ops[i];
	bool done;

	failures++;
	if (!fits(rc, r->err))
		complain(r, i, rc, "that error doesn't fit");
	if ((r->err == ENOSPC || r->err == EDQUOT) && op->reads)
		complain(r, i, rc, "reading needs no space");
	done = is_state(i + 1) &&
	    (rc == STORE_E_UNKNOWN || strcmp(states[i], states[i + 1]) == 0);
	if (!done && !is_state(i))
		complain(r, i, rc, "half of it was done");
	if (rc == STORE_E_UNKNOWN && script.st != NULL)
		reopen();
	if (done && strcmp(states[i], states[i + 1]) != 0)
		return;
	if ((rc = op->fn(&script)) < 0)
		complain(r, i, rc, "it doesn't work later");
}

static void
operate(struct run *r, size_t i)
{
	int rc;

	arena_reset(script.a);
	fault.on = true;
	rc = script_ops[i].fn(&script);
	fault.on = false;
	r->seen = fault.seen;
	if (fault.hits == 0 || r->hit) {
		/* A job after the operation that met the fault met it. */
		if (rc == STORE_E_FENCED && r->hit) {
			reopen();
			rc = script_ops[i].fn(&script);
		}
		if (rc < 0)
			complain(r, i, rc, "failed without a fault");
		return;
	}
	r->hit = true;
	r->op = i;
	fault.at = 0;
	if (rc < 0)
		failed(r, i, rc);
	if (!is_state(i + 1))
		complain(r, i, rc, "it is not done");
}

static void
run(struct run *r)
{
	unsigned before;

	runs++;
	before = fault_descriptors();
	script_begin(&script);
	fault_arm(r->err, r->at, r->stays);
	for (size_t i = 0; i < script_n; i++)
		operate(r, i);
	if (!is_state(script_n))
		complain(r, script_n - 1, 0, "the end is another");
	check_account("alice");
	check_account("bob");
	script_end(&script);
	assert_int_equal(fault_descriptors(), before);
}

/* ---- the runs ----------------------------------------------------------- */

static int
setup(void **st)
{
	(void)st;
	sys_hook = &survive;
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(progress != MAP_FAILED);
	script_begin(&script);
	states[0] = state();
	for (size_t i = 0; i < script_n; i++) {
		int rc = script_ops[i].fn(&script);

		if (rc < 0)
			fail_msg("%s: %d", script_ops[i].name, rc);
		states[i + 1] = state();
	}
	script_end(&script);
	for (size_t e = 0; e < ERRORS; e++) {
		struct run r = { .err = errors[e] };

		run(&r);
		calls[e] = r.seen;
		print_message("# %s: %u calls\n", error_name(r.err), r.seen);
		assert_true(r.seen > 20);
	}
	return 0;
}

static int
teardown(void **st)
{
	(void)st;
	for (size_t i = 0; i <= script_n; i++)
		xfree(states[i]);
	xfree(script.large);
	print_message("# %u runs, %u operations failed\n", runs, failures);
	return 0;
}

static void
test_all(void)
{
	for (size_t e = 0; e < ERRORS; e++)
		for (unsigned at = 1; at <= calls[e]; at++)
			for (int stays = 0; stays < 2; stays++) {
				struct run r = { .err = errors[e], .at = at,
					.stays = stays != 0 &&
					    errors[e] != EINTR };

				run(&r);
			}
}

static void
test_some(void)
{
	const char *given = getenv("CULVER_SEED");
	int64_t end = time_mono_ms() + 2500;
	uint32_t seed;

	random_bytes(&seed, sizeof(seed));
	if (given != NULL)
		seed = (uint32_t)strtoul(given, NULL, 10);
	print_message("# CULVER_SEED=%lu\n", (unsigned long)seed);
	srandom(seed);
	for (size_t e = 0; time_mono_ms() < end; e = (e + 1) % ERRORS) {
		struct run r = { .err = errors[e],
			.at = 1 + (unsigned)random() % calls[e],
			.stays = random() % 2 != 0 && errors[e] != EINTR };

		run(&r);
	}
}

static void
test_faults(void **st)
{
	const char *one = getenv("CULVER_FAULT");
	struct run r = { 0 };
	int stays;

	(void)st;
	/* One again: number of the error, of the call, 1 if it stays. */
	if (one != NULL &&
	    sscanf(one, "%d:%u:%d", &r.err, &r.at, &stays) == 3) {
		r.stays = stays != 0;
		run(&r);
	} else if (getenv("CULVER_LONG") != NULL)
		test_all();
	else
		test_some();
}

/* ---- a disk that is nearly full ----------------------------------------- */

/* The script up to that operation; what that one says. */
static int
until(const char *name)
{
	size_t i = 0;

	while (strcmp(script_ops[i].name, name) != 0)
		if (script_ops[i++].fn(&script) < 0)
			fail_msg("%s", script_ops[i - 1].name);
	fault_free = 1 << 20;
	return script_ops[i].fn(&script);
}

/* Mail that comes in doesn't take the place that deleting needs. */
static void
test_nearly_full(void **st)
{
	static const struct {
		const char *op;
		int rc;
	} t[] = {
		{ "append", STORE_E_NOSPACE },
		{ "append many", STORE_E_NOSPACE },
		{ "append large", STORE_E_NOSPACE },
		{ "upload", STORE_E_NOSPACE },
		{ "show", 0 }, { "flag", 0 }, { "copy", 0 }, { "move", 0 },
		{ "deleted", 0 }, { "expunge", 0 }, { "email destroy", 0 },
		{ "mailbox destroy", 0 }, { "idle again", 0 },
	};

	(void)st;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		script_begin(&script);
		if (until(t[i].op) != t[i].rc)
			fail_msg("%s", t[i].op);
		fault_free = 0;
		check_account("alice");
		script_end(&script);
	}
}

/* ---- signals ------------------------------------------------------------ */

static void
nothing(int sig)
{
	(void)sig;
}

/* Whatever can be interrupted is, all the time. */
static void
test_signals(void **st)
{
	const struct sigaction act = { .sa_handler = nothing };
	const struct itimerval on = { { 0, 300 }, { 0, 300 } }, off = { 0 };
	int n = getenv("CULVER_LONG") != NULL ? 100 : 10;
	struct sigaction old;

	(void)st;
	assert_int_equal(sigaction(SIGALRM, &act, &old), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &on, NULL), 0);
	for (int i = 0; i < n; i++) {
		struct run r = { .err = EINTR };

		run(&r);
	}
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
}

/* ---- deaths ------------------------------------------------------------- */

static size_t
address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	(void)fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Leaves that much memory. */
static void
take_memory(size_t more)
{
	struct rlimit as = { address_space(), RLIM_INFINITY };
	static void *keep;

	if (setrlimit(RLIMIT_AS, &as) < 0)
		_exit(99);
	for (size_t n = 1 << 20; n > 16; n /= 2)
		while ((keep = malloc(n)) != NULL)
			;
	as.rlim_cur += more;
	if (setrlimit(RLIMIT_AS, &as) < 0)
		_exit(99);
}

static _Noreturn void
child(size_t more, unsigned at)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/log", script.dir);
	(void)log_open("child", path, LOG_L_ERR);
	sys_hook = NULL;
	if (more > 0)
		take_memory(more);
	fault_arm(FAULT_FLUSH, at, false);
	fault.on = true;
	for (size_t i = progress->op; i < script_n; i++) {
		arena_reset(script.a);
		progress->op = i;
		progress->rc = script_ops[i].fn(&script);
		if (progress->rc < 0)
			_exit(1);
	}
	_exit(0);
}

static bool
logged(const char *what)
{
	struct arena *a = arena_new(0);
	struct slice s = { NULL, 0 };
	char path[120];
	bool yes;

	snprintf(path, sizeof(path), "%s/log", script.dir);
	yes = io_slurp(path, 1 << 20, a, &s) == 0 &&
	    memmem(s.p, s.n, what, strlen(what)) != NULL;
	arena_free(&a);
	return yes;
}

/*
 * The script in another process, which may die of it.  Then everything goes on
 * from there.  The status.
 */
static int
run_child(size_t more, unsigned at, const char *why)
{
	int status, code;
	pid_t pid;
	size_t i;

	runs++;
	script_begin(&script);
	assert_int_equal(io_mkdirs(script.dir, 0700), 0);
	progress->op = 0;
	progress->rc = 0;
	if ((pid = fork()) == 0)
		child(more, at);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	code = WEXITSTATUS(status);
	if (code == EXIT_TEMP ? !logged(why) : code > 1)
		fail_msg("%d, no word about it", code);
	i = progress->op;
	if (code != 0 && !is_state(i)) {
		struct run r = { .err = EIO };

		if (!is_state(i + 1))
			complain(&r, i, progress->rc, "half of it was done");
		i++;
	}
	failures += code != 0;
	if (i > 3)
		reopen();
	for (i = code == 0 ? script_n : i; i < script_n; i++)
		if (script_ops[i].fn(&script) < 0)
			fail_msg("%s: doesn't work later", script_ops[i].name);
	check_account("alice");
	script_end(&script);
	return code;
}

/* Nothing is acknowledged that may not be on the disk. */
static void
test_flush(void **st)
{
	bool every = getenv("CULVER_LONG") != NULL;
	unsigned deaths = 0, at = 1;
	int code;

	(void)st;
	do {
		code = run_child(0, at, "flush failed");
		deaths += code == EXIT_TEMP;
		at += every ? 1 : 1 + (unsigned)random() % 8;
	} while (code != 0);
	print_message("# %u deaths\n", deaths);
	assert_true(deaths > (every ? 10 : 1));
}

/* Not with the address sanitizer, which wants all of it. */
#if !XALLOC_ASAN
static void
test_memory(void **st)
{
	size_t most = 6 << 20;
	size_t step = getenv("CULVER_LONG") != NULL ? 32 << 10 : 256 << 10;
	unsigned deaths = 0;

	(void)st;
	for (size_t more = 4096; more < most; more += step)
		deaths += run_child(more, 0, "out of memory") ==
		    EXIT_TEMP;
	print_message("# %u deaths\n", deaths);
	assert_true(deaths > 0);
	/* And with enough of it, all is done. */
	assert_int_equal(run_child(256 << 20, 0, ""), 0);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_nearly_full),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_flush),
#if !XALLOC_ASAN
		cmocka_unit_test(test_memory),
#endif
	};

	(void)log_open("test", "/dev/null", LOG_L_ERR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
