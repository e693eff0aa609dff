# t/e2e/limits.t - a process that may open no more files, or write no longer
# ones, says so, lives on and recovers
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverJmap;
use Test::More;

plan skip_all => 'no prlimit' if system('command -v prlimit >/dev/null') != 0;
my $t = CulverJmap->new(users => { map { $_ => 'x' } qw(alice bob) },
	login => ['alice', 'x']);
my ($imap, $pop3, $lmtp) = ($t->start('imapd', 'imap'),
	$t->start('pop3d', 'pop3'), $t->start('lmtpd', 'lmtp'));
my %daemon;
@daemon{qw(imapd pop3d lmtpd)} = @{ $t->{pids} }[-3 .. -1];

# The process of the only session.
sub session {
	my ($name) = @_;
	my $pid = $daemon{$name};
	for (1 .. 100) {
		open(my $fh, '<', "/proc/$pid/task/$pid/children") or die;
		my @c = split ' ', <$fh> // '';
		return $c[0] if @c == 1;
		select(undef, undef, undef, 0.02);
	}
	die "$name: not one session";
}

# As many as it has, and so many more.
sub no_files {
	my ($pid, $more) = @_;
	my $n = 0;
	$n++ while -l "/proc/$pid/fd/$n";
	limit($pid, nofile => $n + ($more // 0));
}

sub limit {
	my ($pid, $what, $n) = @_;
	is(system('prlimit', '--pid', $pid, "--$what=$n:"), 0, "$what = $n");
}

sub connected {
	my ($port) = @_;
	my $c = $t->connect($port);
	$c->get;
	return $c;
}

sub message { "Subject: $_[0]\r\n\r\n" . ($_[1] // "x\r\n") }

sub deliver {
	my ($c, $text, @to) = @_;
	$c->ask('MAIL FROM:<a@example.org>');
	$c->ask("RCPT TO:<$_>") for @to;
	$c->ask('DATA');
	$c->put("$text.\r\n");
	return map { $c->get } @to;
}

sub append {
	my ($c, $text) = @_;
	my ($r) = $c->imap('APPEND INBOX {' . length($text) . "+}\r\n$text");
	return $r;
}

my $big = ('x' x 77 . "\r\n") x 6000;

# ---- LMTP
my $c = connected($lmtp);
$c->line('LHLO test');
1 while $c->get !~ /\A250 /;
my $pid = session('lmtpd');
# One is for the file of passwords.
no_files($pid, 1);
like($_, qr/\A451 4\.3\.0 /, 'LMTP: no descriptor for an account')
    for deliver($c, message(1), qw(alice bob));
like($_, qr/\A451 4\.3\.0 /, 'nor for a large message')
    for deliver($c, message(1, $big), 'alice');
limit($pid, nofile => 1000);
like($_, qr/\A250 /, 'later') for deliver($c, message(1), qw(alice bob));
limit($pid, fsize => 1000);
like($_, qr/\A452 4\.3\.1 /, 'LMTP: files may not grow')
    for deliver($c, message(2, $big), qw(alice bob));
limit($pid, fsize => 'unlimited');
like($_, qr/\A250 /, 'later') for deliver($c, message(2), qw(alice bob));
$c->ask('QUIT');

# ---- IMAP
$c = connected($imap);
my ($r, @l) = $c->imap('LOGIN alice x');
like($r, qr/ OK/, 'IMAP: login');
$pid = session('imapd');
no_files($pid);
($r) = $c->imap('SELECT INBOX');
like($r, qr/ (?:OK|NO \[SERVERBUG\])/, 'SELECT');
like(append($c, message(3, $big)), qr/ NO \[SERVERBUG\] /, 'APPEND');
($r) = $c->imap('NOOP');
like($r, qr/ OK/, 'NOOP');
limit($pid, nofile => 1000);
like(append($c, message(3)), qr/ OK/, 'APPEND later');
($r, @l) = $c->imap('SELECT INBOX');
like("@l", qr/\* 3 EXISTS/, 'SELECT later');
limit($pid, fsize => 1000);
like(append($c, message(4, $big)), qr/ NO \[UNAVAILABLE\] /,
    'IMAP: files may not grow: APPEND');
($r, @l) = $c->imap('FETCH 1 BODY[]');
like("@l", qr/Subject: 1/, 'FETCH');
limit($pid, fsize => 'unlimited');
like(append($c, message(4, $big)), qr/ OK/, 'APPEND later');
$c->imap('LOGOUT');

# ---- POP3
$c = connected($pop3);
$c->ask('USER alice');
$pid = session('pop3d');
no_files($pid);
like($c->ask('PASS x'), qr/\A-ERR \[SYS\/TEMP\] /, 'POP3: no login');
limit($pid, nofile => 1000);
$c->ask('USER alice');
like($c->ask('PASS x'), qr/\A\+OK 4 /, 'login later');
like($c->ask('DELE 4'), qr/\A\+OK/, 'DELE');
limit($pid, fsize => 1000);
like($c->ask('QUIT'), qr/\A-ERR \[SYS\/TEMP\] /, 'files may not grow: QUIT');

# ---- JMAP
$pid = $t->{jmap_pid};
my $q = $t->call('Email/query', {});
is(scalar @{ $q->{ids} }, 4, 'JMAP: nothing was deleted');
limit($pid, fsize => 1000);
my $up = '/jmap/upload/' . $t->account . '/';
is($t->request('POST', $up, content => $big)->{status}, 507,
    'files may not grow: upload');
limit($pid, fsize => 'unlimited');
is($t->request('POST', $up, content => $big)->{status}, 201, 'upload later');
no_files($pid);
my $status = $t->post('{"using":[],"methodCalls":[]}')->{status};
like($status, qr/\A(?:200|5\d\d)\z/, 'an answer without descriptors');
limit($pid, nofile => 1000);
for (1 .. 50) {
	$status = $t->post('{"using":[],"methodCalls":[]}')->{status};
	last if $status == 200;
	select(undef, undef, undef, 0.1);
}
is($status, 200, 'an answer later');

my ($code, $out, $err) = $t->culver('check');
is($code, 0, 'culver check') or diag("$out$err");
unlike($t->slurp('log'), qr/ended by signal|ended with status/,
    'no process died');
done_testing();
