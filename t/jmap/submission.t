# t/jmap/submission.t - EmailSubmission/get, /changes, /set (RFC 8621 7), with an
# SMTP server as the mail system
use strict;
use warnings;
use utf8;
use Test::More;
use File::Temp qw(tempdir);
use POSIX qw(strftime);
use CulverJmap;
use SmtpSink;

my $sink = SmtpSink->new(tempdir(CLEANUP => 1));
END { local $?; $sink->stop if $sink }
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' },
	using => ['submission'],
	conf => qq(domains = {"example.org"}\nmax-recipients = 5\n)
	    . qq(max-message = 64K\nmax-delayed-send = 1h\noutbox-poll = 1\n)
	    . qq(send-retry = 2\nsend-give-up = 1h\nsmtp-relay = ")
	    . $sink->relay . qq("\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $text = $t->slurp('passwd');
$t->spew('passwd', $text . "sales:*:alias-of=alice\n");

# ---- the session
my $cap = 'urn:ietf:params:jmap:submission';
my $s = $t->session;
is_deeply($s->{capabilities}{$cap}, {}, 'advertised');
is_deeply($s->{accounts}{ $t->account }{accountCapabilities}{$cap},
    { maxDelayedSend => 3600, submissionExtensions =>
	{ FUTURERELEASE => ['3600'] } }, 'what it can');
is($s->{primaryAccounts}{$cap}, $t->account, 'primary account');

my $identity = $t->call('Identity/get', {})->{list}[0]{id};
my $inbox = $t->mailbox('inbox');

sub mail {
	my (%h) = @_;
	my $body = delete $h{body} // "Hello\r\n.\r\n.dot\r\n";
	%h = (From => 'Alice <alice@example.org>', To => 'bob@x.test',
	    Date => 'Mon, 23 Nov 2026 12:00:00 +0000', Subject => 'Hi', %h);
	my $head = join '', map { ref $h{$_} ? map({ my $v = $_; $v }
		@{ $h{$_} }) : defined $h{$_} ? "$_: $h{$_}\r\n" : () }
	    sort keys %h;
	return $t->import_mail("$head\r\n$body");
}
sub set { $t->call('EmailSubmission/set', { @_ }) }
sub get { $t->call('EmailSubmission/get', { ids => [@_] })->{list}[0] }
sub submit {
	my ($email, %o) = @_;
	my $r = set(create => { k => { identityId => $identity,
		emailId => $email, %o } });
	return $r->{created} ? $r->{created}{k} : $r->{notCreated}{k};
}
sub envelope {
	my ($from, $rcpt, $param) = @_;
	return (envelope => { mailFrom => { email => $from, $param ?
		(parameters => $param) : () },
		rcptTo => [map { { email => $_ } } @$rcpt] });
}
sub wait_for {
	my ($what) = @_;
	for (1 .. 400) {
		my $v = $what->();
		return $v if $v;
		select(undef, undef, undef, 0.025);
	}
	return undef;
}

# ---- a message that goes at once
my $state = $t->call('EmailSubmission/get', { ids => [] })->{state};
my $email = mail(Cc => 'Carl <carl@x.test>, BOB@x.test',
	Bcc => 'secret@x.test', 'X-Bcc' => 'stays');
my $r = submit($email);
like($r->{id}, qr/\AS/, 'created') or diag explain $r;
is($r->{undoStatus}, 'final', 'it is gone');
is_deeply($r->{envelope}, { mailFrom => { email => 'alice@example.org',
	parameters => undef }, rcptTo => [map { { email => $_,
	parameters => undef } } qw(bob@x.test carl@x.test secret@x.test)] },
    'an envelope was made');
is_deeply([sort keys %{ $r->{deliveryStatus} }],
    [qw(bob@x.test carl@x.test secret@x.test)], 'status of each');
is_deeply($r->{deliveryStatus}{'bob@x.test'}, { smtpReply =>
	'250 2.1.5 Good', delivered => 'unknown', displayed => 'unknown' },
    'as far as it is known');
my ($m, @more) = $sink->mails;
is(@more, 0, 'sent once');
is($m->{from}, 'alice@example.org', 'sender');
is_deeply($m->{rcpt}, [qw(bob@x.test carl@x.test secret@x.test)],
    'recipients');
unlike($m->{data}, qr/^Bcc:/mi, 'without Bcc');
like($m->{data}, qr/^X-Bcc: stays\r\n/m, 'the rest of the header');
like($m->{data}, qr/\r\n\r\nHello\r\n\.\r\n\.dot\r\n\z/, 'the body');
my $got = get($r->{id});
is_deeply([sort keys %$got], [sort qw(id identityId emailId threadId envelope
	sendAt undoStatus deliveryStatus dsnBlobIds mdnBlobIds)],
    'all properties');
is($got->{emailId}, $email, 'emailId');
is($got->{identityId}, $identity, 'identityId');
is($got->{threadId}, $t->call('Email/get', { ids => [$email],
	properties => ['threadId'] })->{list}[0]{threadId}, 'threadId');
like($got->{sendAt}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'sendAt');
is_deeply([$got->{dsnBlobIds}, $got->{mdnBlobIds}], [[], []], 'reports');
is_deeply($t->call('EmailSubmission/changes', { sinceState => $state })
    ->{created}, [$r->{id}], 'changes');
my $first = $r->{id};

# Who listens hears of it.
my ($stream) = $t->stream('types=EmailSubmission,Identity&closeafter=no'
	. '&ping=0');
submit($email);
my $event = CulverJmap::event($stream);
my $changed = $event->{data}{changed}{ $t->account };
is_deeply([keys %$changed], ['EmailSubmission'], 'pushed');
undef $stream;
is(scalar(@more = $sink->mails), 1, 'sent');

# Many at once, of one user.
my @kids = map {
	my $pid = fork // die $!;
	if ($pid == 0) {
		delete $t->{conn};
		my $r = eval { submit($email) };
		POSIX::_exit($r && $r->{undoStatus} eq 'final' ? 0 : 1);
	}
	$pid;
} 1 .. 6;
is_deeply([map { waitpid($_, 0); $? } @kids], [(0) x 6], 'all are sent');
is(scalar(@more = $sink->mails), 6, 'each once');

# ---- envelopes
$r = submit($email, envelope('', ['x@x.test', 'X@x.test']));
is($r->{undoStatus}, 'final', 'the null sender');
($m) = $sink->mails;
is($m->{from}, '', 'is one');
is_deeply($m->{rcpt}, ['x@x.test'], 'a recipient gets it once');
submit($email, envelope('alice+x@example.org', ['x@x.test'],
	{ body => '8BITMIME', SMTPUTF8 => undef, size => '5' }));
($m) = $sink->mails;
is($m->{from}, 'alice+x@example.org', 'a sender that is given');
is(submit($email, envelope('alice@example.org', ['x@x.test'], $_))->{type},
    'invalidProperties', $CulverJmap::json->encode($_)) for
    { size => "5\r\nX" }, { SIZE => undef }, { body => '9BIT' },
    { BODY => undef }, { smtputf8 => '' }, { 'a b' => 'c' };
submit(mail(Sender => 'sales@example.org'));
($m) = $sink->mails;
is($m->{from}, 'alice@example.org',
    'a Sender that is not the identity\'s: its address');
my $sales = $t->call('Identity/set', { create => { s =>
	{ email => 'sales@example.org' } } })->{created}{s}{id};
submit(mail(Sender => 'SALES@example.org'), identityId => $sales);
($m) = $sink->mails;
is($m->{from}, 'SALES@example.org', 'a Sender that is');
my $eight = mail(Subject => 'Müll', To => 'x@x.test', body => "ü\r\n");
SKIP: {
	skip 'no Email', 2 unless !ref $eight;
	submit($eight);
	($m) = $sink->mails;
	like($m->{args}, qr/ BODY=8BITMIME/, '8BITMIME');
	like($m->{args}, qr/ SIZE=\d+/, 'SIZE');
}
$r = submit($email, envelope('alice@example.org', ["j\x{fc}rgen\@x.test"]));
($m) = $sink->mails;
like($m->{args}, qr/ SMTPUTF8/, 'SMTPUTF8 where an address needs it');
ok($r->{deliveryStatus}{"j\x{fc}rgen\@x.test"}, 'its status');

# ---- reports of delivery
my $lmtp = $t->start('lmtpd', 'lmtp');
sub report {
	my ($from, $envid, @groups) = @_;
	my $c = $t->connect($lmtp);
	$c->get;
	$c->line('LHLO client.test');
	1 while $c->get !~ /\A250 /;
	$c->ask("MAIL FROM:<$from>");
	$c->ask('RCPT TO:<alice>');
	$c->ask('DATA');
	$c->put(join "\r\n", 'Subject: failed', 'Content-Type: '
	    . 'multipart/report; report-type=delivery-status; boundary=b', '',
	    '--b', '', 'It failed.', '--b',
	    'Content-Type: message/delivery-status', '',
	    'Reporting-MTA: dns; x', "Original-Envelope-Id: $envid", '',
	    @groups, '--b--', '.', '');
	my $r = $c->get;
	$c->ask('QUIT');
	return $r;
}
$r = submit($email, envelope('alice@example.org', ['r1@x.test',
	'r2@x.test']));
($m) = $sink->mails;
my ($envid) = $m->{args} =~ / RET=HDRS ENVID=(\S+)/;
like($envid, qr/\A\Q$r->{id}\E-[0-9a-f]{16}\z/, 'ENVID');
my @group = ('Final-Recipient: rfc822; r1@x.test', 'Action: failed',
	'Status: 5.1.1', 'Diagnostic-Code: smtp; 550 5.1.1 Nobody', '',
	'Final-Recipient: rfc822; r2@x.test', 'Action: delivered',
	'Status: 2.0.0', '');
sub status { map { $_->{delivered} } @{ get($r->{id})->{deliveryStatus} }
	{qw(r1@x.test r2@x.test)} }
like(report('', "$r->{id}-0123456789abcdef", @group), qr/\A250/, 'delivered');
like(report('eve@x.test', $envid, @group), qr/\A250/, 'delivered');
is_deeply([status()], ['unknown', 'unknown'], 'what is forged counts not');
like(report('', $envid, @group), qr/\A250/, 'delivered');
ok(wait_for(sub { (status())[0] eq 'no' }), 'failed');
$got = get($r->{id});
is_deeply([status()], ['no', 'yes'], 'as the report says');
is($got->{deliveryStatus}{'r1@x.test'}{smtpReply}, '550 5.1.1 Nobody',
    'its reply');
is(@{ $got->{dsnBlobIds} }, 1, 'dsnBlobIds');
like($t->request('GET', '/jmap/download/' . $t->account
    . "/$got->{dsnBlobIds}[0]/x?type=message%2Frfc822")->{content},
    qr/Original-Envelope-Id: \Q$envid\E/, 'the report');

# ---- what is refused
for ([{ identityId => undef }, 'invalidProperties', 'identityId'],
    [{ identityId => 'I999' }, 'invalidProperties', 'identityId'],
    [{ emailId => 'E999' }, 'invalidProperties', 'emailId'],
    [{ emailId => '#no' }, 'invalidProperties', 'emailId'],
    [{ undoStatus => 'pending' }, 'invalidProperties', 'undoStatus'],
    [{ sendAt => '2030-01-01T00:00:00Z' }, 'invalidProperties', 'sendAt'],
    [{ threadId => 'T1' }, 'invalidProperties', 'threadId'],
    [{ foo => 1 }, 'invalidProperties', 'foo'],
    [{ envelope => 'x' }, 'invalidProperties', 'envelope'],
    [{ envelope => {} }, 'invalidProperties', 'envelope'],
    [{ envelope => { mailFrom => { email => 'alice@example.org' } } },
	'invalidProperties', 'envelope'],
    [{ envelope('alice', ['x@x.test']) }, 'invalidProperties', 'envelope'],
    [{ envelope("alice\@example.org>\r\nRSET", ['x@x.test']) },
	'invalidProperties', 'envelope'],
    [{ envelope('alice@example.org', ['x@x.test'], { RET => 'HDRS' }) },
	'invalidProperties', 'envelope'],
    [{ envelope('alice@example.org', ['x@x.test'], { HOLDFOR => 'x' }) },
	'invalidProperties', 'envelope'],
    [{ envelope('alice@example.org', ['x@x.test'], { HOLDFOR => '3601' }) },
	'invalidProperties', 'envelope'],
    [{ envelope('alice@example.org', ['x@x.test'],
	{ HOLDUNTIL => '2020-01-01T00:00:00Z' }) }, 'invalidProperties',
	'envelope'],
    [{ envelope('alice@example.org', ['x@x.test'], { HOLDFOR => '5',
	HOLDUNTIL => '2030-01-01T00:00:00Z' }) }, 'invalidProperties',
	'envelope'],
    [{ envelope('bob@example.org', ['x@x.test']) }, 'forbiddenMailFrom'],
    [{ envelope('alice@else.test', ['x@x.test']) }, 'forbiddenMailFrom'],
    [{ envelope('alice@example.org', []) }, 'noRecipients'],
    [{ envelope('alice@example.org', ['x', 'x@x.test', "y\@x.test\r\n",
	'-oQ/tmp']) }, 'invalidRecipients'],
    [{ envelope('alice@example.org', [map { "r$_\@x.test" } 1 .. 6]) },
	'tooManyRecipients']) {
	my ($o, $type, $prop) = @$_;
	my $e = submit($email, %$o);
	is($e->{type}, $type, "$type: " . ($prop // ''))
	    or diag explain $e;
	is_deeply($e->{properties}, [$prop], 'properties') if $prop;
	is($e->{maxRecipients}, 5, 'maxRecipients')
	    if $type eq 'tooManyRecipients';
	is_deeply($e->{invalidRecipients}, ['x', "y\@x.test\r\n", '-oQ/tmp'],
	    'which') if $type eq 'invalidRecipients';
}
for ([{ From => undef }, 'invalidEmail', 'from'],
    [{ From => 'nobody' }, 'invalidEmail', 'from'],
    [{ From => ["From: alice\@example.org\r\nFrom: alice\@example.org\r\n"] },
	'invalidEmail', 'from'],
    [{ From => 'alice@example.org, sales@example.org' }, 'invalidEmail',
	'from'],
    [{ Sender => 'alice@example.org, sales@example.org' }, 'invalidEmail',
	'sender'],
    [{ Date => undef }, 'invalidEmail', 'sentAt'],
    [{ From => 'eve@example.org' }, 'forbiddenFrom'],
    [{ From => 'alice@example.org, bob@example.org',
	Sender => 'alice@example.org' }, 'forbiddenFrom'],
    [{ From => 'eve@x.test', 'Resent-From' => 'bob@example.org' },
	'forbiddenFrom'],
    [{ To => undef }, 'noRecipients'],
    [{ To => 'Undisclosed recipients:;' }, 'noRecipients'],
    [{ To => 'bob' }, 'invalidRecipients']) {
	my ($h, $type, $prop) = @$_;
	my $e = submit(mail(%$h));
	is($e->{type}, $type, "Email: $type") or diag explain $e;
	is_deeply($e->{properties}, [$prop], 'properties') if $prop;
}
is(submit(mail(From => 'eve@x.test', 'Resent-From' => 'alice@example.org'))
    ->{undoStatus}, 'final', 'sent once more, as RFC 5322 has it');
is(submit(mail(To => 'A group: g1@x.test, g2@x.test;'))->{undoStatus},
    'final', 'a group');
$sink->mails;

# ---- the mail system's word
$r = submit($email, envelope('alice@example.org', ['no-one@x.test',
	'ok@x.test', 'later-on@x.test']));
is($r->{undoStatus}, 'final', 'some are accepted');
is($r->{deliveryStatus}{'ok@x.test'}{delivered}, 'unknown', 'this one');
is_deeply($r->{deliveryStatus}{'no-one@x.test'}, { delivered => 'no',
	displayed => 'unknown', smtpReply =>
	'550 5.1.1 There is nobody here' }, 'this one not');
is_deeply($r->{deliveryStatus}{'later-on@x.test'}, { delivered => 'queued',
	displayed => 'unknown', smtpReply => '451 4.2.0 Later' },
    'and this one later');
is_deeply([map { @{ $_->{rcpt} } } $sink->mails], ['ok@x.test'],
    'sent to one');
is(set(update => { $r->{id} => { undoStatus => 'canceled' } })
    ->{notUpdated}{ $r->{id} }{type}, 'cannotUnsend', 'no way back');
is(set(destroy => [$r->{id}])->{notDestroyed}{ $r->{id} }{type}, 'forbidden',
    'nor to be destroyed');
$sink->mode('kind');
ok(wait_for(sub { get($r->{id})->{deliveryStatus}{'later-on@x.test'}
	{delivered} eq 'unknown' }), 'now it goes');
is_deeply([map { @{ $_->{rcpt} } } $sink->mails], ['later-on@x.test'],
    'to that one alone');
is(get($r->{id})->{deliveryStatus}{'no-one@x.test'}{delivered}, 'no',
    'who was refused is so');
$sink->mode('');
my $count = @{ $t->call('EmailSubmission/get', {})->{list} };
$r = submit($email, envelope('alice@example.org', ['no-a@x.test',
	'no-b@x.test']));
is($r->{type}, 'invalidRecipients', 'none is accepted');
is_deeply($r->{invalidRecipients}, ['no-a@x.test', 'no-b@x.test'], 'which');
is(submit($email, envelope('alice+bad@example.org', ['x@x.test']))->{type},
    'forbiddenMailFrom', 'the sender is not accepted');
$r = submit(mail('X-Refuse' => 1));
is($r->{type}, 'forbiddenToSend', 'the message is not accepted');
is($r->{description}, '554 5.6.0 Not this one', 'as one line');
$sink->mode('small');
$r = submit(mail(body => 'x' x 2000));
is($r->{type}, 'tooLarge', 'too large for it');
is($r->{maxSize}, 65536, 'maxSize');
$sink->mode('dumb');
is(submit($email)->{undoStatus}, 'final', 'HELO');
is(submit($email, envelope('alice@example.org', ["\x{fc}\@x.test"]))->{type},
    'forbiddenMailFrom', 'no SMTPUTF8');
$sink->mode('');
is(@{ $t->call('EmailSubmission/get', {})->{list} }, $count + 1,
    'of what was refused nothing is kept');
is(scalar(my @one = $sink->mails), 1, 'one was sent');

# ---- not now
$sink->mode('down');
$r = submit($email);
is($r->{undoStatus}, 'pending', 'it waits');
is_deeply($r->{deliveryStatus}{'bob@x.test'}, { delivered => 'queued',
	displayed => 'unknown', smtpReply => '421 4.3.2 Not now' }, 'why');
my $other = submit($email);
is_deeply(set(update => { $other->{id} => { undoStatus => 'canceled' } })
    ->{updated}, { $other->{id} => undef }, 'canceled');
is(get($other->{id})->{undoStatus}, 'canceled', 'it is');
$sink->mode('drop');
my $cut = submit($email);
is($cut->{undoStatus}, 'pending', 'the last answer is lost: it waits');
$sink->mode('');
ok(wait_for(sub { get($r->{id})->{undoStatus} eq 'final' }), 'tried again');
ok(wait_for(sub { get($cut->{id})->{undoStatus} eq 'final' }), 'both');
my @late = $sink->mails;
is(@late, 2, 'each was sent once');
my ($code, $out, $err) = $t->culver('spool', '--list');
is("$code$out", '0', 'nothing waits') or diag $out, $err;

# ---- in a while
my $before = time;
$r = submit($email, envelope('alice@example.org', ['x@x.test'],
	{ holdfor => '3000' }));
is($r->{undoStatus}, 'pending', 'HOLDFOR');
ok($r->{sendAt} ge strftime('%FT%TZ', gmtime($before + 3000)), 'sendAt');
ok(!exists get($r->{id})->{envelope}{mailFrom}{parameters}{HOLDFOR}
    && get($r->{id})->{envelope}{mailFrom}{parameters}{holdfor} eq '3000',
    'parameters are kept as they were given');
is(get($r->{id})->{deliveryStatus}{'x@x.test'}{delivered}, 'queued',
    'queued');
my $when = strftime('%FT%TZ', gmtime(time + 3));
my $soon = submit($email, envelope('alice@example.org', ['soon@x.test'],
	{ HOLDUNTIL => $when }));
is($soon->{sendAt}, $when, 'HOLDUNTIL');
is($soon->{undoStatus}, 'pending', 'waits');
($code, $out) = $t->culver('spool', '--list');
is($code, 0, 'spool --list');
is(() = $out =~ /^alice S\w+ .* from <alice\@example\.org> to /mg, 2,
    'names both') or diag $out;
# The Email is destroyed: what is to be sent is sent.
my $gone = mail(Subject => 'Gone', To => 'gone@x.test');
$when = strftime('%FT%TZ', gmtime(time + 3));
my $g = submit($gone, envelope('alice@example.org', ['gone@x.test'],
	{ HOLDUNTIL => $when }));
$t->call('Email/set', { destroy => [$gone] });
is(set(destroy => [$g->{id}])->{notDestroyed}{ $g->{id} }{type}, 'forbidden',
    'what is pending is not to be destroyed');
my %at;
ok(wait_for(sub { $at{ $_->{rcpt}[0] } = $_ for $sink->mails;
	return $at{'soon@x.test'} && $at{'gone@x.test'} }), 'both were sent');
like($at{'gone@x.test'}{data}, qr/^Subject: Gone\r\n/m, 'with its content');
ok(wait_for(sub { get($g->{id})->{undoStatus} eq 'final' }), 'final');
is(get($g->{id})->{emailId}, $gone, 'emailId remains');
is_deeply(set(update => { $r->{id} => { undoStatus => 'canceled' } })
    ->{updated}, { $r->{id} => undef }, 'canceled');
is(get($r->{id})->{undoStatus}, 'canceled', 'it is');
is_deeply(set(destroy => [$r->{id}])->{destroyed}, [$r->{id}], 'destroyed');

# A new process sends what the old one was told.
$when = strftime('%FT%TZ', gmtime(time + 3));
my $later = submit($email, envelope('alice@example.org', ['later@x.test'],
	{ HOLDUNTIL => $when }));
kill 'KILL', $t->{jmap_pid};
waitpid($t->{jmap_pid}, 0);
select(undef, undef, undef, 1.1) while time < $before || strftime('%FT%TZ',
	gmtime) lt $when;
($code, $out, $err) = $t->culver('spool');
is($code, 0, 'culver spool') or diag $out, $err;
is(($sink->mails)[0]{rcpt}[0], 'later@x.test', 'it was sent');
$t->start_jmap;
is(get($later->{id})->{undoStatus}, 'final', 'final');

# ---- update
is(set(update => { $first => { undoStatus => 'canceled' } })
    ->{notUpdated}{$first}{type}, 'cannotUnsend', 'cannotUnsend');
for ([{ undoStatus => 'pending' }, 'undoStatus'], [{ emailId => 'E1' },
	'emailId'], [{ identityId => $sales }, 'identityId'],
    [{ 'envelope/mailFrom/email' => 'x@x.test' }, 'envelope'],
    [{ sendAt => '2030-01-01T00:00:00Z' }, 'sendAt'], [{ foo => 1 }, 'foo']) {
	is_deeply(set(update => { $first => $_->[0] })
	    ->{notUpdated}{$first}{properties}, [$_->[1]],
	    "may not be changed: $_->[1]");
}
is(set(update => { Sfff => { undoStatus => 'canceled' } })
    ->{notUpdated}{Sfff}{type}, 'notFound', 'no such submission');
is(set(destroy => ['Sfff'])->{notDestroyed}{Sfff}{type}, 'notFound',
    'no such submission');
is(set(ifInState => 'x')->{error}, 'stateMismatch', 'ifInState');

# ---- the example of RFC 8621 7.5.1
my $drafts = $t->call('Mailbox/set', { create => { d => { name => 'D' } } })
    ->{created}{d}{id};
my $sent = $t->call('Mailbox/set', { create => { s => { name => 'S' } } })
    ->{created}{s}{id};
sub draft {
	return $t->import_mail("From: alice\@example.org\r\nTo: x\@x.test\r\n"
	    . "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\nx\r\n",
	    mailboxIds => { $drafts => $T }, keywords => { '$draft' => $T });
}
my $d = draft();
my $patch = { "mailboxIds/$drafts" => undef, "mailboxIds/$sent" => $T,
	'keywords/$draft' => undef };
my @res = $t->calls(['EmailSubmission/set', { create => { k1490 => {
	identityId => $identity, emailId => $d } },
	onSuccessUpdateEmail => { '#k1490' => $patch } }, '0']);
is_deeply([map { [$_->[0], $_->[2]] } @res], [['EmailSubmission/set', '0'],
	['Email/set', '0']], 'two responses');
is_deeply($res[1][1]{updated}, { $d => undef }, 'updated');
ok($res[1][1]{oldState} ne $res[1][1]{newState}, 'states');
my $e = $t->call('Email/get', { ids => [$d], properties => ['mailboxIds',
	'keywords'] })->{list}[0];
is_deeply([$e->{mailboxIds}, $e->{keywords}], [{ $sent => $T }, {}],
    'moved, no draft any more');
# One fails, one is destroyed, one is not about this call.
my ($d1, $d2) = (draft(), draft());
@res = $t->calls(['EmailSubmission/set', { create => {
	good => { identityId => $identity, emailId => $d1 },
	bad => { identityId => $identity, emailId => $d2,
		envelope('eve@x.test', ['x@x.test']) } },
	onSuccessUpdateEmail => { '#bad' => $patch, $first => $patch },
	onSuccessDestroyEmail => ['#good', '#bad', '#none', 'S1'] }]);
is_deeply($res[1][1]{destroyed}, [$d1], 'destroyed where it was a success');
is($res[1][1]{updated}, undef, 'nothing else');
ok($t->call('Email/get', { ids => [$d2] })->{list}[0], 'the other one stays');
@res = $t->calls(['EmailSubmission/set', { create => { bad =>
	{ identityId => $identity, emailId => 'E999' } },
	onSuccessDestroyEmail => ['#bad'] }]);
is(@res, 1, 'no success, no Email/set');
@res = $t->calls(['EmailSubmission/set', { destroy => [$first],
	onSuccessUpdateEmail => { $first => { 'keywords/seen' => $T } } }]);
is_deeply($res[0][1]{destroyed}, [$first], 'destroyed');
is_deeply($res[1][1]{updated}, { $email => undef }, 'by its id');
is(set(onSuccessUpdateEmail => { a => 5 })->{error}, 'invalidArguments',
    'not a patch');
is(set(onSuccessDestroyEmail => 'x')->{error}, 'invalidArguments',
    'not a list');
# Made, sent and moved in one request, without the capability for Emails.
{
	local $t->{using} = [grep { !/:mail\z/ } @{ $t->{using} }];
	@res = $t->calls(['EmailSubmission/set', { create => { x => {
		identityId => $identity, emailId => $d2 } },
		onSuccessDestroyEmail => ['#x'] }]);
	is_deeply($res[1][1]{destroyed}, [$d2], 'an implied call');
}

# ---- who may not
$t->spew('passwd', $text =~ s/^(alice:.*)$/$1:no-send/mr);
is(submit($email)->{type}, 'forbiddenToSend', 'no-send');
$t->spew('passwd', $text);
is(submit($email, identityId => $sales)->{type}, 'forbiddenFrom',
    'an identity of an address that is lost');

my ($c, $o) = $t->culver('check', 'alice');
is($c, 0, 'the account is in order') or diag $o;
my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
