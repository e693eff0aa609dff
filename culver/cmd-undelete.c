/* culver/cmd-undelete.c - culver undelete: expunged mail comes back */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libmime/mime.h"

enum { O_MAILBOX, O_SINCE, O_BEFORE, O_SEARCH, O_INTO, O_LIST, O_JSON };

static const struct opt opts[] = {
	{ "mailbox", "PATH", "what was in this mailbox" },
	{ "since", "TIME", "what was deleted since then" },
	{ "before", "TIME", "what was deleted before" },
	{ "search", "TEXT", "with this text in any header or in the text" },
	{ "into", "PATH", "into this mailbox, which is made if need be" },
	{ "list", NULL, "only tell what could be brought back" },
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

struct undeleting {
	struct rows rows;
	struct store *st;
	struct arena *a, *tmp;
	struct slice mailbox;
	int64_t since, before;
	struct mime_needle *needle;
	struct store_gone *g;
	size_t n;
	int code;
};

static int
parse(struct undeleting *u, const struct args *a)
{
	u->since = INT64_MIN;
	u->before = INT64_MAX;
	u->mailbox = slice_str(a->val[O_MAILBOX] ? a->val[O_MAILBOX] : "");
	if ((a->val[O_SINCE] &&
	    args_time(&opts[O_SINCE], a->val[O_SINCE], &u->since) < 0) ||
	    (a->val[O_BEFORE] &&
	    args_time(&opts[O_BEFORE], a->val[O_BEFORE], &u->before) < 0))
		return -1;
	if (a->val[O_SEARCH] && mime_needle_new(slice_str(a->val[O_SEARCH]),
	    u->a, &u->needle) < 0) {
		complain("--search: not UTF-8");
		return -1;
	}
	return 0;
}

/* ---- choosing ----------------------------------------------------------- */

static bool
path_fits(struct slice want, struct slice path)
{
	/* INBOX is that in any case. */
	return want.n == 0 || slice_eq(want, path) ||
	    (slice_ieq(want, SLICE_LIT("INBOX")) &&
	    slice_ieq(path, SLICE_LIT("INBOX")));
}

static int
text_fits(struct undeleting *u, const struct store_gone *g)
{
	struct store_blob *b = NULL;
	struct mime_msg *m;
	struct slice raw;
	int rc;

	if (!u->needle)
		return 1;
	if ((rc = store_email_mime(u->st, u->tmp, g->ref, &m)) < 0 ||
	    (rc = store_blob_open_ref(u->st, g->ref, &b)) < 0 ||
	    (rc = store_blob_octets(b, &raw)) < 0)
		goto out;
	rc = mime_needle_in_msg(u->needle, m, raw, true);
out:
	store_blob_close(&b);
	return rc;
}

/* Leaves those in u->g that are asked for. */
static int
choose(struct undeleting *u)
{
	size_t k = 0;
	int rc;

	for (size_t i = 0; i < u->n; i++) {
		const struct store_gone *g = &u->g[i];

		if (g->gone_at < u->since || g->gone_at >= u->before ||
		    !path_fits(u->mailbox, g->path))
			continue;
		arena_reset(u->tmp);
		if ((rc = text_fits(u, g)) < 0)
			return rc;
		if (rc == 1)
			u->g[k++] = *g;
	}
	u->n = k;
	return 0;
}

/* ---- telling ------------------------------------------------------------ */

static void
put_address(struct undeleting *u, const struct mime_addrs *l)
{
	if (l->n == 0 || l->a[0].kind != MIME_ADDR)
		fputs("(nobody)", stdout);
	else
		put_clean(mime_addr_email(&l->a[0], u->tmp));
}

static void
put_row(struct undeleting *u, const struct store_gone *g, struct slice path)
{
	json_t *o = json_object();
	struct mime_msg *m;

	row_time(o, "goneAt", g->gone_at);
	row_text(o, "mailbox", path);
	if (store_email_mime(u->st, u->tmp, g->ref, &m) == 0 && m->root->env) {
		const struct mime_addrs *l = &m->root->env->from;

		if (l->n > 0 && l->a[0].kind == MIME_ADDR)
			row_text(o, "from", mime_addr_email(&l->a[0], u->tmp));
		row_text(o, "subject", mime_words_decode(u->tmp,
		    m->root->env->subject));
	}
	rows_put(&u->rows, o);
}

/* One line: when it went, from where, from whom, what about. */
static void
tell(struct undeleting *u, const struct store_gone *g, struct slice path)
{
	struct mime_msg *m;

	arena_reset(u->tmp);
	if (u->rows.json) {
		put_row(u, g, path);
		return;
	}
	put_time(g->gone_at);
	putchar(' ');
	put_clean(path.n ? path : SLICE_LIT("(unknown)"));
	if (store_email_mime(u->st, u->tmp, g->ref, &m) == 0 && m->root->env) {
		fputs(": ", stdout);
		put_address(u, &m->root->env->from);
		fputs(": ", stdout);
		put_clean(mime_words_decode(u->tmp, m->root->env->subject));
	}
	putchar('\n');
}

/* ---- bringing back ------------------------------------------------------ */

/* The mailbox of that path, made if it isn't there. */
static int
target(struct undeleting *u, struct slice path, uint64_t *id_r)
{
	struct store_mailbox mb;
	int rc;

	if (path.n == 0)
		path = SLICE_LIT("INBOX");
	rc = store_mailbox_find(u->st, u->a, path, &mb);
	if (rc == 0)
		*id_r = mb.id;
	if (rc == STORE_E_NOTFOUND)
		rc = store_mailbox_create_path(u->st, path, STORE_ROLE_NONE,
		    id_r);
	return rc;
}

static int
bring_back(struct undeleting *u, const char *into)
{
	struct store_added *added = arena_calloc(u->a, u->n, sizeof(*added));
	uint64_t *mb = arena_calloc(u->a, u->n, sizeof(*mb));
	int *rcs = arena_calloc(u->a, u->n, sizeof(*rcs)), rc;
	size_t done = 0;

	for (size_t i = 0; i < u->n; i++) {
		mb[i] = u->g[i].mailbox;
		if ((into || u->g[i].mailbox_gone) &&
		    (rc = target(u, into ? slice_str(into) : u->g[i].path,
		    &mb[i])) < 0)
			return rc;
	}
	if ((rc = store_undelete(u->st, u->g, mb, u->n, added, rcs)) < 0)
		return rc;
	for (size_t i = 0; i < u->n; i++) {
		struct slice path = u->g[i].path;

		if (rcs[i] == STORE_E_NOTFOUND)
			continue;	/* by another one just now */
		if (rcs[i] < 0) {
			u->code = worse(u->code,
			    complain_store(store_account_name(u->st), rcs[i],
			    NULL));
			continue;
		}
		if (store_mailbox_path(u->st, u->a, mb[i], &path) < 0)
			path = u->g[i].path;
		tell(u, &u->g[i], path);
		done++;
	}
	if (!u->rows.json)
		printf("%zu brought back\n", done);
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct undeleting u = { .rows.json = a->val[O_JSON] != NULL };
	int rc;

	if ((rc = account_open(c, a->pos[0], &u.st)) != 0)
		return rc;
	u.a = arena_new(0);
	u.tmp = arena_new(0);
	if (parse(&u, a) < 0) {
		u.code = EXIT_PERM;
		goto out;
	}
	if ((rc = store_gone_list(u.st, u.a, &u.g, &u.n)) < 0 ||
	    (rc = choose(&u)) < 0)
		goto failed;
	if (a->val[O_LIST]) {
		for (size_t i = 0; i < u.n; i++)
			tell(&u, &u.g[i], u.g[i].path);
		if (!u.rows.json)
			printf("%zu can be brought back\n", u.n);
	} else
		rc = bring_back(&u, a->val[O_INTO]);
	rows_end(&u.rows);
failed:
	if (rc < 0)
		u.code = complain_store(store_account_name(u.st), rc, u.st);
out:
	arena_free(&u.a);
	arena_free(&u.tmp);
	store_close(&u.st);
	return u.code;
}

const struct command cmd_undelete = {
	"undelete", "ACCOUNT", "bring expunged mail back",
	opts, 1, 1, run
};
