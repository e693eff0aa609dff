# t/formats: a stored sample account of each format.  "make sample" makes that
# of the present one anew, as long as it isn't released.
check_PROGRAMS += t/formats/mkaccount
t_formats_mkaccount_SOURCES = t/formats/mkaccount.c \
	t/formats/sample.c t/formats/sample.h
t_formats_mkaccount_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/formats/test-formats
t_formats_test_formats_SOURCES = t/formats/test-formats.c \
	t/formats/sample.c t/formats/sample.h
t_formats_test_formats_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_formats_test_formats_LDADD = $(STORE_TEST_LIBS)

EXTRA_DIST += t/formats/1

sample: t/formats/mkaccount
	rm -rf $(srcdir)/t/formats/1
	t/formats/mkaccount $(srcdir)/t/formats/1
.PHONY: sample
