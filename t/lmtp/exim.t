# t/lmtp/exim.t - Exim with the configuration in conf/mta, over a Unix socket
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IO::Socket::UNIX;
use Test::More;

my ($exim) = grep { -x } qw(/usr/sbin/exim4 /usr/sbin/exim);
plan skip_all => 'no Exim' unless $exim;
plan skip_all => 'not root' if $> != 0;
my ($uid, $gid) = (getpwnam('Debian-exim'))[2, 3];
plan skip_all => 'no user Debian-exim' unless $uid;

my $t = CulverTest->new(users => { map { $_ => 'x' } qw(alice bob full) });
my $d = $t->{dir};
my $conf = "lmtp-detail-folder = any\n" . $t->slurp('culver.conf');
$t->spew('culver.conf', $conf);
my $l = IO::Socket::UNIX->new(Local => "$d/lmtp", Listen => 16)
    or die "lmtp: $!";
chown $uid, $gid, "$d/lmtp";
$t->spawn($l, 'lmtpd', 'lmtp');
my $imap = $t->start('imapd', 'imap');

mkdir "$d/exim";
chown $uid, $gid, "$d/exim";
$t->spew('exim.conf', <<"END");
CULVER_LMTP = $d/lmtp
primary_hostname = mta.test
qualify_domain = example.org
domainlist local_domains = example.org
spool_directory = $d/exim
log_file_path = $d/exim/log-%s
trusted_users = root
host_lookup =
begin acl
begin routers
.include $ENV{srcdir}/conf/mta/exim.router
begin transports
.include $ENV{srcdir}/conf/mta/exim.transport
begin retry
* * F,1h,1s
END

sub exim {
	my ($in, @args) = @_;
	$t->spew('in', $in);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<', $t->path('in'));
		open(STDOUT, '>', $t->path('out'));
		open(STDERR, '>>', $t->path('stderr'));
		exec($exim, '-C', "$d/exim.conf", @args)
		    or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return $? >> 8;
}

# Hands a message over; Exim delivers before it comes back.
sub submit {
	my ($text, $from, @to) = @_;
	is(exim($text, '-odf', '-oi', '-f', $from, @to), 0, 'Exim takes it');
}

sub queue {
	exim('', '-bpc');
	return $t->slurp('out') + 0;
}

# The messages of a mailbox.
sub messages {
	my ($user, $mailbox) = @_;
	my $c = $t->connect($imap);
	$c->get;
	$c->imap("LOGIN $user x");
	$c->imap("SELECT $mailbox");
	my (undef, @m) = $c->imap('FETCH 1:* BODY.PEEK[]');
	$c->imap('LOGOUT');
	return grep { /\A\* \d+ FETCH/ } @m;
}

{
	my $c = $t->connect($imap);
	$c->get;
	$c->imap($_) for 'LOGIN bob x', 'CREATE lists', 'LOGOUT';
}

my $body = "dots\n.\n..\n\xc3\xa4\n" . 'long ' x 150 . "\n";
submit("Subject: first\nBcc: bob\n\n$body", 'sender@example.net', 'alice',
    'bob@example.org', 'bob+lists@example.org');
is(queue(), 0, 'all is delivered');
my $want = $body =~ s/\n/\r\n/gr;
for (['alice', 'INBOX', 'alice'], ['bob', 'INBOX', 'bob'],
	['bob', 'lists', 'bob\+lists']) {
	my ($user, $mailbox, $address) = @$_;
	my ($m, @more) = messages($user, $mailbox);
	is(scalar @more, 0, "$user/$mailbox: one message");
	like($m, qr/\r\n\r\n\Q$want\E\)\z/, 'its octets');
	like($m, qr/\}\r\nReturn-Path: <sender\@example\.net>\r\nDelivered-To: $address\@example\.org\r\nReceived: from mta\.test \(unix:$uid\)\r\n/,
		'its trace');
	unlike($m, qr/^Envelope-to:|Return-path:.*Return-Path:/ims,
		'nothing twice');
}
is(() = $t->slurp('log') =~ /\blmtpd\b.*: end: /g, 1, 'one session for all')
    or diag($t->slurp('log'));

# Who is not there, the sender learns: the null sender's mail comes in, too.
submit("Subject: second\n\nx\n", 'alice@example.org', 'nobody', 'bob');
is(queue(), 0, 'refused is refused');
like((messages('alice', 'INBOX'))[1],
	qr/\}\r\nReturn-Path: <>\r\nDelivered-To: alice\@.*550 5\.1\.1 No such user/s,
	'the sender gets a bounce');
is(scalar(messages('bob', 'INBOX')), 2, 'the other one the message');

# Over quota: the MTA waits, or bounces.
$t->spew('culver.conf', "quota-messages = 1\n$conf");
submit("Subject: fill\n\nx\n", 'alice@example.org', 'full');
submit("Subject: more\n\nx\n", 'alice@example.org', 'full');
is(queue(), 1, 'over quota: it waits');
my $c = $t->connect($imap);
$c->get;
$c->imap($_) for 'LOGIN full x', 'SELECT INBOX', 'STORE 1 +FLAGS (\Deleted)',
    'EXPUNGE', 'LOGOUT';
exim('', '-qff');
is(queue(), 0, 'and comes when there is room');
like((messages('full', 'INBOX'))[0], qr/Subject: more\r/, 'that one');
$t->spew('culver.conf', "lmtp-over-quota = permanent\n$conf");
submit("Subject: too much\n\nx\n", 'alice@example.org', 'full');
is(queue(), 0, 'permanent: it does not wait');
like((messages('alice', 'INBOX'))[2], qr/552 5\.2\.2 /, 'but bounces');

$t->stop;
unlike($t->slurp('stderr'), qr/Sanitizer|runtime error/, 'sanitizers');
done_testing();
