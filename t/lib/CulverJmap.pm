# t/lib/CulverJmap.pm - jmap-fcgi behind a real nginx, and a JMAP client
package CulverJmap;
use strict;
use warnings;
use parent -norequire, 'CulverTest';
use Carp qw(croak);
use CulverTest;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Socket qw(IPPROTO_TCP SOCK_STREAM TCP_NODELAY);

our $json = JSON::PP->new->utf8->canonical;
my @using = map { "urn:ietf:params:jmap:$_" } qw(core mail);

# CulverJmap->new(users => {...}, conf => "extra lines", listener => "linger = 1",
#     using => ["submission"])
sub new {
	my ($class, %o) = @_;
	my $self = $class->SUPER::new(%o, tls => 1,
		conf => ($o{conf} || '') . "\n" . engine() . 'listener jmap { protocol = "jmap" '
		. ($o{listener} || '') . " }\n");
	$self->{using} = [@using, map { "urn:ietf:params:jmap:$_" }
		@{ $o{using} || [] }];
	($self->{user}, $self->{pass}) = @{ $o{login} || ['alice', 'secret'] };
	$self->start_jmap;
	$self->start_nginx;
	return $self;
}

# CULVER_ENGINE runs these tests over another storage engine.
sub engine {
	my $engine = $ENV{CULVER_ENGINE} // 'bdb';
	return qq(engine = "$engine"\n);
}

# On a socket of ours, which is its descriptor 0.
sub start_jmap {
	my ($self) = @_;
	my $path = $self->path('jmap.sock');
	unlink $path;
	$self->{jmap_listen} = IO::Socket::UNIX->new(Local => $path,
		Type => SOCK_STREAM, Listen => 4096) or croak "$path: $!";
	chmod 0666, $path;
	$self->{jmap_pid} = $self->spawn($self->{jmap_listen}, 'jmap-fcgi',
	    'jmap');
	return $self->{jmap_pid};
}

sub free_port {
	my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    or croak "listen: $!";
	return $s->sockport;
}

sub nginx_conf {
	my ($self) = @_;
	my $d = $self->{dir};
	my $src = Cwd::abs_path($CulverTest::srcdir);
	my $user = $> == 0 ? "user root root;\n" : '';
	return $user . <<"END";
daemon off;
worker_processes 1;
pid $d/nginx.pid;
error_log $d/nginx.log;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path $d/nginx-body;
	fastcgi_temp_path $d/nginx-fastcgi;
	proxy_temp_path $d/nginx-proxy;
	scgi_temp_path $d/nginx-scgi;
	uwsgi_temp_path $d/nginx-uwsgi;
	server {
		listen 127.0.0.1:$self->{https} ssl http2 backlog=1024;
		ssl_certificate $d/cert.pem;
		ssl_certificate_key $d/key.pem;
		client_max_body_size 10m;
		set \$culver_socket unix:$d/jmap.sock;
		include $src/conf/nginx/culver-locations.conf;
	}
}
END
}

sub start_nginx {
	my ($self) = @_;
	my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}),
	    '/usr/sbin', '/sbin';
	croak 'no nginx: run scripts/setup' unless $nginx;
	$self->{https} = free_port();
	my $conf = $self->spew('nginx.conf', $self->nginx_conf);
	my $pid = fork // croak "fork: $!";
	if ($pid == 0) {
		open(STDERR, '>>', $self->path('stderr'));
		exec($nginx, '-p', $self->{dir}, '-e', $self->path('nginx.log'),
		    '-c', $conf) or POSIX::_exit(127);
	}
	push @{ $self->{pids} }, $pid;
	for (1 .. 200) {
		return if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
			PeerPort => $self->{https});
		select(undef, undef, undef, 0.02);
	}
	croak 'nginx does not start: ' . $self->slurp('nginx.log');
}

sub base { "https://127.0.0.1:$_[0]{https}" }

sub auth {
	my ($self, $user, $pass) = @_;
	return "Bearer $self->{token}" if defined $self->{token} && !defined $user;
	$user //= $self->{user};
	$pass //= $self->{pass};
	return 'Basic ' . encode_base64("$user:$pass", '');
}

# One HTTP exchange over a connection that is kept; authenticated unless
# auth => undef or another value.  The header and the body go out in one piece.
sub request {
	my ($self, $method, $path, %o) = @_;
	$path =~ s{\Ahttps://[^/]*}{};
	my %h = (host => "127.0.0.1:$self->{https}", %{ $o{headers} || {} });
	my $auth = exists $o{auth} ? $o{auth} : $self->auth;
	$h{authorization} = $auth if defined $auth;
	my $body = $o{content} // '';
	$h{'content-length'} = length $body if defined $o{content};
	my $octets = join '', "$method $path HTTP/1.1\r\n",
	    map({ "$_: $h{$_}\r\n" } sort keys %h), "\r\n", $body;
	my $r;
	for (1 .. 2) {	# a kept connection may have ended meanwhile
		my $kept = $self->{conn};
		my $c = $self->{conn} //= $self->raw;
		$c->put($octets);
		$r = response($c, $method);
		delete $self->{conn}
		    if !$r || ($r->{headers}{connection} // '') eq 'close';
		last if $r || !$kept;
	}
	$r //= { status => 599, content => '', headers => {} };
	$r->{json} = eval { $json->decode($r->{content}) }
	    if length $r->{content} < 4 << 20;
	return $r;
}

# undef if the connection ended.
sub response {
	my ($c, $method) = @_;
	my $line = $c->get(20) // return undef;
	my %r = (content => '', status => ($line =~ / (\d+)/)[0]);
	while (defined($line = $c->get)) {
		last if $line eq '';
		next unless $line =~ /\A([^:]+):\s*(.*)/;
		my $h = \$r{headers}{lc $1};
		$$h = defined $$h ? "$$h, $2" : $2;
	}
	return undef unless defined $line;
	return \%r if $method eq 'HEAD' || $r{status} =~ /\A(?:1..|204|304)\z/;
	if (defined(my $n = $r{headers}{'content-length'})) {
		$r{content} = $c->read_n($n) // return undef;
	} elsif (($r{headers}{'transfer-encoding'} // '') eq 'chunked') {
		for (;;) {
			my $n = hex($c->get // return undef);
			$r{content} .= $c->read_n($n) // return undef;
			$c->get;
			last if $n == 0;
		}
	} else {
		$r{content} = $c->rest;
	}
	return \%r;
}

sub session {
	my ($self) = @_;
	return $self->{session} //= do {
		my $r = $self->request('GET', '/.well-known/jmap');
		croak "no session: $r->{status} $r->{content}"
		    unless $r->{status} == 200;
		$r->{json};
	};
}

# The user's own account, or the one that the test wants to use.
sub account {
	my ($self) = @_;
	return $self->{acct}
	    // $self->session->{primaryAccounts}{'urn:ietf:params:jmap:mail'};
}

sub post {
	my ($self, $body, %o) = @_;
	return $self->request('POST', '/jmap/api', content => $body,
		headers => { 'content-type' => 'application/json' }, %o);
}

# The method calls [name, args(, id)]; accountId is filled in.  The responses.
sub calls {
	my ($self, @calls) = @_;
	my $n = 0;
	my $r = $self->post($json->encode({ using => $self->{using},
		methodCalls => [map { [$_->[0], { accountId => $self->account,
			%{ $_->[1] } }, $_->[2] // 'c' . $n++] } @calls] }));
	croak "$r->{status} $r->{content}" unless $r->{status} == 200;
	return @{ $r->{json}{methodResponses} };
}

# One call: its response's arguments; an error has "error" with the type.
sub call {
	my ($self, $name, $args) = @_;
	my ($r) = $self->calls([$name, $args || {}]);
	return $r->[0] eq 'error' ? { error => $r->[1]{type}, %{ $r->[1] } }
	    : $r->[1];
}

sub upload {
	my ($self, $octets, $type) = @_;
	my $r = $self->request('POST', '/jmap/upload/' . $self->account . '/',
		content => $octets,
		headers => { 'content-type' => $type || 'message/rfc822' });
	croak "upload: $r->{status} $r->{content}" unless $r->{status} == 201;
	return $r->{json}{blobId};
}

# Id of the mailbox with that role or name.
sub mailbox {
	my ($self, $want) = @_;
	my $r = $self->call('Mailbox/get', { ids => undef });
	my ($m) = grep { ($_->{role} // '') eq $want || $_->{name} eq $want }
	    @{ $r->{list} };
	return $m && $m->{id};
}

# Imports one message; the new Email's id (or the whole response if it failed).
sub import_mail {
	my ($self, $octets, %o) = @_;
	my $blob = $self->upload($octets);
	my $r = $self->call('Email/import', { emails => { k => {
		blobId => $blob,
		mailboxIds => { $self->mailbox('inbox') => JSON::PP::true },
		%o } } });
	return $r->{created} ? $r->{created}{k}{id} : $r;
}

# A TLS connection of its own.
sub raw {
	my ($self) = @_;
	my $c = CulverTest::Client->new($self->{https}, tls => 1,
		ca => $self->path('cert.pem'));
	setsockopt($c->{sock}, IPPROTO_TCP, TCP_NODELAY, 1);
	return $c;
}

# An open event stream: (client, status line); see event().
sub stream {
	my ($self, $query, @headers) = @_;
	my $c = $self->raw;
	$c->put(join "\r\n", "GET /jmap/eventsource?$query HTTP/1.1",
	    'Host: localhost', 'Authorization: ' . $self->auth, @headers,
	    '', '');
	my $status = $c->get;
	while (defined(my $l = $c->get)) {
		last if $l eq '';
		$c->{header}{lc $1} = $2 if $l =~ /\A([^:]+): (.*)/;
	}
	return ($c, $status);
}

# The next event: { event, id, data }; undef at the end or after the time.
sub event {
	my ($c, $timeout) = @_;
	my %e;
	for (;;) {
		my $l = stream_line($c, $timeout // 10) // return undef;
		if ($l eq '') {
			next unless %e;
			$e{data} = $json->decode($e{data}) if defined $e{data};
			return \%e;
		}
		$e{$1} = $2 if $l =~ /\A(\w+): (.*)/;
	}
}

# A line of the body: chunked transfer coding undone.
sub stream_line {
	my ($c, $timeout) = @_;
	for (;;) {
		return $1 if ($c->{body} //= '') && $c->{body} =~ s/\A([^\n]*)\n//;
		my $size = $c->get($timeout) // return undef;
		if ($size eq '0') {
			$c->{over} = 1;	# not merely silent
			return undef;
		}
		$c->{body} .= $c->read_n(hex $size) // return undef;
		$c->get($timeout);
	}
}

1;
