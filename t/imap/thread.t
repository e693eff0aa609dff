# t/imap/thread.t - THREAD (RFC 5256)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
@ 1
|Subject: apples
|Message-ID: <1@x>
|Date: Tue, 1 Feb 1994 10:00:00 +0000
|
@ 2
|Subject: Re: apples
|Message-ID: <2@x>
|In-Reply-To: <1@x>
|Date: Wed, 2 Feb 1994 10:00:00 +0000
|
@ 3
|Subject: pears
|Message-ID: <3@x>
|Date: Tue, 1 Feb 1994 09:00:00 +0000
|
@ 4
|Subject: Re: apples
|Message-ID: <4@x>
|References: <1@x> <2@x>
|Date: Thu, 3 Feb 1994 10:00:00 +0000
|
@ 5
|Subject: Re: apples
|Message-ID: <5@x>
|References: <1@x>
|Date: Wed, 2 Feb 1994 09:00:00 +0000
|
@ orphan1
|Subject: Re: plums
|References: <nowhere@x>
|Date: Fri, 4 Feb 1994 10:00:00 +0000
|
@ orphan2
|Subject: Re: plums
|References: <nowhere@x>
|Date: Fri, 4 Feb 1994 11:00:00 +0000
|
@ same
|Subject: pears
|Date: Sat, 5 Feb 1994 10:00:00 +0000
|
@ loop1
|Subject: loop
|Message-ID: <l1@x>
|References: <l2@x>
|Date: Sun, 6 Feb 1994 10:00:00 +0000
|
@ loop2
|Subject: loop
|Message-ID: <l2@x>
|References: <l1@x>
|Date: Sun, 6 Feb 1994 11:00:00 +0000
|

== an empty mailbox
C: s SELECT INBOX
A: s OK ...
C: a THREAD REFERENCES UTF-8 ALL
S: * THREAD
S: a OK ...

== three algorithms
M: a APPEND INBOX < 4
A: a OK ...
M: a APPEND INBOX < 2
A: a OK ...
M: a APPEND INBOX < 1
A: a OK ...
M: a APPEND INBOX < 5
A: a OK ...
M: a APPEND INBOX " 1-Jan-2020 00:00:00 +0000" < 3
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b THREAD REFERENCES UTF-8 ALL
S: * THREAD (5)(3 (4)(2 1))
S: b OK ...
C: c UID THREAD REFERENCES US-ASCII NOT 3
S: * THREAD (5)((4)(2 1))
S: c OK ...
C: d THREAD ORDEREDSUBJECT UTF-8 ALL
S: * THREAD (5)(3 (4)(2)(1))
S: d OK ...
# the latest arrival is in the last thread
C: e THREAD REFS UTF-8 ALL
S: * THREAD (5)(3 (4)(2 1))
S: e OK ...
C: f THREAD REFERENCES UTF-8 1:2
S: * THREAD (2 1)
S: f OK ...

== missing messages, the same subject, loops
M: a APPEND INBOX < orphan1
A: a OK ...
M: a APPEND INBOX < orphan2
A: a OK ...
M: a APPEND INBOX < 3
A: a OK ...
M: a APPEND INBOX < same
A: a OK ...
M: a APPEND INBOX < loop1
A: a OK ...
M: a APPEND INBOX < loop2
A: a OK ...
C: s SELECT INBOX
A: s OK ...
C: b THREAD REFERENCES UTF-8 1:2
S: * THREAD ((1)(2))
S: b OK ...
C: c THREAD REFERENCES UTF-8 3:4
S: * THREAD ((3)(4))
S: c OK ...
C: d THREAD REFS UTF-8 3:4
S: * THREAD (3)(4)
S: d OK ...
C: e THREAD REFERENCES UTF-8 5:6
S/ \* THREAD \((5 6|6 5)\)
S: e OK ...
# the same Message-ID twice: the second is another message
M: f APPEND INBOX < 3
A: f OK ...
C: g THREAD REFS UTF-8 OR 3 7
S: * THREAD (3)(7)
S: g OK ...

== bad arguments
C: s SELECT INBOX
A: s OK ...
C: a THREAD
S: a BAD expected a threading algorithm, not the end
C: b THREAD JWZ UTF-8 ALL
S: b BAD expected a threading algorithm at octet 10
C: c THREAD REFERENCES
S: c BAD expected a character set, not the end
C: d THREAD REFERENCES X-UNKNOWN ALL
S: d NO [BADCHARSET ...
C: e THREAD REFERENCES UTF-8
S: e BAD expected a search key, not the end
