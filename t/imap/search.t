# t/imap/search.t - every key of SEARCH
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ m1
|From: Smith <smith@example.com>
|To: Bob <bob@example.net>
|Cc: carol@example.org
|Subject: Re: The quick brown fox
|Date: Mon, 31 Jan 1994 23:30:00 -0800
|X-List: one
|
|A plain text about Zebras.
@ m2
|From: =?iso-8859-1?Q?J=F6rg?= <joerg@example.com>
|Bcc: dave@example.net
|Subject: =?utf-8?B?w5xiZXJzY2hyaWZ0?= zwei
|Date: Tue, 1 Feb 1994 10:00:00 +0000
|MIME-Version: 1.0
|Content-Type: multipart/alternative; boundary=b
|
|--b
|Content-Type: text/plain; charset=iso-8859-1
|Content-Transfer-Encoding: quoted-printable
|
|Gr=FC=DFe aus M=FCn=
|chen
|--b
|Content-Type: text/html; charset=utf-8
|Content-Transfer-Encoding: base64
|
|PHA+SGlkZGVuIGdpcmFmZmU8L3A+
|--b--
@ m3
|Subject: no date, no sender
|X-Empty:
|
|<5000*0123456789abcdef>

== flags
M: a APPEND INBOX (\Seen \Answered) "1-Feb-1994 00:00:00 +0000" < m1
C: z NOOP
A: z OK ...
M: a APPEND INBOX (\Seen \Answered) "01-Feb-1994 00:00:00 +0000" < m1
A: a OK ...
M: a APPEND INBOX (\Flagged \Draft k1) "01-Feb-1994 23:59:59 +0000" < m2
A: a OK ...
M: a APPEND INBOX (\Deleted K2) "02-Feb-1994 00:00:00 +0000" < m3
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SEARCH ALL
S: * SEARCH 1 2 3
S: b OK ...
C: b SEARCH SEEN
S: * SEARCH 1
A: b OK ...
C: b SEARCH UNSEEN
S: * SEARCH 2 3
A: b OK ...
C: b SEARCH ANSWERED UNDELETED
S: * SEARCH 1
A: b OK ...
C: b SEARCH UNANSWERED
S: * SEARCH 2 3
A: b OK ...
C: b SEARCH FLAGGED DRAFT
S: * SEARCH 2
A: b OK ...
C: b SEARCH UNFLAGGED UNDRAFT
S: * SEARCH 1 3
A: b OK ...
C: b SEARCH DELETED
S: * SEARCH 3
A: b OK ...
C: b SEARCH KEYWORD K1
S: * SEARCH 2
A: b OK ...
C: b SEARCH UNKEYWORD k2
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH RECENT
S: * SEARCH 1 2 3
A: b OK ...
C: b SEARCH NEW
S: * SEARCH 2 3
A: b OK ...
C: b SEARCH OLD
S: * SEARCH
A: b OK ...
C: b UID SEARCH NOT SEEN
S: * SEARCH 2 3
A: b OK ...
C: b SEARCH OR SEEN DELETED
S: * SEARCH 1 3
A: b OK ...
C: b SEARCH NOT (OR SEEN DELETED)
S: * SEARCH 2
A: b OK ...
C: b SEARCH (SEEN) (NOT DELETED (ANSWERED))
S: * SEARCH 1
A: b OK ...
C: b SEARCH 2:3 UNDELETED
S: * SEARCH 2
A: b OK ...
C: b SEARCH UID 1,3:* *
S: * SEARCH 3
A: b OK ...
C: b SEARCH 100
S: * SEARCH
A: b OK ...

== dates and sizes
M: a APPEND INBOX "01-Feb-1994 00:00:00 +0000" < m1
A: a OK ...
M: a APPEND INBOX "01-Feb-1994 23:59:59 +0000" < m2
A: a OK ...
M: a APPEND INBOX "02-Feb-1994 00:00:00 +0000" < m3
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SEARCH BEFORE 1-Feb-1994
S: * SEARCH
A: b OK ...
C: b SEARCH BEFORE 2-Feb-1994
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH ON "01-Feb-1994"
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH SINCE 2-FEB-1994
S: * SEARCH 3
A: b OK ...
# the Date field's day where it was written; none: none of the three
C: b SEARCH SENTON 31-Jan-1994
S: * SEARCH 1
A: b OK ...
C: b SEARCH SENTBEFORE 1-Feb-1994
S: * SEARCH 1
A: b OK ...
C: b SEARCH SENTSINCE 1-Jan-1994
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH LARGER 5000
S: * SEARCH 3
A: b OK ...
C: b SEARCH SMALLER 5000
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH LARGER 0 SMALLER 4294967295
S: * SEARCH 1 2 3
A: b OK ...

== headers
M: a APPEND INBOX < m1
A: a OK ...
M: a APPEND INBOX < m2
A: a OK ...
M: a APPEND INBOX < m3
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SEARCH FROM smith
S: * SEARCH 1
A: b OK ...
C: b SEARCH FROM "SMITH@EX"
S: * SEARCH 1
A: b OK ...
C: b SEARCH TO bob CC carol
S: * SEARCH 1
A: b OK ...
C: b SEARCH BCC dave
S: * SEARCH 2
A: b OK ...
C: b SEARCH SUBJECT "QUICK brown"
S: * SEARCH 1
A: b OK ...
C: b SEARCH CHARSET UTF-8 SUBJECT {14+}
C: <xC3><xBC>BERSCHRIFT Z
S: * SEARCH 2
A: b OK ...
C: b SEARCH CHARSET ISO-8859-1 FROM {4+}
C: j<xF6>RG
S: * SEARCH 2
A: b OK ...
C: b SEARCH SUBJECT "<xC3><x9C>berschrift"
S: * SEARCH 2
A: b OK ...
C: b SEARCH SUBJECT {1+}
C: <xDC>
S: b BAD expected text in the CHARSET at octet ...
C: b SEARCH HEADER X-List ONE
S: * SEARCH 1
A: b OK ...
C: b SEARCH HEADER X-List ""
S: * SEARCH 1
A: b OK ...
C: b SEARCH HEADER x-empty ""
S: * SEARCH 3
A: b OK ...
C: b SEARCH HEADER X-Empty x
S: * SEARCH
A: b OK ...
C: b SEARCH HEADER Subject ""
S: * SEARCH 1 2 3
A: b OK ...
C: b SEARCH FROM ""
S: * SEARCH 1 2
A: b OK ...
C: b SEARCH HEADER MIME-Version 1.0
S: * SEARCH 2
A: b OK ...

== bodies
M: a APPEND INBOX < m1
A: a OK ...
M: a APPEND INBOX < m2
A: a OK ...
M: a APPEND INBOX < m3
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b SEARCH BODY zebra
S: * SEARCH 1
A: b OK ...
C: b SEARCH TEXT ZEBRA
S: * SEARCH 1
A: b OK ...
C: b SEARCH BODY fox
S: * SEARCH
A: b OK ...
C: b SEARCH TEXT fox
S: * SEARCH 1
A: b OK ...
C: b SEARCH BODY giraffe
S: * SEARCH 2
A: b OK ...
C: b SEARCH CHARSET UTF-8 BODY {8+}
C: M<xC3><xBC>NCHEN
S: * SEARCH 2
A: b OK ...
C: b SEARCH BODY f0123456789abcdef0
S: * SEARCH 3
A: b OK ...
C: b SEARCH NOT BODY zebra
S: * SEARCH 2 3
A: b OK ...
C: b SEARCH OR BODY zebra SUBJECT sender
S: * SEARCH 1 3
A: b OK ...
C: b SEARCH BODY ""
S: * SEARCH 1 2 3
A: b OK ...

== bad arguments
C: s SELECT INBOX
A: s OK ...
C: a SEARCH
S: a BAD expected a search key, not the end
C: b SEARCH XYZ
S: b BAD expected a search key at octet 10
C: c SEARCH CHARSET KLINGON ALL
S: c NO [BADCHARSET (US-ASCII UTF-8)] ...
C: d SEARCH CHARSET UTF-8
S: d BAD expected a search key, not the end
C: e SEARCH BEFORE
S: e BAD expected a date like 1-Feb-1994, not the end
C: f SEARCH BEFORE 30-Feb-1994
S: f BAD expected a date like 1-Feb-1994 at octet 17
C: g SEARCH LARGER -1
S: g BAD expected a size at octet 17
C: h SEARCH LARGER 9223372036854775808
S: h BAD expected a size at octet 17
C: i SEARCH OR SEEN
S: i BAD expected a search key, not the end
C: j SEARCH NOT
S: j BAD expected a search key, not the end
C: k SEARCH ()
S: k BAD expected a search key, not the end
C: l SEARCH HEADER X
S: l BAD expected a string, not the end
C: m SEARCH KEYWORD \Seen
S: m BAD expected a keyword at octet 18
C: n SEARCH UID x
S: n BAD expected a set of numbers at octet 14
C: o SEARCH "ALL"
S: o BAD expected a search key at octet 10
C: p SEARCH FROM (x)
S: p BAD expected a string at octet 15
