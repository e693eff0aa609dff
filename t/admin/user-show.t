# t/admin/user-show.t - culver user show
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' });
$t->spew('passwd', $t->slurp('passwd') . "bob:*:disabled\nnick:*:alias-of=bob\n");
my ($rc, $out, $err) = $t->culver('user', 'show', '--json', 'ALICE');
is("$rc $err", '0 ', 'a login without a store yet');
is_deeply(decode_json($out), [{ name => 'alice', login => JSON::XS::true,
	password => JSON::XS::true, disabled => JSON::XS::false,
	maySend => JSON::XS::true, for => ['imap', 'jmap', 'pop3'],
	aliases => [], tokens => 0, store => JSON::XS::false }], 'all of it');
my $imap = $t->start('imapd', 'imap');
my $c = $t->connect($imap);
$c->get;
like(($c->imap('LOGIN alice secret'))[0], qr/ OK/, 'in');
$t->culver('token', 'add', 'alice');
($rc, $out) = $t->culver('user', 'show', '--json', 'alice', 'bob', 'nick');
my $l = decode_json($out);
is(@$l, 3, 'three');
is($l->[0]{messages}, 0, 'messages');
is($l->[0]{sizeLimit}, undef, 'limits');
is($l->[0]{tokens}, 1, 'tokens');
like($l->[0]{id}, qr/\A[0-9a-f]{16}\z/, 'the id');
ok(-d $l->[0]{directory}, 'the directory');
is_deeply($l->[1]{aliases}, ['nick'], 'other names');
ok($l->[1]{disabled} && !$l->[1]{password}, 'disabled');
is($l->[2]{aliasOf}, 'bob', 'one of them');
unlike($out, qr/\$5\$/, 'no hash');
like(($t->culver('user', 'show', 'alice'))[1],
    qr/^name: alice\n.*^messages: 0$/ms, 'text');
for (['nobody'], ['../x'], []) {
	($rc, $out, $err) = $t->culver('user', 'show', @$_);
	is($rc, 100, 'refused');
	isnt($err, '', 'and why');
}
done_testing;
