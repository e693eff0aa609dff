/* culver/args.c - the options of a subcommand, by its table */
#include "config.h"

#include "culver/culver.h"
#include "libbase/xalloc.h"

static int
opt_find(const struct opt *opts, struct slice name)
{
	for (int i = 0; opts && opts[i].name; i++) {
		if (slice_eq(slice_str(opts[i].name), name))
			return i;
	}
	return -1;
}

/* One "--name[=value]"; *used_r: whether next was taken as its argument. */
static int
opt_take(const struct opt *opts, const char *arg, const char *next,
    struct args *a, bool *used_r)
{
	const char *eq = strchr(arg, '=');
	struct slice name = slice_make(arg,
	    eq ? (size_t)(eq - arg) : strlen(arg));
	int i = opt_find(opts, name);

	*used_r = false;
	if (i < 0) {
		complain("unknown option --%.*s", (int)name.n, name.p);
		return -1;
	}
	if (!opts[i].arg) {
		if (eq) {
			complain("--%s takes no argument", opts[i].name);
			return -1;
		}
		a->val[i] = "";
		return 0;
	}
	if (!eq && !next) {
		complain("--%s needs an argument (%s)", opts[i].name,
		    opts[i].arg);
		return -1;
	}
	a->val[i] = eq ? eq + 1 : next;
	*used_r = !eq;
	return 0;
}

int
args_parse(const struct opt *opts, int argc, char **argv, struct args *a_r)
{
	bool only_pos = false;

	*a_r = (struct args){ 0 };
	a_r->pos = xcalloc((size_t)argc + 1, sizeof(*a_r->pos));
	for (int i = 0; i < argc; i++) {
		const char *s = argv[i];
		bool used;

		if (only_pos || s[0] != '-' || s[1] == '\0') {
			a_r->pos[a_r->n++] = s;
		} else if (strcmp(s, "--") == 0) {
			only_pos = true;
		} else if (strcmp(s, "-h") == 0 || strcmp(s, "--help") == 0) {
			a_r->help = true;
		} else if (s[1] != '-') {
			complain("unknown option %s", s);
			return -1;
		} else {
			if (opt_take(opts, s + 2, argv[i + 1], a_r, &used) < 0)
				return -1;
			i += used;
		}
	}
	return 0;
}

void
args_release(struct args *a)
{
	xfree(a->pos);
	a->pos = NULL;
	a->n = 0;
}

int
args_uint(const struct opt *o, const char *text, uint64_t min, uint64_t max,
    uint64_t *v_r)
{
	uint64_t v;

	if (slice_uint(slice_str(text), max, &v) < 0 || v < min) {
		complain("--%s: a number from %llu to %llu, not \"%s\"",
		    o->name, (unsigned long long)min, (unsigned long long)max,
		    text);
		return -1;
	}
	*v_r = v;
	return 0;
}
