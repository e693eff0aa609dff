# t/admin/check.t - culver check: damage is found, told, and left alone
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Digest::SHA;
use File::Find;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => {},
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\n));
my ($rc, $out, $err) = $t->culver(qw(user add --no-password good bad torn));
is($rc, 0, 'accounts') or diag $err;
$t->spew('mbox', join '', map {
	"From a\@b Sun Nov 22 10:00:00 2026\nSubject: $_\n\n"
	    . join('', map { "line $_ of some text\n" } 1 .. $_) . "\n"
} 1 .. 60);
for my $u (qw(good bad torn)) {
	($rc) = $t->culver('import', $u, $t->path('mbox'));
	is($rc, 0, "mail for $u");
}

sub digest {
	my ($dir) = @_;
	my $sha = Digest::SHA->new(256);
	find({ no_chdir => 1, preprocess => sub { sort @_ }, wanted => sub {
		$sha->add("$_\0");
		$sha->addfile($_, 'b') if -f;
	} }, $t->path("mail/$dir"));
	return $sha->hexdigest;
}

($rc, $out, $err) = $t->culver('check');
is($rc, 0, 'all is well') or diag $out, $err;
is($out, "bad: ok\ngood: ok\ntorn: ok\n3 checked, 0 with faults\n", 'says so');
($rc, $out) = $t->culver(qw(check --quiet));
is($out, '', '--quiet');
($rc, $out) = $t->culver(qw(check --json good));
is_deeply(decode_json($out), [ { account => 'good', ok => \1, faults => [] } ],
	'--json') or diag $out;

# one octet in the middle of a message
my ($pack) = glob($t->path('mail/bad/pack.*'));
ok($pack && -s $pack, 'a pack') or BAIL_OUT('no pack file');
open(my $fh, '+<:raw', $pack) or die;
seek($fh, (-s $pack) / 2, 0);
read($fh, my $octet, 1);
seek($fh, (-s $pack) / 2, 0);
print $fh chr(ord($octet) ^ 0x40);
close($fh);
my %before = map { $_ => digest($_) } qw(good bad torn);
($rc, $out, $err) = $t->culver('check');
is($rc, 100, 'a changed octet is found');
like($out, qr/^bad: (?!ok).+/m, 'told by account');
like($out, qr/^good: ok$/m, 'the others are sound');
like($out, qr/^3 checked, 1 with faults$/m, 'and counted');
($rc, $out) = $t->culver(qw(check --json));
my %r = map { $_->{account} => $_ } @{ decode_json($out) };
ok(!$r{bad}{ok} && @{ $r{bad}{faults} } && $r{good}{ok}, '--json');
is(digest($_), $before{$_}, "$_ is as it was") for sort keys %before;
($rc) = $t->culver(qw(check good torn));
is($rc, 0, 'only those that are named');

# a journal that isn't one
$t->spew('mail/torn/journal', 'x' x 100);
$before{torn} = digest('torn');
($rc, $out) = $t->culver(qw(check));
is($rc, 100, 'a journal that isn\'t one');
like($out, qr/^torn: (?!ok).+/m, 'is told');
like($out, qr/^good: ok$/m, 'and the others are still looked at');
is(digest('torn'), $before{torn}, 'and left alone');

# names
($rc, $out) = $t->culver(qw(check nobody));
is($rc, 100, 'no such account');
($rc, $out) = $t->culver(qw(check ../mail/good));
is($rc, 100, 'no account\'s name');
$t->spew('passwd', $t->slurp('passwd') . "zz:*\n");
($rc, $out) = $t->culver(qw(check));
like($out, qr/^zz: there is no mail/m, 'a login without mail');

done_testing;
