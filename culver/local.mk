# culver: the administrator's tool
noinst_LIBRARIES += culver/libculver.a
culver_libculver_a_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS) \
	$(JANSSON_CFLAGS)
culver_libculver_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCULVER_DAEMONDIR='"$(daemondir)"' \
	-DCULVER_PKGDATADIR='"$(pkgdatadir)"' \
	-DCULVER_SBINDIR='"$(sbindir)"'
culver_libculver_a_SOURCES = \
	culver/account.c \
	culver/args.c culver/culver.h \
	culver/check-nginx.c \
	culver/checks.c culver/checks.h \
	culver/cmd-acl.c \
	culver/cmd-backup.c \
	culver/cmd-check.c \
	culver/cmd-config.c \
	culver/cmd-doctor.c \
	culver/cmd-export.c culver/export.h \
	culver/cmd-health.c \
	culver/cmd-import-imap.c \
	culver/cmd-import.c culver/import.h \
	culver/cmd-listeners.c \
	culver/cmd-mailbox-list.c \
	culver/cmd-mailbox.c \
	culver/cmd-message.c \
	culver/cmd-message-fetch.c \
	culver/cmd-message-save.c \
	culver/cmd-pw.c \
	culver/cmd-quota.c \
	culver/cmd-restore.c \
	culver/cmd-spool.c \
	culver/cmd-stats.c \
	culver/cmd-sweep.c \
	culver/cmd-undelete.c \
	culver/cmd-token.c \
	culver/cmd-user-add.c \
	culver/cmd-user-del.c \
	culver/cmd-user-list.c \
	culver/cmd-user-passwd.c \
	culver/cmd-user-show.c \
	culver/cmd-who.c \
	culver/create.c \
	culver/dirlist.c culver/dirlist.h \
	culver/export-maildir.c \
	culver/export-mbox.c \
	culver/import-date.c \
	culver/import-path.c \
	culver/imapc.c culver/imapc.h culver/imapc-int.h \
	culver/imapc-fetch.c \
	culver/imapc-net.c \
	culver/importer.c \
	culver/listeners.c culver/listeners.h \
	culver/listeners-inetd.c \
	culver/listeners-nginx.c \
	culver/listeners-s6.c \
	culver/listeners-systemd.c \
	culver/maildir.c culver/maildir.h \
	culver/mbox-from.c \
	culver/mbox-write.c \
	culver/mbox.c culver/mbox.h \
	culver/message.c culver/message.h \
	culver/names.c \
	culver/password.c \
	culver/priv.c \
	culver/progress.c \
	culver/protocols.c \
	culver/rows.c culver/rows.h \
	culver/say-store.c \
	culver/say.c \
	culver/seen.c culver/seen.h \
	culver/uidlist.c culver/uidlist.h

check_PROGRAMS += t/fuzz/fuzz-mbox
t_fuzz_fuzz_mbox_SOURCES = t/fuzz/fuzz-mbox.c $(FUZZ_MAIN)
t_fuzz_fuzz_mbox_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mbox_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_mbox_LDADD = culver/libculver.a $(LIBBASE)

sbin_PROGRAMS += culver/culver
culver_culver_SOURCES = culver/main.c
culver_culver_LDADD = culver/libculver.a $(LIBSESSION) $(LIBSTORE) \
	$(LIBMIME) $(LIBBASE) $(GNUTLS_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += t/unit/test-culver
t_unit_test_culver_SOURCES = t/unit/test-culver.c
t_unit_test_culver_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_culver_LDADD = culver/libculver.a $(TEST_LIBS)

dist_man_MANS += doc/culver.8

EXTRA_DIST += t/lib/CulverServe.pm t/lib/CulverScram.pm
TAPS += \
	t/admin/acl.t \
	t/admin/mailbox.t \
	t/admin/message.t \
	t/admin/login.t \
	t/admin/quota.t \
	t/admin/backup.t \
	t/admin/check.t \
	t/admin/debian.t \
	t/admin/doctor.t \
	t/admin/health.t \
	t/admin/repair.t \
	t/admin/export.t \
	t/admin/import.t \
	t/admin/import-imap.t \
	t/admin/json.t \
	t/admin/listeners.t \
	t/admin/service-user.t \
	t/admin/stats.t \
	t/admin/sweep.t t/admin/undelete.t \
	t/admin/token.t \
	t/admin/user-show.t \
	t/admin/user.t \
	t/admin/who.t \
	t/e2e/clients.t \
	t/e2e/full-disk.t \
	t/e2e/limits.t \
	t/e2e/serve.t \
	t/e2e/whole-way.t
