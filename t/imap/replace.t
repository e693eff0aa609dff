# t/imap/replace.t - REPLACE (RFC 8508)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: draft
|Message-ID: <d@example.org>
|
|first
@ two
|Subject: draft
|Message-ID: <d@example.org>
|
|second

== in the same mailbox
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX (\Draft) < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: t FETCH 2 THREADID
S/ \* 2 FETCH \(THREADID \((?<t>T\w+)\)\)
S: t OK ...
M: b REPLACE 2 INBOX (\Seen \Draft) " 1-Feb-1994 10:00:00 +0000" < two
S: * OK [APPENDUID ... 3] ...
U: * 2 EXPUNGE
U: * 2 EXISTS
S: b OK ...
C: c FETCH 1:2 (UID FLAGS BODY.PEEK[TEXT])
S: * 1 FETCH (UID 1 FLAGS (\Recent) BODY[TEXT] {7}<CRLF>first<CRLF>)
S: * 2 FETCH (UID 3 FLAGS (\Seen \Draft \Recent) BODY[TEXT] {8}<CRLF>second<CRLF>)
S: c OK ...
# it stays in its thread
C: d FETCH 2 (INTERNALDATE THREADID)
S: * 2 FETCH (INTERNALDATE " 1-Feb-1994 10:00:00 +0000" THREADID (${t}))
S: d OK ...

== into another mailbox, by UID, with CATENATE
C: a CREATE Sent2
A: a OK ...
M: b APPEND INBOX < one
A: b OK ...
M: b APPEND INBOX < one
A: b OK ...
C: s SELECT INBOX
A: s OK ...
M: c UID REPLACE 1 Sent2 (\Seen) < two
S: * OK [APPENDUID ... 1] ...
S: * 1 EXPUNGE
S: c OK ...
C: d STATUS Sent2 (MESSAGES UNSEEN)
S: * STATUS Sent2 (MESSAGES 1 UNSEEN 0)
S: d OK ...
C: e UID REPLACE 2 Sent2 CATENATE (URL "/INBOX/;UID=2/;SECTION=HEADER" TEXT {3+}
C: abc)
S: * OK [APPENDUID ... 2] ...
S: * 1 EXPUNGE
S: e OK ...
C: f SELECT Sent2
A: f OK ...
C: g FETCH 2 BODY.PEEK[]
S: * 2 FETCH (BODY[] {50}<CRLF>Subject: draft<CRLF>Message-ID: <d@example.org><CRLF><CRLF>abc)
S: g OK ...

== nothing is lost when it can't be
M: a APPEND INBOX < one
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b REPLACE 1 nowhere {15+}
C: Subject: x<CRLF><CRLF>y
S: b NO [TRYCREATE] ...
C: c UID REPLACE 9 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: c NO [NONEXISTENT] ...
C: d REPLACE 1 INBOX {0+}
C:
S: d NO The message is empty
C: e REPLACE 1 INBOX {4000000000}
S: e NO [TOOBIG] ...
# another session was first
C2: a SELECT INBOX
A2: a OK ...
C2: b STORE 1 +FLAGS.SILENT (\Deleted)
A2: b OK ...
C2: c EXPUNGE
A2: c OK ...
C: f REPLACE 1 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: * 1 EXPUNGE
S: f NO [EXPUNGEISSUED] ...
C: g STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: g OK ...

== bad arguments
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < one
A: a OK ...
C: x REPLACE 1 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: x BAD select a mailbox first
C: s EXAMINE INBOX
A: s OK ...
C: b REPLACE 1 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: b NO [READ-ONLY] ...
C: s SELECT INBOX
A: s OK ...
C: c REPLACE 1:2 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: c BAD REPLACE is for one message
C: d REPLACE 7 INBOX {15+}
C: Subject: x<CRLF><CRLF>y
S: d BAD no message has that sequence number
C: e REPLACE 1 INBOX {15+}
R: Subject: x<CRLF><CRLF>y
C:  {15+}
C: Subject: x<CRLF><CRLF>y
S: e BAD REPLACE takes one message
C: f REPLACE
S: f BAD expected a set of numbers, not the end
C: g REPLACE 1 INBOX
S: g BAD expected the message as a literal, not the end
