/* culver/cmd-message-save.c - culver message save: one from standard input */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/io.h"

enum { O_JSON, O_SEEN, O_FLAGGED, O_DRAFT, O_DATE };

static const struct opt opts[] = {
	{ "json", NULL, "tell uid and id as a JSON array" },
	{ "seen", NULL, "it is read" },
	{ "flagged", NULL, "it is marked" },
	{ "draft", NULL, "it is a draft" },
	{ "date", "TIME", "when it came; now by default" },
	{ NULL, NULL, NULL }
};

/* 0 or a result of the store. */
static int
take(struct store_spool *sp)
{
	char buf[65536];
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = io_read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		rc = store_spool_add(sp, buf, (size_t)n);
	if (rc == 0 && n < 0) {
		complain("standard input: %s", strerror(errno));
		return STORE_E_IO;
	}
	if (rc == 0)
		rc = store_spool_done(sp);
	if (rc == 0 && store_spool_size(sp) == 0) {
		complain("standard input is empty");
		return STORE_E_INVALID;
	}
	return rc;
}

static void
tell(const struct args *a, const struct store_added *added)
{
	struct rows r = { .json = true };
	char id[STORE_ID_TEXT];
	json_t *o;

	if (!a->val[O_JSON])
		return;
	o = json_object();
	row_text(o, "mailbox", slice_str(a->pos[1]));
	row_u64(o, "uid", added->uid);
	json_object_set_new(o, "id",
	    json_string(store_id_text('E', added->email, id)));
	rows_put(&r, o);
	rows_end(&r);
}

static int
save(struct culver *c, struct store *st, const struct args *a, int64_t date)
{
	struct store_spool *sp = store_spool_new(&c->store_conf, true, 0);
	struct arena *ar = arena_new(0);
	struct store_added added;
	struct store_mailbox mb;
	struct store_new nw = { .spool = sp, .mailboxes = &mb.id,
		.n_mailboxes = 1, .received_at = date };
	int rc;

	nw.flags = (a->val[O_SEEN] ? STORE_SEEN : 0) |
	    (a->val[O_FLAGGED] ? STORE_FLAGGED : 0) |
	    (a->val[O_DRAFT] ? STORE_DRAFT : 0);
	rc = store_mailbox_find(st, ar, slice_str(a->pos[1]), &mb);
	if (rc >= 0)
		rc = take(sp);
	if (rc >= 0)
		rc = store_email_add(st, &nw, 1, &added, NULL);
	if (rc >= 0)
		tell(a, &added);
	store_spool_free(&sp);
	arena_free(&ar);
	return rc;
}

static int
run(struct culver *c, const struct args *a)
{
	struct store *st = NULL;
	int64_t date = INT64_MIN;
	int code, rc;

	if (a->val[O_DATE] && args_time(&opts[O_DATE], a->val[O_DATE],
	    &date) < 0)
		return EXIT_PERM;
	if ((code = account_open(c, a->pos[0], &st)) != 0)
		return code;
	if ((rc = save(c, st, a, date)) < 0)
		code = complain_store(a->pos[1], rc, st);
	store_close(&st);
	return code;
}

const struct command cmd_message_save = {
	"message save", "ACCOUNT MAILBOX", "add a message, from standard "
	    "input", opts, 2, 2, run
};
