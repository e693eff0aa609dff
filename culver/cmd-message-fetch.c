/* culver/cmd-message-fetch.c - culver message fetch: what messages are, have */
#include "config.h"

#include <stdio.h>

#include "culver/message.h"

enum { O_JSON, O_HEADER, O_BODY, O_RAW };
enum { JSON_BODY_MOST = 64 * 1024 * 1024 };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ "header", NULL, "with the header" },
	{ "body", NULL, "with the whole message" },
	{ "raw", NULL, "whole messages, and nothing else" },
	{ NULL, NULL, NULL }
};

struct fetching {
	struct message_job *j;
	struct slice mailbox;
	bool raw, text, began;
	struct buf octets;	/* of a message, for JSON */
};

static void
put_line(const char *name, struct slice v)
{
	printf("%s: ", name);
	put_clean(v);
	putchar('\n');
}

static void
put_head(struct fetching *f, const struct imapc_msg *m)
{
	if (f->began || f->raw || f->j->rows.json)
		return;
	f->began = true;
	put_line("mailbox", f->mailbox);
	printf("uid: %u\n", m->uid);
	put_line("flags", m->flags);
	put_line("date", m->date);
	printf("size: %llu\n", (unsigned long long)m->size);
	if (f->text)
		putchar('\n');
}

static int
on_body(void *arg, const struct imapc_msg *m, const char *p, size_t n)
{
	struct fetching *f = arg;

	put_head(f, m);
	if (f->j->rows.json)
		buf_add(&f->octets, p, n);
	else
		fwrite(p, 1, n, stdout);
	return 0;
}

static json_t *
flags_array(struct slice s)
{
	json_t *v = json_array();

	while (s.n > 0) {
		struct slice flag = slice_cut(&s, ' ');

		if (flag.n > 0)
			json_array_append_new(v, json_stringn(flag.p, flag.n));
	}
	return v;
}

static int
on_end(void *arg, const struct imapc_msg *m)
{
	struct fetching *f = arg;
	json_t *o;

	put_head(f, m);
	f->began = false;
	if (!f->j->rows.json) {
		if (!f->raw)
			putchar('\n');
		return ferror(stdout) ? -1 : 0;
	}
	if (f->octets.overflow) {
		complain("UID %u: too long for JSON; take --raw", m->uid);
		return -1;
	}
	o = json_object();
	row_text(o, "mailbox", f->mailbox);
	row_u64(o, "uid", m->uid);
	json_object_set_new(o, "flags", flags_array(m->flags));
	row_text(o, "date", m->date);
	row_u64(o, "size", m->size);
	if (f->text)
		row_text(o, "text", buf_slice(&f->octets));
	rows_put(&f->j->rows, o);
	buf_reset(&f->octets);
	return 0;
}

static int
do_fetch(struct message_job *j, struct slice mailbox)
{
	const char *const *val = j->a->val;
	struct fetching f = { .j = j, .mailbox = mailbox };
	struct imapc_fetch fn = { on_body, on_end, &f };
	struct buf b;
	int rc;

	f.raw = val[O_RAW] != NULL;
	f.text = f.raw || val[O_BODY] || val[O_HEADER];
	buf_init(&f.octets, JSON_BODY_MOST);
	buf_init(&b, 1024);
	buf_add_str(&b, "UID FETCH $ (UID FLAGS INTERNALDATE RFC822.SIZE");
	if (f.raw || val[O_BODY])
		buf_add_str(&b, " BODY.PEEK[]");
	else if (val[O_HEADER])
		buf_add_str(&b, " BODY.PEEK[HEADER]");
	buf_addc(&b, ')');
	rc = imapc_fetch(j->m, buf_slice(&b), &fn);
	buf_release(&b);
	buf_release(&f.octets);
	return rc;
}

static int
run(struct culver *c, const struct args *a)
{
	int given = 0;

	for (int i = O_HEADER; i <= O_RAW; i++)
		given += a->val[i] != NULL;
	if (given > 1 || (a->val[O_RAW] && a->val[O_JSON])) {
		complain("give one of --header, --body and --raw, the last "
		    "without --json");
		return EXIT_PERM;
	}
	return message_run(c, a, a->val[O_JSON] != NULL, 2, true, do_fetch);
}

const struct command cmd_message_fetch = {
	"message fetch", "ACCOUNT MAILBOX QUERY ...",
	"print messages, or what they are", opts, 3, SIZE_MAX, run
};
