# t/imap/list-myrights.t - LIST RETURN (MYRIGHTS), RFC 8440
use strict;
use warnings;
use ImapScript;

ImapScript::run(\*DATA, users => [ 'bob' ]);

__DATA__
== own mailboxes
C: a CREATE foo
A: a OK...
C: A01 LIST "" "foo" RETURN (MYRIGHTS)
S: * LIST (\HasNoChildren) "/" foo
S: * MYRIGHTS foo lrswipkxteancd
S: A01 OK ...
# beside STATUS, and in a list with others
C: A02 LIST "" "foo" RETURN (SUBSCRIBED MYRIGHTS STATUS (MESSAGES))
S: * LIST (\HasNoChildren) "/" foo
S: * MYRIGHTS foo lrswipkxteancd
S: * STATUS foo (MESSAGES 0)
S: A02 OK ...

== not of what doesn't match the selection
C: a CREATE foo/bar
A: a OK...
C: a SUBSCRIBE foo/bar
A: a OK...
C: a LIST (SUBSCRIBED RECURSIVEMATCH) "" "fo%" RETURN (MYRIGHTS)
S: * LIST (\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))
S: a OK ...

== other users' mailboxes
L2: bob
C: a CREATE foo/bar
A: a OK...
C: a SETACL foo ${bob} lrs
A: a OK...
C: a SETACL foo/bar ${bob} l
A: a OK...
C2: b LIST "" "Other Users/%" RETURN (MYRIGHTS)
S2: * LIST (\Noselect \NonExistent \HasChildren) "/" "Other Users/${me}"
S2: b OK ...
# STATUS needs right r
C2: b LIST "" "Other Users/*" RETURN (MYRIGHTS STATUS (MESSAGES))
S2: * LIST (\HasChildren) "/" "Other Users/${me}/foo"
S2: * MYRIGHTS "Other Users/${me}/foo" lrs
S2: * STATUS "Other Users/${me}/foo" (MESSAGES 0)
S2: * LIST (\Noselect \HasNoChildren) "/" "Other Users/${me}/foo/bar"
S2: * MYRIGHTS "Other Users/${me}/foo/bar" l
S2: b OK ...

== what is wrong
C: a LIST "" "*" RETURN (MYRIGHTS (l))
S: a BAD ...
