# t/imap/acl.t - SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314)
use strict;
use warnings;
use ImapScript;

ImapScript::run(\*DATA, users => [ 'bob', 'eve' ]);

__DATA__
== the examples of RFC 4314
C: a CREATE Drafts/x
A: a OK...
C: A002 SETACL Drafts/x Chris lrswi
S: A002 OK Done
C: A002 GETACL Drafts/x
S: * ACL Drafts/x ${me} lrswipkxteancd chris lrswi
S: A002 OK Listed
C: A002 SETACL Drafts/x Chris +cda
S: A002 OK Done
C: A003 GETACL Drafts/x
S: * ACL Drafts/x ${me} lrswipkxteancd chris lrswikxteacd
S: A003 OK Listed
C: A035 SETACL Drafts/x John lrQswicda
S: A035 BAD ...no such right...
C: A036 SETACL Drafts/x John lrqswicda
S: A036 BAD ...no such right...
C: A037 SETACL Drafts/x David lrswida
S: A037 OK Done
C: A038 SETACL Drafts/x Chris -lrsw
S: A038 OK Done
C: A039 SETACL Drafts/x -David wetd
S: A039 OK Done
C: A040 GETACL Drafts/x
S: * ACL Drafts/x ${me} lrswipkxteancd -david wted chris ikxteacd david lrswitead
S: A040 OK Listed
C: B002 DELETEACL Drafts/x David
S: B002 OK Done
C: B003 GETACL Drafts/x
S: * ACL Drafts/x ${me} lrswipkxteancd -david wted chris ikxteacd
S: B003 OK Listed
C: B004 SETACL Drafts/x Chris ""
S: B004 OK Done
C: B005 GETACL Drafts/x
S: * ACL Drafts/x ${me} lrswipkxteancd -david wted
S: B005 OK Listed
C: a001 LISTRIGHTS Drafts/x Smith
S: * LISTRIGHTS Drafts/x Smith "" l r s w i p k x t e a n c d
S: a001 OK Listed
C: a002 LISTRIGHTS Drafts/x ${me}
S: * LISTRIGHTS Drafts/x ${me} lrswipkxteancd
S: a002 OK Listed
C: a003 LISTRIGHTS Drafts/x -${me}
S: * LISTRIGHTS Drafts/x -${me} ""
S: a003 OK Listed
C: A003 MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswipkxteancd
S: A003 OK Listed

== the owner can't be locked out
C: a SETACL INBOX ${me} lr
S: a NO [CANNOT] ...
C: a DELETEACL INBOX ${me}
S: a NO [CANNOT] ...
C: a SETACL INBOX ${me} -r
S: a NO [CANNOT] ...
C: a SETACL INBOX ${me} +r
S: a OK ...
C: a SETACL INBOX ${me} lrswipkxtean
S: a OK ...
C: a SETACL INBOX -${me} lr
S: a NO [CANNOT] ...
C: a SETACL INBOX -anyone lrswipkxtean
S: a OK ...
C: a MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswipkxteancd
S: a OK ...

== what is wrong
C: a SETACL none bob lr
S: a NO [NONEXISTENT] ...
C: a GETACL none
S: a NO [NONEXISTENT] ...
C: a MYRIGHTS none
S: a NO [NONEXISTENT] ...
C: a SETACL INBOX a/b lr
S: a NO [CANNOT] ...
C: a SETACL INBOX "" lr
S: a NO [CANNOT] ...
C: a LISTRIGHTS INBOX -
S: a NO [CANNOT] ...
C: a SETACL INBOX bob
S: a BAD ...
C: a SETACL INBOX bob lr x
S: a BAD ...
C: a DELETEACL INBOX
S: a BAD ...
C: a GETACL INBOX x
S: a BAD ...
C: a LISTRIGHTS INBOX
S: a BAD ...
C: a MYRIGHTS
S: a BAD ...

== what may not be looked up isn't there
L2: bob
C: a CREATE s
A: a OK...
C2: b MYRIGHTS "Other Users/${me}/s"
S2: b NO [NONEXISTENT] No such object
C2: b SELECT "Other Users/${me}/s"
S2: b NO [NONEXISTENT] No such object
C2: b STATUS "Other Users/nobody/s" (MESSAGES)
S2: b NO [NONEXISTENT] No such object
C: a SETACL s ${bob} p
A: a OK...
C2: b MYRIGHTS "Other Users/${me}/s"
S2: b NO [NONEXISTENT] No such object
C: a SETACL s ${bob} l
A: a OK...
C2: b MYRIGHTS "Other Users/${me}/s"
S2: * MYRIGHTS "Other Users/${me}/s" l
S2: b OK ...
C2: b SELECT "Other Users/${me}/s"
S2: b NO [NOPERM] Not permitted
C2: b STATUS "Other Users/${me}/s" (MESSAGES)
S2: b NO [NOPERM] Not permitted
C2: b GETACL "Other Users/${me}/s"
S2: b NO [NOPERM] Not permitted
C2: b SETACL "Other Users/${me}/s" ${bob} lr
S2: b NO [NOPERM] Not permitted
C2: b LISTRIGHTS "Other Users/${me}/s" ${bob}
S2: b NO [NOPERM] Not permitted
C2: b DELETE "Other Users/${me}/s"
S2: b NO [NOPERM] Not permitted
C2: b GETQUOTAROOT "Other Users/${me}/s"
S2: b NO [NOPERM] Not permitted
C: a SETACL s ${bob} r
A: a OK...
C2: b DELETE "Other Users/${me}/s"
S2: b NO [NONEXISTENT] No such object
C2: b STATUS "Other Users/${me}/s" (MESSAGES)
S2: * STATUS "Other Users/${me}/s" (MESSAGES 0)
S2: b OK ...

== right a is given on
L2: bob
L3: eve
C: a SETACL INBOX ${bob} la
A: a OK...
C2: b SETACL "Other Users/${me}/INBOX" ${eve} lr
S2: b OK Done
C2: b GETACL "Other Users/${me}/INBOX"
S2: * ACL "Other Users/${me}/INBOX" ${me} lrswipkxteancd ${bob} la ${eve} lr
S2: b OK ...
C3: c MYRIGHTS "Other Users/${me}/INBOX"
S3: * MYRIGHTS "Other Users/${me}/INBOX" lr
S3: c OK ...
C2: b SETACL "Other Users/${me}/INBOX" ${me} lr
S2: b NO [CANNOT] ...

== anyone, and rights taken from one
L2: bob
L3: eve
C: a SETACL INBOX anyone lr
A: a OK...
C: a SETACL INBOX -${eve} r
A: a OK...
C2: b MYRIGHTS "Other Users/${me}/inbox"
S2: * MYRIGHTS "Other Users/${me}/inbox" lr
S2: b OK ...
C3: c MYRIGHTS "Other Users/${me}/INBOX"
S3: * MYRIGHTS "Other Users/${me}/INBOX" l
S3: c OK ...
