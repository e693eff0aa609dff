# t/imap/many-shares.t - more sharing accounts than a session holds open
use strict;
use warnings;
use CulverTest;
use Test::More;

my $owners = 20;
my @owner = map { sprintf 'owner%02d', $_ } 1 .. $owners;
my $t = CulverTest->new(users => { map { ($_ => 'secret') } 'bob', @owner },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my $imap = $t->start('imapd', 'imap');

sub client {
	my ($user) = @_;
	my $c = $t->connect($imap);
	$c->get;
	my ($r) = $c->imap("LOGIN $user secret");
	like($r, qr/ OK/, $user) or BAIL_OUT("login: $r");
	return $c;
}

for my $o (@owner) {
	my $c = client($o);
	my ($r) = $c->imap("APPEND INBOX {16+}\r\nSubject: $o");
	like($r, qr/ OK/, 'mail');
	($r) = $c->imap('SETACL INBOX ' . ($o eq 'owner07' ? 'anyone' : 'bob')
	    . ' lr');
	like($r, qr/ OK/, 'shared');
	$c->imap('LOGOUT');
}
my $bob = client('bob');
my ($r, @l) = $bob->imap('SELECT "Other Users/owner01/INBOX"');
like($r, qr/ OK/, 'one is selected');
for my $round (1, 2) {
	($r, @l) = $bob->imap('LIST "" "Other Users/*" RETURN (STATUS (MESSAGES))');
	like($r, qr/ OK/, 'LIST');
	is_deeply([ map { m{\* LIST .*"Other Users/(\w+)/INBOX"} ? $1 : () } @l ],
	    \@owner, 'all of them');
	is(scalar(grep { /\* STATUS .*\(MESSAGES 1\)/ } @l), $owners, 'STATUS');
	($r, @l) = $bob->imap('ESEARCH IN (subtree "Other Users" selected) '
	    . 'SUBJECT owner');
	like($r, qr/ OK/, 'ESEARCH');
	is(scalar(grep { /\* ESEARCH .*ALL 1/ } @l), $owners, 'finds all');
	($r, @l) = $bob->imap('FETCH 1 ENVELOPE');
	like($l[0] // '', qr/owner01/, 'the selected one is the same');
}
# An APPEND whose target was asked for first, and octets from all others.
my $urls = join ' ', map {
	"URL \"/Other%20Users/$_/INBOX/;UID=1/;SECTION=HEADER\"" } @owner;
($r) = client('owner01')->imap('SETACL INBOX bob lri');
like($r, qr/ OK/, 'right i');
($r) = $bob->imap("APPEND \"Other Users/owner01/INBOX\" CATENATE ($urls)");
like($r, qr/ OK \[APPENDUID/, 'CATENATE') or diag $r;
($r, @l) = $bob->imap('STATUS "Other Users/owner01/INBOX" (MESSAGES)');
like($l[-1], qr/MESSAGES 2/, 'it is there');
# Who is gone is left out, and does no harm.
my ($rc) = $t->culver('user', 'del', '--yes', 'owner05');
is($rc, 0, 'an owner is deleted');
($r, @l) = $bob->imap('LIST "" "Other Users/*"');
like($r, qr/ OK/, 'LIST');
ok(!(grep { /owner05/ } client('bob')->imap('LIST "" "Other Users/*"')),
    'is not listed any more');
done_testing;
