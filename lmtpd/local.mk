# lmtpd: LMTP (RFC 2033)
daemon_PROGRAMS += lmtpd/lmtpd
lmtpd_lmtpd_SOURCES = \
	lmtpd/address.c lmtpd/address.h \
	lmtpd/bdat.c \
	lmtpd/commands.c \
	lmtpd/data.c \
	lmtpd/deliver.c \
	lmtpd/dots.c lmtpd/dots.h \
	lmtpd/dsn.c lmtpd/dsn.h \
	lmtpd/envelope.c \
	lmtpd/lmtp.h \
	lmtpd/main.c \
	lmtpd/report.c lmtpd/report.h \
	lmtpd/trace.c \
	lmtpd/vacation.c lmtpd/vacation.h \
	lmtpd/vacation-rules.c \
	lmtpd/vacation-write.c
lmtpd_lmtpd_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE)

check_PROGRAMS += t/unit/test-lmtp
t_unit_test_lmtp_SOURCES = t/unit/test-lmtp.c \
	lmtpd/address.c lmtpd/address.h lmtpd/dots.c lmtpd/dots.h \
	lmtpd/dsn.c lmtpd/dsn.h
t_unit_test_lmtp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_lmtp_LDADD = $(TEST_LIBS)

check_PROGRAMS += t/unit/test-vacation
t_unit_test_vacation_SOURCES = t/unit/test-vacation.c \
	lmtpd/report.c lmtpd/report.h \
	lmtpd/vacation-rules.c lmtpd/vacation-write.c lmtpd/vacation.h
t_unit_test_vacation_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_vacation_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

dist_man_MANS += doc/lmtpd.8
TAPS += t/lmtp/protocol.t t/lmtp/delivery.t t/lmtp/detail.t \
	t/lmtp/exim.t t/lmtp/table.t

check_PROGRAMS += t/fuzz/fuzz-lmtp
t_fuzz_fuzz_lmtp_SOURCES = t/fuzz/fuzz-lmtp.c $(FUZZ_MAIN) \
	lmtpd/address.c lmtpd/address.h lmtpd/dots.c lmtpd/dots.h \
	lmtpd/dsn.c lmtpd/dsn.h
t_fuzz_fuzz_lmtp_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_lmtp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_lmtp_LDADD = $(LIBBASE)

check_PROGRAMS += t/fuzz/fuzz-mta
t_fuzz_fuzz_mta_SOURCES = t/fuzz/fuzz-mta.c $(FUZZ_MAIN) \
	lmtpd/report.c lmtpd/report.h \
	lmtpd/vacation-rules.c lmtpd/vacation-write.c lmtpd/vacation.h
t_fuzz_fuzz_mta_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mta_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mta_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE)
