/*
 * t/formats/mkaccount.c - makes the stored sample account of this format
 *
 * Usage: mkaccount DIR, which must not exist.  Makes DIR/sample and
 * DIR/expected.txt.
 */
#include "config.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv.h"
#include "libstore/rows.h"
#include "t/formats/sample.h"

enum { DAY = 86400 };

static struct store_conf conf = { .engine = "bdb", .any_fs = true };
static struct store *st;
static struct arena *a;

static void
must(int rc, const char *what)
{
	if (rc < 0)
		errx(1, "%s: %s (%s)", what, store_error(rc)->text,
		    st ? store_errmsg(st) : "");
}

static uint64_t
box(const char *path)
{
	struct store_mailbox m;

	must(store_mailbox_find(st, a, slice_str(path), &m), path);
	return m.id;
}

static struct store_spool *
spool(const char *text, bool message)
{
	struct store_spool *sp = store_spool_new(&conf, message, 0);

	must(store_spool_add(sp, text, strlen(text)), "spool");
	must(store_spool_done(sp), "spool");
	return sp;
}

static struct store_added
add(const char *text, const uint64_t *mb, size_t n, uint64_t flags)
{
	struct store_new v = {
		.mailboxes = mb, .n_mailboxes = n, .flags = flags,
		.received_at = 1000000000
	};
	struct store_added r;

	v.spool = spool(text, true);
	must(store_email_add(st, &v, 1, &r, NULL), "add");
	store_spool_free(&v.spool);
	return r;
}

static void
mail(uint64_t mb, int from, int to, uint64_t flags)
{
	for (int i = from; i < to; i++) {
		char *text = xasprintf("From: a@example.org\r\n"
		    "Message-ID: <%d@example.org>\r\n%s"
		    "Subject: %snumber %d\r\n\r\nText %d, caf\303\251.\r\n", i,
		    i % 3 == 2 ? "References: <1@example.org>\r\n" : "",
		    i % 2 ? "Re: " : "", i % 3 == 2 ? 1 : i, i);

		add(text, &mb, 1, i % 4 ? flags : flags | STORE_SEEN);
		xfree(text);
	}
}

static void
upload(const char *text)
{
	struct store_spool *sp = spool(text, false);
	struct store_blobid id;

	must(store_upload(st, sp, &id), "upload");
	store_spool_free(&sp);
}

static void
flag(uint64_t mb, uint32_t uid, enum store_flag_op op, uint64_t flags)
{
	must(store_msgs_flag(st, a, mb, &uid, 1, op, flags, UINT64_MAX, NULL,
	    NULL, NULL), "flag");
}

/* A blob that has a pack of its own, but needs little room. */
static void
big(uint64_t mb)
{
	size_t n = 5 << 20;
	char *text = xmalloc(n + 1);

	for (size_t i = 0; i < n; i += 64)
		memcpy(text + i, "All work and no play makes Jack a dull boy; "
		    "this line is 64 l.\r\n", 64);
	memcpy(text, "Subject: big\r\n\r\n", 16);
	text[n] = '\0';
	add(text, &mb, 1, 0);
	xfree(text);
}

static void
first_half(uint64_t inbox)
{
	uint32_t gone[] = { 3, 4 }, some[] = { 1, 2, 5, 8 };
	uint64_t both[2] = { inbox, box("Archive") }, id, bit;

	must(store_quota_set(st, 100 << 20, 10000), "quota");
	mail(inbox, 0, 24, 0);
	add("Message-ID: <both@example.org>\r\nSubject: both\r\n\r\n", both, 2,
	    STORE_FLAGGED);
	big(both[1]);
	must(store_keyword_bit(st, slice_str("$Forwarded"), true, &bit), "key");
	flag(inbox, 5, STORE_FLAG_ADD, bit | STORE_ANSWERED);
	must(store_keyword_bit(st, slice_str("project-x"), true, &bit), "key");
	flag(inbox, 6, STORE_FLAG_SET, bit);
	must(store_msgs_copy(st, a, inbox, some, 4, both[1], false, NULL, NULL,
	    NULL), "copy");
	must(store_msgs_remove(st, a, inbox, gone, 2, NULL), "remove");
	upload("An upload, soon to be swept.\n");
	must(store_mailbox_create_path(st, slice_str("old/deep/er"),
	    STORE_ROLE_NONE, &id), "create");
	mail(id, 30, 33, STORE_SEEN);
	must(store_mailbox_destroy(st, id, true), "destroy");
	/* Sweeps what was destroyed, and the upload. */
	conf.clock_offset = 8 * DAY;
	must(store_idle(st, true), "idle");
	mail(inbox, 40, 44, 0);
	must(store_msgs_remove(st, a, inbox, some, 1, NULL), "remove");
	must(store_idle(st, true), "idle");
}

static void
second_half(uint64_t inbox)
{
	uint32_t some[] = { 6, 7, 9 };
	uint64_t trash = box("Trash"), id;

	mail(inbox, 60, 66, 0);
	must(store_msgs_copy(st, a, inbox, some, 3, trash, true, NULL, NULL,
	    NULL), "move");
	flag(inbox, 10, STORE_FLAG_ADD, STORE_DELETED);
	flag(inbox, 11, STORE_FLAG_ADD, STORE_DELETED | STORE_FLAGGED);
	flag(inbox, 10, STORE_FLAG_DEL, STORE_DELETED);
	upload("An upload that stays.\n");
	must(store_mailbox_create_path(st, slice_str("work/caf\303\251"),
	    STORE_ROLE_NONE, &id), "create");
	mail(id, 70, 72, STORE_DRAFT);
	must(store_mailbox_rename(st, id, slice_str("work/bar")), "rename");
}

/* What only a process that died leaves behind: a job. */
static void
job(const char *dir, uint64_t mailbox)
{
	struct kv_conf kc = { .engine = "bdb", .any_fs = true };
	struct row_key k = row_key_u64(ROW_K_JOB, mailbox);
	struct kv_txn *t;
	struct kv *kv;
	struct buf b;
	uint64_t modseq;

	buf_init(&b, 64);
	row_u32_put(&b, 0);
	must(kv_open(&kc, dir, 0, &kv), "job");
	must(kv_begin(kv, KV_RW, &t), "job");
	must(kv_put(t, row_key(&k), buf_slice(&b)), "job");
	must(kv_commit(&t, &modseq), "job");
	kv_close(&kv);
	buf_release(&b);
}

int
main(int argc, char **argv)
{
	static const struct store_folder folders[] = {
		{ "Archive", STORE_ROLE_ARCHIVE }, { "Trash", STORE_ROLE_TRASH }
	};
	uint64_t inbox, trash;
	char *dir, *expected;
	struct buf b;

	if (argc != 2)
		errx(2, "usage: mkaccount DIR");
	if (mkdir(argv[1], 0777) < 0)
		err(1, "%s", argv[1]);
	conf.mail_dir = argv[1];
	conf.folders = folders;
	conf.n_folders = 2;
	a = arena_new(0);
	must(store_account_create(&conf, SAMPLE_NAME), "create");
	must(store_open(&conf, SAMPLE_NAME, &st), "open");
	inbox = box("INBOX");
	trash = box("Trash");
	first_half(inbox);
	second_half(inbox);
	store_close(&st);
	dir = xasprintf("%s/" SAMPLE_NAME, argv[1]);
	job(dir, trash);
	must(store_open(&conf, SAMPLE_NAME, &st), "open");
	buf_init(&b, 4 << 20);
	must(sample_dump(st, &b), "dump");
	store_close(&st);
	expected = xasprintf("%s/expected.txt", argv[1]);
	if (io_replace(expected, buf_slice(&b), 0644) < 0)
		err(1, "%s", expected);
	xfree(expected);
	expected = xasprintf("%s/.reserve", argv[1]);
	(void)unlink(expected);
	xfree(expected);
	xfree(dir);
	buf_release(&b);
	arena_free(&a);
	return 0;
}
