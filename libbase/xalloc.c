/* libbase/xalloc.c - heap memory that is there or ends the process */
#include "config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"

static void *
must(void *p)
{
	if (p == NULL)
		fatal("out of memory");
	return p;
}

void *
xmalloc(size_t n)
{
	return must(malloc(n > 0 ? n : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	return must(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *
xrealloc(void *p, size_t n)
{
	return must(realloc(p, n > 0 ? n : 1));
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		fatal("allocation of %zu * %zu octets", n, size);
	return xrealloc(p, n * size);
}

char *
xstrndup(const char *p, size_t n)
{
	char *s;

	if (n == SIZE_MAX)
		fatal("allocation of %zu octets", n);
	s = xmalloc(n + 1);
	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("out of memory");
	return s;
}

void
xfree(void *p)
{
	free(p);
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
xfree_secret(void *p, size_t n)
{
	if (p != NULL)
		secret_wipe(p, n);
	free(p);
}

int
secret_eq(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned char)(x[i] ^ y[i]);
	return diff == 0;
}

#if XALLOC_ASAN
/*
 * GCC 12's libasan guesses where a thread's variables of a dlopen'ed library
 * lie from the octets before them, is wrong once in some 256 layouts, and then
 * its search for leaks dies.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "intercept_tls_get_addr=0";
}
#endif
