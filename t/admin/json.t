# t/admin/json.t - --json of the commands that have no test of their own for it
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => {}, conf => qq(hash = "\$5\$"\nhash-cost = 1000\n)
	. qq(folder "A\\"b" { role = "archive" }\nadmins = {"root", "x"}\n)
	. qq(smtp-relay = "127.0.0.1:1"\n));

# Standard output as JSON, and nothing beside it.
sub json {
	my ($rc, $out, $err) = $t->culver(@_);
	my @name = grep { !ref } @_;
	is($err, '', "@name: no complaint");
	is($rc, 0, 'done');
	my $o = eval { decode_json($out) };
	is($@, '', 'JSON alone');
	return $o;
}
is_deeply(json(\"pw\n", qw(user add --json --password-stdin alice bob)),
	[{ name => 'alice' }, { name => 'bob' }], 'user add');
my $r = json(qw(user add --json --random carol));
like($r->[0]{password}, qr/\A\S{10,}\z/, 'a random password');
is_deeply(json(\"pw\n", qw(user passwd --json --password-stdin alice)),
	[{ name => 'alice' }], 'user passwd');
like(json(qw(user passwd --json --random carol))->[0]{password}, qr/\S{10,}/,
	'and a random one');
is_deeply(json(qw(user del --json --yes carol)),
	[{ name => 'carol', deleted => JSON::XS::true }], 'user del');

my $mbox = "From a\@b Sun Nov 22 10:00:00 2026\nFrom: =?utf-8?q?J=C3=BCrgen?= <j\@b>\n"
    . "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nx\n\n";
$t->spew('mbox', $mbox x 1 . $mbox =~ s/Subject: /Subject: 2/r);
is_deeply(json('import', '--json', 'alice', $t->path('mbox')), { imported => 2,
	thereAlready => 0, renumbered => 0, failed => 0 }, 'import');
is_deeply(json('import', '--json', '--skip-duplicates', 'alice', $t->path('mbox')),
	{ imported => 0, thereAlready => 2, renumbered => 0, failed => 0 }, 'again');
is_deeply(json('export', '--json', 'alice', $t->path('out')), { exported => 2 },
	'export');
$t->culver(qw(acl set alice INBOX bob lr));
$r = json(qw(acl list --json alice INBOX));
is_deeply([grep { $_->{who} eq 'bob' } @$r],
	[{ mailbox => 'INBOX', who => 'bob', rights => 'lr' }], 'acl list');
cmp_ok(@{ json(qw(acl list --json alice)) }, '>=', @$r, 'of all mailboxes');
$r = json(qw(sweep --json alice bob));
is_deeply([map { "$_->{account} $_->{ok}" } @$r], ['alice 1', 'bob 1'], 'sweep');
is_deeply(json(qw(spool --list --json)), [], 'spool');

$t->culver(qw(message expunge alice INBOX SUBJECT 2));
$r = json(qw(undelete --list --json alice));
is(@$r, 1, 'what is gone');
is($r->[0]{subject}, "2Gr\x{fc}\x{df}e", 'its subject') or diag explain $r;
is($r->[0]{from}, 'j@b', 'whose');
like($r->[0]{goneAt}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'when');
is(@{ json(qw(undelete --json alice)) }, 1, 'undelete');
mkdir $t->path('backup'), 0700;
$t->culver('backup', '--quiet', $t->path('backup'), 'alice');
$r = json('restore', '--list', '--json', $t->path('backup'), 'alice');
ok(grep({ exists $_->{from} && !defined $_->{from} } @$r), 'since it was made');
ok(grep({ $_->{backup} } @$r), 'and the backup');
$r = json('restore', '--json', '--replace', $t->path('backup'), 'alice');
is($r->{account}, 'alice', 'restore');
like($r->{lastChange}, qr/\A\d{4}-/, 'as of when');

$r = json(qw(config --json));
is($r->{hostname}, 'mail.test', 'config: text');
is($r->{'hash-cost'}, 1000, 'a number');
is($r->{'max-message'}, 70 * 1024 * 1024, 'octets');
is($r->{retention}, 7 * 86400, 'seconds');
is($r->{confine}, JSON::XS::true, 'a switch');
is_deeply($r->{admins}, ['root', 'x'], 'a list');
is($r->{key}, undef, 'what is not set');
is_deeply($r->{folder}, [{ name => 'A"b', role => 'archive' }], 'sections');
is($r->{listener}[0]{protocol}, 'imap', 'listeners');
done_testing;
