# t/admin/doctor.t - culver doctor
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::UNIX;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' }, tls => 1,
	conf => qq(listener l2 { protocol = "lmtp" address = {"unix:\@DIR\@/sock"} }\n));
mkdir $t->path($_), 0700 for qw(mail run);
chmod 0700, $t->path($_) for qw(mail run);
my ($rc0) = $t->culver('config', '--check');
is($rc0, 0, 'a good configuration') or BAIL_OUT('conf');

# The exit code, and what is wrong.
sub doctor {
	my ($rc, $out, $err) = $t->culver('doctor', '--json');
	is($err, '', 'JSON only');
	return ($rc, map { "$_->{check} $_->{state} $_->{text}" }
	    @{ decode_json($out) });
}
my ($rc, @l) = doctor();
is($rc, 0, 'nothing is wrong');
is_deeply([grep { / fault / } @l], [], 'no faults');
like("@l", qr/TLS ok/, 'TLS');
like((grep { /sock/ } @l)[0], qr/ warning .*l2/, 'nobody made the socket');
my $s = IO::Socket::UNIX->new(Local => $t->path('sock'), Listen => 1);
($rc, @l) = doctor();
like((grep { /sock/ } @l)[0], qr/ ok /, 'there it is');

chmod 0604, $t->path('passwd');
($rc, @l) = doctor();
is($rc, 100, 'a fault');
like((grep { m{/passwd } } @l)[0], qr/ fault .*0604/, 'all read the passwords');
chmod 0600, $t->path('passwd');
chmod 0702, $t->path('mail');
($rc, @l) = doctor();
is($rc, 100, 'a fault');
like((grep { m{/mail } } @l)[0], qr/ fault .*0702/, 'all write the mail');
chmod 0700, $t->path('mail');
$t->spew('cert.pem', "no certificate\n");
($rc, @l) = doctor();
is($rc, 100, 'a fault');
like((grep { /\ATLS/ } @l)[0], qr/ fault .*cert\.pem/, 'a certificate');
# nginx, where there is a listener for it.
unlike($t->slurp('culver.conf'), qr/jmap/, 'none so far');
$t->spew('culver.conf', $t->slurp('culver.conf')
	. qq(listener j { protocol = "jmap" address = "unix:$t->{dir}/jmap" }\n));
($rc, @l) = doctor();
my @nginx = grep { /\Anginx / } @l;
is(@nginx, 1, 'nginx is looked at');
like($nginx[0], qr{\Anginx warning (?:doesn't ask unix:\S+/jmap|isn't there|\S+ -T doesn't)},
	'it does not know of this');
rmdir $t->path('run');
$t->culver('doctor');
like(($t->culver('doctor'))[1], qr{^fault +\S+/run: }m, 'text');
done_testing;
