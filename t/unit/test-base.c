/* t/unit/test-base.c - libbase: CRC and SHA-256 against known values */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/crc32c.h"
#include "libbase/io.h"
#include "libbase/text.h"

static void
test_crc32c(void **state)
{
	unsigned char octets[300];

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_table(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (unsigned char)(i * 37 + i / 7);
	for (size_t i = 0; i < sizeof(octets); i++) {
		uint32_t whole = crc32c(0, octets, i);

		assert_int_equal(whole, crc32c_table(0, octets, i));
		assert_int_equal(whole,
		    crc32c(crc32c(0, octets, i / 3), octets + i / 3, i - i / 3));
	}
}

static void
test_base64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} t[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *bad[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==",
		"Zm 9", "====", "Zm9v=" };
	struct arena *a = arena_new(0);
	struct slice s;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_init(&b, 100);
		assert_int_equal(base64_encode(&b, slice_str(t[i].plain)), 0);
		assert_true(slice_eq(buf_slice(&b), slice_str(t[i].coded)));
		assert_int_equal(base64_decode(slice_str(t[i].coded), a, &s), 0);
		assert_true(slice_eq(s, slice_str(t[i].plain)));
		buf_release(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(base64_decode(slice_str(bad[i]), a, &s), -1);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_base64),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
