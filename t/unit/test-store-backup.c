/* t/unit/test-store-backup.c - an account that is in use is backed up, goes
 * back to any moment, and gives no number out twice */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/kv-model.h"

#include "libstore/kv.h"
#include "libstore/store.h"

enum { OPS_MAX = 4000, BOXES = 6 };

/* What the account was at a time: all that clients can see of it. */
struct moment {
	uint64_t when, modseq;
	unsigned char print[SHA256_LEN];
};
/* Written by the process that changes the account. */
struct shared {
	struct moment m[OPS_MAX + 1];
	size_t n;
	uint32_t uidnext;	/* the greatest of any mailbox */
};

static struct shared *shared;
static struct store_conf conf;
static char dir[100], repo[140], mail[120];
static uint32_t seed;
static unsigned ops = 250;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static uint64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what it looks like ------------------------------------------------- */

static int
print_msg(void *arg, const struct store_msg_info *m)
{
	uint64_t v[9] = { m->uid, m->modseq, m->flags, m->email, m->thread,
		(uint64_t)m->received_at, (uint64_t)m->saved_at, m->size, 0 };

	sha256_add(arg, v, sizeof(v));
	return 0;
}

static int
print_of(struct store *st, unsigned char out[SHA256_LEN])
{
	static const struct store_range all = { 1, UINT32_MAX };
	struct arena *a = arena_new(0);
	struct sha256 *h = sha256_new();
	struct store_mailbox *mb;
	size_t n = 0;
	int rc = store_mailbox_list(st, a, &mb, &n);

	for (size_t i = 0; i < n && rc == 0; i++) {
		uint64_t v[8] = { mb[i].id, mb[i].parent, mb[i].uidvalidity,
			mb[i].uidnext, mb[i].highestmodseq, mb[i].total,
			mb[i].unread, mb[i].threads };

		sha256_add(h, v, sizeof(v));
		sha256_add(h, mb[i].name.p, mb[i].name.n);
		rc = store_msg_scan(st, mb[i].id, &all, 1, print_msg, h);
	}
	sha256_finish(&h, out);
	arena_free(&a);
	return rc;
}

/* ---- changing it -------------------------------------------------------- */

static struct store_mailbox
any_box(struct store *st, struct arena *a)
{
	struct store_mailbox *mb;
	size_t n;

	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	return mb[below((uint32_t)n)];
}

static struct store_added
deliver(struct store *st, uint64_t mailbox)
{
	struct store_spool *sp = store_spool_new(&conf, true, 0);
	struct store_new v = { .spool = sp, .mailboxes = &mailbox,
		.n_mailboxes = 1, .received_at = INT64_MIN };
	struct store_added r;
	char text[3000];
	int n = snprintf(text, sizeof(text), "Subject: s%u\r\n"
	    "Message-ID: <%u@x>\r\n\r\n%*s\r\n", below(5), below(100000),
	    (int)below(2000), "x");

	assert_int_equal(store_spool_add(sp, text, (size_t)n), 0);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_email_add(st, &v, 1, &r, NULL), 0);
	store_spool_free(&sp);
	return r;
}

static void
change(struct store *st, struct arena *a)
{
	struct store_mailbox b = any_box(st, a), to = any_box(st, a);
	struct store_pair *pair;
	uint32_t uid[3] = { below(b.uidnext) + 1 };
	char path[20];
	uint64_t id;
	size_t n;
	int rc = 0;

	switch (below(10)) {
	case 0:
		snprintf(path, sizeof(path), "box%u", below(BOXES));
		rc = store_mailbox_create_path(st, slice_str(path),
		    STORE_ROLE_NONE, &id);
		rc = rc == STORE_E_EXISTS ? 0 : rc;
		break;
	case 1:
		if (b.role == STORE_ROLE_NONE && below(3) == 0)
			rc = store_mailbox_destroy(st, b.id, true);
		break;
	case 2:
	case 3:
		rc = store_msgs_flag(st, a, b.id, uid, 1, below(2) ?
		    STORE_FLAG_ADD : STORE_FLAG_DEL, (uint64_t)1 << below(5),
		    UINT64_MAX, NULL, NULL, NULL);
		break;
	case 4:
		rc = store_msgs_remove(st, a, b.id, uid, 1, NULL);
		break;
	case 5:
		rc = store_msgs_copy(st, a, b.id, uid, 1, to.id,
		    below(2) && to.id != b.id, &pair, &n, NULL);
		break;
	case 6:
		rc = store_idle(st, true);
		rc = rc > 0 ? 0 : rc;
		break;
	default:
		deliver(st, b.id);
	}
	if (rc != 0)
		fail_msg("%d: %s", rc, store_errmsg(st));
}

static void
note(struct store *st, struct arena *a)
{
	struct moment *m = &shared->m[shared->n];
	struct store_mailbox *mb;
	uint64_t t = clock_us();
	size_t n;

	assert_int_equal(print_of(st, m->print), 0);
	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (mb[i].uidnext > shared->uidnext)
			shared->uidnext = mb[i].uidnext;
	m->modseq = store_modseq(st);
	while (clock_us() == t)
		continue;
	m->when = clock_us();
	t = m->when;
	while (clock_us() == t)
		continue;
	shared->n++;
}

static void
writer(void)
{
	struct store *st;
	struct arena *a = arena_new(0);

	assert_int_equal(store_open(&conf, "a", &st), 0);
	for (unsigned i = 0; i < ops; i++) {
		change(st, a);
		arena_reset(a);
		note(st, a);
	}
	store_close(&st);
	arena_free(&a);
}

/* ---- backups ------------------------------------------------------------ */

static void
say(void *arg, const char *text)
{
	(void)arg;
	print_message("# %s\n", text);
}

static int
back_up(void)
{
	struct store_backup b = { .dir = repo };
	struct store_backed d;
	struct store *st;
	int rc = store_open(&conf, "a", &st);

	if (rc == 0)
		rc = store_backup(st, &b, &d);
	if (rc < 0)
		print_message("# %s\n", st ? store_errmsg(st) : "open");
	store_close(&st);
	return rc;
}

/* Killed somewhere. */
static void
broken_backup(void)
{
	const struct timespec t = { 0, (long)below(4000000) };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(back_up() != 0);
	(void)nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/culver-backup.%ld",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    (long)getpid());
	snprintf(mail, sizeof(mail), "%s/mail", dir);
	snprintf(repo, sizeof(repo), "%s/repo/a", dir);
	conf = (struct store_conf){ .mail_dir = mail };
	assert_int_equal(store_account_create(&conf, "a"), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared));
	model_rmtree(dir);
	return 0;
}

static int
restore(uint64_t when, const char *name, bool replace)
{
	struct store_restore r = { .dir = repo, .when = when,
		.account = name, .copy = !replace, .replace = replace };
	struct store_backed d;

	return store_restore(&conf, &r, &d, say, NULL);
}

static void
assert_sound(struct store *st)
{
	size_t n;

	assert_int_equal(store_check(st, true, say, NULL, &n), 0);
	assert_int_equal(n, 0);
}

static void
compare(const struct moment *m)
{
	unsigned char print[SHA256_LEN];
	struct store *st;
	char name[40];
	static unsigned n;

	snprintf(name, sizeof(name), "copy%u", n++);
	assert_int_equal(restore(m->when, name, false), 0);
	assert_int_equal(store_open(&conf, name, &st), 0);
	assert_int_equal(print_of(st, print), 0);
	if (memcmp(print, m->print, sizeof(print)) != 0)
		fail_msg("not what it was at %llu",
		    (unsigned long long)m->modseq);
	store_close(&st);
	assert_int_equal(store_account_delete(&conf, name), 0);
}

/* ---- nothing twice ------------------------------------------------------ */

struct known {
	struct store_mailbox *mb;
	size_t n;
	uint64_t modseq;
};

/* In the account's place at moment m: numbers go on behind `before`. */
static void
go_back(const struct moment *m)
{
	struct arena *a = arena_new(0);
	struct store *st, *old;
	struct store_change *c;
	struct store_added r;
	struct known k;
	uint32_t *gone;
	uint64_t state;
	bool more;
	size_t n;

	assert_int_equal(store_open(&conf, "a", &old), 0);
	k.modseq = store_modseq(old);
	assert_int_equal(store_mailbox_list(old, a, &k.mb, &k.n), 0);
	assert_int_equal(restore(m->when, "a", true), 0);
	/* Sessions end. */
	assert_int_equal(store_refresh(old), STORE_E_FENCED);
	assert_int_equal(store_mailbox_destroy(old, k.mb[0].id, true),
	    STORE_E_FENCED);
	store_close(&old);
	assert_int_equal(store_open(&conf, "a", &st), 0);
	assert_sound(st);
	assert_true(store_modseq(st) > k.modseq);
	/* Whoever knows a state of before has to look at everything. */
	for (uint64_t s = m->modseq; s <= k.modseq; s += 1 + s / 7)
		assert_int_equal(store_changes(st, a, STORE_T_EMAIL, s, 0, &c,
		    &n, &state, &more), STORE_E_TOOOLD);
	assert_int_equal(store_changes(st, a, STORE_T_EMAIL, store_modseq(st),
	    0, &c, &n, &state, &more), 0);
	for (size_t i = 0; i < k.n; i++) {
		struct store_mailbox b;

		if (store_mailbox_get(st, a, k.mb[i].id, &b) != 0)
			continue;
		assert_int_equal(b.uidvalidity, k.mb[i].uidvalidity);
		assert_true(b.uidnext >= k.mb[i].uidnext);
		assert_true(b.highestmodseq > k.mb[i].highestmodseq);
		assert_int_equal(store_vanished(st, a, b.id, k.modseq, &gone,
		    &n), STORE_E_TOOOLD);
		r = deliver(st, b.id);
		assert_true(r.uid >= k.mb[i].uidnext);
		assert_true(r.email >> 20 > k.modseq);
	}
	assert_sound(st);
	store_close(&st);
	arena_free(&a);
}

/* ---- tests -------------------------------------------------------------- */

static void
test_in_use(void **state)
{
	size_t n = 0, i;
	int status;
	pid_t pid;

	(void)state;
	if (getenv("CULVER_LONG"))
		ops = OPS_MAX;
	print_message("# seed %u\n", seed);
	assert_int_equal(back_up(), 0);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm(300);
		writer();
		_exit(0);
	}
	do {
		if (below(3) == 0)
			broken_backup();
		else
			assert_int_equal(back_up(), 0);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
	    shared->n != ops)
		fail_msg("the writer failed after %zu", shared->n);
	assert_int_equal(back_up(), 0);
	assert_int_equal(store_backup_verify(&conf, repo, say, NULL, &n), 0);
	assert_int_equal(n, 0);
	for (i = 0; i < 12; i++)
		compare(&shared->m[below((uint32_t)shared->n)]);
	compare(&shared->m[0]);
	compare(&shared->m[shared->n - 1]);
	/* Back, and back again to other times of the first history. */
	go_back(&shared->m[below((uint32_t)shared->n)]);
	assert_int_equal(back_up(), 0);
	compare(&shared->m[below((uint32_t)shared->n)]);
	go_back(&shared->m[below((uint32_t)shared->n)]);
	assert_int_equal(store_backup_verify(&conf, repo, say, NULL, &n), 0);
	assert_int_equal(n, 0);
}

static bool
keep_none(void *arg, const struct kv_ref *ref)
{
	(void)arg;
	(void)ref;
	return false;
}

/* A restore that is killed leaves the account as it was, or as it becomes. */
static void
test_killed_restore(void **state)
{
	struct arena *a = arena_new(0);
	struct store *st;
	unsigned done = 0;
	int status;

	(void)state;
	ops = 40;
	writer();
	assert_int_equal(back_up(), 0);
	for (int i = 0; i < 40; i++) {
		const struct timespec t = { 0, (long)below(6000000) };
		const struct moment *m = &shared->m[below(40)];
		uint64_t before;
		pid_t pid;

		assert_int_equal(store_open(&conf, "a", &st), 0);
		before = store_modseq(st);
		store_close(&st);
		if ((pid = fork()) == 0)
			_exit(restore(m->when, "a", true) != 0);
		(void)nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(store_open(&conf, "a", &st), 0);
		assert_sound(st);
		assert_true(store_modseq(st) >= before);
		done += store_modseq(st) > before;
		deliver(st, any_box(st, a).id);
		assert_sound(st);
		store_close(&st);
	}
	print_message("# %u of 40 were done\n", done);
	arena_free(&a);
}

/* The content of a destroyed message was swept while the backup was made. */
static void
test_swept_meanwhile(void **state)
{
	struct arena *a = arena_new(0);
	struct kv_conf kc = { .engine = NULL };
	struct store_added r[3];
	struct store_gone *g;
	struct store_mailbox b;
	struct store *st;
	struct kv_ref ref;
	struct kv *kv;
	char path[140];
	size_t n;

	(void)state;
	assert_int_equal(store_open(&conf, "a", &st), 0);
	assert_int_equal(store_mailbox_find(st, a, SLICE_LIT("INBOX"), &b), 0);
	for (int i = 0; i < 3; i++)
		r[i] = deliver(st, b.id);
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_msgs_remove(st, a, b.id, &r[i].uid, 1,
		    NULL), 0);
	assert_int_equal(store_gone_list(st, a, &g, &n), 0);
	assert_int_equal(n, 2);
	snprintf(path, sizeof(path), "%s/a", mail);
	assert_int_equal(kv_open(&kc, path, 0, &kv), 0);
	kv_ref_decode(g[0].ref, &ref);
	assert_int_equal(kv_blob_del(kv, &ref), 0);
	kv_close(&kv);
	store_close(&st);
	assert_int_equal(back_up(), 0);
	assert_int_equal(restore(UINT64_MAX, "b", false), 0);
	assert_int_equal(store_open(&conf, "b", &st), 0);
	assert_sound(st);
	assert_int_equal(store_gone_list(st, a, &g, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(g[0].email, r[1].email);
	store_close(&st);
	/* One that lives is damage. */
	assert_int_equal(store_open(&conf, "a", &st), 0);
	assert_int_equal(store_idle(st, true), 1);
	store_close(&st);
	assert_int_equal(kv_open(&kc, path, 0, &kv), 0);
	ref = (struct kv_ref){ .pack = 0 };
	assert_int_equal(kv_blob_purge(kv, keep_none, &ref), 0);
	kv_close(&kv);
	model_rmtree(repo);
	assert_int_equal(back_up(), 0);
	assert_int_equal(restore(UINT64_MAX, "c", false), STORE_E_CORRUPT);
	assert_int_equal(store_open(&conf, "c", &st), STORE_E_NOTFOUND);
	arena_free(&a);
}

/* What was destroyed comes back once, as it was; then it is gone for good. */
static void
test_undelete(void **state)
{
	struct arena *a = arena_new(0);
	struct store_gone *g, *again;
	struct store_added r[3], back[3];
	struct store_email e;
	struct store *st;
	struct store_mailbox b;
	struct store_usage u, before;
	uint64_t label, to[3];
	uint32_t uid[3];
	size_t n;
	int rc[3];

	(void)state;
	assert_int_equal(store_open(&conf, "a", &st), 0);
	assert_int_equal(store_mailbox_find(st, a, SLICE_LIT("INBOX"), &b), 0);
	assert_int_equal(store_keyword_bit(st, SLICE_LIT("label"), true,
	    &label), 0);
	for (int i = 0; i < 3; i++) {
		r[i] = deliver(st, b.id);
		uid[i] = r[i].uid;
		to[i] = b.id;
	}
	assert_int_equal(store_msgs_flag(st, a, b.id, uid, 2, STORE_FLAG_SET,
	    STORE_SEEN | STORE_DELETED | label, UINT64_MAX, NULL, NULL, NULL),
	    0);
	assert_int_equal(store_usage(st, &before), 0);
	assert_int_equal(store_msgs_expunge(st, a, b.id, NULL, 0, NULL, NULL,
	    NULL), 0);
	assert_int_equal(store_msgs_remove(st, a, b.id, uid + 2, 1, NULL), 0);
	assert_int_equal(store_usage(st, &u), 0);
	assert_int_equal(u.messages, before.messages - 3);
	assert_true(u.size < before.size);
	assert_true(store_idle(st, true) >= 0);
	assert_int_equal(store_gone_list(st, a, &g, &n), 0);
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(g[i].email, r[i].email);
		assert_int_equal(g[i].uid, r[i].uid);
		assert_int_equal(g[i].size, r[i].size);
		assert_int_equal(g[i].flags, i < 2 ? STORE_SEEN | label : 0);
		assert_true(slice_eq(g[i].path, SLICE_LIT("INBOX")));
		assert_false(g[i].mailbox_gone);
	}
	to[1] = 12345;
	assert_int_equal(store_undelete(st, g, to, 2, back, rc), 0);
	assert_int_equal(rc[0], 0);
	assert_int_equal(rc[1], STORE_E_NOTFOUND);
	assert_true(back[0].uid > uid[2] && back[0].email != r[0].email);
	assert_int_equal(store_email_get(st, a, back[0].email, &e), 0);
	assert_int_equal(e.flags, STORE_SEEN | label);
	assert_int_equal(e.received_at, g[0].received_at);
	assert_memory_equal(e.blob.h, r[0].blob.h, sizeof(e.blob.h));
	assert_sound(st);
	/* Not twice, though it was listed before. */
	assert_int_equal(store_undelete(st, g, to, 1, back, rc), 0);
	assert_int_equal(rc[0], STORE_E_NOTFOUND);
	assert_int_equal(store_gone_list(st, a, &again, &n), 0);
	assert_int_equal(n, 2);
	/* No room. */
	assert_int_equal(store_quota_set(st, 1, 0), 0);
	assert_int_equal(store_undelete(st, g + 2, to + 2, 1, back, rc), 0);
	assert_int_equal(rc[0], STORE_E_QUOTA);
	assert_int_equal(store_quota_set(st, 0, 0), 0);
	assert_sound(st);
	/* When the time is over, nothing of it is left. */
	conf.clock_offset += 7 * 86400 + 10;
	assert_true(store_idle(st, true) >= 0);
	assert_int_equal(store_gone_list(st, a, &again, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_undelete(st, g + 2, to + 2, 1, back, rc), 0);
	assert_int_equal(rc[0], STORE_E_NOTFOUND);
	assert_sound(st);
	conf.clock_offset = 0;
	store_close(&st);
	arena_free(&a);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_restore, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_swept_meanwhile, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_undelete, setup,
		    teardown),
	};

	random_bytes(&seed, sizeof(seed));
	if (argc > 1)
		seed = (uint32_t)strtoul(argv[1], NULL, 10);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
