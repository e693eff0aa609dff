# t/imap/copy.t - COPY and MOVE, with UIDPLUS
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: one
|
|1
@ two
|Subject: two
|
|2

== COPY
M: a APPEND INBOX (\Seen $Work) "17-Jul-1996 02:44:25 -0700" < one
A: a OK ...
M: a APPEND INBOX (\Deleted) < two
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: b CREATE x
A: b OK ...
C: c STATUS x (UIDVALIDITY)
S/ \* STATUS x \(UIDVALIDITY (?<v>\d+)\)
S: c OK ...
C: s SELECT INBOX
A: s OK ...
C: d COPY 1,3 x
S: d OK [COPYUID ${v} 1,3 1:2] ...
C: e UID COPY 2:* x
S: e OK [COPYUID ${v} 2:3 3:4] ...
C: f UID COPY 100:200 x
S: f OK There was nothing of that
C: g COPY 1 nowhere
S: g NO [TRYCREATE] ...
C: h COPY 4 x
S: h BAD no message has that sequence number
C: i COPY 1
S: i BAD expected a mailbox name, not the end
C: j SELECT x
A: * 4 EXISTS
A: j OK ...
C: k FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[TEXT])
S: * 1 FETCH (FLAGS (\Seen $Work \Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" BODY[TEXT] {3}<CRLF>1<CRLF>)
S: k OK ...

== COPY to the same mailbox
M: a APPEND INBOX (\Flagged) < one
S/ a OK \[APPENDUID (?<v>\d+) 1\] .*
C: s SELECT INBOX
A: s OK ...
C: b COPY 1 INBOX
S: * 2 EXISTS
A: b OK [COPYUID ${v} 1 2] ...
C: c STORE 1 FLAGS.SILENT ()
S: c OK ...
C: d FETCH 2 FLAGS
S: * 2 FETCH (FLAGS (\Flagged \Recent))
S: d OK ...

== MOVE
M: a APPEND INBOX (\Seen) < one
A: a OK ...
M: a APPEND INBOX < two
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: b CREATE x
A: b OK ...
C: s SELECT INBOX
A: s OK ...
C: c MOVE 1,3 x
S: * OK [COPYUID ... 1,3 1:2] ...
U: * 3 EXPUNGE
U: * 1 EXPUNGE
S: c OK ...
C: d UID MOVE 2 x
S: * OK [COPYUID ... 2 3] ...
S: * 1 EXPUNGE
S: d OK ...
C: e UID MOVE 2 x
S: e OK There was nothing of that
C: f MOVE 1 x
S: f BAD no message has that sequence number
C: g SELECT x
A: * 3 EXISTS
A: g OK ...
C: h UID MOVE 1 nowhere
S: h NO [TRYCREATE] ...
C: i FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: i OK ...

== MOVE within a mailbox
M: a APPEND INBOX (\Seen) < one
A: a OK ...
M: a APPEND INBOX < two
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b UID MOVE 1 INBOX
S: * OK [COPYUID ... 1 3] ...
S: * 1 EXPUNGE
S: * 2 EXISTS
A: b OK ...
C: c UID FETCH 3 BODY.PEEK[TEXT]
S: * 2 FETCH (UID 3 BODY[TEXT] {3}<CRLF>1<CRLF>)
S: c OK ...
