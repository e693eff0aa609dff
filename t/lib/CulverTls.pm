# t/lib/CulverTls.pm - certificates for tests, and TLS clients that are particular
package CulverTls;
use strict;
use warnings;
use Carp qw(croak);
use CulverTest;
use IO::Socket::SSL;

sub run {
	my (@cmd) = @_;
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', '/dev/null');
		open(STDERR, '>', '/dev/null') unless $ENV{CULVER_KEEP};
		exec(@cmd) or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	croak "@cmd: $?" if $? != 0;
}

# NAME.pem and NAME.key in the test's directory; ca: the authority's NAME, else it
# signs itself.  cn, ext => [lines of X.509v3 extensions], days, rsa => 1.
sub certificate {
	my ($t, $name, %o) = @_;
	my $cn = $o{cn} // $name;
	my $days = $o{days} // 30;
	$t->spew("$name.ext", join "\n", '[x]', @{ $o{ext} || [] }, '');
	run($o{rsa} ? qw(openssl genrsa -out) :
		qw(openssl ecparam -name prime256v1 -genkey -noout -out),
		$t->path("$name.key"), $o{rsa} ? 2048 : ());
	run(qw(openssl req -new -key), $t->path("$name.key"), '-subj',
		"/CN=$cn", '-out', $t->path("$name.csr"));
	my @sign = $o{ca} ? ('-CA', $t->path("$o{ca}.pem"), '-CAkey',
		$t->path("$o{ca}.key"), '-CAcreateserial') :
	    ('-signkey', $t->path("$name.key"));
	run(qw(openssl x509 -req -in), $t->path("$name.csr"), @sign,
		'-days', $days, '-extfile', $t->path("$name.ext"),
		'-extensions', 'x', '-out', $t->path("$name.new"));
	# The last one there: whole.
	rename $t->path("$name.new"), $t->path("$name.pem") or croak $!;
	return $name;
}

sub authority {
	my ($t, $name) = @_;
	return certificate($t, $name,
		ext => [ 'basicConstraints=critical,CA:TRUE',
			'keyUsage=critical,keyCertSign,cRLSign,digitalSignature' ]);
}

# A client in TLS, as CulverTest's, or undef and the reason; names of
# IO::Socket::SSL's options, and starttls => the command for it.
sub client {
	my ($t, $port, %o) = @_;
	my $starttls = delete $o{starttls};
	my $c = $t->connect($port);
	if ($starttls) {
		$c->get;
		$c->ask($starttls);
	}
	my $ok = IO::Socket::SSL->start_SSL($c->{sock}, Timeout => 10,
		SSL_verify_mode => 0, %o);
	return $ok ? $c : (undef, "$IO::Socket::SSL::SSL_ERROR");
}

# The log's last line that matches, once it is there.
sub logged {
	my ($t, $re) = @_;
	for (1 .. 250) {
		my @l = grep { $_ =~ $re } split /\n/, $t->slurp('log');
		return $l[-1] if @l;
		select(undef, undef, undef, 0.02);
	}
	return '';
}

1;
