# t/imap/objectid.t - EMAILID, THREADID, MAILBOXID (RFC 8474)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ one
|Subject: one
|Message-ID: <one@example.org>
|
|1
@ reply
|Subject: Re: one
|In-Reply-To: <one@example.org>
|Message-ID: <two@example.org>
|
|2
@ other
|Subject: other
|
|3

== of mailboxes
C: a CREATE foo
S/ a OK \[MAILBOXID \((?<foo>M[0-9a-f]+)\)\] .*
C: b CREATE bar/baz
S/ b OK \[MAILBOXID \((?<baz>M[0-9a-f]+)\)\] .*
C: c CREATE foo
S: c NO [ALREADYEXISTS] ...
C: d SELECT foo
A: * OK [MAILBOXID (${foo})] ...
A: d OK ...
C: e STATUS bar/baz (MAILBOXID MESSAGES)
S: * STATUS bar/baz (MESSAGES 0 MAILBOXID (${baz}))
S: e OK ...
C: f RENAME foo renamed
A: f OK ...
C: g STATUS renamed (MAILBOXID)
S: * STATUS renamed (MAILBOXID (${foo}))
S: g OK ...
C: h LIST "" renamed RETURN (STATUS (MAILBOXID))
S: * LIST ... renamed
S: * STATUS renamed (MAILBOXID (${foo}))
S: h OK ...
# the same name later is another mailbox
C: i DELETE renamed
A: i OK ...
C: j CREATE renamed
S/ j OK \[MAILBOXID \((?<new>M[0-9a-f]+)\)\] .*
C: k STATUS renamed (MAILBOXID)
S: * STATUS renamed (MAILBOXID (${new}))
S: k OK ...

== of messages
M: a APPEND INBOX < one
A: a OK ...
M: a APPEND INBOX < reply
A: a OK ...
M: a APPEND INBOX < other
A: a OK ...
C: m CREATE there
A: m OK ...
C: s SELECT INBOX
A: s OK ...
C: b FETCH 1 (EMAILID THREADID)
S/ \* 1 FETCH \(EMAILID \((?<e>E[0-9a-f]+)\) THREADID \((?<t>T[0-9a-f]+)\)\)
S: b OK ...
C: c FETCH 2 (THREADID EMAILID)
S/ \* 2 FETCH \(THREADID \((?<u>T[0-9a-f]+)\) EMAILID \((?<f>E[0-9a-f]+)\)\)
S: c OK ...
C: d SEARCH THREADID ${t}
S: * SEARCH 1 2
S: d OK ...
C: e SEARCH EMAILID ${f}
S: * SEARCH 2
S: e OK ...
C: f SEARCH NOT THREADID ${u}
S: * SEARCH 3
S: f OK ...
C: g SEARCH OR EMAILID nonsense THREADID ${e}
S: * SEARCH
S: g OK ...
# the same after COPY and MOVE
C: h UID COPY 1 there
A: h OK ...
C: i UID MOVE 2 there
A: i OK ...
C: j SELECT there
A: j OK ...
C: k FETCH 1:2 (EMAILID THREADID)
S: * 1 FETCH (EMAILID (${e}) THREADID (${t}))
S: * 2 FETCH (EMAILID (${f}) THREADID (${u}))
S: k OK ...

== bad arguments
C: s SELECT INBOX
A: s OK ...
C: a SEARCH EMAILID
S: a BAD expected an object id, not the end
C: b SEARCH THREADID (x)
S: b BAD expected an object id at octet 19
