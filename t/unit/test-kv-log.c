/* t/unit/test-kv-log.c - journals that a compaction replaced, kept as log.G */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/log.h"
#include "t/unit/kv-fixture.h"

enum { KEEP_S = 1000 };

static struct kv *
kept_new(void)
{
	struct kv *kv = fix_new();

	fix.conf.log_keep_s = KEEP_S;
	kv_close(&kv);
	return fix_open();
}

static void
done(struct kv **kv)
{
	kv_close(kv);
	fix_remove();
}

/* From where to where a log goes. */
static void
range(const char *name, uint64_t *from_r, struct log_at *at)
{
	struct journal_head h;
	struct stat st;
	char path[150];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fix.dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(log_head(fd, &h, at), 0);
	*from_r = h.seq;
	assert_int_equal(log_scan(fd, (uint64_t)st.st_size, at, NULL, NULL),
	    0);
	assert_int_equal(at->off, st.st_size);
	io_close(&fd);
}

static int faults;

static void
count_fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# %s\n", text);
	faults++;
}

static int
faults_of(struct kv *kv)
{
	int n;

	faults = 0;
	n = kv_check(kv, count_fault, NULL);
	assert_int_equal(n, faults);
	return n;
}

/* The chain from the first record to the newest, without a gap. */
static void
test_chain(void **state)
{
	struct kv *kv = kept_new();
	uint64_t from, before = 0, when = 0;
	struct log_at at;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		char name[32];

		fix_put(kv, "a", "1");
		assert_int_equal(fix_deliver(kv, i, 3000), 0);
		fix_put(kv, "b", "2");
		assert_int_equal(kv_idle(kv, true), 1);
		log_name(i, name);
		range(name, &from, &at);
		assert_int_equal(from, before);
		assert_true(at.when > when);
		before = at.seq;
		when = at.when;
		assert_int_equal(kv_refresh(kv), 0);
		assert_int_equal(kv_modseq(kv), before);
	}
	range("journal", &from, &at);
	assert_int_equal(from, before);
	/* The base tells when it was, too. */
	assert_int_equal(at.when, when);
	assert_int_equal(faults_of(kv), 0);
	done(&kv);
}

static void
test_off(void **state)
{
	struct kv *kv = fix_new();

	(void)state;
	fix_put(kv, "a", "1");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_false(fix_exists("log.0"));
	done(&kv);
}

static void
test_age(void **state)
{
	struct kv *kv = kept_new();

	(void)state;
	fix_put(kv, "a", "1");
	assert_int_equal(kv_idle(kv, true), 1);
	fix_put(kv, "a", "2");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_true(fix_exists("log.0") && fix_exists("log.1"));
	kv_close(&kv);
	/* Also when nothing is written any more. */
	fix.conf.clock_offset = KEEP_S + 10;
	kv = fix_open();
	assert_true(kv_idle(kv, true) >= 0);
	assert_false(fix_exists("log.0") || fix_exists("log.1"));
	kv_close(&kv);
	/* They are kept no longer: they go at once. */
	fix.conf.clock_offset = 0;
	kv = fix_open();
	fix_put(kv, "a", "3");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_true(fix_exists("log.2"));
	kv_close(&kv);
	fix.conf.log_keep_s = 0;
	kv = fix_open();
	assert_true(kv_idle(kv, true) >= 0);
	assert_false(fix_exists("log.2"));
	done(&kv);
}

/* Of a compaction that died; and those behind a gap. */
static void
test_strays(void **state)
{
	struct kv *kv = kept_new();
	char from[150], to[150];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fix_put(kv, "a", "1");
		assert_int_equal(kv_idle(kv, true), 1);
	}
	snprintf(from, sizeof(from), "%s/journal", fix.dir);
	snprintf(to, sizeof(to), "%s/log.3", fix.dir);
	assert_int_equal(link(from, to), 0);
	snprintf(to, sizeof(to), "%s/log.9", fix.dir);
	assert_int_equal(link(from, to), 0);
	assert_int_equal(faults_of(kv), 0);
	assert_int_equal(unlink((snprintf(to, sizeof(to), "%s/log.1",
	    fix.dir), to)), 0);
	assert_int_equal(faults_of(kv), 0);
	fix_put(kv, "a", "2");
	assert_int_equal(kv_idle(kv, true), 1);
	assert_false(fix_exists("log.0"));
	assert_true(fix_exists("log.2") && fix_exists("log.3"));
	assert_false(fix_exists("log.9"));
	assert_int_equal(faults_of(kv), 0);
	fix_put(kv, "a", "3");
	assert_true(fix_has(kv, "a", "3"));
	done(&kv);
}

/* Each system call of a compaction fails once: the chain is never wrong. */
static void
test_failing(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		struct kv *kv = kept_new();
		bool failed;

		fix_put(kv, "a", "1");
		assert_int_equal(fix_deliver(kv, 1, 3000), 0);
		fix.failed = false;
		fix.fail_which = FAIL_ANY;
		fix.fail_errno = EIO;
		fix.fail_in = n;
		(void)kv_idle(kv, true);
		failed = fix.failed;
		fix.fail_in = 0;
		kv_close(&kv);
		kv = fix_open();
		fix_put(kv, "b", "2");
		assert_true(kv_idle(kv, true) >= 0);
		assert_int_equal(faults_of(kv), 0);
		assert_true(fix_has(kv, "b", "2"));
		assert_true(fix_blob(kv, 1, 3000));
		done(&kv);
		if (!failed)
			break;
	}
}

static void
test_damaged(void **state)
{
	struct kv *kv = kept_new();
	uint64_t size;

	(void)state;
	for (int i = 0; i < 3; i++) {
		fix_put(kv, "a", "1");
		fix_put(kv, "b", "1");
		assert_int_equal(kv_idle(kv, true), 1);
	}
	assert_int_equal(faults_of(kv), 0);
	size = fix_size("log.1");
	fix_cut("log.1", size - 8);
	assert_int_equal(faults_of(kv), 1);
	fix_cut("log.1", 40);
	/* log.0 can't be joined to it any more, which isn't its fault. */
	assert_int_equal(faults_of(kv), 1);
	fix_write("log.2", JOURNAL_HEAD + 60, "x", 1);
	assert_int_equal(faults_of(kv), 2);
	assert_true(fix_has(kv, "b", "1"));
	done(&kv);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_damaged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
