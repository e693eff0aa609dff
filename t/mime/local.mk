# t/mime: libmime's tests
MIME_TEST_LIBS = $(LIBMIME) $(LIBBASE) $(CMOCKA_LIBS)

check_PROGRAMS += t/fuzz/fuzz-mime t/fuzz/fuzz-mime-record \
	t/fuzz/fuzz-mime-header t/fuzz/fuzz-mime-decode
t_fuzz_fuzz_mime_SOURCES = t/fuzz/fuzz-mime.c t/mime/dump.c t/mime/dump.h \
	$(FUZZ_MAIN)
t_fuzz_fuzz_mime_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_LDADD = $(LIBMIME) $(LIBBASE)
t_fuzz_fuzz_mime_record_SOURCES = t/fuzz/fuzz-mime-record.c t/mime/dump.c \
	t/mime/dump.h $(FUZZ_MAIN)
t_fuzz_fuzz_mime_record_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_record_LDADD = $(LIBMIME) $(LIBBASE)
t_fuzz_fuzz_mime_header_SOURCES = t/fuzz/fuzz-mime-header.c $(FUZZ_MAIN)
t_fuzz_fuzz_mime_header_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_header_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_header_LDADD = $(LIBMIME) $(LIBBASE)
t_fuzz_fuzz_mime_decode_SOURCES = t/fuzz/fuzz-mime-decode.c $(FUZZ_MAIN)
t_fuzz_fuzz_mime_decode_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_decode_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mime_decode_LDADD = $(LIBMIME) $(LIBBASE)

check_PROGRAMS += t/unit/test-mime-malformed
t_unit_test_mime_malformed_SOURCES = t/unit/test-mime-malformed.c \
	t/mime/dump.c t/mime/dump.h
t_unit_test_mime_malformed_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_malformed_LDADD = $(MIME_TEST_LIBS)
EXTRA_DIST += t/mime/malformed

check_PROGRAMS += t/unit/test-mime-header t/unit/test-mime-addr \
	t/unit/test-mime-body
t_unit_test_mime_header_SOURCES = t/unit/test-mime-header.c
t_unit_test_mime_header_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_header_LDADD = $(MIME_TEST_LIBS)
t_unit_test_mime_addr_SOURCES = t/unit/test-mime-addr.c
t_unit_test_mime_addr_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_addr_LDADD = $(MIME_TEST_LIBS)
t_unit_test_mime_body_SOURCES = t/unit/test-mime-body.c
t_unit_test_mime_body_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_body_LDADD = $(MIME_TEST_LIBS)

check_PROGRAMS += t/unit/test-mime-parse
t_unit_test_mime_parse_SOURCES = t/unit/test-mime-parse.c t/mime/dump.c \
	t/mime/dump.h
t_unit_test_mime_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mime_parse_LDADD = bench/libcorpus.a $(MIME_TEST_LIBS)

check_PROGRAMS += t/unit/test-mime-gmime
t_unit_test_mime_gmime_SOURCES = t/unit/test-mime-gmime.c
t_unit_test_mime_gmime_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(GMIME_CFLAGS)
t_unit_test_mime_gmime_LDADD = bench/libcorpus.a $(MIME_TEST_LIBS) $(GMIME_LIBS)

check_PROGRAMS += t/unit/test-corpus
t_unit_test_corpus_SOURCES = t/unit/test-corpus.c
t_unit_test_corpus_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_corpus_LDADD = bench/libcorpus.a $(MIME_TEST_LIBS)
