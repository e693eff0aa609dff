/* culver/cmd-quota.c - culver quota show, set, recalc */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/text.h"

enum { O_JSON, O_SIZE, O_MESSAGES };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};
static const struct opt set_opts[] = {
	{ "json", NULL, "tell the new limits as a JSON array" },
	{ "size", "OCTETS", "perhaps with K, M, G or T; 0: any" },
	{ "messages", "N", "that the account may have; 0: any" },
	{ NULL, NULL, NULL }
};

struct job {
	struct culver *c;
	struct rows rows;
	bool set_size, set_messages, recalc;
	uint64_t size, messages;
	struct progress pg;
};

/* ---- what there is ----------------------------------------------------- */

static void
put_limit(uint64_t v)
{
	if (v == 0)
		printf(" %14s", "-");
	else
		printf(" %14llu", (unsigned long long)v);
}

static void
tell(struct job *j, const char *name, const struct store_usage *u)
{
	json_t *o;

	if (!j->rows.json) {
		printf("%14llu", (unsigned long long)u->size);
		put_limit(u->size_limit);
		printf(" %10llu", (unsigned long long)u->messages);
		put_limit(u->message_limit);
		fputs("  ", stdout);
		put_clean(slice_str(name));
		putchar('\n');
		return;
	}
	o = json_object();
	row_text(o, "account", slice_str(name));
	row_u64(o, "size", u->size);
	row_limit(o, "sizeLimit", u->size_limit);
	row_u64(o, "messages", u->messages);
	row_limit(o, "messageLimit", u->message_limit);
	rows_put(&j->rows, o);
}

/* ---- counting anew ----------------------------------------------------- */

static int
count(void *arg, const struct store_msg_info *m)
{
	struct store_usage *u = arg;

	u->messages++;
	u->size += m->size;
	return 0;
}

static void
on_repair(void *arg, const char *text)
{
	complain("%s: %s", (const char *)arg, text);
}

/* Counts change with what they count, in one transaction: where they differ
 * the account is damaged, and repaired as a whole. */
static int
recalc(struct job *j, const char *name, struct store **st)
{
	struct store_usage was, is = { 0 };
	char *text;
	int rc;

	if ((rc = store_usage(*st, &was)) < 0 ||
	    (rc = store_email_scan(*st, 0, count, &is)) < 0)
		return rc;
	if (was.size == is.size && was.messages == is.messages)
		return 0;
	complain("%s: counts were wrong; the account is repaired", name);
	store_close(st);
	text = (char *)(uintptr_t)name;
	if ((rc = store_repair(&j->c->store_conf, name, on_repair, text)) < 0)
		return rc;
	return store_open(&j->c->store_conf, name, st);
}

/* ---- all --------------------------------------------------------------- */

static int
change(struct job *j, const char *name, struct store **st)
{
	struct store_usage u;
	int rc;

	if (j->recalc)
		return recalc(j, name, st);
	if (!j->set_size && !j->set_messages)
		return 0;
	if ((rc = store_usage(*st, &u)) < 0)
		return rc;
	return store_quota_set(*st, j->set_size ? j->size : u.size_limit,
	    j->set_messages ? j->messages : u.message_limit);
}

static int
one(struct job *j, const char *name)
{
	struct store *st = NULL;
	struct store_usage u;
	int rc, code = 0;

	rc = store_open(&j->c->store_conf, name, &st);
	if (rc == 0)
		rc = change(j, name, &st);
	if (rc == 0)
		rc = store_usage(st, &u);
	progress_clear(&j->pg);
	if (rc < 0)
		code = complain_store(name, rc, st);
	else
		tell(j, name, &u);
	store_close(&st);
	progress_add(&j->pg, 1, 1);
	return code;
}

static int
run(struct job *j, const struct args *a)
{
	struct names l = { NULL, 0, 0 };
	int code;

	j->rows.json = a->val[O_JSON] != NULL;
	code = a->n > 0 ? names_given(&l, a->pos, a->n) :
	    names_all(j->c, false, &l);
	if (!j->rows.json)
		puts("        octets          limit   messages          limit"
		    "  account");
	progress_start(&j->pg, l.n);
	for (size_t i = 0; i < l.n; i++)
		code = worse(code, one(j, l.v[i]));
	progress_clear(&j->pg);
	rows_end(&j->rows);
	names_release(&l);
	return code;
}

static int
run_show(struct culver *c, const struct args *a)
{
	struct job j = { .c = c };

	return run(&j, a);
}

static int
run_recalc(struct culver *c, const struct args *a)
{
	struct job j = { .c = c, .recalc = true };

	return run(&j, a);
}

/* "10G"; -1 after a complaint. */
static int
parse_size(const struct opt *o, const char *text, uint64_t *v_r)
{
	static const char units[] = "KMGT";
	struct slice s = slice_str(text);
	const char *unit = s.n > 0 ? strchr(units, s.p[s.n - 1]) : NULL;
	unsigned shift = 0;

	if (unit != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		s.n--;
	}
	if (slice_uint(s, (UINT64_C(1) << 62) >> shift, v_r) == 0) {
		*v_r <<= shift;
		return 0;
	}
	complain("--%s: a number of octets, perhaps with K, M, G or T, not "
	    "\"%s\"", o->name, text);
	return -1;
}

static int
run_set(struct culver *c, const struct args *a)
{
	struct job j = {
		.c = c,
		.set_size = a->val[O_SIZE] != NULL,
		.set_messages = a->val[O_MESSAGES] != NULL
	};

	if (!j.set_size && !j.set_messages) {
		complain("give --size, --messages or both");
		return EXIT_PERM;
	}
	if (j.set_size && parse_size(&set_opts[O_SIZE], a->val[O_SIZE],
	    &j.size) < 0)
		return EXIT_PERM;
	if (j.set_messages && args_uint(&set_opts[O_MESSAGES],
	    a->val[O_MESSAGES], 0, UINT32_MAX, &j.messages) < 0)
		return EXIT_PERM;
	return run(&j, a);
}

const struct command cmd_quota_show = {
	"quota show", "[ACCOUNT ...]", "what accounts have and may have",
	opts, 0, SIZE_MAX, run_show
};
const struct command cmd_quota_set = {
	"quota set", "ACCOUNT ...", "change what accounts may have",
	set_opts, 1, SIZE_MAX, run_set
};
const struct command cmd_quota_recalc = {
	"quota recalc", "[ACCOUNT ...]", "count anew what accounts have",
	opts, 0, SIZE_MAX, run_recalc
};
