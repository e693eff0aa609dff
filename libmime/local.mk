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
	libmime/html.c \
	libmime/mime.h libmime/mime-int.h \
	libmime/params.c \
	libmime/parse.c \
	libmime/part.c \
	libmime/record.c libmime/record.h \
	libmime/record-decode.c \
	libmime/search.c \
	libmime/source.h \
	libmime/subject.c \
	libmime/words.c \
	libmime/write.c libmime/write.h \
	libmime/write-body.c

# What a program needs to link libmime (before LIBBASE).
LIBMIME = libmime/libmime.a $(GUMBO_LIBS)
