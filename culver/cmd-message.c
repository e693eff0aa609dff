/* culver/cmd-message.c - culver message search, flag, move, copy, expunge */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "culver/message.h"

enum { O_JSON, O_ADD, O_REMOVE, O_SET };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};
static const struct opt flag_opts[] = {
	{ "json", NULL, "tell the counts as a JSON array" },
	{ "add", "FLAGS", "e.g. '\\Seen $Work'" },
	{ "remove", "FLAGS", "these" },
	{ "set", "FLAGS", "these, and no others" },
	{ NULL, NULL, NULL }
};

/* ---- search ------------------------------------------------------------ */

static void
put_uid(struct message_job *j, struct slice mailbox, uint32_t uid)
{
	json_t *o;

	if (!j->rows.json) {
		printf("%u\t", uid);
		put_clean(mailbox);
		putchar('\n');
		return;
	}
	o = json_object();
	row_text(o, "mailbox", mailbox);
	row_u64(o, "uid", uid);
	rows_put(&j->rows, o);
}

/* "1:4" or "9"; -1: it is neither. */
static int
range(struct slice s, uint64_t *from_r, uint64_t *to_r)
{
	const char *colon = memchr(s.p, ':', s.n);
	size_t n = colon ? (size_t)(colon - s.p) : s.n;

	if (slice_uint(slice_make(s.p, n), UINT32_MAX, from_r) < 0)
		return -1;
	*to_r = *from_r;
	return colon ? slice_uint(slice_make(colon + 1, s.n - n - 1),
	    UINT32_MAX, to_r) : 0;
}

static int
do_search(struct message_job *j, struct slice mailbox)
{
	struct slice set = buf_slice(&j->set);

	while (set.n > 0) {
		uint64_t from, to;

		if (range(slice_cut(&set, ','), &from, &to) < 0)
			return -1;
		for (; from <= to; from++)
			put_uid(j, mailbox, (uint32_t)from);
	}
	return 0;
}

static int
run_search(struct culver *c, const struct args *a)
{
	return message_run(c, a, a->val[O_JSON] != NULL, 2, true, do_search);
}

/* ---- flags ------------------------------------------------------------- */

static int
store_flags(struct message_job *j, const char *sign, const char *flags)
{
	struct buf b;
	int rc;

	if (!flags)
		return 0;
	buf_init(&b, 65536);
	buf_printf(&b, "UID STORE $ %sFLAGS.SILENT (%s)", sign, flags);
	rc = imapc_command(j->m, buf_slice(&b), NULL, NULL);
	buf_release(&b);
	return rc;
}

static int
do_flag(struct message_job *j, struct slice mailbox)
{
	const char *const *val = j->a->val;

	if (store_flags(j, "", val[O_SET]) < 0 ||
	    store_flags(j, "+", val[O_ADD]) < 0 ||
	    store_flags(j, "-", val[O_REMOVE]) < 0)
		return -1;
	message_tell(j, mailbox);
	return 0;
}

static int
run_flag(struct culver *c, const struct args *a)
{
	bool any = false;

	for (int i = O_ADD; i <= O_SET; i++) {
		any = any || a->val[i];
		if (a->val[i] && a->val[i][strcspn(a->val[i], "\r\n()\"{")]) {
			complain("--%s: flags like \\Seen and keywords, with "
			    "blanks between", flag_opts[i].name);
			return EXIT_PERM;
		}
	}
	if (!any) {
		complain("give --add, --remove or --set");
		return EXIT_PERM;
	}
	return message_run(c, a, a->val[O_JSON] != NULL, 2, false, do_flag);
}

/* ---- move, copy, expunge ----------------------------------------------- */

static int
transfer(struct message_job *j, struct slice mailbox, const char *command)
{
	struct buf b;
	int rc;

	buf_init(&b, 65536);
	buf_printf(&b, "%s $ ", command);
	imapc_put_string(&b, slice_str(j->a->pos[2]));
	rc = imapc_command(j->m, buf_slice(&b), NULL, NULL);
	buf_release(&b);
	if (rc == 0)
		message_tell(j, mailbox);
	return rc;
}

static int
do_move(struct message_job *j, struct slice mailbox)
{
	/* All mailboxes into one of them: what is there stays. */
	if (slice_eq(mailbox, slice_str(j->a->pos[2])))
		return 0;
	return transfer(j, mailbox, "UID MOVE");
}

static int
do_copy(struct message_job *j, struct slice mailbox)
{
	if (j->a->pos[1][0] == '*' &&
	    slice_eq(mailbox, slice_str(j->a->pos[2])))
		return 0;
	return transfer(j, mailbox, "UID COPY");
}

static int
do_expunge(struct message_job *j, struct slice mailbox)
{
	if (message_do(j, "UID STORE $ +FLAGS.SILENT (\\Deleted)") < 0 ||
	    message_do(j, "UID EXPUNGE $") < 0)
		return -1;
	message_tell(j, mailbox);
	return 0;
}

static int
run_move(struct culver *c, const struct args *a)
{
	return message_run(c, a, a->val[O_JSON] != NULL, 3, false, do_move);
}

static int
run_copy(struct culver *c, const struct args *a)
{
	return message_run(c, a, a->val[O_JSON] != NULL, 3, false, do_copy);
}

static int
run_expunge(struct culver *c, const struct args *a)
{
	return message_run(c, a, a->val[O_JSON] != NULL, 2, false,
	    do_expunge);
}

const struct command cmd_message_search = {
	"message search", "ACCOUNT MAILBOX QUERY ...",
	"find messages by IMAP's SEARCH", opts, 3, SIZE_MAX, run_search
};
const struct command cmd_message_flag = {
	"message flag", "ACCOUNT MAILBOX QUERY ...",
	"change flags and keywords", flag_opts, 3, SIZE_MAX, run_flag
};
const struct command cmd_message_move = {
	"message move", "ACCOUNT MAILBOX TO QUERY ...",
	"move to another mailbox", opts, 4, SIZE_MAX, run_move
};
const struct command cmd_message_copy = {
	"message copy", "ACCOUNT MAILBOX TO QUERY ...",
	"copy to another mailbox", opts, 4, SIZE_MAX, run_copy
};
const struct command cmd_message_expunge = {
	"message expunge", "ACCOUNT MAILBOX QUERY ...",
	"remove for good", opts, 3, SIZE_MAX, run_expunge
};
