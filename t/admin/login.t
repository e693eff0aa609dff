# t/admin/login.t - culver pw and auth test
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' },
	conf => qq(hash = "\$5\$"\nhash-cost = 1000\nfailure-delay-ms = 1\n));

my ($rc, $out, $err) = $t->culver(\"new one\n", 'pw', '--password-stdin');
is("$rc $err", '0 ', 'pw');
chomp $out;
like($out, qr/\A\$5\$/, 'by the configured method');
is(crypt('new one', $out), $out, 'of that password');
($rc, $out) = $t->culver('pw', '--random', '--json');
my $o = decode_json($out);
is(crypt($o->{password}, $o->{hash}), $o->{hash}, 'a random one');
($rc, $out) = $t->culver(\"\n", 'pw', '--password-stdin');
is("$rc $out", '100 ', 'none is none');

sub auth {
	my ($pw, @args) = @_;
	return $t->culver(\"$pw\n", 'auth', 'test', '--password-stdin', @args);
}
($rc, $out) = auth('secret', 'ALICE');
is($rc, 0, 'right');
is($out, "ALICE: accepted, account alice\n", 'whose it is');
($rc, $out, $err) = auth('wrong', 'alice');
is($rc, 100, 'wrong');
like($out, qr/\Aalice: wrong name or password$/m, 'and told');
($rc, $out) = auth('secret', '--json', 'nobody');
is($rc, 100, 'nobody');
$o = decode_json($out);
is($o->{ok}, JSON::XS::false, 'JSON');
$t->culver('user', 'passwd', '--for=imap', 'alice');
is((auth('secret', '--protocol=imap', 'alice'))[0], 0, 'by IMAP');
($rc, $out) = auth('secret', '--protocol', 'pop3', 'alice');
is($rc, 100, 'not by POP3');
like($out, qr/refused/, 'which is another answer');
is((auth('secret', '--protocol=ssh', 'alice'))[0], 100, 'no such protocol');
$t->culver('user', 'passwd', '--disable', 'alice');
is((auth('secret', 'alice'))[0], 100, 'disabled');
ok(!-e $t->path('run/auth-cache'), 'nothing is left for the servers');
done_testing;
