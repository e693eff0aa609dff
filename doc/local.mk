# doc: manual pages and formats
dist_man_MANS += doc/pop3d.8 doc/imapd.8 doc/mailstore.5
dist_doc_DATA += doc/backup.md doc/install.md doc/migration.md \
	doc/quickstart.md doc/security.md doc/storage.md doc/upgrade.md
EXTRA_DIST += doc/README.md
EXTRA_DIST += doc/rfc.csv
