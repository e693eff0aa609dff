# t/lib/CulverServe.pm - a whole server by scripts/serve, for end-to-end tests
package CulverServe;
use strict;
use warnings;
use Carp qw(croak);
use Cwd qw(abs_path);
use CulverTest;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::XS;
use MIME::Base64;

our $serve = abs_path("$CulverTest::srcdir/scripts/serve");
my $owner = $$;
my @live;

# What make check needs to run these at all; a reason to skip, or undef.
sub missing {
	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
	for my $p (qw(inetd nginx curl openssl flock setsid)) {
		return "no $p" if system("command -v $p >/dev/null 2>&1") != 0;
	}
	return undef;
}

# A base port with all of its ports free.
sub base_port {
	for (1 .. 200) {
		my $base = 20000 + int(rand(40000));
		my @l = map { IO::Socket::INET->new(LocalAddr => '127.0.0.1',
			LocalPort => $base + $_, Listen => 1, ReuseAddr => 1) }
		    (24, 110, 143, 443, 993, 995);
		return $base if @l == 6 && !grep { !defined } @l;
	}
	croak 'no free ports';
}

# CulverServe->new(options => [...]): started in the background.
sub new {
	my ($class, %o) = @_;
	my $dir = abs_path(tempdir('culver-e-XXXXXX', TMPDIR => 1));
	my $self = bless { dir => $dir, base => $o{base} || base_port() }, $class;
	push @live, $self;
	($self->{code}, $self->{out}) = $self->run('--background',
		@{ $o{options} || [] });
	if ($self->{code} == 0) {
		$self->{target} = decode_json($self->slurp('target.json'));
		$self->{pw} = $self->{target}{password};
	}
	return $self;
}

# scripts/serve on our directory: (exit code, output).
sub run {
	my ($self, @args) = @_;
	my @cmd = ($serve, '--dir', $self->{dir}, '--base-port', $self->{base},
	    '--build', abs_path($CulverTest::builddir), @args);
	my $out = "$self->{dir}/run-output";
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', $out);
		open(STDERR, '>&', \*STDOUT);
		exec(@cmd) or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	my $code = $? >> 8;
	return ($code, $self->slurp('run-output'));
}

sub slurp {
	my ($self, $name) = @_;
	open(my $fh, '<:raw', "$self->{dir}/$name") or return '';
	local $/;
	return scalar(<$fh>) // '';
}

sub logs {
	my ($self) = @_;
	return join '', map { "--- $_\n" . substr($self->slurp("log/$_"), -3000) }
	    qw(culver.log inetd.log nginx.log serve.log);
}

sub client {
	my ($self, $name) = @_;
	return CulverTest::Client->new($self->{target}{$name},
		tls => scalar($name =~ /s\z/), ca => "$self->{dir}/tls/cert.pem");
}

# Every process whose arguments name our directory.
sub processes {
	my ($self) = @_;
	my @p;
	for my $f (glob '/proc/[0-9]*/cmdline') {
		open(my $fh, '<', $f) or next;
		my $c = do { local $/; <$fh> } // '';
		push @p, ($f =~ /(\d+)/)[0] . " $c" =~ tr/\0/ /r
		    if index($c, "$self->{dir}/") >= 0;
	}
	return @p;
}

sub lmtp {
	my ($self, $message, @users) = @_;
	my $c = $self->client('lmtp');
	$c->get;
	$c->line('LHLO test');
	while (($c->get // return undef) =~ /\A250-/) { }
	$c->ask('MAIL FROM:<sender@example.org>');
	$c->ask("RCPT TO:<$_\@localhost>") for @users;
	$c->ask('DATA');
	(my $stuffed = $message) =~ s/^\./../mg;
	$c->put("$stuffed.\r\n");
	my @r = map { $c->get } @users;
	$c->ask('QUIT');
	return grep { ($_ // '') !~ /\A250 / } @r;
}

# ---- HTTP --------------------------------------------------------------

sub request {
	my ($self, $method, $url, $user, $body, $type) = @_;
	my ($path) = $url =~ m{\A(?:https://[^/]+)?(/.*)\z} or croak $url;
	my ($port) = $self->{target}{jmap} =~ /:(\d+)/;
	my $c = CulverTest::Client->new($port, tls => 1,
		ca => "$self->{dir}/tls/cert.pem");
	my $auth = encode_base64("$user:$self->{pw}", '');
	$c->put("$method $path HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n"
		. "Authorization: Basic $auth\r\nConnection: close\r\n"
		. (defined $body ? 'Content-Length: ' . length($body)
		    . "\r\nContent-Type: $type\r\n" : '') . "\r\n"
		. ($body // ''));
	my $status = $c->get // croak "$url: no answer";
	my %h;
	while (($_ = $c->get // '') ne '') {
		$h{lc $1} = $2 if /\A([^:]+):\s*(.*)\z/;
	}
	return ($c, ($status =~ / (\d+)/)[0], \%h);
}

# (status, body, headers), redirects followed.
sub http {
	my ($self, $method, $url, @rest) = @_;
	my ($c, $code, $h) = $self->request($method, $url, @rest);
	return $self->http($method, $h->{location}, @rest)
	    if $code =~ /\A30[1278]\z/;
	my $body = $c->rest;
	if (($h->{'transfer-encoding'} // '') eq 'chunked') {
		my $all = '';
		while ($body =~ s/\A([0-9a-f]+)\r\n//i && hex $1) {
			$all .= substr($body, 0, hex($1), '');
			$body =~ s/\A\r\n//;
		}
		$body = $all;
	}
	return ($code, $body, $h);
}

sub session {
	my ($self, $user) = @_;
	my ($code, $body) = $self->http('GET', $self->{target}{jmap}, $user);
	croak "session: $code $body" if $code != 200;
	my $s = decode_json($body);
	$s->{account} = $s->{primaryAccounts}{'urn:ietf:params:jmap:mail'};
	return $self->{session}{$user} = $s;
}

# Method calls of mail as ([name, arguments], ...): the arguments of each answer.
sub jmap {
	my ($self, $user, @calls) = @_;
	my $s = $self->{session}{$user} || $self->session($user);
	my $n = 0;
	my $req = { using => [ 'urn:ietf:params:jmap:core',
		'urn:ietf:params:jmap:mail' ], methodCalls => [ map {
		[ $_->[0], { accountId => $s->{account}, %{ $_->[1] } },
		    'c' . $n++ ] } @calls ] };
	my ($code, $body) = $self->http('POST', $s->{apiUrl}, $user,
		encode_json($req), 'application/json');
	croak "jmap: $code $body" if $code != 200;
	return map { { method => $_->[0], %{ $_->[1] } } }
	    @{ decode_json($body)->{methodResponses} };
}

sub expand {
	my ($template, %v) = @_;
	$template =~ s/\{(\w+)\}/$v{$1}/g;
	return $template;
}

# The octets of a blob.
sub blob {
	my ($self, $user, $blob) = @_;
	my $s = $self->{session}{$user} || $self->session($user);
	my ($code, $body) = $self->http('GET', expand($s->{downloadUrl},
		accountId => $s->{account}, blobId => $blob, name => 'x.eml',
		type => 'message%2Frfc822'), $user);
	return $code == 200 ? $body : undef;
}

# A stream of events, after its headers.
sub events {
	my ($self, $user) = @_;
	my $s = $self->{session}{$user} || $self->session($user);
	my ($c, $code, $h) = $self->request('GET', expand($s->{eventSourceUrl},
		types => '*', closeafter => 'no', ping => 0), $user);
	croak "eventsource: $code" if $code != 200;
	return $c;
}

# The state of a type in the next StateChange that has it; undef in time.
sub next_state {
	my ($self, $user, $c, $type) = @_;
	my $acct = $self->{session}{$user}{account};
	my $end = time + 15;
	while (time < $end) {
		while (my $l = $c->{buf} =~ /\n/ ? $c->get : undef) {
			next unless $l =~ /\Adata: ?(\{.*\})/;
			my $d = decode_json($1);
			my $st = $d->{changed}{$acct}{$type};
			return $st if defined $st;
		}
		if ($c->{buf} =~ s/\A\r?\n//) {
			next;
		}
		$c->fill(1);
	}
	return undef;
}

sub stop {
	my ($self) = @_;
	return $self->run('--stop');
}

END {
	if ($$ == $owner) {
		my $status = $?;
		for my $s (@live) {
			$s->stop;
			remove_tree($s->{dir}) unless $ENV{CULVER_KEEP};
		}
		$? = $status;
	}
}

1;
