# t/lib/PushSink.pm - a push service on https://127.0.0.1, and jmap-push, for tests
#
# What it answers is in the file MODE of its directory: "201", "503",
# "429 Retry-After: 3", ...
package PushSink;
use strict;
use warnings;
use Carp qw(croak);
use IO::Socket::INET;
use IO::Socket::SSL;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(dup2);
use Socket qw(SOCK_DGRAM);

my $json = JSON::PP->new->latin1->canonical;

# What culver.conf needs; jmap-push believes the test's own certificate.
our $conf = <<'END';
push-socket = "@DIR@/push.sock"
push-private = true
push-ca-file = "@DIR@/cert.pem"
push-retry = 1
push-contact = "mailto:postmaster@mail.test"
END

# For a CulverTest with tls.
sub new {
	my ($class, $t) = @_;
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
	    or croak "listen: $!";
	my $self = bless { t => $t, port => $l->sockport, seen => 0,
		pids => [] }, $class;
	$self->mode('201');
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(TERM INT);
		$SIG{CHLD} = 'IGNORE';
		while (my $c = $l->accept) {
			next if fork;
			eval { $self->serve($c) };
			POSIX::_exit(0);
		}
		POSIX::_exit(0);
	}
	push @{ $t->{pids} }, $pid;
	return $self;
}

sub url { "https://127.0.0.1:$_[0]{port}/push/$_[1]" }

sub mode {
	my ($self, $mode) = @_;
	my $path = $self->{t}->spew('MODE.new', $mode);
	rename $path, $self->{t}->path('MODE');
}

sub serve {
	my ($self, $c) = @_;
	IO::Socket::SSL->start_SSL($c, SSL_server => 1,
		SSL_cert_file => $self->{t}->path('cert.pem'),
		SSL_key_file => $self->{t}->path('key.pem')) or return;
	while (defined(my $line = <$c>)) {
		my %r;
		@r{qw(method path)} = $line =~ m{\A(\S+) (\S+) HTTP/1.1\r\n\z}
		    or return;
		while (defined($line = <$c>) && $line ne "\r\n") {
			$r{headers}{lc $1} = $2 if $line =~ /\A([^:]+): (.*)\r\n/;
		}
		my $n = $r{headers}{'content-length'} // 0;
		(read($c, $r{body}, $n) // 0) == $n or return;
		my ($code, $more) = $self->{t}->slurp('MODE')
		    =~ /\A(\d+) ?(.*)/;
		open(my $fh, '>>', $self->{t}->path('pushes')) or die $!;
		syswrite($fh, $json->encode({ %r, code => $code }) . "\n");
		close $fh;
		print $c "HTTP/1.1 $code x\r\n", $more ? "$more\r\n" : '',
		    "Content-Length: 0\r\n\r\n";
		$c->flush;
	}
}

# Those that came since the last call; waits until there are n of them.
sub pushes {
	my ($self, $n, $seconds) = @_;
	my @all;
	for (1 .. 20 * ($seconds // 20)) {
		@all = map { $json->decode($_) }
		    $self->{t}->slurp('pushes') =~ /([^\n]+)\n/g;
		last if @all >= $self->{seen} + $n;
		select(undef, undef, undef, 0.05);
	}
	my @new = @all[$self->{seen} .. $#all];
	$self->{seen} = @all;
	return @new;
}

# The socket that systemd would listen on; jmap-push is its descriptor 0, as of
# inetd.  Arguments go to it; without a socket it looks once.
sub listen_push {
	my ($self) = @_;
	unlink $self->{t}->path('push.sock');
	return $self->{sock} = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
		Local => $self->{t}->path('push.sock')) || croak "socket: $!";
}

sub start {
	my ($self, @args) = @_;
	my $t = $self->{t};
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		if ($self->{sock}) {
			dup2(fileno($self->{sock}), 0);
		} else {
			open(STDIN, '<', '/dev/null');
		}
		open(STDOUT, '>>', $t->path('stdout'));
		open(STDERR, '>>', $t->path('stderr'));
		exec($t->program('jmap-push'), '-f', $t->conf_file, @args)
		    or POSIX::_exit(127);
	}
	push @{ $t->{pids} }, $pid;
	return $pid;
}

# Its exit code, or undef if it didn't end in that time.
sub ended {
	my ($self, $pid, $seconds) = @_;
	for (1 .. 20 * ($seconds // 20)) {
		if (waitpid($pid, POSIX::WNOHANG) == $pid) {
			@{ $self->{t}{pids} } = grep { $_ != $pid }
			    @{ $self->{t}{pids} };
			return $? & 127 ? -($? & 127) : $? >> 8;
		}
		select(undef, undef, undef, 0.05);
	}
	return undef;
}

1;
