/* culver/cmd-config.c - culver config: the settings in effect */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/tls.h"

enum { O_CHECK, O_JSON };
enum { OUT_MAX = 16 * 1024 * 1024 };

static const struct opt opts[] = {
	{ "check", NULL, "print nothing but faults" },
	{ "json", NULL, "as a JSON object" },
	{ NULL, NULL, NULL }
};

/* What reading the file doesn't show. */
static int
check(const struct conf *c)
{
	char *err = NULL;

	if (tls_check(c, &err) == 0)
		return 0;
	complain("%s", err);
	xfree(err);
	return EXIT_PERM;
}

/* The file was read and found good before this runs. */
static int
run(struct culver *c, const struct args *a)
{
	struct buf out;
	int code = 0;

	if (a->val[O_CHECK])
		return check(c->conf);
	buf_init(&out, OUT_MAX);
	if (a->val[O_JSON])
		conf_print_json(c->conf, &out);
	else
		conf_print(c->conf, &out);
	if (out.overflow) {
		complain("the configuration is too long to print");
		code = EXIT_PERM;
	} else {
		fwrite(out.p, 1, out.n, stdout);
	}
	buf_release(&out);
	return code;
}

const struct command cmd_config = {
	"config", "", "print all settings, defaults included", opts, 0, 0, run
};
