/* t/unit/test-store-full.c - deleting gives space back on a disk without any */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libstore/store.h"

enum { SIZE = 16 << 20, MESSAGE = 50 * 1024, MESSAGES = 80, DAY = 86400 };

static char dir[] = "/tmp/culver-full.XXXXXX";
static struct store_conf conf;
static struct store *st;

/* ---- the file system ---------------------------------------------------- */

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = io_write_full(fd, text, strlen(text));
	close(fd);
	return rc;
}

/* A small one on dir, which ends with this process.  -1: not allowed. */
static int
mount_small(void)
{
	char uid[60], gid[60], opt[40];

	snprintf(uid, sizeof(uid), "0 %ld 1", (long)getuid());
	snprintf(gid, sizeof(gid), "0 %ld 1", (long)getgid());
	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
		put("/proc/self/setgroups", "deny") < 0 ||
		put("/proc/self/uid_map", uid) < 0 ||
		put("/proc/self/gid_map", gid) < 0))
		return -1;
	snprintf(opt, sizeof(opt), "size=%d", SIZE);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("none", dir, "tmpfs", 0, opt);
}

static uint64_t
space(void)
{
	struct statvfs v;

	assert_int_equal(statvfs(dir, &v), 0);
	return (uint64_t)v.f_bavail * v.f_frsize;
}

/* Somebody else takes the rest. */
static void
fill(void)
{
	static char buf[4096];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/.fill", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (io_write(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	assert_int_equal(space(), 0);
}

static bool
there(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* ---- mail --------------------------------------------------------------- */

/* A message that can't be compressed. */
static int
deliver(void)
{
	static char text[MESSAGE];
	struct store_spool *sp = store_spool_new(&conf, true, 0);
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	struct store_new v = { .spool = sp, .mailboxes = &mb.id,
		.n_mailboxes = 1 };
	int rc;

	random_bytes(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(text[i] | 0x80);
	memcpy(text, "Subject: x\r\n\r\n", 14);
	rc = store_spool_add(sp, text, sizeof(text));
	if (rc == 0)
		rc = store_spool_done(sp);
	if (rc == 0)
		rc = store_mailbox_find(st, a, SLICE_LIT("INBOX"), &mb);
	if (rc == 0)
		rc = store_email_add(st, &v, 1, NULL, NULL);
	store_spool_free(&sp);
	arena_free(&a);
	return rc;
}

static uint64_t
inbox(void)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;

	assert_int_equal(store_mailbox_find(st, a, SLICE_LIT("INBOX"), &mb),
	    0);
	arena_free(&a);
	return mb.id;
}

static void
delete_all(void)
{
	struct arena *a = arena_new(0);
	uint32_t uids[MESSAGES], *gone;
	size_t n;

	for (uint32_t i = 0; i < MESSAGES; i++)
		uids[i] = i + 1;
	assert_int_equal(store_msgs_flag(st, a, inbox(), uids, MESSAGES,
	    STORE_FLAG_ADD, STORE_DELETED, UINT64_MAX, NULL, NULL, NULL), 0);
	assert_int_equal(store_msgs_expunge(st, a, inbox(), NULL, 0, &gone, &n,
	    NULL), 0);
	assert_int_equal(n, MESSAGES);
	arena_free(&a);
}

static void
print_fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# fault: %s\n", text);
}

static void
test_space(void **state)
{
	size_t n = 0;

	(void)state;
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(deliver(), 0);
	assert_true(store_idle(st, false) >= 0);
	assert_true(there(".reserve"));
	fill();
	assert_int_equal(deliver(), STORE_E_NOSPACE);
	/* There is nothing that it could do, and no harm. */
	(void)store_idle(st, true);
	assert_true(space() < 2 << 20);
	delete_all();
	/* Some day it is really deleted, still without an octet free. */
	conf.clock_offset += 30 * DAY;
	fill();
	for (int i = 0; i < 3; i++)
		assert_true(store_idle(st, true) >= 0);
	assert_true(space() > (uint64_t)MESSAGES * MESSAGE * 3 / 4);
	assert_true(there(".reserve"));
	assert_int_equal(deliver(), 0);
	assert_int_equal(store_check(st, true, print_fault, NULL, &n), 0);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_space),
	};
	int rc;

	(void)log_open("test", "/dev/null", LOG_L_ERR);
	if (mkdtemp(dir) == NULL || mount_small() < 0) {
		printf("1..0 # SKIP no file system can be mounted: %s\n",
		    strerror(errno));
		(void)rmdir(dir);
		return 0;
	}
	conf.mail_dir = dir;
	if (store_account_create(&conf, "alice") < 0 ||
	    store_open(&conf, "alice", &st) < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	store_close(&st);
	(void)umount2(dir, MNT_DETACH);
	(void)rmdir(dir);
	return rc;
}
