# t/imap/list-metadata.t - LIST RETURN (METADATA ...), RFC 9590
use strict;
use warnings;
use ImapScript;

ImapScript::run(\*DATA, users => [ 'bob' ],
	conf => qq(folder "Sent" { role = "sent" }\n));
__DATA__
== entries behind each mailbox
C: a SETMETADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c" /private/comment "mine")
A: a OK...
C: b LIST "" % RETURN (METADATA ("/shared/vendor/cmu/cyrus-imapd/color"))
S: * LIST (\HasNoChildren) "/" INBOX
S: * METADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")
S: * LIST (\HasNoChildren \Sent) "/" Sent
S: * METADATA Sent (/shared/vendor/cmu/cyrus-imapd/color NIL)
S: b OK ...
C: c LIST "" INBOX RETURN (METADATA (/private/comment /shared/comment) SUBSCRIBED STATUS (MESSAGES))
S: * LIST (\Subscribed \HasNoChildren) "/" INBOX
S: * METADATA INBOX (/private/comment "mine" /shared/comment NIL)
S: * STATUS INBOX (MESSAGES 0)
S: c OK ...
C: d LIST "" Sent RETURN (METADATA (/private/specialuse))
S: * LIST ... Sent
S: * METADATA Sent (/private/specialuse "\\Sent")
S: d OK ...
== errors
C: a LIST "" % RETURN (METADATA)
S: a BAD ...
C: b LIST "" % RETURN (METADATA /shared/comment)
S: b BAD ...
C: c LIST "" % RETURN (METADATA ("/shared/a%"))
S: c BAD ...
C: d LIST "" % RETURN (METADATA ())
S: d BAD ...
== others' mailboxes: what is shared, and one's own private ones
L2: bob
C: a CREATE foo
A: a OK...
C: b SETACL foo ${bob} lrw
A: b OK...
C: c SETMETADATA foo (/private/comment "hers" /shared/comment "ours")
A: c OK...
C: d CREATE bar
A: d OK...
C: d SETACL bar ${bob} l
A: d OK...
C2: e LIST "" "Other Users/*" RETURN (METADATA (/private/comment /shared/comment))
U2: * LIST ... "Other Users/.../bar"
U2: * LIST ... "Other Users/.../foo"
U2: * METADATA "Other Users/.../foo" (/private/comment NIL /shared/comment "ours")
A2: e OK ...
