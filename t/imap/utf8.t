# t/imap/utf8.t - UTF8=ACCEPT (RFC 6855)
use strict;
use warnings;
use ImapScript;

ImapScript::run(\*DATA);
__DATA__
@ plain
|Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
|
|x
== the capability
C: a CAPABILITY
S: * CAPABILITY ... UTF8=ACCEPT ...
S: a OK ...
C: b ENABLE UTF8=ACCEPT
S: * ENABLED UTF8=ACCEPT
S: b OK ...
C: c ENABLE UTF8=ACCEPT UTF8=ONLY
S: * ENABLED
S: c OK ...
== mailbox names
C: a CREATE "Entw&APw-rfe"
A: a OK...
C: b ENABLE UTF8=ACCEPT
A: b OK...
C: c LIST "" Entw*
S: * LIST (\HasNoChildren) "/" "Entw<xc3><xbc>rfe"
S: c OK ...
C: d CREATE "<xe6><x97><xa5>&-<xe6><x9c><xac>"
A: d OK...
C: e STATUS "<xe6><x97><xa5>&-<xe6><x9c><xac>" (MESSAGES)
S: * STATUS "<xe6><x97><xa5>&-<xe6><x9c><xac>" (MESSAGES 0)
S: e OK ...
C: f SELECT "Entw<xc3><xbc>rfe"
A: f OK...
C: g CREATE "bad<xff>"
S: g BAD ...
C: h CREATE "line<xe2><x80><xa8>sep"
S: h NO [CANNOT] ...
== no charset in SEARCH any more
M: a APPEND INBOX < plain
A: a OK ...
C: b SELECT INBOX
A: b OK...
C: c SEARCH CHARSET UTF-8 ALL
S: * SEARCH 1
S: c OK ...
C: d ENABLE UTF8=ACCEPT
A: d OK...
C: e SEARCH CHARSET UTF-8 ALL
S: e BAD ...
C: f SEARCH SUBJECT "gr<xc3><xbc><xc3><x9f>e"
S: * SEARCH 1
S: f OK ...
C: g SORT (SUBJECT) UTF-8 ALL
S: * SORT 1
S: g OK ...
== APPEND with UTF8
C: a APPEND INBOX UTF8 (~{32+}
R: Subject: gr<xc3><xbc><xc3><x9f>e<CRLF><CRLF>0123456789<CRLF>
C: )
S: a BAD ...enabled...
C: b ENABLE UTF8=ACCEPT
A: b OK...
C: c APPEND INBOX (\Seen) "17-Jul-1996 02:44:25 -0700" UTF8 (~{32+}
R: Subject: gr<xc3><xbc><xc3><x9f>e<CRLF><CRLF>0123456789<CRLF>
C: )
S: c OK [APPENDUID ... 1] ...
C: d APPEND INBOX UTF8 ({15+}
R: Subject: x<CRLF><CRLF>y
C: )
S: d BAD ...literal8...
C: e APPEND INBOX UTF8 (~{15+}
R: Subject: x<CRLF><CRLF>y
C:  FOO)
S: e BAD ...
C: f APPEND INBOX UTF8 ()
S: f BAD ...
C: g APPEND INBOX UTF8 ("x")
S: g BAD ...
C: h APPEND INBOX UTF8
S: h BAD ...
C: i APPEND INBOX FOO (~{15+}
R: Subject: x<CRLF><CRLF>y
C: )
S: i BAD ...
# several messages
C: j APPEND INBOX UTF8 (~{15+}
R: Subject: x<CRLF><CRLF>y
C: ) {15+}
R: Subject: y<CRLF><CRLF>y
C:  (\Flagged) UTF8 (~{15+}
R: Subject: z<CRLF><CRLF>y
C: )
S: j OK [APPENDUID ... 2:4] ...
# in CATENATE
C: k APPEND INBOX CATENATE (UTF8 (~{15+}
R: Subject: <xc3><xbc><CRLF>X:
C: ) TEXT {9+}
R:  y<CRLF><CRLF>z<CRLF>
C: )
S: k OK [APPENDUID ... 5] ...
C: l APPEND INBOX CATENATE (UTF8 ({5+}
R: abcde
C: ))
S: l BAD ...
C: m APPEND INBOX CATENATE (FOO (~{5+}
R: abcde
C: ))
S: m BAD ...
C: n APPEND INBOX CATENATE (UTF8 (~{5+}
R: abcde
C:  X))
S: n BAD ...
C: o APPEND INBOX CATENATE (UTF8 ())
S: o BAD ...
C: p SELECT INBOX
A: p OK...
C: q FETCH 1,5 (FLAGS BODY[])
S: * 1 FETCH (FLAGS (\Seen \Recent) BODY[] {32}<CRLF>Subject: gr<xc3><xbc><xc3><x9f>e<CRLF><CRLF>0123456789<CRLF>)
S: * 5 FETCH (FLAGS (\Seen \Recent) BODY[] {24}<CRLF>Subject: <xc3><xbc><CRLF>X: y<CRLF><CRLF>z<CRLF>)
S: q OK ...
C: r REPLACE 1 INBOX UTF8 (~{16+}
R: Subject: <xc3><xa4><CRLF><CRLF>z
C: )
A: r OK ...
