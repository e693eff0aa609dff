# lmtpd
LMTPD_SOURCES = \
	lmtpd/address.c lmtpd/address.h \
	lmtpd/commands.c \
	lmtpd/data.c \
	lmtpd/dots.c lmtpd/dots.h \
	lmtpd/envelope.c \
	lmtpd/lmtp.h

check_PROGRAMS += t/unit/test-lmtp
t_unit_test_lmtp_SOURCES = t/unit/test-lmtp.c \
	lmtpd/address.c lmtpd/address.h lmtpd/dots.c lmtpd/dots.h
t_unit_test_lmtp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_lmtp_LDADD = $(TEST_LIBS)
