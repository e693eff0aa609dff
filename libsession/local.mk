# libsession: what one connection needs, whatever its protocol
noinst_LIBRARIES += libsession/libsession.a
libsession_libsession_a_SOURCES = \
	libsession/authcache.c libsession/authcache.h \
	libsession/changed.c libsession/changed.h \
	libsession/listen-fds.c \
	libsession/login.c \
	libsession/mta-address.c libsession/mta.h \
	libsession/mta.c libsession/mta-int.h \
	libsession/mta-sendmail.c \
	libsession/mta-smtp.c \
	libsession/passwd-int.h \
	libsession/passwd-update.c \
	libsession/passwd.c libsession/passwd.h \
	libsession/priv.c \
	libsession/sasl.c \
	libsession/secret.c libsession/secret.h \
	libsession/server.c \
	libsession/session-int.h \
	libsession/session.c libsession/session.h \
	libsession/setup.c \
	libsession/sio-int.h \
	libsession/sio-out.c \
	libsession/sio.c libsession/sio.h \
	libsession/submit.c libsession/submit.h \
	libsession/tls-int.h \
	libsession/tls.c libsession/tls.h \
	libsession/waiter.c \
	libsession/webpush.c libsession/webpush.h

# GnuTLS is linked by this module alone.
pkglib_LTLIBRARIES += libsession/tls.la
libsession_tls_la_SOURCES = libsession/tls-gnutls.c libsession/tls-int.h
libsession_tls_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(GNUTLS_CFLAGS)
libsession_tls_la_LDFLAGS = -module -avoid-version -shared \
	-Wl,-z,relro,-z,now
libsession_tls_la_LIBADD = $(GNUTLS_LIBS)

# What a program needs to link libsession, beside LIBSTORE.
LIBSESSION = libsession/libsession.a $(LIBCONF) $(CRYPT_LIBS)

check_PROGRAMS += t/unit/test-sio
t_unit_test_sio_SOURCES = t/unit/test-sio.c
t_unit_test_sio_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_sio_LDADD = libsession/libsession.a $(LIBCONF) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-mta
t_unit_test_mta_SOURCES = t/unit/test-mta.c
t_unit_test_mta_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_mta_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

TAPS += t/session/doc.t t/session/login.t t/session/modes.t t/session/tls.t
dist_man_MANS += doc/culver.conf.5 doc/culver-passwd.5

check_PROGRAMS += t/unit/test-passwd
t_unit_test_passwd_SOURCES = t/unit/test-passwd.c
t_unit_test_passwd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_passwd_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

check_PROGRAMS += t/fuzz/fuzz-passwd
t_fuzz_fuzz_passwd_SOURCES = t/fuzz/fuzz-passwd.c $(FUZZ_MAIN)
t_fuzz_fuzz_passwd_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_passwd_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_passwd_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE)

# What is needed beside LIBSESSION for webpush.h.
LIBPUSH = $(HOGWEED_LIBS) $(NETTLE_LIBS) $(GMP_LIBS)
check_PROGRAMS += t/unit/test-webpush
t_unit_test_webpush_SOURCES = t/unit/test-webpush.c
t_unit_test_webpush_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_webpush_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBPUSH) $(TEST_LIBS)
