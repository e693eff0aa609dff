# t/imap/partial.t - PARTIAL of SEARCH, SORT and UID FETCH (RFC 9394)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: one
|
|1

== SEARCH and SORT
M: a APPEND INBOX " 1-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX " 5-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX " 4-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX " 3-Feb-1994 10:00:00 +0000" < one
A: a OK ...
M: a APPEND INBOX " 2-Feb-1994 10:00:00 +0000" < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: t UID STORE 1 +FLAGS.SILENT (\Deleted)
A: t OK ...
C: t EXPUNGE
A: t OK ...
C: b UID SEARCH RETURN (PARTIAL 1:2) ALL
S: * ESEARCH (TAG "b") UID PARTIAL (1:2 2:3)
S: b OK ...
C: c UID SEARCH RETURN (PARTIAL -1:-3) ALL
S: * ESEARCH (TAG "c") UID PARTIAL (-1:-3 3:5)
S: c OK ...
C: d SEARCH RETURN (PARTIAL 3:100 COUNT MIN) ALL
S: * ESEARCH (TAG "d") MIN 1 PARTIAL (3:100 3:4) COUNT 4
S: d OK ...
C: e SEARCH RETURN (PARTIAL 5:6) ALL
S: * ESEARCH (TAG "e") PARTIAL (5:6 NIL)
S: e OK ...
C: f SEARCH RETURN (PARTIAL -4:-100) ALL
S: * ESEARCH (TAG "f") PARTIAL (-4:-100 1)
S: f OK ...
C: g UID SORT RETURN (PARTIAL 2:3) (ARRIVAL) UTF-8 ALL
S: * ESEARCH (TAG "g") UID PARTIAL (2:3 4,3)
S: g OK ...
C: h SEARCH RETURN (PARTIAL 2:1) FLAGGED
S: * ESEARCH (TAG "h") PARTIAL (2:1 NIL)
S: h OK ...
# what "$" keeps: RFC 9394, table 1
C: i UID SEARCH RETURN (SAVE PARTIAL 2:3) ALL
S: * ESEARCH (TAG "i") UID PARTIAL (2:3 3:4)
S: i OK ...
C: j UID SEARCH $
S: * SEARCH 3 4
S: j OK ...
C: k UID SEARCH RETURN (SAVE PARTIAL 2:2 MAX) ALL
S: * ESEARCH (TAG "k") UID MAX 5 PARTIAL (2:2 3)
S: k OK ...
C: l UID SEARCH $
S: * SEARCH 3 5
S: l OK ...
C: m UID SEARCH RETURN (SAVE PARTIAL 2:2 COUNT) ALL
S: * ESEARCH (TAG "m") UID PARTIAL (2:2 3) COUNT 4
S: m OK ...
C: n UID SEARCH $
S: * SEARCH 2 3 4 5
S: n OK ...

== UID FETCH
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX (CONDSTORE)
A: * OK [MAILBOXID ...
S/ \* OK \[HIGHESTMODSEQ (?<h>\d+)\] .*
A: s OK ...
C: b UID FETCH 1:* UID (PARTIAL -1:-2)
S: * 2 FETCH (UID 2)
S: * 3 FETCH (UID 3)
S: b OK ...
C: c UID FETCH 2:3 UID (PARTIAL 1:1)
S: * 2 FETCH (UID 2)
S: c OK ...
C: d UID FETCH 1:* UID (PARTIAL 4:9)
S: d OK ...
C: e UID STORE 1,3 +FLAGS.SILENT (\Seen)
A: e OK ...
C: f UID FETCH 1:* UID (PARTIAL -1:-2 CHANGEDSINCE ${h})
S: * 3 FETCH (MODSEQ (...) UID 3)
S: f OK ...

== bad arguments
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: a SEARCH RETURN (PARTIAL) ALL
S: a BAD expected a range like 1:500 or -1:-100, not the end
C: b SEARCH RETURN (PARTIAL 0:1) ALL
S: b BAD expected a range like 1:500 or -1:-100 at octet 26
C: c SEARCH RETURN (PARTIAL 1:-1) ALL
S: c BAD expected a range like 1:500 or -1:-100 at octet 26
C: d SEARCH RETURN (PARTIAL 1:1 ALL) ALL
S: d BAD expected either ALL or PARTIAL
C: e SEARCH RETURN (PARTIAL 1:1 PARTIAL 1:1) ALL
S: e BAD expected a return option ...
C: f FETCH 1 UID (PARTIAL 1:1)
S: f BAD PARTIAL is for UID FETCH
C: g UID FETCH 1 UID (PARTIAL 1)
S: g BAD expected a range like 1:500 or -1:-100 at octet 28
