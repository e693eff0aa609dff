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

EXTRA_DIST += conf/culver.conf.sample
