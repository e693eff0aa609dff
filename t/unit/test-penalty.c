/* t/unit/test-penalty.c - failed logins of one address */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsession/penalty.h"

static char dir[] = "/tmp/culver-penalty-XXXXXX";
static struct conf conf = { .run_dir = dir };

static void
test_penalty(void **state)
{
	static const char *const ours[] = {
		"127.0.0.1:4", "[::1]:4", "[::ffff:127.0.0.1]:4", "unix:0",
		"stdio", "", ":", "[]:1", "unknown:0", "nonsense"
	};
	static const char *const exempt[] = { "192.0.2.0/30",
		"2001:db8::/32" };
	char path[80], peer[64];

	(void)state;
	conf.address_failures = 3;
	conf.address_window_s = 100;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		for (int k = 0; k < 4; k++)
			penalty_add(&conf, ours[i]);
		assert_false(penalty_over(&conf, ours[i]));
	}
	for (int i = 0; i < 3; i++) {
		assert_false(penalty_over(&conf, "192.0.2.1:99"));
		snprintf(peer, sizeof(peer), "192.0.2.1:%d", 1000 + i);
		penalty_add(&conf, peer);
	}
	assert_true(penalty_over(&conf, "192.0.2.1:99"));
	assert_true(penalty_over(&conf, "[::ffff:192.0.2.1]:99"));
	assert_false(penalty_over(&conf, "192.0.2.2:99"));
	/* A network of IPv6, with and without brackets. */
	penalty_add(&conf, "[2001:db8:0:1::1]:5");
	penalty_add(&conf, "2001:db8:0:1::2:5");
	penalty_add(&conf, "[2001:db8:0:1:f::3]:5");
	assert_true(penalty_over(&conf, "[2001:db8:0:1::4]:5"));
	assert_false(penalty_over(&conf, "[2001:db8:0:2::4]:5"));
	/* Many others don't push it out. */
	for (int i = 0; i < 5000; i++) {
		snprintf(peer, sizeof(peer), "10.%d.%d.1:1", i / 250, i % 250);
		penalty_add(&conf, peer);
	}
	assert_true(penalty_over(&conf, "192.0.2.1:99"));
	conf.address_failures = 0;
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	conf.address_failures = 3;
	conf.address_exempt = exempt;
	conf.n_address_exempt = 2;
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	assert_false(penalty_over(&conf, "[2001:db8:0:1::4]:5"));
	conf.n_address_exempt = 0;
	assert_true(penalty_over(&conf, "192.0.2.1:99"));
	/* What others may read isn't used; garbage is no count. */
	snprintf(path, sizeof(path), "%s/auth.failures", dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 7), 0);
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	penalty_add(&conf, "192.0.2.1:99");
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	/* After its time it is forgotten. */
	penalty_add(&conf, "192.0.2.1:99");
	penalty_add(&conf, "192.0.2.1:99");
	assert_true(penalty_over(&conf, "192.0.2.1:99"));
	conf.address_window_s = 1;
	usleep(1100000);
	assert_false(penalty_over(&conf, "192.0.2.1:99"));
	assert_int_equal(unlink(path), 0);
	conf.address_failures = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_penalty),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
