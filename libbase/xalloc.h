/* libbase/xalloc.h - heap memory that is there or ends the process */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* n * size is checked for overflow. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* free(), also of NULL. */
void xfree(void *p);
/* Overwrites before freeing: for passwords and keys. */
void xfree_secret(void *p, size_t n);
/* 1 in a build with the address sanitizer, of gcc or clang. */
#if defined(__SANITIZE_ADDRESS__)
#define XALLOC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XALLOC_ASAN 1
#endif
#endif
#ifndef XALLOC_ASAN
#define XALLOC_ASAN 0
#endif

/* memset that the compiler may not drop. */
void secret_wipe(void *p, size_t n);
/* Equal? in a time that depends on n only. */
int secret_eq(const void *a, const void *b, size_t n);

#endif
