# libmime: message structure, headers, texts
noinst_LIBRARIES += libmime/libmime.a
libmime_libmime_a_SOURCES = \
	libmime/addr.c \
	libmime/bodies.c \
	libmime/body.c \
	libmime/charset.c \
	libmime/content.c \
	libmime/crlf.c \
	libmime/date.c \
	libmime/decode.c \
	libmime/envelope.c \
	libmime/fields.c \
	libmime/fuzzy.c libmime/fuzzy.h \
	libmime/html.c \
	libmime/mime.h libmime/mime-int.h \
	libmime/params.c \
	libmime/parse.c \
	libmime/part.c \
	libmime/record.c libmime/record.h \
	libmime/record-decode.c \
	libmime/search.c \
	libmime/source.h \
	libmime/stem.c libmime/stem.h \
	libmime/subject.c \
	libmime/words.c \
	libmime/write.c libmime/write.h \
	libmime/write-body.c

# libstemmer is linked by this module alone; modules are built in one folder.
pkglib_LTLIBRARIES += libsession/stem.la
libsession_stem_la_SOURCES = libmime/stem-snowball.c libmime/stem.h
libsession_stem_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
libsession_stem_la_LDFLAGS = -module -avoid-version -shared \
	-Wl,-z,relro,-z,now
libsession_stem_la_LIBADD = $(STEMMER_LIBS)

check_PROGRAMS += t/unit/test-mime-fuzzy
t_unit_test_mime_fuzzy_SOURCES = t/unit/test-mime-fuzzy.c
t_unit_test_mime_fuzzy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_fuzzy_LDADD = $(LIBMIME) $(TEST_LIBS)

# What a program needs to link libmime (before LIBBASE).
LIBMIME = libmime/libmime.a $(GUMBO_LIBS)
