/* culver/cmd-who.c - culver who, kick: sessions of IMAP and POP3 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/who.h"

enum { O_JSON, O_PROTOCOL, O_PID, O_ALL };

static const struct opt who_opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ "protocol", "NAME", "imap or pop3 only" },
	{ NULL, NULL, NULL }
};
static const struct opt kick_opts[] = {
	{ "json", NULL, "tell whom as a JSON array" },
	{ "protocol", "NAME", "imap or pop3 only" },
	{ "pid", "N", "the session of that process" },
	{ "all", NULL, "everybody" },
	{ NULL, NULL, NULL }
};

struct job {
	struct culver *c;
	struct names names;
	int protocol;		/* -1: any */
	uint64_t pid;		/* 0: any */
	bool kick;
	struct rows rows;
	size_t kicked;
	int code;
};

static bool
wanted(const struct job *j, const struct who *w)
{
	if ((j->protocol >= 0 && w->protocol != (uint32_t)j->protocol) ||
	    (j->pid != 0 && w->pid != (int64_t)j->pid))
		return false;
	for (size_t i = 0; i < j->names.n; i++)
		if (strcmp(j->names.v[i], w->account) == 0)
			return true;
	return j->names.n == 0;
}

static void
tell(struct job *j, const struct who *w)
{
	struct buf since;
	json_t *o;

	if (!j->rows.json) {
		printf("%7d  %s  ", w->pid, conf_protocol_name(w->protocol));
		put_time(w->since);
		printf("  %-24s  ", w->peer);
		put_clean(slice_str(w->account));
		putchar('\n');
		return;
	}
	buf_init(&since, 64);
	time_rfc3339(&since, w->since);
	o = json_object();
	row_u64(o, "pid", (uint64_t)w->pid);
	json_object_set_new(o, "protocol",
	    json_string(conf_protocol_name(w->protocol)));
	row_text(o, "since", buf_slice(&since));
	buf_release(&since);
	row_text(o, "peer", slice_str(w->peer));
	row_text(o, "account", slice_str(w->account));
	rows_put(&j->rows, o);
}

static int
one(void *arg, const struct who *w)
{
	struct job *j = arg;
	int rc = 0;

	if (!wanted(j, w))
		return 0;
	if (j->kick)
		rc = who_kick(j->c->conf, w);
	if (rc < 0) {
		complain("process %d: %s", w->pid, strerror(errno));
		j->code = EXIT_TEMP;
	} else if (rc == 0) {
		j->kicked++;
		tell(j, w);
	}
	return 0;
}

static int
protocol(const char *name, int *p_r)
{
	*p_r = name ? conf_protocol_find(name) : -1;
	if (!name || *p_r == CONF_IMAP || *p_r == CONF_POP3)
		return 0;
	complain("--protocol: imap or pop3, not \"%s\"", name);
	return -1;
}

static int
run(struct job *j, const struct args *a)
{
	j->rows.json = a->val[O_JSON] != NULL;
	if (protocol(a->val[O_PROTOCOL], &j->protocol) < 0)
		return EXIT_PERM;
	if ((j->code = names_given(&j->names, a->pos, a->n)) == 0 &&
	    who_list(j->c->conf, one, j) < 0) {
		complain("%s/sessions: %s", j->c->conf->run_dir,
		    strerror(errno));
		j->code = EXIT_TEMP;
	}
	rows_end(&j->rows);
	names_release(&j->names);
	return j->code;
}

static int
run_who(struct culver *c, const struct args *a)
{
	struct job j = { .c = c };

	return run(&j, a);
}

static int
run_kick(struct culver *c, const struct args *a)
{
	struct job j = { .c = c, .kick = true };
	int code;

	if (a->n == 0 && !a->val[O_PID] && !a->val[O_ALL]) {
		complain("whom?  Name accounts, or give --pid or --all");
		return EXIT_PERM;
	}
	if (a->val[O_PID] && args_uint(&kick_opts[O_PID], a->val[O_PID], 1,
	    INT32_MAX, &j.pid) < 0)
		return EXIT_PERM;
	code = run(&j, a);
	if (code == 0 && j.kicked == 0 && !a->val[O_ALL]) {
		complain("no such session");
		code = EXIT_PERM;
	}
	return code;
}

const struct command cmd_who = {
	"who", "[ACCOUNT ...]", "list who is connected", who_opts, 0, SIZE_MAX,
	run_who
};
const struct command cmd_kick = {
	"kick", "[ACCOUNT ...]", "end sessions", kick_opts, 0, SIZE_MAX,
	run_kick
};
