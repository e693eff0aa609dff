/* culver/main.c - the administrator's tool: finds the subcommand, runs it */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/session.h"

static const struct command *const commands[] = {
	&cmd_user_add, &cmd_user_passwd, &cmd_user_list, &cmd_user_show,
	&cmd_user_del,
	&cmd_token_add, &cmd_token_list, &cmd_token_del,
	&cmd_pw, &cmd_auth_test,
	&cmd_who, &cmd_kick,
	&cmd_mailbox_list, &cmd_mailbox_status, &cmd_mailbox_create,
	&cmd_mailbox_rename, &cmd_mailbox_delete, &cmd_mailbox_subscribe,
	&cmd_mailbox_unsubscribe,
	&cmd_message_search, &cmd_message_fetch, &cmd_message_flag,
	&cmd_message_move, &cmd_message_copy, &cmd_message_expunge,
	&cmd_message_save,
	&cmd_quota_show, &cmd_quota_set, &cmd_quota_recalc,
	&cmd_acl_list, &cmd_acl_set, &cmd_acl_delete,
	&cmd_import_imap, &cmd_import, &cmd_export, &cmd_check, &cmd_backup,
	&cmd_restore, &cmd_undelete, &cmd_sweep, &cmd_spool, &cmd_config,
	&cmd_listeners, &cmd_doctor, &cmd_health,
	&cmd_stats
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
usage(FILE *f)
{
	fputs("usage: culver [-f FILE] COMMAND [OPTION ...] [ARGUMENT ...]\n\n",
	    f);
	for (int i = 0; i < N_COMMANDS; i++) {
		const struct command *m = commands[i];
		int n = fprintf(f, "  %s %s", m->name, m->args);

		fprintf(f, "%*s %s\n", n < 34 ? 34 - n : 0, "", m->help);
	}
	fputs("\n  -f FILE     the configuration instead of ", f);
	fputs(conf_default_path(), f);
	fputs("\n  -V          the version\n"
	    "  COMMAND --help tells a command's options; see culver(8).\n", f);
}

static void
usage_command(FILE *f, const struct command *m)
{
	fprintf(f, "usage: culver [-f FILE] %s%s%s%s\n%s\n", m->name,
	    m->opts && m->opts[0].name ? " [OPTION ...]" : "",
	    *m->args ? " " : "", m->args, m->help);
	for (const struct opt *o = m->opts; o && o->name; o++) {
		int n = fprintf(f, "  --%s%s%s", o->name, o->arg ? " " : "",
		    o->arg ? o->arg : "");

		fprintf(f, "%*s %s\n", n < 26 ? 26 - n : 0, "", o->help);
	}
}

/* The command that the words begin with; *words_r: how many are its name. */
static const struct command *
find(int argc, char **argv, int *words_r)
{
	for (int i = 0; i < N_COMMANDS; i++) {
		const char *name = commands[i]->name;
		const char *sp = strchr(name, ' ');
		size_t first = sp ? (size_t)(sp - name) : strlen(name);

		if (argc < (sp ? 2 : 1) || strlen(argv[0]) != first ||
		    memcmp(argv[0], name, first) != 0)
			continue;
		if (sp && strcmp(argv[1], sp + 1) != 0)
			continue;
		*words_r = sp ? 2 : 1;
		return commands[i];
	}
	return NULL;
}

static int
unknown(int argc, char **argv)
{
	complain("unknown command \"%s%s%s\"; \"culver help\" lists them",
	    argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return EXIT_PERM;
}

static int
count_ok(const struct command *m, const struct args *a)
{
	if (a->n >= m->min && a->n <= m->max)
		return 0;
	complain("%s: too %s arguments", m->name,
	    a->n < m->min ? "few" : "many");
	usage_command(stderr, m);
	return -1;
}

static int
with_conf(const struct command *m, const char *path, const struct args *a)
{
	struct culver c = {
		.conf_path = path ? path : conf_default_path()
	};
	char *err = NULL;
	int code = EXIT_PERM;

	if (conf_load(c.conf_path, &c.conf, &err) < 0) {
		fputs(err ? err : "culver: no configuration", stderr);
		if (!err || !*err || err[strlen(err) - 1] != '\n')
			fputc('\n', stderr);
		xfree(err);
		return EXIT_PERM;
	}
	if (priv_init(c.conf) == 0) {
		session_store_conf(c.conf, &c.store_conf);
		code = m->run(&c, a);
	}
	conf_free(&c.conf);
	return code;
}

static int
dispatch(int argc, char **argv, const char *path)
{
	const struct command *m;
	struct args a;
	int words = 0, code = EXIT_PERM;

	m = find(argc, argv, &words);
	if (!m)
		return unknown(argc, argv);
	if (args_parse(m->opts, argc - words, argv + words, &a) == 0) {
		if (a.help) {
			usage_command(stdout, m);
			code = 0;
		} else if (count_ok(m, &a) == 0) {
			code = with_conf(m, path, &a);
		}
	}
	args_release(&a);
	return code;
}

static int
help(int argc, char **argv)
{
	const struct command *m;
	int words;

	if (argc == 0) {
		usage(stdout);
		return 0;
	}
	m = find(argc, argv, &words);
	if (!m)
		return unknown(argc, argv);
	usage_command(stdout, m);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *path = NULL;
	int i = 1;

	(void)setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-V") == 0 ||
		    strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return finish_output(0);
		}
		if (strcmp(argv[i], "-h") == 0 ||
		    strcmp(argv[i], "--help") == 0)
			return finish_output(help(0, NULL));
		if (strcmp(argv[i], "-f") != 0 || i + 1 >= argc) {
			complain("unknown option or missing argument: %s",
			    argv[i]);
			usage(stderr);
			return EXIT_PERM;
		}
		path = argv[++i];
	}
	if (i >= argc) {
		usage(stderr);
		return EXIT_PERM;
	}
	if (strcmp(argv[i], "help") == 0)
		return finish_output(help(argc - i - 1, argv + i + 1));
	return finish_output(dispatch(argc - i, argv + i, path));
}
