# t/imap/multiappend.t - several messages in one APPEND (RFC 3502)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
== all or none
C: a CREATE saved
A: a OK ...
C: b APPEND saved (\Seen) " 1-Feb-1994 10:00:00 +0000" {15+}
R: Subject: 1<CRLF><CRLF>x
R:  (\Flagged $Work) {15+}
C:
R: Subject: 2<CRLF><CRLF>y
R:  {15+}
C:
C: Subject: 3<CRLF><CRLF>z
S/ b OK \[APPENDUID \d+ 1:3\] .*
C: c SELECT saved
A: c OK ...
C: d FETCH 1:3 (FLAGS BODY.PEEK[TEXT])
S: * 1 FETCH (FLAGS (\Seen \Recent) BODY[TEXT] {1}<CRLF>x)
S/ \* 2 FETCH \(FLAGS \(\\Flagged \$[Ww]ork \\Recent\) BODY\[TEXT\] \{1\}\r\ny\)
S: * 3 FETCH (FLAGS (\Recent) BODY[TEXT] {1}<CRLF>z)
S: d OK ...
C: e FETCH 1 INTERNALDATE
S: * 1 FETCH (INTERNALDATE " 1-Feb-1994 10:00:00 +0000")
S: e OK ...
# the second is empty: nothing is kept
C: f APPEND saved {15+}
R: Subject: 4<CRLF><CRLF>x
R:  {0+}
C:
C:
S: f NO ...
C: g NOOP
S: g OK ...
# the second has NUL
C: h APPEND saved {15+}
R: Subject: 5<CRLF><CRLF>x
R:  {1+}
C:
C: <NUL>
S: h BAD NUL in the message
# the second is too big to be taken
C: i APPEND saved {15+}
R: Subject: 6<CRLF><CRLF>x
C:  {4000000000}
S: i NO [TOOBIG] ...
C: j STATUS saved (MESSAGES UIDNEXT)
S: * STATUS saved (MESSAGES 3 UIDNEXT 4)
S: j OK ...

== bad arguments
C: a APPEND INBOX {15+}
R: Subject: 1<CRLF><CRLF>x
C:  (\Seen)
S: a BAD expected the message as a literal, not the end
C: b APPEND INBOX {15+}
R: Subject: 1<CRLF><CRLF>x
C:  (\Nonsense) {1+}
C: x
S: b BAD ...
C: c STATUS INBOX (MESSAGES)
S: * STATUS INBOX (MESSAGES 0)
S: c OK ...
