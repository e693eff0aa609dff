# t/admin/quota.t - culver quota: what accounts have and may have
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' });
my $imap = $t->start('imapd', 'imap');
my $c = $t->connect($imap);
$c->get;
like(($c->imap('LOGIN alice secret'))[0], qr/ OK/, 'in');
$c->put("x1 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n");
like(($c->imap_until('x1'))[0], qr/ OK/, 'a message');

sub json {
	my ($rc, $out, $err) = $t->culver('quota', @_);
	is("$rc $err", '0 ', "@_");
	return decode_json($out);
}
is_deeply(json('show', '--json', 'alice'), [{ account => 'alice', size => 14,
	sizeLimit => undef, messages => 1, messageLimit => undef }], 'show');
is_deeply(json('set', '--json', '--size=2K', 'alice'), [{ account => 'alice',
	size => 14, sizeLimit => 2048, messages => 1, messageLimit => undef }],
    'set');
my $l = json('set', '--json', '--messages=1', 'alice');
is($l->[0]{sizeLimit}, 2048, 'the other limit stays');
is($l->[0]{messageLimit}, 1, 'and one is set');
$c->put("x2 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n");
like(($c->imap_until('x2'))[0], qr/ NO \[OVERQUOTA\]/, 'it is kept');
json('set', '--json', '--messages=0', '--size', '0', 'alice');
$c->put("x3 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n");
like(($c->imap_until('x3'))[0], qr/ OK/, 'no limit again');
my ($rc, $out, $err) = $t->culver('quota', 'recalc');
is("$rc $err", '0 ', 'recalc: nothing is wrong');
like($out, qr/^ +28 +- +2 +-  alice$/m, 'and tells what there is');

for (['set', 'alice'], ['set', '--size=1X', 'alice'], ['set', '--size=', 'alice'],
    ['set', '--size=99999999999T', 'alice'], ['set', '--messages=-1', 'alice'],
    ['show', 'nobody'], ['show', '../x'], ['set', '--size=1']) {
	($rc, $out, $err) = $t->culver('quota', @$_);
	is($rc, 100, "@$_: refused");
	isnt($err, '', 'and why');
}
done_testing;
