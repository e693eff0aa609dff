# libbase: strings, buffers, arenas, logging
noinst_LIBRARIES += libbase/libbase.a
libbase_libbase_a_CFLAGS = $(AM_CFLAGS) $(NETTLE_CFLAGS)
libbase_libbase_a_SOURCES = \
	libbase/arena.c libbase/arena.h \
	libbase/base64.c \
	libbase/buf.c libbase/buf.h \
	libbase/collation.c libbase/collation.h \
	libbase/crc32c.c libbase/crc32c.h \
	libbase/hash.c \
	libbase/io.c libbase/io.h \
	libbase/log.c libbase/log.h \
	libbase/slice.c libbase/slice.h \
	libbase/text.h \
	libbase/time.c \
	libbase/utf7.c libbase/utf7.h \
	libbase/utf8.c \
	libbase/xalloc.c libbase/xalloc.h

# What a program needs to link libbase.
LIBBASE = libbase/libbase.a $(NETTLE_LIBS) $(UNISTRING_LIBS)
