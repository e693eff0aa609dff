/* culver/cmd-stats.c - culver stats: what the servers did */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libsession/stats.h"

enum { O_JSON, O_PROMETHEUS };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ "prometheus", NULL, "in the text format of Prometheus" },
	{ NULL, NULL, NULL }
};

static void
prometheus(uint64_t v[STATS_PROTOCOLS][STATS_N])
{
	for (int i = 0; i < STATS_N; i++) {
		printf("# TYPE culver_%s_total counter\n", stats_names[i]);
		for (int p = 0; p < STATS_PROTOCOLS; p++)
			printf("culver_%s_total{protocol=\"%s\"} %" PRIu64 "\n",
			    stats_names[i], conf_protocol_name((enum conf_protocol)p), v[p][i]);
	}
}

static void
json(uint64_t v[STATS_PROTOCOLS][STATS_N])
{
	struct rows rows = { .json = true };

	for (int p = 0; p < STATS_PROTOCOLS; p++) {
		json_t *o = json_object();

		row_text(o, "protocol", slice_str(conf_protocol_name((enum conf_protocol)p)));
		for (int i = 0; i < STATS_N; i++)
			row_u64(o, stats_names[i], v[p][i]);
		rows_put(&rows, o);
	}
	rows_end(&rows);
}

static int
run(struct culver *c, const struct args *a)
{
	uint64_t v[STATS_PROTOCOLS][STATS_N];

	if (stats_read(c->conf, v) < 0) {
		complain("%s/stats: %s", c->conf->run_dir, strerror(errno));
		return EXIT_TEMP;
	}
	if (a->val[O_PROMETHEUS]) {
		prometheus(v);
		return 0;
	}
	if (a->val[O_JSON]) {
		json(v);
		return 0;
	}
	for (int i = 0; i < STATS_N; i++) {
		printf("%-21s", stats_names[i]);
		for (int p = 0; p < STATS_PROTOCOLS; p++)
			printf(" %s %-12" PRIu64, conf_protocol_name((enum conf_protocol)p), v[p][i]);
		putchar('\n');
	}
	return 0;
}

const struct command cmd_stats = {
	"stats", "", "print what the servers counted", opts, 0, 0, run
};
