# t/imap/savedate.t - SAVEDATE (RFC 8514), OLDER and YOUNGER (RFC 5032)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: one
|
|1

== when a message came into its mailbox
M: a APPEND INBOX " 1-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a FETCH 1 (SAVEDATE)
S/ \* 1 FETCH \(SAVEDATE "[ 0-3]\d-\w\w\w-20\d\d \d\d:\d\d:\d\d \+0000"\)
S: a OK ...
C: b FETCH 1 (INTERNALDATE)
S: * 1 FETCH (INTERNALDATE " 1-Feb-1994 10:00:00 +0000")
S: b OK ...
C: c SEARCH SAVEDBEFORE 1-Jan-2020
S: * SEARCH
S: c OK ...
C: d SEARCH SAVEDSINCE 1-Jan-2020 BEFORE 1-Jan-2020
S: * SEARCH 1
S: d OK ...
C: e SEARCH NOT SAVEDON 1-Feb-1994 SAVEDATESUPPORTED
S: * SEARCH 1 2
S: e OK ...
C: f SEARCH SAVEDON 1994
S: f BAD expected a date like 1-Feb-1994 at octet 18

== WITHIN
M: a APPEND INBOX " 1-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a SEARCH OLDER 86400
S: * SEARCH 1
S: a OK ...
C: b UID SEARCH YOUNGER 86400
S: * SEARCH 2
S: b OK ...
C: c SEARCH YOUNGER 4294967295
S: * SEARCH 1 2
S: c OK ...
C: d SEARCH OLDER 0
S: d BAD expected an interval in seconds at octet 16
C: e SEARCH YOUNGER -1
S: e BAD expected an interval in seconds at octet 18
C: f SEARCH YOUNGER
S: f BAD expected an interval in seconds, not the end
