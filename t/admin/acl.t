# t/admin/acl.t - culver acl: rights on mailboxes, as an admin gives them
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my $imap = $t->start('imapd', 'imap');

sub client {
	my ($user) = @_;
	my $c = $t->connect($imap);
	$c->get;
	my ($r) = $c->imap("LOGIN $user secret");
	like($r, qr/ OK/, 'in') or BAIL_OUT("login: $r");
	return $c;
}

my $alice = client('alice');
my $bob = client('bob');
my ($rc, $out, $err) = $t->culver('acl', 'list', 'alice');
is($rc, 0, 'list');
is($out, '', 'nothing');
($rc, $out, $err) = $t->culver('acl', 'set', 'alice', 'INBOX', 'Bob', 'lrs');
is($rc, 0, "set $err");
($rc, $out, $err) = $t->culver('acl', 'set', 'alice', 'INBOX', 'bob', '+c');
is($rc, 0, 'add');
($rc, $out, $err) = $t->culver('acl', 'set', '--', 'alice', 'INBOX', '-bob',
	'x');
is($rc, 0, 'take');
($rc, $out, $err) = $t->culver('acl', 'list', 'alice', 'INBOX');
is($out, "x             -bob  INBOX\nlrskx         bob  INBOX\n", 'list');
my ($ok, @l) = $bob->imap('MYRIGHTS "Other Users/alice/INBOX"');
like($l[0], qr/ lrskc\r?\n?\z/, 'as IMAP has them');
($ok, @l) = $bob->imap('LIST "" "Other Users/*"');
like($l[0], qr{"Other Users/alice/INBOX"}, 'it is found');
($rc) = $t->culver('acl', 'delete', 'alice', 'INBOX', 'bob');
is($rc, 0, 'delete');
($rc, $out, $err) = $t->culver('acl', 'list', 'alice');
is($out, "x             -bob  INBOX\n", 'gone');
($ok, @l) = $bob->imap('LIST "" "Other Users/*"');
is(scalar @l, 0, 'found no more');

for ([ 100, 'acl', 'set', 'alice', 'INBOX', 'bob', 'lQ' ],
    [ 100, 'acl', 'set', 'alice', 'INBOX', 'a/b', 'l' ],
    [ 100, 'acl', 'set', 'alice', 'INBOX', 'Alice', 'l' ],
    [ 100, 'acl', 'set', 'alice', 'none', 'bob', 'l' ],
    [ 100, 'acl', 'list', 'nobody' ],
    [ 100, 'acl', 'list' ], [ 100, 'acl', 'set', 'alice', 'INBOX', 'bob' ],
    [ 100, 'acl', 'delete', 'alice', 'INBOX' ]) {
	my ($want, @cmd) = @$_;
	($rc, $out, $err) = $t->culver(@cmd);
	is($rc, $want, "@cmd");
	isnt($err, '', 'tells why');
}
done_testing;
