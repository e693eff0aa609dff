# t: the tests.  Unit tests are t/unit/test-*.c (cmocka, TAP); all others are
# Perl.  One prove runs them all.
TEST_LIBS = $(LIBBASE) $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/test-base
t_unit_test_base_SOURCES = t/unit/test-base.c
t_unit_test_base_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_base_LDADD = $(TEST_LIBS)

check_PROGRAMS += t/unit/test-collation
t_unit_test_collation_SOURCES = t/unit/test-collation.c
t_unit_test_collation_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_collation_LDADD = $(TEST_LIBS)

check_PROGRAMS += t/unit/test-text
t_unit_test_text_SOURCES = t/unit/test-text.c
t_unit_test_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_text_LDADD = $(TEST_LIBS)

check_PROGRAMS += t/unit/test-io
t_unit_test_io_SOURCES = t/unit/test-io.c
t_unit_test_io_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_io_LDADD = $(TEST_LIBS)

TAPS += t/00-style.t
TAPS += \
	t/clients/curl.t \
	t/clients/imapflow.t \
	t/clients/imaplib.t \
	t/clients/jmap-jam.t \
	t/clients/mbsync.t \
	t/clients/mutt.t \
	t/clients/offlineimap.t \
	t/stress/sessions.t
EXTRA_DIST += t/lib/CulverClients.pm t/lib/CulverTest.pm t/lib/CulverTls.pm t/lib/JwtKeys.pm t/lib/PushSink.pm $(TAPS)

include t/formats/local.mk
include t/fuzz/local.mk
include t/mime/local.mk
include t/perf/local.mk

PROVEFLAGS =
check-local: $(check_PROGRAMS)
	srcdir=$(abs_top_srcdir) builddir=$(abs_top_builddir) \
	PERL5LIB=$(abs_top_srcdir)/t/lib \
	CC='$(CC)' STYLE_CPPFLAGS='$(NETTLE_CFLAGS)' \
	$(PROVE) $(PROVEFLAGS) \
	    $(filter t/unit/test-% t/crash/test-% t/formats/test-%,$(check_PROGRAMS)) \
	    $(TAPS:%=$(abs_top_srcdir)/%)

check-long: all $(check_PROGRAMS)
	CULVER_LONG=1 $(MAKE) $(AM_MAKEFLAGS) check
.PHONY: check-long

# For t/00-style.t: the files of the tarball.
print-dist:
	@echo $(DISTFILES:$(srcdir)/%=%)
.PHONY: print-dist
