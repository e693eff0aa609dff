/* t/unit/test-kv-fault.c - each system call of the engine fails once */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/log.h"
#include "t/unit/kv-fixture.h"
#include "t/unit/kv-model.h"

/*
 * A piece of work with everything in it is done again and again, and each time
 * another system call fails, the first, the second and so on.  Whatever was
 * acknowledged must be there at the end, what failed must not, and what is
 * unknown may.
 */
struct work {
	struct kv *kv;
	struct model *m;
	uint64_t modseq;	/* acknowledged */
	struct {
		size_t size;
		enum { NONE, MAYBE, THERE } state;
	} blob[8];
	bool fails;		/* may a call be seen to fail? */
};

static void
failed(struct work *w, int rc)
{
	assert_true(w->fails && fix.failed);
	if (rc != STORE_E_IO && rc != STORE_E_NOSPACE &&
	    rc != STORE_E_UNKNOWN && rc != STORE_E_FENCED)
		fail_msg("%d: %s", rc, kv_errmsg(w->kv));
}

/* After a failure: a handle that works, and what is really there. */
static uint64_t
look(struct work *w, int rc)
{
	struct kv_txn *txn;

	failed(w, rc);
	if (rc == STORE_E_UNKNOWN || rc == STORE_E_FENCED) {
		kv_close(&w->kv);
		w->kv = fix_open();
	}
	/* Nothing fails twice. */
	assert_int_equal(kv_begin(w->kv, KV_RW, &txn), 0);
	kv_abort(&txn);
	return kv_modseq(w->kv);
}

/* A commit said rc: was it done? */
static bool
settled(struct work *w, int rc, uint64_t modseq)
{
	if (rc < 0) {
		uint64_t now = look(w, rc);

		if (rc == STORE_E_UNKNOWN && now == w->modseq + 1) {
			w->modseq = now;
			return true;
		}
		assert_int_equal(now, w->modseq);
		return false;
	}
	w->modseq = modseq;
	return true;
}

static void
work_rows(struct work *w, uint32_t n)
{
	struct kv_txn *txn;
	uint64_t modseq = 0;
	int rc = kv_begin(w->kv, KV_RW, &txn);

	if (rc == 0) {
		if ((rc = model_txn(w->m, txn, n)) < 0) {
			kv_abort(&txn);
		} else {
			/* So that it is a change in any case. */
			assert_int_equal(kv_put(txn, slice_str("x"),
					     slice_str("")), 0);
			rc = kv_commit(&txn, &modseq);
		}
	}
	if (settled(w, rc, modseq))
		model_commit(w->m);
	else
		model_abort(w->m);
}

static void
work_blob(struct work *w, uint32_t n, size_t size)
{
	int rc = fix_deliver(w->kv, n, size);
	bool done = settled(w, rc, w->modseq + 1);

	w->blob[n].size = size;
	w->blob[n].state = done ? THERE : NONE;
}

static void
work_del(struct work *w, uint32_t n)
{
	struct kv_ref ref = fix_ref(w->kv, n);
	int rc;

	if (w->blob[n].state != THERE)
		return;
	rc = kv_blob_del(w->kv, &ref);
	if (rc < 0)
		(void)look(w, rc);
	w->blob[n].state = rc < 0 ? MAYBE : NONE;
}

static void
work_idle(struct work *w)
{
	int rc = kv_idle(w->kv, true);

	if (rc < 0)
		assert_int_equal(look(w, rc), w->modseq);
}

static void
work_all(struct work *w)
{
	int rc;

	work_rows(w, 10);
	work_blob(w, 1, 3000);
	work_rows(w, 10);
	work_blob(w, 2, 9000);
	work_idle(w);
	rc = kv_refresh(w->kv);
	if (rc < 0)
		(void)look(w, rc);
	work_rows(w, 10);
	work_blob(w, 3, 1100000);
	work_blob(w, 4, 150000);
	work_del(w, 1);
	work_del(w, 2);
	work_del(w, 3);
	work_rows(w, 20);
	work_idle(w);
	work_blob(w, 5, 100);
	kv_close(&w->kv);
	rc = kv_open(&fix.conf, fix.dir, 0, &w->kv);
	if (rc < 0) {
		assert_true(w->fails && fix.failed);
		w->kv = fix_open();
	}
	work_rows(w, 5);
}

static void
verify(struct work *w)
{
	struct kv_txn *txn;

	assert_int_equal(kv_modseq(w->kv), w->modseq);
	assert_int_equal(kv_begin(w->kv, KV_RO, &txn), 0);
	model_compare(w->m, txn);
	kv_abort(&txn);
	for (uint32_t n = 1; n < 6; n++)
		if (w->blob[n].state != MAYBE &&
		    fix_blob(w->kv, n, w->blob[n].size) !=
			(w->blob[n].state == THERE))
			fail_msg("blob %u", n);
	assert_int_equal(kv_check(w->kv, fix_fault, NULL), 0);
}

/* One run; false: there is no nth call any more. */
static bool
run(unsigned n, int which, int err, bool fails)
{
	struct work w = { .kv = fix_new(), .m = model_new(1 + n % 7),
		.fails = fails };
	bool came;

	if (fails)
		model_may_fail(w.m);
	fix.fail_which = (unsigned)which;
	fix.fail_errno = err;
	fix.fail_in = n;
	work_all(&w);
	came = fix.failed;
	fix.fail_in = 0;
	kv_close(&w.kv);
	w.kv = fix_open();
	verify(&w);
	kv_close(&w.kv);
	model_free(&w.m);
	fix_remove();
	return came;
}

static void
all(int which, int err, bool fails)
{
	unsigned n = 1;

	while (run(n, which, err, fails))
		n++;
	print_message("# %u calls\n", n - 1);
	assert_true(n > 15);
}

static void
test_eio(void **state)
{
	(void)state;
	all(FAIL_ANY, EIO, true);
}

static void
test_flush(void **state)
{
	(void)state;
	all(FAIL_FLUSH, EIO, true);
}

static void
test_enospc(void **state)
{
	(void)state;
	all(FAIL_WRITE, ENOSPC, true);
}

/* Interrupted and short calls are nobody's business. */
static void
test_eintr(void **state)
{
	(void)state;
	all(FAIL_ANY, EINTR, false);
}

static void
test_short(void **state)
{
	(void)state;
	all(FAIL_ANY, 0, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eio),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_enospc),
		cmocka_unit_test(test_eintr),
		cmocka_unit_test(test_short),
	};

	(void)log_open("test", "/dev/null", LOG_L_ERR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
