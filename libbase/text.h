/* libbase/text.h - base64, hex, UTF-8, time stamps */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"
#include "buf.h"
#include "slice.h"

/* RFC 4648 section 4 (url: section 5, without padding). */
int base64_encode(struct buf *out, struct slice in);
int base64url_encode(struct buf *out, struct slice in);
/* Strict: alphabet, padding and zero spare bits are checked, no blanks.
 * 0 and the octets in the arena, or -1. */
int base64_decode(struct slice in, struct arena *a, struct slice *out_r);
int base64url_decode(struct slice in, struct arena *a, struct slice *out_r);
/* Lower-case hexadecimal. */
int hex_encode(struct buf *out, struct slice in);
int hex_decode(struct slice in, void *out, size_t n); /* exactly n octets */

/* Well-formed UTF-8 by RFC 3629 (no surrogates, shortest form)? */
bool utf8_valid(struct slice s);
/* The same octets where valid, otherwise with U+FFFD for each bad octet. */
struct slice utf8_clean(struct arena *a, struct slice s);
/* Length of the longest prefix of at most max octets that ends between two
 * characters. */
size_t utf8_cut(struct slice s, size_t max);
/* NFC of valid UTF-8 (the same octets where all are ASCII); full case folding +
 * NFKC for comparison (i;unicode-casemap like).  In the arena; -1 where s is not
 * valid UTF-8. */
int utf8_nfc(struct slice s, struct arena *a, struct slice *out_r);
int utf8_fold(struct slice s, struct arena *a, struct slice *out_r);
/* SASLprep of a password (RFC 4013): blanks of all kinds are one, what can't be
 * seen goes, NFKC.  -1 for control characters, too. */
int utf8_saslprep(struct slice s, struct arena *a, struct slice *out_r);

/* Seconds since 1970 as "2026-11-22T10:00:00Z" (RFC 3339, JMAP UTCDate). */
int time_rfc3339(struct buf *out, int64_t t);
/* Parses RFC 3339 with any offset; *off_min_r (may be NULL) is the zone's
 * offset in minutes.  0 or -1. */
int time_rfc3339_parse(struct slice s, int64_t *t_r, int *off_min_r);
/* Days since 1970-01-01 of a proleptic Gregorian date, and back.  month 1-12.
 * Days more than 2,000,000,000 years away count as that many. */
int64_t time_days(int year, int month, int day);
/* The day that a time in seconds is in, and the second of that day (may be
 * NULL). */
int64_t time_day(int64_t t, int *second_r);
void time_civil(int64_t days, int *year_r, int *month_r, int *day_r);
bool time_date_ok(int year, int month, int day);
/* Milliseconds of the monotonic clock. */
int64_t time_mono_ms(void);

#endif
