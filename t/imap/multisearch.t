# t/imap/multisearch.t - ESEARCH in several mailboxes (RFC 7377)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ chad
|Subject: chad
|
|1
@ other
|Subject: other
|
|2

== sources
C: a CREATE folder1
A: a OK ...
C: a CREATE folder2/banana/peel
A: a OK ...
C: a CREATE folder2/peach
A: a OK ...
M: b APPEND INBOX < chad
A: b OK ...
M: b APPEND folder1 < other
A: b OK ...
M: b APPEND folder1 (\Seen) < chad
A: b OK ...
M: b APPEND folder1 < chad
A: b OK ...
M: b APPEND folder2/banana < chad
A: b OK ...
M: b APPEND folder2/banana/peel < chad
A: b OK ...
M: b APPEND folder2/peach < other
A: b OK ...
C: c ESEARCH IN (mailboxes "folder1" subtree "folder2") SUBJECT chad
U/ \* ESEARCH \(TAG "c" MAILBOX folder1 UIDVALIDITY \d+\) UID ALL 2:3
U/ \* ESEARCH \(TAG "c" MAILBOX folder2/banana UIDVALIDITY \d+\) UID ALL 1
U/ \* ESEARCH \(TAG "c" MAILBOX folder2/banana/peel UIDVALIDITY \d+\) UID ALL 1
S: c OK ...
C: d ESEARCH IN (subtree-one folder2) RETURN (COUNT) SUBJECT chad
S: * ESEARCH (TAG "d" MAILBOX folder2/banana UIDVALIDITY ...) UID COUNT 1
S: d OK ...
C: e ESEARCH IN (mailboxes (folder1 nowhere INBOX)) RETURN (MIN MAX) UNSEEN
U: * ESEARCH (TAG "e" MAILBOX folder1 UIDVALIDITY ...) UID MIN 1 MAX 3
U: * ESEARCH (TAG "e" MAILBOX INBOX UIDVALIDITY ...) UID MIN 1 MAX 1
S: e OK ...
C: f ESEARCH IN (inboxes) ALL
S: * ESEARCH (TAG "f" MAILBOX INBOX UIDVALIDITY ...) UID ALL 1
S: f OK ...
C: g ESEARCH IN (personal) RETURN (COUNT) SUBJECT other
U: * ESEARCH (TAG "g" MAILBOX folder1 UIDVALIDITY ...) UID COUNT 1
U: * ESEARCH (TAG "g" MAILBOX folder2/peach UIDVALIDITY ...) UID COUNT 1
S: g OK ...
C: h ESEARCH IN (personal) SUBJECT nothing
S: h OK ...
C: i UNSUBSCRIBE folder1
A: i ...
C: i SUBSCRIBE folder2/peach
A: i OK ...
C: j ESEARCH IN (subscribed) SUBJECT other
S: * ESEARCH (TAG "j" MAILBOX folder2/peach UIDVALIDITY ...) UID ALL 1
S: j OK ...
# each mailbox once, "*" and numbers are its own
C: k ESEARCH IN (mailboxes folder1 mailboxes folder1 subtree folder1) UID *
S: * ESEARCH (TAG "k" MAILBOX folder1 UIDVALIDITY ...) UID ALL 3
S: k OK ...
C: l ESEARCH IN (mailboxes (folder1 folder2/peach)) 1:100
U: * ESEARCH (TAG "l" MAILBOX folder1 UIDVALIDITY ...) UID ALL 1:3
U: * ESEARCH (TAG "l" MAILBOX folder2/peach UIDVALIDITY ...) UID ALL 1
S: l OK ...
C: m ESEARCH IN (mailboxes folder1) RETURN (PARTIAL 1:2) ALL
S: * ESEARCH (TAG "m" MAILBOX folder1 UIDVALIDITY ...) UID PARTIAL (1:2 1:2)
S: m OK ...

== the selected mailbox stays as it is
C: a CREATE other
A: a OK ...
M: b APPEND INBOX < chad
A: b OK ...
M: b APPEND INBOX < chad
A: b OK ...
M: b APPEND other < chad
A: b OK ...
C: s SELECT INBOX
A: s OK ...
C: t STORE 1 +FLAGS.SILENT (\Deleted)
S: t OK ...
C: t EXPUNGE
A: t OK ...
C: c ESEARCH ALL
S: * ESEARCH (TAG "c" MAILBOX INBOX UIDVALIDITY ...) UID ALL 2
S: c OK ...
C: d ESEARCH IN (selected mailboxes other) SUBJECT chad
U: * ESEARCH (TAG "d" MAILBOX INBOX UIDVALIDITY ...) UID ALL 2
U: * ESEARCH (TAG "d" MAILBOX other UIDVALIDITY ...) UID ALL 1
S: d OK ...
C: e ESEARCH RETURN (SAVE) ALL
S: e OK ...
C: f FETCH $ UID
S: * 1 FETCH (UID 2)
S: f OK ...
C: g ESEARCH IN (personal) MODSEQ 1
S: * OK [HIGHESTMODSEQ ...
U: * ESEARCH (TAG "g" MAILBOX INBOX UIDVALIDITY ...) UID ALL 2 MODSEQ ...
U: * ESEARCH (TAG "g" MAILBOX other UIDVALIDITY ...) UID ALL 1 MODSEQ ...
S: g OK ...
C: h FETCH 1 (UID)
S: * 1 FETCH (UID 2)
S: h OK ...
M: i APPEND INBOX < chad
S: * 2 EXISTS
S: * 2 RECENT
S: i OK ...

== bad arguments
C: a ESEARCH ALL
S: a BAD select a mailbox first
C: b ESEARCH IN (selected) ALL
S: b BAD select a mailbox first
C: c ESEARCH IN () ALL
S: c BAD expected a source of mailboxes, not the end
C: d ESEARCH IN (everything) ALL
S: d BAD expected a source of mailboxes at octet 15
C: e ESEARCH IN (mailboxes) ALL
S: e BAD expected a mailbox name, not the end
C: f ESEARCH IN (personal) RETURN (SAVE) ALL
S: f BAD SAVE is for the selected mailbox alone
C: g ESEARCH IN (personal)
S: g BAD expected a search key, not the end
C: h ESEARCH IN (personal) CHARSET X-NONE ALL
S: h NO [BADCHARSET ...
C: i ESEARCH IN (selected-delayed) ALL
S: i BAD expected a source of mailboxes at octet 15
