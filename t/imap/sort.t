# t/imap/sort.t - SORT, ESORT, SORT=DISPLAY (RFC 5256, RFC 5267 3, RFC 5957)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ a
|From: "Zoe" <amy@example.org>
|To: bob@example.org
|Cc: one@example.org
|Subject: Re: pears
|Date: Wed, 2 Feb 1994 10:00:00 +0000
|
|aaaa
@ b
|From: =?utf-8?q?=C3=84nne?= <mel@example.org>
|To: "Carl" <zed@example.org>
|Subject: apples
|Date: Tue, 1 Feb 1994 23:00:00 -0500
|
|bb
@ c
|From: ZED@example.org
|To: alice@example.org
|Cc: "X" <ANNA@example.org>
|Subject: Fwd: [list] Pears
|Date: Mon, 31 Jan 1994 10:00:00 +0000
|
|c
@ d
|Subject:
|
|no sender, no date, the longest of all

== every criterion
M: a APPEND INBOX " 4-Feb-1994 10:00:00 +0000" < a
A: a OK ...
M: a APPEND INBOX " 3-Feb-1994 10:00:00 +0000" < b
A: a OK ...
M: a APPEND INBOX " 2-Feb-1994 10:00:00 +0000" < c
A: a OK ...
M: a APPEND INBOX " 1-Feb-1994 10:00:00 +0000" < d
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SORT (ARRIVAL) UTF-8 ALL
S: * SORT 4 3 2 1
S: b OK ...
C: c SORT (REVERSE ARRIVAL) US-ASCII ALL
S: * SORT 1 2 3 4
S: c OK ...
# 4 has no date of its own; 2 is 04:00 of the next day in UTC
C: d SORT (DATE) UTF-8 ALL
S: * SORT 3 4 2 1
S: d OK ...
C: e SORT (FROM) UTF-8 ALL
S: * SORT 4 1 2 3
S: e OK ...
C: f SORT (TO) UTF-8 ALL
S: * SORT 4 3 1 2
S: f OK ...
# none is before some; equal ones keep their order, reversed or not
C: g SORT (CC) UTF-8 ALL
S: * SORT 2 4 3 1
S: g OK ...
C: h SORT (REVERSE CC) UTF-8 ALL
S: * SORT 1 3 2 4
S: h OK ...
C: i SORT (SUBJECT) UTF-8 ALL
S: * SORT 4 2 1 3
S: i OK ...
C: j SORT (SUBJECT REVERSE DATE) UTF-8 NOT 2
S: * SORT 4 1 3
S: j OK ...
C: k SORT (REVERSE SUBJECT DATE) UTF-8 ALL
S: * SORT 3 1 2 4
S: k OK ...
C: l SORT (SIZE) UTF-8 1:2
S: * SORT 2 1
S: l OK ...
# a mark is behind its letter
C: m SORT (DISPLAYFROM) UTF-8 ALL
S: * SORT 4 2 3 1
S: m OK ...
C: n SORT (DISPLAYTO) UTF-8 ALL
S: * SORT 4 3 1 2
S: n OK ...
C: o SORT (SUBJECT) UTF-8 TEXT "not in mailbox"
S: * SORT
S: o OK ...
# numbers and UIDs
C: p STORE 2 +FLAGS.SILENT (\Deleted)
S: p OK ...
C: q EXPUNGE
A: q OK ...
C: r SORT (ARRIVAL) UTF-8 ALL
S: * SORT 3 2 1
S: r OK ...
C: t UID SORT (ARRIVAL) UTF-8 ALL
S: * SORT 4 3 1
S: t OK ...

== RETURN
M: a APPEND INBOX " 4-Feb-1994 10:00:00 +0000" < a
A: a OK ...
M: a APPEND INBOX " 3-Feb-1994 10:00:00 +0000" < b
A: a OK ...
M: a APPEND INBOX " 5-Feb-1994 10:00:00 +0000" < c
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b UID SORT RETURN () (REVERSE ARRIVAL) UTF-8 ALL
S: * ESEARCH (TAG "b") UID ALL 3,1:2
S: b OK ...
C: c SORT RETURN (MIN MAX COUNT) (ARRIVAL) UTF-8 ALL
S: * ESEARCH (TAG "c") MIN 2 MAX 3 COUNT 3
S: c OK ...
C: d SORT RETURN (SAVE) (REVERSE ARRIVAL) UTF-8 1:2
S: d OK ...
C: e FETCH $ UID
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 2)
S: e OK ...
C: f SORT (ARRIVAL) UTF-8 MODSEQ 1
S/ \* OK \[HIGHESTMODSEQ (?<h>\d+)\] .*
S: * SORT 2 1 3 (MODSEQ ${h})
S: f OK ...

== bad arguments
C: s SELECT INBOX
A: s OK ...
C: a SORT
S: a BAD expected a list of sort criteria, not the end
C: b SORT () UTF-8 ALL
S: b BAD expected a sort criterion, not the end
C: c SORT (REVERSE) UTF-8 ALL
S: c BAD expected a sort criterion, not the end
C: d SORT (COLOUR) UTF-8 ALL
S: d BAD expected a sort criterion at octet 9
C: e SORT (DATE) X-UNKNOWN ALL
S: e NO [BADCHARSET (US-ASCII UTF-8)] ...
C: f SORT (DATE) UTF-8
S: f BAD expected a search key, not the end
C: g SORT (<17*DATE >DATE) UTF-8 ALL
S: g BAD expected fewer sort criteria at octet 89
C: h SORT DATE UTF-8 ALL
S: h BAD expected a list of sort criteria at octet 8
