# t/admin/listeners.t - culver listeners: the files, and the programs that read them
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use CulverJmap;
use IO::Socket::INET;
use IO::Socket::SSL;
use IO::Socket::UNIX;
use JSON::XS;
use POSIX ();
use Test::More;

my %port;
sub port { $port{ $_[0] } //= CulverJmap::free_port() }
my ($group) = $> == 0 ? 'nogroup' : scalar getgrgid($));
sub conf {
	my ($mode, $more) = @_;
	return <<"END" . ($more || '');
listener a { protocol = "imap" mode = "$mode" tls = "implicit" linger = 1
	address = {"127.0.0.1:@{[port 'a4']}", "[::1]:@{[port 'a6']}"}
	max-connections = 30 max-connections-per-source = 20 }
listener b { protocol = "pop3" mode = "$mode" linger = 1
	address = "*:@{[port 'b']}" }
listener c { protocol = "lmtp" mode = "$mode" linger = 1
	address = "unix:\@DIR\@/lmtp" socket-group = "$group" }
listener d { protocol = "jmap" address = "unix:\@DIR\@/jmap" linger = 1
	proxies = {"10.0.0.0/8"} max-connections-per-source = 50 }
END
}
my $t = CulverTest->new(users => { alice => 'secret' }, tls => 1,
	conf => conf('wait'));
my $dir = $t->path('out');

# The same configuration with another mode, or more lines.
sub configure {
	my ($mode, $more) = @_;
	my $text = conf($mode, $more);
	$text =~ s/\@DIR\@/$t->{dir}/g;
	my $old = $t->slurp('culver.conf');
	$old =~ s/^listener a \{.*//ms;
	$t->spew('culver.conf', $old . $text);
}

sub listeners {
	my ($kind, @args) = @_;
	return $t->culver('listeners', "--$kind", @args);
}

# What is printed, with the programs of this tree instead of installed ones.
sub built {
	my ($text) = @_;
	my $build = Cwd::abs_path($CulverTest::builddir);
	$text =~ s{/\S+/libexec/culver/([\w-]+)}{$build/$1/$1}g;
	$text =~ s{/\S+/sbin/culver}{$build/culver/culver}g;
	return $text;
}

sub find_program {
	my ($name, @more) = @_;
	return (grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/sbin',
	    '/sbin', @more)[0];
}

sub run_program {
	my ($log, @command) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		setpgrp;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', $t->path($log));
		open(STDERR, '>&', \*STDOUT);
		exec(@command) or POSIX::_exit(127);
	}
	return $pid;
}

sub end_program {
	my ($pid) = @_;
	kill 'TERM', -$pid, $pid;
	waitpid($pid, 0);
}

# The first line of whoever is there, within some seconds.
sub greeting {
	my (%o) = @_;
	for (1 .. 200) {
		my $s = $o{path} ? IO::Socket::UNIX->new(Peer => $o{path}) :
		    IO::Socket::IP->new(PeerAddr => $o{host} || '127.0.0.1',
			PeerPort => $o{port});
		if ($s && $o{tls}) {
			IO::Socket::SSL->start_SSL($s, SSL_verify_mode => 0)
			    or return "TLS: $SSL_ERROR";
		}
		return ($s, scalar <$s>) if $s;
		select(undef, undef, undef, 0.02);
	}
	return (undef, "connect: $!");
}

sub login_a {
	my ($host, $port, $what) = @_;
	my ($s, $line) = greeting(host => $host, port => $port, tls => 1);
	like($line, qr/\A\* OK /, "$what: greeting");
	return unless $s;
	print $s "x LOGIN alice secret\r\n";
	like(scalar <$s>, qr/\Ax OK /, "$what: login");
	close $s;
}
require IO::Socket::IP;
my $v6 = IO::Socket::IP->new(LocalAddr => '::1', LocalPort => 0, Listen => 1);

# ---- the listeners, as they are configured
my ($rc, $out, $err) = $t->culver('listeners');
is($rc, 0, 'listeners') or BAIL_OUT($err);
like($out, qr/^a +imap +implicit +wait +127\.0\.0\.1:\d+ \[::1\]:\d+$/m, 'text');
($rc, $out) = $t->culver('listeners', '--json');
my ($a) = grep { $_->{name} eq 'a' } @{ decode_json($out) };
is_deeply($a, { name => 'a', protocol => 'imap', tls => 'implicit',
	mode => 'wait', addresses => ["127.0.0.1:$port{a4}",
	"[::1]:$port{a6}"] }, 'JSON');
($rc, $out) = listeners('systemd', '--as', '/srv/culver.conf');
like($out, qr{imapd -f /srv/culver\.conf -l a$}m, 'for another host');
($rc, $out, $err) = $t->culver('listeners', '--inetd', '--s6');
is($rc, 100, 'two kinds');
like($err, qr/one of --systemd/, 'the choice');
is(($t->culver('listeners', '--out', $dir))[0], 100, 'no kind');

# ---- systemd
sub units { map { s{.*/}{}r } glob "$dir/*" }
($rc, $out, $err) = listeners('systemd', '--check', $dir);
is($rc, 100, 'nothing is there');
like($err, qr{/culver-a\.socket is missing$}m, 'named');
($rc, $out, $err) = listeners('systemd', '--out', $dir);
is($rc, 0, 'written') or diag $err;
is_deeply([ units() ], [ (map { ("culver-$_.service", "culver-$_.socket") }
	qw(a b c d)), 'culver-sweep.service', 'culver-sweep.timer' ],
	'the files');
like($err, qr/listener "imap" has no address/, 'one without an address');
($rc, $out, $err) = listeners('systemd', '--check', $dir);
is($rc, 0, 'now all are as they should be') or diag $err;
is((listeners('systemd', '--out', $dir))[1], '', 'nothing to write again');
my $socket = $t->slurp('out/culver-a.socket');
like($socket, qr/^ListenStream=127\.0\.0\.1:$port{a4}\nListenStream=\[::1\]:/m,
	'addresses');
like($socket, qr/^Accept=no$/m, 'wait mode');
like($socket, qr/^Backlog=4096$/m, 'backlog');
unlike($socket, qr/MaxConnections/, 'the daemon counts');
like($t->slurp('out/culver-c.socket'), qr/^SocketGroup=$group\nSocketMode=0660$/m,
	'a Unix socket');
like($t->slurp('out/culver-a.service'), qr/^ExecStart=\S+imapd -f \S+ -l a$/m,
	'what is started');

$t->spew('out/culver-b.socket', $t->slurp('out/culver-b.socket') . "\n");
$t->spew('out/culver-c.socket', "[Socket]\n");
unlink $t->path('out/culver-d.socket');
configure('accept');
($rc, $out, $err) = listeners('systemd', '--check', $dir);
is($rc, 100, 'differences');
like($err, qr{/culver-a\.socket is out of date$}m, 'another mode');
like($err, qr{/culver-a\@\.service is missing$}m, 'a service for each');
like($err, qr{/culver-a\.service is no longer needed$}m, 'that for all');
like($err, qr{/culver-b\.socket is out of date$}m, 'edited');
like($err, qr{/culver-c\.socket was changed, or}m, 'not ours');
like($err, qr{/culver-d\.socket is missing$}m, 'gone');
($rc, $out, $err) = listeners('systemd', '--out', $dir);
is($rc, 100, 'not all can be written');
like($err, qr{culver-c\.socket: not made by culver listeners}, 'foreign');
is($t->slurp('out/culver-c.socket'), "[Socket]\n", 'left alone');
unlink glob "$dir/*";
($rc) = listeners('systemd', '--out', $dir);
is($rc, 0, 'all anew');
$socket = $t->slurp('out/culver-a.socket');
like($socket, qr/^Accept=yes\nMaxConnections=30\nMaxConnectionsPerSource=20$/m,
	'systemd counts');

my $analyze = find_program('systemd-analyze');
SKIP: {
	skip 'no systemd-analyze', 1 unless $analyze;
	my $said = qx($analyze verify $dir/* 2>&1);
	my @bad = grep { !/is not executable|Command 'man|^$/ } split /\n/, $said;
	is_deeply(\@bad, [], 'systemd finds nothing wrong');
	for my $u (grep { /service$/ } units()) {
		my ($score) = qx($analyze security --offline=true $dir/$u 2>&1)
		    =~ /exposure level for \S+: ([\d.]+)/;
		cmp_ok($score // 10, '<', 2, "$u is confined");
	}
}
# What programs of others need is left to them.
configure('wait', qq(sendmail = "/usr/sbin/sendmail"\n));
unlink glob "$dir/*";
listeners('systemd', '--out', $dir);
unlike($t->slurp('out/culver-d.service'), qr/NoNewPriv|CapabilityB|SystemCallF/,
	'sendmail can be itself');
like($t->slurp('out/culver-a.service'), qr/NoNewPrivileges=yes/,
	'imapd starts nothing');
ok(-e "$dir/culver-spool.timer", 'what is due is sent by a timer');

# The commands of the units, with no more rights than the units give, from the
# program that does what systemd does.
my $activate = find_program('systemd-socket-activate');
for my $mode (qw(wait accept)) {
	SKIP: {
		skip 'no systemd-socket-activate', 2 unless $activate;
		configure($mode);
		unlink glob "$dir/*";
		listeners('systemd', '--out', $dir);
		my $service = $t->slurp($mode eq 'wait' ? 'out/culver-a.service' :
		    'out/culver-a@.service');
		my ($command) = built($service) =~ /^ExecStart=(.*)$/m;
		my ($caps) = $service =~ /^CapabilityBoundingSet=(.*)$/m;
		$caps = join ',', map { '+' . lc s/CAP_//r } split ' ', $caps;
		my @listen = map { ('-l', $_) } grep { $v6 || !/\[/ }
		    $t->slurp('out/culver-a.socket') =~ /^ListenStream=(.*)$/mg;
		my @rights = $> == 0 && find_program('setpriv') ? ('setpriv',
			'--no-new-privs', "--bounding-set=-all,$caps") : ();
		# It closes a connection's socket for want of a name else.
		my $pid = run_program('activate.log', @rights, $activate, @listen,
		    $mode eq 'accept' ? '--accept' : (), split ' ', $command);
		login_a('127.0.0.1', $port{a4}, "systemd, $mode");
		login_a('::1', $port{a6}, "systemd, $mode, IPv6") if $v6;
		end_program($pid);
	}
}

# The directories are the user's, and root without capabilities has no right to
# them: what it has to write there is written all the same.
SKIP: {
	my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
	skip 'not root, or no setpriv', 2 if $> != 0 || !defined $uid ||
	    !find_program('setpriv');
	configure('wait', qq(user = "nobody"\n));
	$t->spew('culver.conf', $t->slurp('culver.conf')
		=~ s{^ticket-key.*}{ticket-key = "$t->{dir}/run/ticket.key"}mr);
	my @theirs = map { $t->path($_) } qw(mail run passwd);
	system('chown', '-R', "$uid:$gid", @theirs);
	my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => port('n'), Listen => 5, ReuseAddr => 1) or die $!;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		POSIX::dup2(fileno $l, 0);
		exec('setpriv', '--no-new-privs', '--bounding-set=-all,+setuid,'
			. '+setgid,+dac_read_search', $t->program('imapd'),
			'-f', $t->conf_file, '-l', 'a') or POSIX::_exit(127);
	}
	close $l;
	login_a('127.0.0.1', port('n'), 'a directory of the user');
	end_program($pid);
	# lmtpd needs no key, and is that user from the start, but for a log that
	# is root's.
	unlink glob "$dir/*";
	listeners('systemd', '--out', $dir);
	unlike($t->slurp('out/culver-c.service'), qr/^User=/m, 'a log that is a file');
	$t->spew('culver.conf', $t->slurp('culver.conf')
		=~ s{^log = .*}{log = "stderr"}mr);
	listeners('systemd', '--out', $dir);
	my $service = $t->slurp('out/culver-c.service');
	like($service, qr/^User=nobody$/m, 'lmtpd is never root');
	like($service, qr/^CapabilityBoundingSet=$/m, 'nor has anything of root');
	unlike($t->slurp('out/culver-a.service'), qr/^User=/m, 'imapd begins as root');
	chmod 0600, $t->path('key.pem');
	$l = IO::Socket::UNIX->new(Local => $t->path('run/lmtp2'), Listen => 5)
	    or die $!;
	$pid = fork // die "fork: $!";
	if ($pid == 0) {
		POSIX::dup2(fileno $l, 0);
		exec('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups',
			'--no-new-privs', '--bounding-set=-all',
			$t->program('lmtpd'), '-f', $t->conf_file, '-l', 'c')
		    or POSIX::_exit(127);
	}
	close $l;
	my ($s, $line) = greeting(path => $t->path('run/lmtp2'));
	like($line, qr/\A220 /, 'lmtpd as that user');
	print $s "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nQUIT\r\n";
	like(join('', <$s>), qr/^250 2\.1\.5 /m, 'knows the accounts');
	end_program($pid);
	is((stat $t->path('run/ticket.key'))[4], $uid, 'the ticket key is there');
	system('chown', '-R', '0:0', @theirs);
	system('rm', '-rf', glob $t->path('run/*'));
}

# ---- tmpfiles, cron
configure('wait', qq(user = "@{[scalar getpwuid($>)]}"\n)
    . qq(push-socket = "$t->{dir}/push"\nsmtp-relay = "127.0.0.1:25"\n));
($rc, $out) = listeners('tmpfiles');
my $me = getpwuid $>;
like($out, qr{^d \Q$t->{dir}\E/run 0755 $me - -$}m, 'directories');
($rc, $out) = listeners('cron');
like($out, qr{^\* \* \* \* \* root \S+culver -f \S+ spool$}m, 'cron');
like($out, qr{^\*/10 .*jmap-push -f }m, 'and pushes');
unlink glob "$dir/*";
listeners('systemd', '--out', $dir);
ok(-e "$dir/culver-push.socket" && -e "$dir/culver-push-missed.timer",
	'units of jmap-push');

# ---- inetd, xinetd
my %super = (inetd => [find_program('inetd'), '-i', '-q', '128'],
	xinetd => [find_program('xinetd', "$CulverTest::srcdir/build/tools/usr/sbin"),
	'-dontfork', '-pidfile', $t->path('xinetd.pid'), '-f']);
for my $kind (qw(inetd xinetd)) {
	for my $mode (qw(wait accept)) {
		configure($mode);
		($rc, $out, $err) = listeners($kind);
		is($rc, 0, $kind);
		SKIP: {
			skip "no $kind", 3 unless $super{$kind}[0];
			my $text = built($out);
			$text =~ s/\troot/\t$me/g if $> != 0;
			$text =~ s/user = root/user = $me/g;
			my $file = $t->spew("$kind.conf", $text);
			my $pid = run_program("$kind.log", @{ $super{$kind} },
			    $file);
			login_a('127.0.0.1', $port{a4}, "$kind, $mode");
			login_a('::1', $port{a6}, "$kind, $mode, IPv6") if $v6;
			my ($s, $line) = greeting(port => $port{b});
			like($line, qr/\A\+OK /, "$kind, $mode: POP3");
			if ($kind eq 'inetd') {
				($s, $line) = greeting(path => $t->path('lmtp'));
				like($line, qr/\A220 /, "inetd, $mode: LMTP");
				like($err, qr/"c": inetd has no socket-group/,
					'says whom it lets in');
			} else {
				like($err, qr/"c": xinetd has no Unix sockets/,
					'what it has not');
			}
			close $s;
			end_program($pid);
			unlink $t->path('lmtp'), $t->path('jmap');
		}
	}
}

# ---- nginx
configure('wait');
($rc, $out, $err) = listeners('nginx');
is($rc, 0, 'nginx') or diag $err;
like($out, qr/set_real_ip_from 10\.0\.0\.0\/8;/, 'proxies');
my $nginx = find_program('nginx');
SKIP: {
	skip 'no nginx', 2 unless $nginx;
	my $text = $out;
	my $src = Cwd::abs_path($CulverTest::srcdir);
	my $https = port('https');
	$text =~ s{include \S+/(culver-locations\.conf)}
	    {include $src/conf/nginx/$1};
	$text =~ s/listen 443 /listen 127.0.0.1:$https /;
	$text =~ s/^\tlisten \[::\].*\n//m;
	my $temp = join '', map { "${_}_temp_path $t->{dir}/nginx-$_;\n" }
	    qw(client_body fastcgi proxy scgi uwsgi);
	my $user = $> == 0 ? "user root root;\n" : '';
	my $file = $t->spew('nginx.conf', "${user}daemon off;\n"
	    . "pid $t->{dir}/nginx.pid;\nevents { }\nhttp {\naccess_log off;\n"
	    . "$temp$text}\n");
	my $l = IO::Socket::UNIX->new(Local => $t->path('jmap'), Listen => 50)
	    or die "jmap: $!";
	$t->spawn($l, 'jmap-fcgi', 'd');
	close $l;
	my $pid = run_program('nginx.log', $nginx, '-p', $t->{dir}, '-e',
	    $t->path('nginx.log'), '-c', $file);
	my ($s) = greeting_https($https);
	ok($s, 'nginx serves') or diag $t->slurp('nginx.log');
	print $s "GET /.well-known/jmap HTTP/1.1\r\nHost: mail.test\r\n"
	    . "Authorization: Basic YWxpY2U6c2VjcmV0\r\nConnection: close\r\n\r\n";
	like(join('', <$s>), qr/"username":"alice"/, 'JMAP behind it');
	end_program($pid);
}

sub greeting_https {
	my ($port) = @_;
	for (1 .. 200) {
		my $s = IO::Socket::SSL->new(PeerAddr => '127.0.0.1',
			PeerPort => $port, SSL_verify_mode => 0);
		return $s if $s;
		select(undef, undef, undef, 0.02);
	}
	return;
}

# ---- s6
for my $mode (qw(wait accept)) {
	configure($mode);
	unlink $t->path('lmtp');
	unlink glob "$dir/*";
	($rc, $out, $err) = listeners('s6', '--out', $dir);
	is($rc, 0, 's6') or diag $err;
	ok(-x "$dir/culver-a/run" && -x "$dir/culver-a-2/run", 'run scripts');
	is(system('sh', '-n', $_), 0, 'a shell script') for glob "$dir/*/run";
	my $binder = $mode eq 'wait' ? 's6-tcpserver-socketbinder' :
	    's6-tcpserver';
	like($t->slurp('out/culver-a/run'),
		qr/^exec $binder .*-- 127\.0\.0\.1 $port{a4} \\\n/m, 'a port');
	($rc, $out, $err) = listeners('s6', '--check', $dir);
	is($rc, 0, 'up to date') or diag $err;
	SKIP: {
		skip 'no s6', 1 unless find_program('s6-ipcserver');
		skip 'not root', 1 if $> != 0;
		my $script = $t->spew('run.c', built($t->slurp('out/culver-c/run')));
		chmod 0755, $script;
		my $pid = run_program('s6.log', $script);
		my ($s, $line) = greeting(path => $t->path('lmtp'));
		like($line, qr/\A220 /, "s6, $mode") or diag $t->slurp('s6.log');
		my @st = stat $t->path('lmtp');
		is($st[2] & 07007, 0, 'not for all');
		is(getgrgid($st[5]), $group, 'its group');
		close $s if $s;
		end_program($pid);
	}
	system('rm', '-rf', $dir);
}

# ---- what can't be said in those files
configure('wait', qq(listener e { protocol = "lmtp" address = "unix:/a b" }\n));
for my $kind (qw(systemd inetd s6)) {
	($rc, $out, $err) = listeners($kind);
	is($rc, 100, "$kind: a blank in a path");
	like($err, qr{"/a b": files of other programs can't have this}, 'named');
}
done_testing;
