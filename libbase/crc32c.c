/* libbase/crc32c.c - CRC-32C (Castagnoli), by SSE 4.2 or by table */
#include "config.h"

#include "libbase/crc32c.h"
#include "libbase/io.h"

uint32_t
crc32c_table(uint32_t crc, const void *p, size_t n)
{
	/* The register after four zero bits, for each value of its low four. */
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75
	};
	const unsigned char *o = p;

	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= o[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *o = p;
	uint64_t c = ~crc;

	for (; n >= 8; n -= 8, o += 8) {
		uint64_t w;

		memcpy(&w, o, 8);
		c = __builtin_ia32_crc32di(c, w);
	}
	for (; n > 0; n--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *o++);
	return ~(uint32_t)c;
}

/* One after another such instructions wait for each other; side by side they
 * don't. */
__attribute__((target("sse4.2"))) static void
crc32c_parts_sse42(const unsigned char *o, size_t n, uint32_t out[4])
{
	uint64_t a = UINT32_MAX, b = a, c = a, d = a;

	for (size_t i = 0; i < n; i += 8) {
		uint64_t w[4];

		memcpy(&w[0], o + i, 8);
		memcpy(&w[1], o + n + i, 8);
		memcpy(&w[2], o + 2 * n + i, 8);
		memcpy(&w[3], o + 3 * n + i, 8);
		a = __builtin_ia32_crc32di(a, w[0]);
		b = __builtin_ia32_crc32di(b, w[1]);
		c = __builtin_ia32_crc32di(c, w[2]);
		d = __builtin_ia32_crc32di(d, w[3]);
	}
	out[0] = ~(uint32_t)a;
	out[1] = ~(uint32_t)b;
	out[2] = ~(uint32_t)c;
	out[3] = ~(uint32_t)d;
}
#endif

void
crc32c_parts(const void *p, size_t n, uint32_t out[4])
{
	const unsigned char *o = p;

#ifdef __x86_64__
	if (n % 8 == 0 && __builtin_cpu_supports("sse4.2")) {
		crc32c_parts_sse42(o, n, out);
		return;
	}
#endif
	for (size_t i = 0; i < 4; i++)
		out[i] = crc32c_table(0, o + i * n, n);
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, p, n);
#endif
	return crc32c_table(crc, p, n);
}
