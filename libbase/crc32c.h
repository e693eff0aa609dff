/* libbase/crc32c.h - the portable CRC-32C, for the test of the fast one */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* As crc32c() of io.h, without special instructions. */
uint32_t crc32c_table(uint32_t crc, const void *p, size_t n);

#endif
