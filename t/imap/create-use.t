# t/imap/create-use.t - CREATE with a special use (RFC 6154 3)
use strict;
use warnings;
use ImapScript;
ImapScript::run(\*DATA);
__DATA__
== a use that is free
C: a CREATE Everything (USE (\All))
S: a OK [MAILBOXID (...)] ...
C: b LIST (SPECIAL-USE) "" Everything
S: * LIST (...\All...) "/" Everything
S: b OK ...
C: c CREATE Everything2 (USE (\All))
S: c NO [USEATTR] ...
C: d LIST "" Everything2
S: d OK ...
C: e CREATE plain (USE ())
S: e OK ...
C: f CREATE x (USE (\Unknown))
S: f NO [USEATTR] ...
C: g CREATE x (USE (\Archive \Flagged))
S: g NO [USEATTR] ...
C: h CREATE x (USED (\Archive))
S: h BAD expected USE at octet 13
C: i CREATE x (USE)
S: i BAD expected a list of special uses, not the end
C: j CREATE x USE
S: j BAD expected a list of parameters at octet 12
C: k CREATE x (USE (\Archive)) y
S: k BAD expected nothing more at octet 29
# after DELETE it is free again
C: l DELETE Everything
A: l OK ...
C: m CREATE Alles (USE (\all))
S: m OK ...
