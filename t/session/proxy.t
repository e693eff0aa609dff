# t/session/proxy.t - the PROXY protocol, and how many connections one address has
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::INET;
use IO::Socket::SSL;
use Socket qw(inet_aton inet_pton AF_INET6);
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret' }, tls => 1, conf => <<'END');
listener px { protocol = "imap" proxies = {"10.0.0.0/8", "127.0.0.1"} linger = 60 }
listener pxs {
	protocol = "imap" tls = "implicit" proxies = {"127.0.0.0/8"} linger = 60
	max-connections-per-source = 1
}
listener other { protocol = "imap" proxies = {"10.0.0.0/8"} linger = 60 }
listener few { protocol = "pop3" max-connections-per-source = 2 linger = 60 }
END
my %port = map { $_ => $t->start($_ eq 'few' ? 'pop3d' : 'imapd', $_) }
    qw(px pxs other few);

sub raw {
	my ($name, $text, %o) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port{$name}) or die "connect: $!";
	if ($o{slowly}) {
		for my $c (split //, $text) {
			syswrite($s, $c);
			select(undef, undef, undef, 0.002);
		}
	} else {
		syswrite($s, $text);
	}
	return $s;
}

# The greeting, or undef where the connection is closed.
sub greeting {
	my ($s) = @_;
	local $SIG{ALRM} = sub { die "timeout\n" };
	alarm 20;
	my $line = <$s>;
	alarm 0;
	return $line;
}

sub v2 {
	my ($cmd, $fam, $block) = @_;
	return "\r\n\r\n\0\r\nQUIT\n" . pack('CCn', $cmd, $fam, length $block)
	    . $block;
}

sub v4 { inet_aton($_[0]) . inet_aton('192.0.2.1') . pack('nn', $_[1], 143) }
sub v6 { inet_pton(AF_INET6, $_[0]) . inet_pton(AF_INET6, '::1')
    . pack('nn', $_[1], 143) }

# The peer in the log line of a session's end.
sub peer_of {
	my ($s, @send) = @_;
	print $s "a LOGOUT\r\n";
	1 while <$s>;
	for (1 .. 200) {
		my @end = $t->slurp('log') =~ / end: .* peer=(\S+)/g;
		return $end[-1] if @end > $t->{seen}++ && ($t->{seen} = @end);
		$t->{seen}--;
		select(undef, undef, undef, 0.02);
	}
	return;
}
$t->{seen} = 0;

my @good = (
	["PROXY TCP4 198.51.100.7 192.0.2.1 4000 143\r\n", '198.51.100.7:4000'],
	["PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n", '[2001:db8::7]:65535'],
	["PROXY UNKNOWN\r\n", qr/\A127\.0\.0\.1:/],
	["PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
		qr/\A127\.0\.0\.1:/],
	[v2(0x21, 0x11, v4('203.0.113.9', 25)), '203.0.113.9:25'],
	[v2(0x21, 0x21, v6('2001:db8::9', 443)), '[2001:db8::9]:443'],
	[v2(0x21, 0x11, v4('203.0.113.9', 25) . 'x' x 3000), '203.0.113.9:25'],
	[v2(0x20, 0, ''), qr/\A127\.0\.0\.1:/],
	[v2(0x21, 0, 'y' x 7), qr/\A127\.0\.0\.1:/],
	[v2(0x21, 0x31, 'z' x 216), qr/\A127\.0\.0\.1:/],
);
for my $slowly (0, 1) {
	for my $g (@good) {
		my ($text, $peer) = @$g;
		next if $slowly && length $text > 200;
		(my $name = $text) =~ s/[^ -~]+/./g;
		$name = substr($name, 0, 40) . ($slowly ? ' slowly' : '');
		my $s = raw('px', $text, slowly => $slowly);
		like(greeting($s), qr/\A\* OK /, $name);
		my $got = peer_of($s);
		ref $peer ? like($got, $peer, 'its name') :
		    is($got, $peer, 'its name');
	}
}

my $s = raw('px', "PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\na CAPABILITY\r\n");
like(greeting($s), qr/LOGINDISABLED/, 'who comes through a proxy is not local');
like(<$s>, qr/\A\* CAPABILITY/, 'what came in one piece with it is served');
is(peer_of($s), '198.51.100.7:1', 'end');

# TLS begins right behind it.
$s = raw('pxs', "PROXY TCP4 198.51.100.8 192.0.2.1 9 993\r\n");
IO::Socket::SSL->start_SSL($s, SSL_verify_mode => 1,
	SSL_ca_file => $t->path('cert.pem'), SSL_verifycn_name => 'localhost',
	SSL_verifycn_scheme => 'imap') or die "TLS: $SSL_ERROR";
like(scalar <$s>, qr/\A\* OK /, 'TLS');
print $s "a LOGIN alice secret\r\n";
like(scalar <$s>, qr/\Aa OK/, 'a login');
my ($rc, $out) = $t->culver('who');
like($out, qr/198\.51\.100\.8:9/, 'who');
# A proxy is one address and many clients.
my $s2 = raw('pxs', "PROXY TCP4 198.51.100.9 192.0.2.1 9 993\r\n");
IO::Socket::SSL->start_SSL($s2, SSL_verify_mode => 0) or die "TLS: $SSL_ERROR";
like(scalar <$s2>, qr/\A\* OK /, 'not counted as one');
close $_ for $s, $s2;

my @bad = (
	"a LOGIN alice secret\r\n", "PROXY TCP4 198.51.100.7 192.0.2.1 4000\r\n",
	"PROXY TCP4 198.51.100.7 192.0.2.1 4000 143 5\r\n",
	"PROXY TCP4 198.51.100.7 192.0.2.1 4000 65536\r\n",
	"PROXY TCP4 198.51.100.700 192.0.2.1 4000 143\r\n",
	"PROXY TCP4 2001:db8::7 192.0.2.1 4000 143\r\n",
	"PROXY TCP6 198.51.100.7 192.0.2.1 4000 143\r\n",
	"PROXY TCP4  198.51.100.7 192.0.2.1 4000 143\r\n",
	"PROXY TCP4 198.51.100.7 192.0.2.1 4000 143\n",
	"PROXY TCP4 198.51.100.7\0 192.0.2.1 4000 143\r\n",
	"PROXY UDP4 198.51.100.7 192.0.2.1 4000 143\r\n",
	"PROXY TCP4 " . '1' x 200, "PROXY \r\n" . 'x' x 100,
	v2(0x21, 0x11, 'short'), v2(0x22, 0x11, v4('203.0.113.9', 25)),
	v2(0x11, 0x11, v4('203.0.113.9', 25)), "\r\n\r\n\0\r\nQUIT\r\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'h' x 60,
);
for my $text (@bad) {
	my $s = raw('px', $text);
	(my $name = substr($text, 0, 50)) =~ s/[^ -~]+/./g;
	is(greeting($s), undef, "closed: $name");
}
my $n = () = $t->slurp('log') =~ / PROXY: peer=127\.0\.0\.1:\d+ listener=px: /g;
is($n, scalar @bad, 'each is in the log');
# Half a header and then nothing but the end.
$s = raw('px', "PROXY TCP4 198.5");
shutdown($s, 1);
is(greeting($s), undef, 'half a header');

# Others are not believed.
$s = raw('other', "PROXY TCP4 198.51.100.7 192.0.2.1 4000 143\r\n");
like(greeting($s), qr/\A\* OK /, 'not one of the proxies');
like(<$s>, qr/\A\S+ BAD /, 'it is a bad command');
like(peer_of($s), qr/\A127\.0\.0\.1:/, 'its own name');

# So many of one address, and not more.
my @c = map { raw('few', '') } 1 .. 2;
like(greeting($_), qr/\A\+OK/, 'served') for @c;
like(greeting(raw('few', '')), qr/\A-ERR \[SYS\/TEMP\]/, 'one too many');
my $far = IO::Socket::INET->new(PeerAddr => '127.0.0.1', LocalAddr => '127.0.0.2',
	PeerPort => $port{few}) or die "connect: $!";
like(greeting($far), qr/\A\+OK/, 'of another address');
print { $c[0] } "QUIT\r\n";
1 while readline $c[0];
my $again;
for (1 .. 100) {
	last if ($again = greeting(raw('few', ''))) =~ /\A\+OK/;
	select(undef, undef, undef, 0.02);
}
like($again, qr/\A\+OK/, 'again, when one has gone');
done_testing;
