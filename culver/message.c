/* culver/message.c - culver message: a query in one mailbox or all */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "culver/message.h"
#include "libbase/xalloc.h"

enum { COMMAND_MOST = 1024 * 1024, SET_MOST = 64 * 1024 * 1024 };

/* ---- the query --------------------------------------------------------- */

static bool
has_any(const char *s, const char *any)
{
	return s[strcspn(s, any)] != '\0';
}

/*
 * A single argument is the query as it stands.  Of several each is a word, or,
 * with blanks or octets that an atom can't have, a string: SUBJECT "two words"
 * needs no quotes beside the shell's.
 */
static int
put_query(struct buf *b, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool raw = n == 1 || v[i][0] == '(' || v[i][0] == '"' ||
		    (v[i][0] != '\0' && !has_any(v[i], " \"\\{%()"));

		for (const char *p = v[i]; *p != '\0'; p++)
			raw = raw && ((unsigned char)*p < 0x80 || n == 1);
		if (i > 0)
			buf_addc(b, ' ');
		if (!raw) {
			imapc_put_string(b, slice_str(v[i]));
		} else if (has_any(v[i], "\r\n")) {
			complain("a query has no line ends");
			return -1;
		} else {
			buf_add_str(b, v[i]);
		}
	}
	return b->overflow ? -1 : 0;
}

int
message_do(struct message_job *j, const char *command)
{
	return imapc_command(j->m, slice_str(command), NULL, NULL);
}

/* "* ESEARCH (TAG "c3") UID ALL 1:4,9 COUNT 5" */
static void
on_search(void *arg, struct slice s)
{
	struct message_job *j = arg;
	struct slice word, last = { NULL, 0 };

	if (!slice_starts(s, SLICE_LIT("* ESEARCH ")))
		return;
	while (s.n > 0) {
		word = slice_cut(&s, ' ');
		if (slice_eq(last, SLICE_LIT("COUNT")))
			(void)slice_uint(word, UINT32_MAX, &j->found);
		if (slice_eq(last, SLICE_LIT("ALL"))) {
			buf_reset(&j->set);
			buf_add_slice(&j->set, word);
		}
		last = word;
	}
}

static int
search(struct message_job *j)
{
	struct buf b;
	int rc;

	j->found = 0;
	buf_reset(&j->set);
	buf_init(&b, COMMAND_MOST);
	buf_add_str(&b, "UID SEARCH RETURN (SAVE COUNT ALL) ");
	buf_add_slice(&b, buf_slice(&j->query));
	rc = imapc_command(j->m, buf_slice(&b), on_search, j);
	buf_release(&b);
	return rc;
}

/* ---- mailboxes --------------------------------------------------------- */

static int
in_mailbox(struct message_job *j, struct slice path, bool read_only,
    message_fn fn)
{
	struct buf b;
	int rc;

	buf_init(&b, COMMAND_MOST);
	buf_add_str(&b, read_only ? "EXAMINE " : "SELECT ");
	imapc_put_string(&b, path);
	rc = imapc_command(j->m, buf_slice(&b), NULL, NULL);
	buf_release(&b);
	if (rc == 0)
		rc = search(j);
	if (rc == 0 && j->found > 0)
		rc = fn(j, path);
	return rc;
}

/* The account's own mailboxes, in order. */
static int
in_all(struct message_job *j, struct culver *c, bool read_only, message_fn fn)
{
	struct arena *ar = arena_new(0);
	struct store_mailbox *mb;
	struct store *st = NULL;
	struct slice path;
	size_t n = 0;
	int code, rc = 0;

	code = account_open(c, j->account, &st);
	if (code == 0 && (rc = store_mailbox_list(st, ar, &mb, &n)) < 0)
		code = complain_store(j->account, rc, st);
	for (size_t i = 0; code == 0 && i < n; i++) {
		if ((rc = store_mailbox_path(st, ar, mb[i].id, &path)) < 0)
			code = complain_store(j->account, rc, st);
		else if (in_mailbox(j, path, read_only, fn) < 0)
			code = EXIT_PERM;
	}
	store_close(&st);
	arena_free(&ar);
	return code;
}

int
message_run(struct culver *c, const struct args *a, bool json, size_t first,
    bool read_only, message_fn fn)
{
	struct message_job j = { .a = a, .rows.json = json };
	char *account = account_name(slice_str(a->pos[0]));
	int code = EXIT_PERM;

	buf_init(&j.query, COMMAND_MOST / 2);
	buf_init(&j.set, SET_MOST);
	j.account = account;
	if (!account || put_query(&j.query, a->pos + first, a->n - first) < 0)
		goto out;
	if ((code = imapc_local(c, account, &j.m)) != 0)
		goto out;
	if (strcmp(a->pos[1], "*") == 0)
		code = in_all(&j, c, read_only, fn);
	else if (in_mailbox(&j, slice_str(a->pos[1]), read_only, fn) < 0)
		code = EXIT_PERM;
	imapc_close(&j.m);
	rows_end(&j.rows);
out:
	buf_release(&j.query);
	buf_release(&j.set);
	xfree(account);
	return code;
}

void
message_tell(struct message_job *j, struct slice mailbox)
{
	json_t *o;

	if (!j->rows.json) {
		printf("%8llu  ", (unsigned long long)j->found);
		put_clean(mailbox);
		putchar('\n');
		return;
	}
	o = json_object();
	row_text(o, "mailbox", mailbox);
	row_u64(o, "messages", j->found);
	rows_put(&j->rows, o);
}
