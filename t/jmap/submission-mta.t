# t/jmap/submission-mta.t - with a real mail system, Exim: what is submitted comes
# back by LMTP, and so does the vacation response to it
use strict;
use warnings;
use Test::More;
use IO::Socket::INET;
use CulverJmap;

my ($exim) = grep { -x } qw(/usr/sbin/exim4 /usr/sbin/exim);
plan skip_all => 'no Exim' unless $exim;
plan skip_all => 'not root' if $> != 0;
my ($uid, $gid) = (getpwnam('Debian-exim'))[2, 3];
plan skip_all => 'no user Debian-exim' unless $uid;

sub free_port {
	return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
	    ->sockport;
}

my $smtp = free_port();
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' },
	using => ['submission', 'vacationresponse'],
	conf => qq(domains = {"example.org"}\n)
	    . qq(smtp-relay = "127.0.0.1:$smtp"\noutbox-poll = 1\n));
my $lmtp = $t->start('lmtpd', 'lmtp');
my $d = $t->{dir};
mkdir "$d/exim";
chown $uid, $gid, "$d/exim";
chmod 0755, $d;
$t->spew('exim.conf', <<"END");
primary_hostname = mta.test
spool_directory = $d/exim
log_file_path = $d/exim/log-%s
pid_file_path = $d/exim/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = $smtp
tls_advertise_hosts =
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
trusted_users = root
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny  message = 5.1.1 No such user
        local_parts = nobody
  accept
data:
  deny  message = 5.6.0 Not with this subject
        condition = \${if match{\$h_Subject:}{refuse}}
  accept
begin routers
bounce:
  driver = redirect
  local_parts = bounce
  allow_fail
  data = :fail: Nobody lives here
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = culver
begin transports
culver:
  driver = smtp
  protocol = lmtp
  port = $lmtp
begin retry
* * F,1h,1s
END
my $pid = fork // die $!;
if ($pid == 0) {
	open(STDERR, '>>', "$d/stderr");
	exec($exim, '-C', "$d/exim.conf", '-bdf', '-q1s')
	    or POSIX::_exit(127);
}
push @{ $t->{pids} }, $pid;
for (1 .. 200) {
	last if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $smtp);
	select(undef, undef, undef, 0.05);
}

sub as {
	my ($user, $pass) = @_;
	@$t{qw(user pass)} = ($user, $pass);
	delete $t->{session};
}
# The Emails with that subject, when there are so many.
sub arrived {
	my ($subject, $n) = @_;
	my @l;
	for (1 .. 200) {
		my $r = $t->call('Email/query', { filter => {
			inMailbox => $t->mailbox('inbox') } });
		my $g = $t->call('Email/get', { ids => $r->{ids},
			properties => ['subject', 'from', 'bcc', 'blobId',
			'header:Auto-Submitted', 'inReplyTo', 'messageId'] });
		@l = grep { $_->{subject} eq $subject } @{ $g->{list} };
		return @l if @l >= $n;
		select(undef, undef, undef, 0.1);
	}
	return @l;
}
sub send_mail {
	my ($subject, %o) = @_;
	my $drafts = $t->call('Mailbox/query', { filter =>
		{ role => 'inbox' } })->{ids}[0];
	my $id = $t->call('Identity/get', {})->{list}[0]{id};
	my @r = $t->calls(['Email/set', { create => { m => {
		mailboxIds => { $drafts => JSON::PP::true },
		keywords => { '$draft' => JSON::PP::true },
		from => [{ email => 'bob@example.org' }],
		to => [{ email => $o{to} // 'alice@example.org' }],
		bcc => [{ email => 'secret@example.org' }],
		subject => $subject, bodyValues => { t => { value =>
			"Hello\n.\n..\n" } },
		textBody => [{ partId => 't', type => 'text/plain' }] } } }],
	    ['EmailSubmission/set', { create => { s => { identityId => $id,
		emailId => '#m', $o{envelope} ? (envelope => $o{envelope}) :
			(envelope => { mailFrom =>
			{ email => 'bob@example.org' }, rcptTo => [{ email =>
			$o{to} // 'alice@example.org' }] }) } },
		onSuccessDestroyEmail => ['#s'] }]);
	return $r[1][1]{created} ? $r[1][1]{created}{s} :
	    $r[1][1]{notCreated}{s};
}

# Alice is away.
is(exists $t->call('VacationResponse/set', { update => { singleton =>
	{ isEnabled => JSON::PP::true, subject => 'I am away' } } })
	->{updated}{singleton}, 1, 'a vacation response');

as('bob', 'b');
my $r = send_mail('To Alice');
is($r->{undoStatus}, 'final', 'sent') or diag explain $r;
like($r->{deliveryStatus}{'alice@example.org'}{smtpReply}, qr/\A250 /,
    'what Exim said');
my ($reply) = arrived('I am away', 1);
ok($reply, 'the vacation response came');
like($reply->{'header:Auto-Submitted'}, qr/auto-replied/, 'is marked');
is($reply->{from}[0]{email}, 'alice@example.org', 'is hers');
is(send_mail('x', to => 'nobody@example.org')->{type}, 'invalidRecipients',
    'refused at RCPT');
is(send_mail('please refuse')->{description},
    '550 5.6.0 Not with this subject', 'refused at DATA');
is(send_mail('Again')->{undoStatus}, 'final', 'sent');

# A bounce.
$r = send_mail('Bounces', to => 'bounce@example.org');
is($r->{undoStatus}, 'final', 'sent');
my $status;
for (1 .. 200) {
	$status = $t->call('EmailSubmission/get', { ids => [$r->{id}] })
	    ->{list}[0];
	last if @{ $status->{dsnBlobIds} };
	select(undef, undef, undef, 0.1);
}
is($status->{deliveryStatus}{'bounce@example.org'}{delivered}, 'no',
    'Exim\'s report says that it failed');
like($status->{deliveryStatus}{'bounce@example.org'}{smtpReply},
    qr/\A5\d\d 5\.\d/, 'with a reply');

as('alice', 'secret');
my ($m) = arrived('To Alice', 1);
ok($m, 'the message came');
is($m->{bcc}, undef, 'without Bcc');
is_deeply($reply->{inReplyTo}, $m->{messageId}, 'the response is to it');
is(scalar(my @again = arrived('Again', 1)), 1, 'the other one came');
my $raw = $t->request('GET', '/jmap/download/' . $t->account
    . "/$m->{blobId}/m.eml?type=text%2Fplain")->{content};
like($raw, qr/\r\n\r\nHello\r\n\.\r\n\.\.\r\n\z/, 'as it was written');
as('bob', 'b');
is(scalar(my @one = arrived('I am away', 1)), 1, 'one response');

# The same by the program's interface.
$t->spew('sendmail', "#!/bin/sh\nexec $exim -C $d/exim.conf \"\$@\"\n");
chmod 0755, $t->path('sendmail');
kill 'TERM', $t->{jmap_pid};
waitpid($t->{jmap_pid}, 0);
$t->spew('culver.conf', $t->slurp('culver.conf') =~
    s{^smtp-relay.*$}{sendmail = "$d/sendmail"}mr);
$t->start_jmap;
delete $t->{conn};
$r = send_mail('By sendmail');
is($r->{undoStatus}, 'final', 'sent') or diag explain $r;
as('alice', 'secret');
($m) = arrived('By sendmail', 1);
ok($m, 'it came');
$raw = $t->request('GET', '/jmap/download/' . $t->account
    . "/$m->{blobId}/m.eml?type=text%2Fplain")->{content};
like($raw, qr/\r\n\r\nHello\r\n\.\r\n\.\.\r\n\z/, 'as it was written');
like($raw, qr/\AReturn-Path: <bob\@example\.org>\r\n/, 'the sender');
diag $t->slurp('exim/log-main') if !Test::More->builder->is_passing;
done_testing();
