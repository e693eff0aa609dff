# libstore: the mail store
noinst_LIBRARIES += libstore/libstore.a
libstore_libstore_a_CFLAGS = $(AM_CFLAGS) $(ZSTD_CFLAGS)
libstore_libstore_a_SOURCES = libstore/errors.c libstore/errors.h

# The mail layer.
libstore_libstore_a_SOURCES += \
	libstore/account.c \
	libstore/acl.c \
	libstore/backup.c \
	libstore/blob.c \
	libstore/changes.c \
	libstore/check.c libstore/check.h \
	libstore/check-email.c \
	libstore/check-mailbox.c \
	libstore/check-object.c \
	libstore/chunk.c \
	libstore/copy.c \
	libstore/email.c \
	libstore/email-add.c \
	libstore/email-change.c \
	libstore/expunge.c \
	libstore/flags.c \
	libstore/hint.c \
	libstore/ids.c \
	libstore/identity.c \
	libstore/keyword.c \
	libstore/mailbox.c \
	libstore/mailbox-set.c \
	libstore/maildrop.c \
	libstore/member.c \
	libstore/message.c \
	libstore/metadata.c \
	libstore/msgid.c \
	libstore/object.c \
	libstore/once.c \
	libstore/outbox.c \
	libstore/push.c libstore/push.h \
	libstore/quota.c \
	libstore/read.c \
	libstore/repair.c libstore/repair.h \
	libstore/repair-blob.c \
	libstore/repair-load.c \
	libstore/repair-mailbox.c \
	libstore/repair-object.c \
	libstore/repair-settle.c \
	libstore/repair-write.c \
	libstore/recent.c \
	libstore/restore.c \
	libstore/shares.c \
	libstore/rows.c libstore/rows.h \
	libstore/rows-bulk.c \
	libstore/rows-object.c \
	libstore/rows-push.c \
	libstore/run.c \
	libstore/submission.c libstore/submission.h \
	libstore/subscription.c \
	libstore/spool.c \
	libstore/store.h libstore/store-int.h \
	libstore/sweep.c \
	libstore/thread.c \
	libstore/umap.c libstore/umap.h \
	libstore/undelete.c \
	libstore/vacation.c \
	libstore/view.c \
	libstore/watch.c

# The engine.
libstore_libstore_a_SOURCES += \
	libstore/kv.c libstore/kv.h \
	libstore/kv/backup.c \
	libstore/kv/base-write.c \
	libstore/kv/base.c libstore/kv/base.h \
	libstore/kv/btree.c libstore/kv/btree.h \
	libstore/kv/bdb-int.h \
	libstore/kv/bdb.c \
	libstore/kv/be.h \
	libstore/kv/blob.c libstore/kv/blob.h \
	libstore/kv/chaos.c \
	libstore/kv/check.c \
	libstore/kv/commit.c \
	libstore/kv/compact.c \
	libstore/kv/item.c libstore/kv/item.h \
	libstore/kv/journal.c libstore/kv/journal.h \
	libstore/kv/kv-int.h \
	libstore/kv/lock.c \
	libstore/kv/log.c libstore/kv/log.h \
	libstore/kv/lower.c libstore/kv/lower.h \
	libstore/kv/mem.c \
	libstore/kv/repo.c libstore/kv/repo.h \
	libstore/kv/repo-file.c \
	libstore/kv/restore.c \
	libstore/kv/olog.c libstore/kv/olog.h \
	libstore/kv/overlay.c libstore/kv/overlay.h \
	libstore/kv/pack-file.h \
	libstore/kv/pack.c \
	libstore/kv/reader.c \
	libstore/kv/recover.c \
	libstore/kv/reserve.c \
	libstore/kv/salvage.c libstore/kv/salvage.h \
	libstore/kv/salvage-pack.c \
	libstore/kv/salvage-read.c \
	libstore/kv/snap.c \
	libstore/kv/sweep.c \
	libstore/kv/sys.c libstore/kv/sys.h \
	libstore/kv/view.c libstore/kv/view.h \
	libstore/kv/watch.c

# What a program needs to link libstore, besides libmime and libbase.
LIBSTORE = libstore/libstore.a $(DB_LIBS) $(ZSTD_LIBS) -lpthread

check_PROGRAMS += t/unit/test-kv
t_unit_test_kv_SOURCES = t/unit/test-kv.c t/unit/kv-conform-blob.c \
	t/unit/kv-conform.h t/unit/kv-model.c t/unit/kv-model.h
t_unit_test_kv_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_kv_LDADD = $(LIBSTORE) $(TEST_LIBS)

STORE_FIXTURE = t/unit/store-fixture.c t/unit/store-fixture.h
STORE_WORLD = t/unit/store-world.c t/unit/store-world.h $(STORE_FIXTURE)
STORE_TEST_LIBS = $(LIBSTORE) $(LIBMIME) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-store-random
t_unit_test_store_random_SOURCES = t/unit/test-store-random.c \
	t/unit/store-model.c t/unit/store-model.h \
	t/unit/store-compare.c $(STORE_FIXTURE)
t_unit_test_store_random_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_random_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-rows
t_unit_test_rows_SOURCES = t/unit/test-rows.c
t_unit_test_rows_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_rows_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/fuzz/fuzz-rows
t_fuzz_fuzz_rows_SOURCES = t/fuzz/fuzz-rows.c $(FUZZ_MAIN)
t_fuzz_fuzz_rows_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_rows_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_rows_LDADD = $(LIBSTORE) $(LIBBASE)

check_PROGRAMS += t/crash/test-crash
CRASH_RUN = t/crash/crash-run.c t/crash/crash-disk.c t/crash/crash.h
t_crash_test_crash_SOURCES = t/crash/test-crash.c \
	t/crash/crash-verify.c t/crash/crash-work.c $(CRASH_RUN)
t_crash_test_crash_LDADD = $(LIBSTORE) $(LIBBASE)

check_PROGRAMS += t/crash/test-store-crash
t_crash_test_store_crash_SOURCES = t/crash/test-store-crash.c \
	t/crash/store-crash.h t/crash/store-change.c t/crash/store-verify.c \
	t/crash/store-work.c $(CRASH_RUN)
t_crash_test_store_crash_LDADD = $(LIBSTORE) $(LIBMIME) $(LIBBASE)

check_PROGRAMS += t/crash/test-power
t_crash_test_power_SOURCES = t/crash/test-power.c t/crash/power.h \
	t/crash/power-disk.c t/crash/power-log.c t/crash/power-verify.c \
	t/crash/power-work.c
t_crash_test_power_LDADD = $(LIBSTORE) $(LIBBASE)

KV_FIXTURE = t/unit/kv-fixture.c t/unit/kv-fixture.h \
	t/unit/kv-model.c t/unit/kv-model.h
check_PROGRAMS += t/unit/test-kv-disk
t_unit_test_kv_disk_SOURCES = t/unit/test-kv-disk.c $(KV_FIXTURE)
t_unit_test_kv_disk_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_kv_disk_LDADD = $(LIBSTORE) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-kv-backup
t_unit_test_kv_backup_SOURCES = t/unit/test-kv-backup.c $(KV_FIXTURE)
t_unit_test_kv_backup_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_kv_backup_LDADD = $(LIBSTORE) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-kv-log
t_unit_test_kv_log_SOURCES = t/unit/test-kv-log.c $(KV_FIXTURE)
t_unit_test_kv_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_kv_log_LDADD = $(LIBSTORE) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-kv-fault
t_unit_test_kv_fault_SOURCES = t/unit/test-kv-fault.c $(KV_FIXTURE)
t_unit_test_kv_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_kv_fault_LDADD = $(LIBSTORE) $(TEST_LIBS)

check_PROGRAMS += t/unit/test-store
t_unit_test_store_SOURCES = t/unit/test-store.c $(STORE_FIXTURE)
t_unit_test_store_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-clients
t_unit_test_store_clients_SOURCES = t/unit/test-store-clients.c \
	$(STORE_WORLD)
t_unit_test_store_clients_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_clients_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-threads
t_unit_test_store_threads_SOURCES = t/unit/test-store-threads.c \
	$(STORE_WORLD)
t_unit_test_store_threads_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_threads_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-mail
t_unit_test_store_mail_SOURCES = t/unit/test-store-mail.c \
	$(STORE_WORLD)
t_unit_test_store_mail_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_mail_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-email
t_unit_test_store_email_SOURCES = t/unit/test-store-email.c \
	$(STORE_WORLD)
t_unit_test_store_email_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_email_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/fuzz/fuzz-kv-journal t/fuzz/fuzz-kv-pack
check_PROGRAMS += t/fuzz/fuzz-kv-base
t_fuzz_fuzz_kv_base_SOURCES = t/fuzz/fuzz-kv-base.c $(FUZZ_MAIN)
t_fuzz_fuzz_kv_base_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_base_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_base_LDADD = $(LIBSTORE) $(LIBBASE)
t_fuzz_fuzz_kv_journal_SOURCES = t/fuzz/fuzz-kv-journal.c $(FUZZ_MAIN)
t_fuzz_fuzz_kv_journal_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_journal_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_journal_LDADD = $(LIBSTORE) $(LIBBASE)
t_fuzz_fuzz_kv_pack_SOURCES = t/fuzz/fuzz-kv-pack.c $(FUZZ_MAIN)
t_fuzz_fuzz_kv_pack_CFLAGS = $(AM_CFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_pack_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_FLAGS)
t_fuzz_fuzz_kv_pack_LDADD = $(LIBSTORE) $(LIBBASE)

check_PROGRAMS += t/unit/test-store-backup
t_unit_test_store_backup_SOURCES = t/unit/test-store-backup.c \
	t/unit/kv-model.c t/unit/kv-model.h
t_unit_test_store_backup_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_backup_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-repair
t_unit_test_store_repair_SOURCES = t/unit/test-store-repair.c \
	t/unit/kv-model.c t/unit/kv-model.h
t_unit_test_store_repair_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_repair_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-damage
t_unit_test_store_damage_SOURCES = t/unit/test-store-damage.c \
	$(STORE_WORLD)
t_unit_test_store_damage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_damage_LDADD = $(STORE_TEST_LIBS)

# Its own open(), pread() and so on have to be seen by Berkeley DB.
check_PROGRAMS += t/unit/test-store-fault
t_unit_test_store_fault_SOURCES = t/unit/test-store-fault.c \
	t/unit/fault-script.c t/unit/fault-script.h \
	t/unit/fault-send.c \
	t/unit/fault.c t/unit/fault.h
t_unit_test_store_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_fault_LDFLAGS = $(AM_LDFLAGS) -rdynamic
t_unit_test_store_fault_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-full
t_unit_test_store_full_SOURCES = t/unit/test-store-full.c
t_unit_test_store_full_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_full_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-metadata
t_unit_test_store_metadata_SOURCES = t/unit/test-store-metadata.c \
	$(STORE_FIXTURE)
t_unit_test_store_metadata_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_metadata_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-acl
t_unit_test_store_acl_SOURCES = t/unit/test-store-acl.c $(STORE_FIXTURE)
t_unit_test_store_acl_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_acl_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-subscription
t_unit_test_store_subscription_SOURCES = t/unit/test-store-subscription.c \
	$(STORE_FIXTURE)
t_unit_test_store_subscription_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_subscription_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-identity
t_unit_test_store_identity_SOURCES = t/unit/test-store-identity.c \
	$(STORE_FIXTURE)
t_unit_test_store_identity_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_identity_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-submission
t_unit_test_store_submission_SOURCES = t/unit/test-store-submission.c \
	$(STORE_FIXTURE)
t_unit_test_store_submission_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_submission_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-vacation
t_unit_test_store_vacation_SOURCES = t/unit/test-store-vacation.c \
	$(STORE_FIXTURE)
t_unit_test_store_vacation_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_vacation_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-once
t_unit_test_store_once_SOURCES = t/unit/test-store-once.c \
	$(STORE_FIXTURE)
t_unit_test_store_once_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_once_LDADD = $(STORE_TEST_LIBS)

check_PROGRAMS += t/unit/test-store-push
t_unit_test_store_push_SOURCES = t/unit/test-store-push.c \
	$(STORE_FIXTURE)
t_unit_test_store_push_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_test_store_push_LDADD = $(STORE_TEST_LIBS)
