# doc: manual pages and formats
dist_man_MANS += doc/pop3d.8 doc/imapd.8 doc/mailstore.5
EXTRA_DIST += doc/storage.md
EXTRA_DIST += doc/README.md
EXTRA_DIST += doc/security.md
EXTRA_DIST += doc/rfc.csv
