# jmap-push: push subscriptions (RFC 8620 section 7.2)
daemon_PROGRAMS += jmap-push/jmap-push
jmap_push_jmap_push_SOURCES = \
	jmap-push/accounts.c \
	jmap-push/guard.c \
	jmap-push/look.c \
	jmap-push/main.c \
	jmap-push/post.c \
	jmap-push/push.h
jmap_push_jmap_push_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
jmap_push_jmap_push_LDADD = $(LIBSESSION) $(LIBSTORE) $(LIBMIME) $(LIBBASE) \
	$(LIBPUSH) $(CURL_LIBS)

check_PROGRAMS += t/unit/test-push-guard
t_unit_test_push_guard_SOURCES = t/unit/test-push-guard.c \
	jmap-push/guard.c jmap-push/push.h
t_unit_test_push_guard_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_push_guard_LDADD = $(TEST_LIBS)

# Opens what RFC 8291 sealed, for the tests.
check_PROGRAMS += t/jmap/webpush-open
t_jmap_webpush_open_SOURCES = t/jmap/webpush-open.c
t_jmap_webpush_open_LDADD = $(LIBPUSH)

dist_man_MANS += doc/jmap-push.8
TAPS += t/jmap/push-subscription.t t/jmap/push-sender.t
