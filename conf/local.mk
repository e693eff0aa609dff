# conf: culver.conf
noinst_LIBRARIES += conf/libconf.a
conf_libconf_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
conf_libconf_a_SOURCES = \
	conf/check.c \
	conf/conf-int.h \
	conf/conf.c conf/conf.h \
	conf/keys.c \
	conf/print.c \
	conf/value.c

# What a program needs to link conf.
LIBCONF = conf/libconf.a $(CONFUSE_LIBS)

check_PROGRAMS += t/unit/test-conf
t_unit_test_conf_SOURCES = t/unit/test-conf.c
t_unit_test_conf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_conf_LDADD = $(LIBCONF) $(TEST_LIBS)

dist_doc_DATA += conf/culver.conf.sample

# How to run the daemons under inetd and systemd, and to have mail delivered.
EXTRA_DIST += \
	conf/inetd/culver \
	conf/fail2ban/culver.conf \
	conf/mta/README.md \
	conf/mta/exim.router \
	conf/mta/exim.transport \
	conf/mta/postfix.cf \
	conf/systemd/culver-imap.socket \
	conf/systemd/culver-imapd@.service \
	conf/systemd/culver-imaps.socket \
	conf/systemd/culver-jmap-fcgi@.service \
	conf/systemd/culver-jmap.socket \
	conf/systemd/culver-lmtp.socket \
	conf/systemd/culver-lmtpd@.service \
	conf/systemd/culver-pop3.socket \
	conf/systemd/culver-pop3d@.service \
	conf/systemd/culver-push-missed.service \
	conf/systemd/culver-push-missed.timer \
	conf/systemd/culver-push.service \
	conf/systemd/culver-push.socket \
	conf/systemd/culver-spool.service \
	conf/systemd/culver-spool.timer \
	conf/systemd/culver-pop3s.socket

check_PROGRAMS += t/fuzz/fuzz-conf
t_fuzz_fuzz_conf_SOURCES = t/fuzz/fuzz-conf.c $(FUZZ_MAIN)
t_fuzz_fuzz_conf_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_conf_LDADD = $(LIBCONF) $(LIBBASE)
