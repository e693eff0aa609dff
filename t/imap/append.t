# t/imap/append.t - APPEND: dates, flags, literals, refusals
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA, conf => "max-message = 65536\n");
__DATA__
@ one
|Subject: one
|
|1

== flags and date
C: s SELECT INBOX
A: s OK ...
M: a APPEND INBOX (\Seen \Answered $Work NonJunk) "17-Jul-1996 02:44:25 -0700" < one
U: * 1 EXISTS
U: * 1 RECENT
U: a OK [APPENDUID ... 1] ...
C: b FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)
A: * 1 FETCH (FLAGS (\Answered \Seen $Work NonJunk \Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 19)
S: b OK ...
M: c APPEND INBOX " 1-Jan-2020 00:00:00 +0100" < one
A: c OK [APPENDUID ... 2] ...
C: d FETCH 2 (FLAGS INTERNALDATE)
S: * 2 FETCH (FLAGS (\Recent) INTERNALDATE "31-Dec-2019 23:00:00 +0000")
S: d OK ...
M: e APPEND INBOX () < one
A: e OK [APPENDUID ... 3] ...

== octets
C: a APPEND INBOX {19+}
R: Subject: one<CRLF><CRLF>1<CRLF><CRLF>
S: a OK [APPENDUID ... 1] ...
C: b APPEND {5+}
C: INBOX {10+}
R: <x80><xFF>a<LF>b<CR><LF>c<x01>d<CRLF>
S: b OK [APPENDUID ... 2] ...
C: s SELECT INBOX
A: s OK ...
C: c FETCH 1:2 BODY.PEEK[]
S: * 1 FETCH (BODY[] {19}<CRLF>Subject: one<CRLF><CRLF>1<CRLF>)
S: * 2 FETCH (BODY[] {11}<CRLF><x80><xFF>a<CRLF>b<CRLF>c<x01>d)
S: c OK ...
C: d APPEND INBOX {5+}
R: a<NUL>b<CRLF><CRLF>
S: d BAD NUL in the message
C: e APPEND INBOX {0+}
C:
S: e NO The message is empty
C: f FETCH * UID
S: * 2 FETCH (UID 2)
S: f OK ...

== no such mailbox: before the message is sent
C: a APPEND nowhere {19}
S: a NO [TRYCREATE] ...
C: b APPEND nowhere {7+}
C: x NOOP
S: b NO [TRYCREATE] ...
C: c NOOP
S: c OK ...

== too big: before the message is sent, or after it
C: a APPEND INBOX {65537}
S: a NO [TOOBIG] ...
C: b APPEND INBOX {65537+}
R: <65537*x><CRLF>
S: b NO [TOOBIG] ...
C: c APPEND INBOX {65536}
S: + OK
R: <65536*x><CRLF>
S: c OK ...
C: d APPEND INBOX {99999999999+}
S: d NO [TOOBIG] ...
S: * BYE [TOOBIG] ...
E:

== bad arguments
C: a APPEND
S: a BAD expected a mailbox name, not the end
C: b APPEND INBOX
S: b BAD expected the message as a literal, not the end
C: c APPEND INBOX "abc"
S: c BAD expected a date and time ...
C: d APPEND INBOX (\Foo) {1+}
C: x
S: d BAD no such system flag at octet 17
C: e APPEND INBOX (\Recent) {1+}
C: x
S: e BAD no such system flag at octet 17
C: f APPEND INBOX (a "b") {1+}
C: x
S: f BAD expected a flag at octet 19
C: g APPEND INBOX "1-Jan-2020 00:00:00 +0100" {1+}
C: x
S: g BAD expected a date and time ...
C: h APPEND INBOX {1+}
C: x y
S: h BAD expected the message as a literal at octet ...
C: i APPEND INBOX {1+}
C: x{1+}
C: y
S: i BAD expected a space or the end at octet ...
C: j APPEND elsewhere ~{1+}
C: x
S: j NO [TRYCREATE] ...
C: k APPEND (INBOX) {1+}
C: x
S: k BAD expected a mailbox name at octet 10
C: l APPEND INBOX ({1+}
C: x) {1+}
C: x
S: l BAD expected a flag at octet 17
C: m STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: m OK ...
