# bench: the corpus of made-up mail, measurements
noinst_LIBRARIES += bench/libcorpus.a
bench_libcorpus_a_SOURCES = \
	bench/corpus.c bench/corpus.h \
	bench/corpus-body.c \
	bench/corpus-int.h \
	bench/corpus-text.c

noinst_PROGRAMS += bench/mkcorpus bench/mime
bench_mkcorpus_SOURCES = bench/mkcorpus.c
bench_mkcorpus_LDADD = bench/libcorpus.a $(LIBBASE)
bench_mime_SOURCES = bench/mime.c
bench_mime_LDADD = bench/libcorpus.a $(LIBMIME) $(LIBBASE)

noinst_PROGRAMS += bench/kv
bench_kv_SOURCES = bench/kv.c
bench_kv_LDADD = $(LIBSTORE) $(LIBBASE)

noinst_PROGRAMS += bench/store
bench_store_SOURCES = \
	bench/store.c bench/store-int.h \
	bench/store-fill.c \
	bench/store-many.c \
	bench/store-raw.c \
	bench/store-read.c \
	bench/store-write.c
bench_store_LDADD = $(LIBSTORE) $(LIBMIME) $(LIBBASE) -lm

EXTRA_DIST += bench/streams bench/wakeup
