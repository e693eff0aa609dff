# t/imap/new-account.t - what a new account has
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA, conf => <<'END');
folder "Sent" { role = "sent" }
folder "Entwürfe" { role = "drafts" }
folder "Lists/Culver" { }
END
__DATA__
== the folders of the configuration are there and subscribed
C: a LIST "" *
U: * LIST (\HasNoChildren) "/" INBOX
U: * LIST (\HasNoChildren \Sent) "/" Sent
U: * LIST (\HasNoChildren \Drafts) "/" Entw&APw-rfe
U: * LIST (\HasChildren) "/" Lists
U: * LIST (\HasNoChildren) "/" Lists/Culver
S: a OK ...
C: b LSUB "" *
U: * LSUB (...) "/" INBOX
U: * LSUB (...) "/" Sent
U: * LSUB (...) "/" Entw&APw-rfe
U: * LSUB (...) "/" Lists
U: * LSUB (...) "/" Lists/Culver
S: b OK ...
C: c LIST (SUBSCRIBED) "" *
U: * LIST (\Subscribed \HasNoChildren) "/" INBOX
U: * LIST (\Subscribed \HasNoChildren \Sent) "/" Sent
U: * LIST (\Subscribed \HasNoChildren \Drafts) "/" Entw&APw-rfe
U: * LIST (\Subscribed \HasChildren) "/" Lists
U: * LIST (\Subscribed \HasNoChildren) "/" Lists/Culver
S: c OK ...
C: d SELECT Lists/Culver
A: * 0 EXISTS
A: d OK ...

== what was taken away is not made again
C: a UNSUBSCRIBE Sent
S: a OK ...
C: b DELETE Lists/Culver
S: b OK ...
C: c LOGOUT
A: c OK ...
E:
C: d LIST "" Lists/*
S: d OK ...
C: e LSUB "" Sent
S: e OK ...
