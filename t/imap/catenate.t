# t/imap/catenate.t - APPEND of parts of other messages (RFC 4469)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ draft
|Subject: draft
|From: a@example.org
|MIME-Version: 1.0
|Content-Type: multipart/mixed; boundary=b
|
|--b
|Content-Type: text/plain
|
|old text
|--b
|Content-Type: text/html
|
|<b>kept</b>
|--b--

== texts and URLs
C: a CREATE Drafts2
A: a OK ...
M: b APPEND Drafts2 < draft
S/ b OK \[APPENDUID (?<v>\d+) 1\] .*
C: c APPEND INBOX (\Seen) CATENATE (URL "/Drafts2;UIDVALIDITY=${v}/;UID=1/;SECTION=HEADER" TEXT {48+}
C: --b<CRLF>Content-Type: text/plain<CRLF><CRLF>new text<CRLF>--b<CRLF> URL "/Drafts2/;UID=1/;section=2.MIME" URL "/Drafts2;UIDVALIDITY=${v}/;UID=1/;SECTION=2" TEXT {9+}
C: <CRLF>--b--<CRLF>)
S: c OK [APPENDUID ... 1] ...
C: d SELECT INBOX
A: d OK ...
C: e FETCH 1 (FLAGS BODYSTRUCTURE)
S: * 1 FETCH (FLAGS (\Seen \Recent) BODYSTRUCTURE (("text" "plain"...)("text" "html"...) "mixed"...))
S: e OK ...
C: f FETCH 1 (BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[HEADER.FIELDS (SUBJECT)])
S: * 1 FETCH (BODY[1] {8}<CRLF>new text BODY[2] {11}<CRLF><b>kept</b> BODY[HEADER.FIELDS (SUBJECT)] {18}<CRLF>Subject: draft<CRLF><CRLF>)
S: f OK ...
# no message's \Seen was set
C: g STATUS Drafts2 (UNSEEN)
S: * STATUS Drafts2 (UNSEEN 1)
S: g OK ...

== URLs alone; ranges; several messages
C: a CREATE "D & E"
S: a BAD ...
C: c CREATE "D &- E"
A: c OK ...
M: d APPEND "D &- E" < draft
A: d OK ...
C: e APPEND INBOX CATENATE (URL "/D%20%26%20E/;UID=1") CATENATE (URL "/D%20%26%20E/;UID=1/;PARTIAL=0.16" TEXT {5+}
C: <CRLF>abc URL "/D%20%26%20E;UID=1/;SECTION=TEXT/;PARTIAL=3") {15+}
C: Subject: 3<CRLF><CRLF>z
S: e OK [APPENDUID ... 1:3] ...
C: f SELECT INBOX
A: f OK ...
C: g FETCH 1:3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])
S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}<CRLF>Subject: draft<CRLF><CRLF>)
S: * 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}<CRLF>Subject: draft<CRLF><CRLF>)
S: * 3 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {14}<CRLF>Subject: 3<CRLF><CRLF>)
S: g OK ...
C: h FETCH 2 BODY.PEEK[TEXT]<0.5>
S: * 2 FETCH (BODY[TEXT]<0> {5}<CRLF>abc<CRLF>)
S: h OK ...
# in the selected mailbox the URL needs no name
C: i APPEND INBOX CATENATE (URL ";UID=3")
A: i OK [APPENDUID ... 4] ...
C: j APPEND INBOX CATENATE (TEXT {15+}
R: Subject: 5<CRLF><CRLF>z
R:  URL {6+}
C:
C: ;UID=3)
A: j OK [APPENDUID ... 5] ...
C: k APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(From%20Subject)")
A: k OK [APPENDUID ... 6] ...
C: l FETCH 6 BODY.PEEK[]
S: * 6 FETCH (BODY[] {39}<CRLF>Subject: draft<CRLF>From: a@example.org<CRLF><CRLF>)
S: l OK ...

== URLs that lead nowhere
M: a APPEND INBOX < draft
S/ a OK \[APPENDUID (?<v>\d+) 1\] .*
C: b APPEND INBOX CATENATE (URL "/INBOX;UIDVALIDITY=1/;UID=1")
S: b NO [BADURL /INBOX;UIDVALIDITY=1/;UID=1] ...
C: c APPEND INBOX CATENATE (URL "/INBOX/;UID=2")
S: c NO [BADURL /INBOX/;UID=2] ...
C: d APPEND INBOX CATENATE (URL "/nowhere/;UID=1" TEXT {3+}
C: abc)
S: d NO [BADURL /nowhere/;UID=1] ...
C: e APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=9")
S: e NO [BADURL /INBOX/;UID=1/;SECTION=9] ...
C: f APPEND INBOX CATENATE (URL "imap://other.example/INBOX/;UID=1")
S: f NO [BADURL ...
C: g APPEND INBOX CATENATE (URL "/INBOX")
S: g NO [BADURL /INBOX] ...
C: h APPEND INBOX CATENATE (URL "/IN%4xBOX/;UID=1")
S: h NO [BADURL ...
C: i APPEND INBOX CATENATE (URL ";UID=1")
S: i NO [BADURL ;UID=1] ...
C: j APPEND INBOX CATENATE (URL "a] b")
S: j NO [BADURL ""] ...
C: k STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 1)
S: k OK ...

== bad arguments
C: a APPEND INBOX CATENATE
S: a BAD expected a list of URLs and texts, not the end
C: b APPEND INBOX CATENATE ()
S: b NO The message is empty
C: c APPEND INBOX CATENATE (URL)
S: c BAD ...
C: d APPEND INBOX CATENATE (TEXT)
S: d BAD ...
C: e APPEND INBOX CATENATE (TEXT "x")
S: e BAD expected a literal after TEXT at octet 31
C: f APPEND INBOX CATENATE (SOUND {3+}
C: abc)
S: f BAD expected URL, TEXT or UTF8 at octet 26
C: g APPEND INBOX CATENATE ({3+}
C: abc)
S: g BAD ...
C: h APPEND INBOX ({3+}
C: abc) {3+}
C: abc
S: h BAD ...
C: i APPEND INBOX CATENATE (TEXT {4000000000}
S: i NO [TOOBIG] ...
C: j NOOP
S: j OK ...
