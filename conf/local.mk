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

# Mail from and to an MTA, and fail2ban's filter.
EXTRA_DIST += \
	conf/fail2ban/culver.conf \
	conf/mta/README.md \
	conf/mta/exim.router \
	conf/mta/exim.transport \
	conf/mta/postfix.cf

check_PROGRAMS += t/fuzz/fuzz-conf
t_fuzz_fuzz_conf_SOURCES = t/fuzz/fuzz-conf.c $(FUZZ_MAIN)
t_fuzz_fuzz_conf_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_conf_LDADD = $(LIBCONF) $(LIBBASE)
