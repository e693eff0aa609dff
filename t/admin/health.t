# t/admin/health.t - culver health, as a monitor asks it
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::INET;
use JSON::XS;
use Test::More;

sub free_port {
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
}
my %port = map { $_ => free_port() } qw(a b c);
my $t = CulverTest->new(users => { alice => 'secret' }, tls => 1, conf => <<"END");
listener a { protocol = "imap" address = "*:$port{a}" linger = 60 }
listener b { protocol = "imap" tls = "implicit" address = "127.0.0.1:$port{b}"
	linger = 60 }
listener c { protocol = "pop3" address = "127.0.0.1:$port{c}" linger = 60 }
END

sub health {
	my ($rc, $out, $err) = $t->culver('health', '--json', @_);
	is($err, '', 'JSON alone');
	return ($rc, map { "$_->{check} $_->{state} $_->{text}" }
	    @{ decode_json($out) });
}

sub listen_for {
	my ($name, $program) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port{$name}, Listen => 5, ReuseAddr => 1)
	    or die "listen: $!";
	$t->spawn($l, $program, $name) if $program;
	return $l;
}

my ($rc, @l) = health();
is($rc, 2, 'nobody listens');
is(scalar(grep { /fault listener [abc]: Connection refused/ } @l), 3, 'said of each');

my @keep = (listen_for('a', 'imapd'), listen_for('b', 'imapd'));
push @keep, listen_for('c', 'pop3d');
($rc, @l) = health();
is($rc, 0, 'all is well') or diag explain \@l;
is(scalar(grep { /ok listener [abc] answers in \d+ ms\z/ } @l), 3, 'they answer');
like("@l", qr/cert\.pem ok the certificate is valid for (?:29|30) days/, 'its time');
like("@l", qr/outbox ok /, 'the outbox');
$t->connect($port{a})->imap("LOGIN alice secret");
($rc, @l) = health('alice');
like("@l", qr/alice ok opened in \d+ ms/, 'an account');
is((health('nobody'))[0], 2, 'an account that isn\'t there');
my ($code, $out) = $t->culver('health');
is($code, 0, 'text');
like($out, qr/^ok +127\.0\.0\.1:$port{b}: listener b answers in/m, 'a line each');

# The wrong one behind a port.
$t->stop;
@keep = ();
@keep = (listen_for('a'));
my $pid = fork // die "fork: $!";
if ($pid == 0) {
	my $s = $keep[0]->accept;
	print $s "-ERR \e[31mnot I\r\n";
	close $s;
	POSIX::_exit(0);
}
($rc, @l) = health();
waitpid($pid, 0);
is($rc, 2, 'a fault');
like("@l", qr/listener a says: -ERR \x1b\[31mnot I /, 'what it says');

@keep = ();

# A certificate that runs out.
my $d = $t->{dir};
sub certificate {
	my ($days) = @_;
	system("openssl req -x509 -key '$d/key.pem' -days $days -subj /CN=localhost "
		. "-out '$d/cert.pem' >/dev/null 2>&1") == 0 or die 'openssl';
}
certificate(5);
($rc, @l) = health();
like("@l", qr/cert\.pem warning the certificate is valid for [45] days/, 'soon');
done_testing;
