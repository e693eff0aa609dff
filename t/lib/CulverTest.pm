# t/lib/CulverTest.pm - a server of its own for each test: a directory, a
# configuration, accounts, daemons in wait mode on free ports of 127.0.0.1
package CulverTest;
use strict;
use warnings;
use Carp qw(croak);
use Cwd qw(abs_path);
use Fcntl qw(F_SETFD);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(dup2 WNOHANG);

our $srcdir = $ENV{srcdir} || '.';
our $builddir = $ENV{builddir} || '.';

# A server that closes first is a test's result, not its end.
$SIG{PIPE} = 'IGNORE';

my $owner = $$;
my @live;

# CulverTest->new(users => { name => 'password' }, conf => "extra lines"); @DIR@
# in them is the test's directory
sub new {
	my ($class, %o) = @_;
	my $dir = abs_path(tempdir('culver-t-XXXXXX', TMPDIR => 1));
	my $self = bless { dir => $dir, pids => [],
		users => $o{users} || { alice => 'secret' } }, $class;
	push @live, $self;
	chmod 0755, $dir;
	mkdir "$dir/$_", 0700 for qw(mail run);
	$self->certificate if $o{tls};
	$self->write_conf($o{conf} || '', $o{tls});
	$self->add_users;
	return $self;
}

sub path { "$_[0]{dir}/$_[1]" }
sub conf_file { $_[0]->path('culver.conf') }
sub program { "$builddir/$_[1]/$_[1]" }

# Is that program built with AddressSanitizer, which keeps what is freed?
sub sanitized {
	my ($self, $name) = @_;
	open(my $fh, '<:raw', $self->program($name)) or return 0;
	local $/;
	return scalar <$fh> =~ /__asan_/ ? 1 : 0;
}

sub spew {
	my ($self, $name, $text) = @_;
	my $path = $self->path($name);
	open(my $fh, '>:raw', $path) or croak "$path: $!";
	print $fh $text;
	close($fh) or croak "$path: $!";
	return $path;
}

sub slurp {
	my ($self, $name) = @_;
	open(my $fh, '<:raw', $self->path($name)) or return '';
	local $/;
	return scalar(<$fh>) // '';
}

sub write_conf {
	my ($self, $extra, $tls) = @_;
	my $d = $self->{dir};
	my $cert = $tls ? qq(certificate = "$d/cert.pem"\nkey = "$d/key.pem"\n)
	    . qq(ticket-key = "$d/ticket.key"\n) : '';
	my $mode = $tls ? 'starttls' : 'none';
	my $delay = $extra =~ /^failure-delay-ms/m ? ''
	    : "failure-delay-ms = 1";
	my $conf = <<"END";
hostname = "mail.test"
mail-dir = "$d/mail"
run-dir = "$d/run"
module-dir = "$builddir/libsession/.libs"
passwd-file = "$d/passwd"
token-file = "$d/tokens"
log = "$d/log"
log-level = "debug"
$delay
$cert
listener imap { protocol = "imap" tls = "$mode" linger = 60 }
listener pop3 { protocol = "pop3" tls = "$mode" linger = 60 }
listener lmtp { protocol = "lmtp" tls = "none" linger = 60 }
END
	$conf .= <<"END" if $tls;
listener imaps { protocol = "imap" tls = "implicit" linger = 60 }
listener pop3s { protocol = "pop3" tls = "implicit" linger = 60 }
END
	$extra =~ s/\@DIR\@/$d/g;
	$self->spew('culver.conf', $conf . $extra);
}

sub certificate {
	my ($self) = @_;
	my $d = $self->{dir};
	my $rc = system("openssl req -x509 -newkey ec -pkeyopt "
	    . "ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost "
	    . "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
	    . "-keyout '$d/key.pem' -out '$d/cert.pem' >/dev/null 2>&1");
	croak 'openssl req failed' if $rc != 0;
	chmod 0600, "$d/key.pem";
}

# The cheapest hash that crypt(3) has: tests check logins, not hashes.
sub add_users {
	my ($self) = @_;
	my $u = $self->{users};
	my $text = join '', map {
		"$_:" . crypt($u->{$_}, '$5$rounds=1000$culvertest') . "\n"
	} sort keys %$u;
	$self->spew('passwd', $text);
	chmod 0600, $self->path('passwd');
}

# Starts a daemon in wait mode behind a listening socket of our own, which is
# its descriptor 0; the port is returned.
sub start {
	my ($self, $program, $listener, @args) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 128,
		ReuseAddr => 1) or croak "listen: $!";
	my $port = $l->sockport;
	$self->spawn($l, $program, $listener, @args);
	$self->{listen}{$listener} = $l;
	$self->{port}{$listener} = $port;
	return $port;
}

sub spawn {
	my ($self, $sock, $program, $listener, @args) = @_;
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		$SIG{PIPE} = 'DEFAULT';
		dup2(fileno($sock), 0);
		open(STDOUT, '>>', $self->path('stdout'));
		open(STDERR, '>>', $self->path('stderr'));
		exec($self->program($program), '-f', $self->conf_file, '-l',
		    $listener, @args) or POSIX::_exit(127);
	}
	push @{ $self->{pids} }, $pid;
	return $pid;
}

# Runs the administrator's tool: (exit code, standard output, standard error).
# The first argument is its standard input if it is a reference to a string.
sub culver {
	my ($self, @args) = @_;
	my $in = ref $args[0] ? ${ shift @args } : '';
	my $n = ++$self->{runs};
	$self->spew("run.in", $in);
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<', $self->path('run.in'));
		open(STDOUT, '>', $self->path("run$n.out"));
		open(STDERR, '>', $self->path("run$n.err"));
		exec($self->program('culver'), '-f', $self->conf_file, @args)
		    or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	my $code = $? & 127 ? -($? & 127) : $? >> 8;
	my @r = ($code, map { $self->slurp("run$n.$_") } qw(out err));
	unlink map { $self->path("run$n.$_") } qw(out err);
	return @r;
}

# An address of this host that isn't loopback, or undef.
sub far_address {
	return (grep { /\A\d+\.\d+\.\d+\.\d+\z/ && !/\A127\./ }
	    split ' ', qx(hostname -I 2>/dev/null))[0];
}

# A client: plain (tls => 0) or with TLS from the first octet (tls => 1); from:
# its address.
sub connect {
	my ($self, $port, %o) = @_;
	return CulverTest::Client->new($port, %o, ca => $self->path('cert.pem'));
}

sub stop {
	my ($self) = @_;
	delete $self->{listen};
	kill 'TERM', $_ for @{ $self->{pids} };
	my $end = time + 5;
	for my $pid (@{ $self->{pids} }) {
		while (waitpid($pid, WNOHANG) == 0) {
			kill 'KILL', $pid if time > $end;
			select(undef, undef, undef, 0.01);
		}
	}
	$self->{pids} = [];
}

sub cleanup {
	my ($self) = @_;
	$self->stop;
	remove_tree($self->{dir}) unless $ENV{CULVER_KEEP};
}

END {
	if ($$ == $owner) {
		my $status = $?;
		$_->cleanup for @live;
		$? = $status;
	}
}

package CulverTest::Client;
use strict;
use warnings;
use Carp qw(croak);
use Socket qw(IPPROTO_TCP TCP_NODELAY);

sub new {
	my ($class, $port, %o) = @_;
	my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Timeout => 10,
		$o{from} ? (LocalAddr => $o{from}) : ())
	    or croak "connect $port: $!";
	$sock->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
	my $self = bless { sock => $sock, buf => '', ca => $o{ca} }, $class;
	$self->tls if $o{tls};
	return $self;
}

sub tls {
	my ($self) = @_;
	require IO::Socket::SSL;
	IO::Socket::SSL->start_SSL($self->{sock}, SSL_ca_file => $self->{ca},
		SSL_verifycn_name => 'localhost', SSL_verify_mode => 1,
		Timeout => 10)
	    or croak "TLS: $IO::Socket::SSL::SSL_ERROR";
	return $self;
}

sub put {
	my ($self, $data) = @_;
	my $off = 0;
	local $SIG{PIPE} = 'IGNORE';
	while ($off < length $data) {
		my $n = syswrite($self->{sock}, $data, length($data) - $off, $off);
		return 0 if !defined $n;
		$off += $n;
	}
	return 1;
}

sub line { $_[0]->put("$_[1]\r\n") }

# More octets into the buffer; 0 at the end or after the time.
sub fill {
	my ($self, $timeout) = @_;
	$timeout //= 10;
	my $s = $self->{sock};
	if (!($s->can('pending') && $s->pending)) {
		return 0 unless IO::Select->new($s)->can_read($timeout);
	}
	my $n = sysread($s, $self->{buf}, 65536, length $self->{buf});
	return $n ? $n : 0;
}

# The next line without CRLF; undef at the end or after the time.
sub get {
	my ($self, $timeout) = @_;
	for (;;) {
		return $1 if $self->{buf} =~ s/\A([^\n]*?)\r?\n//;
		$self->fill($timeout) or return undef;
	}
}

sub read_n {
	my ($self, $n) = @_;
	while (length $self->{buf} < $n) {
		$self->fill or return undef;
	}
	return substr($self->{buf}, 0, $n, '');
}

# Everything up to the connection's end.
sub rest {
	my ($self) = @_;
	1 while $self->fill;
	my $all = $self->{buf};
	$self->{buf} = '';
	return $all;
}

# Sends a line and returns the next one (POP3, LMTP).
sub ask {
	my ($self, $line) = @_;
	$self->line($line);
	return $self->get;
}

# A multi-line answer up to the lone dot, unstuffed, as octets (POP3).
sub multi {
	my ($self) = @_;
	my $out = '';
	for (;;) {
		while ($self->{buf} !~ /\n/) {
			$self->fill or return undef;
		}
		$self->{buf} =~ s/\A([^\n]*\n)// or return undef;
		my $l = $1;
		return $out if $l eq ".\r\n";
		$l =~ s/\A\.//;
		$out .= $l;
	}
}

# An IMAP command with the tag of the counter: (tagged line, untagged lines...);
# literals stay in their line.
sub imap {
	my ($self, $cmd) = @_;
	my $tag = 'a' . ++$self->{tag};
	$self->line("$tag $cmd");
	return $self->imap_until($tag);
}

sub imap_line {
	my ($self) = @_;
	my $all = '';
	for (;;) {
		my $l = $self->get // return undef;
		$all .= $l;
		return $all unless $l =~ /\{(\d+)\}\z/;
		$all .= "\r\n" . ($self->read_n($1) // return undef);
	}
}

sub imap_until {
	my ($self, $tag) = @_;
	my @untagged;
	while (defined(my $l = $self->imap_line)) {
		return ($l, @untagged) if $l =~ /\A\Q$tag\E /;
		push @untagged, $l;
	}
	return (undef, @untagged);
}

sub eof {
	my ($self) = @_;
	return length $self->{buf} == 0 && !$self->fill(5);
}

# Does the other end close within a few seconds, whatever it still sends?
sub ended {
	my ($self) = @_;
	my $s = $self->{sock};
	for (;;) {
		return 0 unless ($s->can('pending') && $s->pending)
		    || IO::Select->new($s)->can_read(5);
		return 1 unless sysread($s, my $x, 65536);
	}
}

sub close { close $_[0]{sock} }

1;
