# t/jmap/vacation.t - VacationResponse/get, /set (RFC 8621 8), and what lmtpd
# sends (RFC 3834)
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
	using => ['vacationresponse', 'submission'],
	conf => qq(domains = {"example.org"}\nvacation-interval = 1h\n)
	    . qq(smtp-relay = ") . $sink->relay . qq("\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $text = $t->slurp('passwd');
$text =~ s/^(alice:.*)$/$1:name=Alice Müller/m;
utf8::encode($text);
$t->spew('passwd', $text . "sales:*:alias-of=alice\n");
my $port = $t->start('lmtpd', 'lmtp');

# ---- get
my $cap = 'urn:ietf:params:jmap:vacationresponse';
is_deeply($t->session->{capabilities}{$cap}, {}, 'advertised');
is_deeply($t->session->{accounts}{ $t->account }{accountCapabilities}{$cap},
    {}, 'for the account');
is($t->session->{primaryAccounts}{$cap}, $t->account, 'primary account');
my %none = (id => 'singleton', isEnabled => $F, fromDate => undef,
	toDate => undef, subject => undef, textBody => undef,
	htmlBody => undef);
my $r = $t->call('VacationResponse/get', {});
is_deeply($r->{list}, [\%none], 'there is one');
my $state = $r->{state};
$r = $t->call('VacationResponse/get', { ids => ['singleton', 'x'],
	properties => ['isEnabled'] });
is_deeply($r->{list}, [{ id => 'singleton', isEnabled => $F }], 'by its id');
is_deeply($r->{notFound}, ['x'], 'others are none');
is_deeply($t->call('VacationResponse/get', { ids => [] })->{list}, [],
    'none is asked for');
is($t->call('VacationResponse/get', { properties => ['foo'] })->{error},
    'invalidArguments', 'no such property');

# ---- set
sub set { $t->call('VacationResponse/set', { @_ }) }
sub update {
	my ($patch) = @_;
	my $r = set(update => { singleton => $patch });
	return exists(($r->{updated} || {})->{singleton}) ? 'ok' :
	    $r->{notUpdated}{singleton};
}
sub get { $t->call('VacationResponse/get', {})->{list}[0] }
$r = set(create => { a => { isEnabled => $T } }, destroy => ['singleton',
	'x'], update => { x => { isEnabled => $T } });
is($r->{notCreated}{a}{type}, 'singleton', 'not to be made');
is($r->{notDestroyed}{singleton}{type}, 'singleton', 'not to be destroyed');
is($r->{notDestroyed}{x}{type}, 'notFound', 'no such object');
is($r->{notUpdated}{x}{type}, 'notFound', 'no such object');
is($r->{newState}, $state, 'the state is as before');
my %full = (isEnabled => $T, fromDate => '2026-01-01T00:00:00Z',
	toDate => '2026-02-01T00:00:00Z', subject => 'Über See',
	textBody => "a\nb", htmlBody => '<p>a');
is(update(\%full), 'ok', 'update');
is_deeply(get(), { %full, id => 'singleton' }, 'is seen');
isnt($t->call('VacationResponse/get', {})->{state}, $state, 'another state');
is(set(ifInState => $state)->{error}, 'stateMismatch', 'ifInState');
is(update({ toDate => undef, subject => undef }), 'ok', 'null');
is_deeply(get(), { %full, id => 'singleton', toDate => undef,
	subject => undef }, 'the rest stays');
is(update(get()), 'ok', 'a whole object as it is');
for ([{ isEnabled => 'x' }, 'isEnabled'], [{ isEnabled => undef },
	'isEnabled'], [{ fromDate => 'x' }, 'fromDate'],
    [{ fromDate => '2026-01-01T00:00:00+01:00' }, 'fromDate'],
    [{ toDate => 5 }, 'toDate'], [{ subject => "a\r\nBcc: x\@y" }, 'subject'],
    [{ subject => 5 }, 'subject'], [{ textBody => [] }, 'textBody'],
    [{ htmlBody => $T }, 'htmlBody'], [{ id => 'x' }, 'id'],
    [{ foo => 1 }, 'foo']) {
	is_deeply(update($_->[0])->{properties}, [$_->[1]],
	    "refused: $_->[1]");
}
is(update({ textBody => 'x' x 70000 })->{type}, 'tooLarge', 'too large');

# ---- what is sent
sub deliver {
	my ($from, $to, @header) = @_;
	my $c = $t->connect($port);
	$c->get;
	$c->line('LHLO client.test');
	1 while $c->get !~ /\A250 /;
	$c->ask("MAIL FROM:<$from>") =~ /\A250/ or return 'MAIL';
	for (ref $to ? @$to : $to) {
		$c->ask("RCPT TO:<$_>") =~ /\A250/ or return 'RCPT';
	}
	$c->ask('DATA') =~ /\A354/ or return 'DATA';
	$c->put(join('', map { "$_\r\n" } @header, '', 'Hello', '.'));
	my @r = map { $c->get } ref $to ? @$to : $to;
	$c->ask('QUIT');
	return join ' ', map { /\A(\d+)/ } @r;
}
my @to = ('To: Alice <alice@example.org>');
my $n = 0;
sub sent {
	my ($wanted) = @_;
	my @m;
	# Another sender's, afterwards, tells that there is no more to come.
	deliver('end' . ++$n . '@x.test', 'alice', @to, 'Subject: end');
	for (1 .. 400) {
		push @m, $sink->mails;
		last if grep { $_->{rcpt}[0] eq "end$n\@x.test" } @m;
		select(undef, undef, undef, 0.025);
	}
	# The two are handed over side by side.
	for (1 .. 200) {
		last if @m > ($wanted // 0);
		select(undef, undef, undef, 0.025);
		push @m, $sink->mails;
	}
	return grep { $_->{rcpt}[0] !~ /\Aend/ } @m;
}

is(update({ isEnabled => $T, fromDate => undef, toDate => undef,
	subject => undef, textBody => "Bin weg.\n", htmlBody => undef }), 'ok',
    'enabled');
is(deliver('bob@x.test', 'alice', @to, 'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
	'Message-ID: <1@x.test>', 'References: <0@x.test>'), '250', 'delivered');
my ($m, @more) = sent(1);
is(@more, 0, 'one response');
is($m->{from}, '', 'with the null sender');
is_deeply($m->{rcpt}, ['bob@x.test'], 'to the sender');
like($m->{data}, qr/^Auto-Submitted: auto-replied/m, 'Auto-Submitted');
like($m->{data}, qr/^In-Reply-To: <1\@x\.test>\r$/m, 'In-Reply-To');
like($m->{data}, qr/^References: <0\@x\.test> <1\@x\.test>\r$/m,
    'References');
like($m->{data}, qr/^To: bob\@x\.test\r$/m, 'To');
like($m->{data}, qr/^From: .*<alice\@example\.org>\r$/m, 'From');
like($m->{data}, qr/\r\n\r\nBin weg\.\r\n/, 'the text');
my $id = $t->import_mail($m->{data});
my $e = $t->call('Email/get', { ids => [$id], properties => ['subject',
	'from'] })->{list}[0];
is($e->{subject}, 'Auto: Grüße', 'Subject');
is($e->{from}[0]{name}, 'Alice Müller', 'From');

# Once a sender, and again when it is another response, or later.
deliver('BOB@x.test', 'alice', @to);
is(() = sent(), 0, 'not again');
is(update({ subject => 'Weg' }), 'ok', 'another response');
deliver('bob@x.test', 'alice', @to);
($m) = sent(1);
like($m->{data}, qr/^Subject: Weg\r$/m, 'is sent again');
# The configuration is read again when it changes.
$t->spew('culver.conf', $t->slurp('culver.conf') =~
    s/^vacation-interval.*$/vacation-interval = 1/mr);
sleep 2;
deliver('bob@x.test', 'alice', @to);
is(() = sent(1), 1, 'after the interval, too');

# ---- what is not answered
my @silent = (
	['the null sender', '', 'alice', @to],
	['a list', 'bob1@x.test', 'alice', @to, 'List-Id: <x>'],
	['another', 'bob2@x.test', 'alice', @to, 'List-Unsubscribe: <x>'],
	['Precedence', 'bob3@x.test', 'alice', @to, 'Precedence: bulk'],
	['a machine', 'bob4@x.test', 'alice', @to,
		'Auto-Submitted: auto-generated'],
	['owner-', 'owner-x@x.test', 'alice', @to],
	['-request', 'x-request@x.test', 'alice', @to],
	['MAILER-DAEMON', 'mailer-daemon@x.test', 'alice', @to],
	['a blind copy', 'bob5@x.test', 'alice', 'To: undisclosed:;'],
	['others are addressed', 'bob6@x.test', 'alice', 'To: x@x.test',
		'Cc: alice@else.test'],
	['herself', 'alice@example.org', 'alice', @to],
	['her other name', 'sales@example.org', 'alice', @to],
	['no domain', 'bob7', 'alice', @to],
	['a report', 'bob8@x.test', 'alice', @to,
		'Content-Type: multipart/report; boundary=x'],
	['another account', 'bob9@x.test', 'bob', 'To: bob@example.org'],
);
for (@silent) {
	my ($what, $from, $rcpt, @header) = @$_;
	is(deliver($from, $rcpt, @header), '250', "$what: delivered");
}
is_deeply([map { $_->{rcpt}[0] } sent()], [], 'none of these is answered');

# ---- addresses
deliver('carl@x.test', 'sales@example.org', 'Cc: sales@example.org');
($m) = sent(1);
like($m->{data}, qr/^From: .*<sales\@example\.org>\r$/m,
    'by the name that was written to');
deliver('dora@x.test', 'alice+x@example.org', 'Bcc: alice+x@example.org');
is(() = sent(1), 1, 'with a detail');
is(deliver('eve@x.test', ['alice', 'sales', 'bob'], @to), '250 250 250',
    'several recipients');
is(() = sent(1), 1, 'one response');

# ---- times
update({ fromDate => strftime('%FT%TZ', gmtime(time + 3000)) });
deliver('f1@x.test', 'alice', @to);
update({ fromDate => undef, toDate => strftime('%FT%TZ', gmtime(time - 1)) });
deliver('f2@x.test', 'alice', @to);
update({ toDate => undef, isEnabled => $F });
deliver('f3@x.test', 'alice', @to);
update({ isEnabled => $T, fromDate => strftime('%FT%TZ', gmtime(time - 5)),
	toDate => strftime('%FT%TZ', gmtime(time + 3000)) });
is_deeply([map { $_->{rcpt}[0] } sent()], [], 'not before, after, or off');
deliver('f4@x.test', 'alice', @to);
is_deeply([map { $_->{rcpt}[0] } sent(1)], ['f4@x.test'], 'in between');

# ---- what doesn't matter to the delivery
$sink->mode('down');
is(deliver('g1@x.test', 'alice', @to), '250', 'the mail system is down');
$sink->mode('');
$sink->stop;
is(deliver('g2@x.test', 'alice', @to), '250', 'it is not there');
for (1 .. 200) {
	last if $t->slurp('log') =~ /<g2\@x\.test> was not sent/;
	select(undef, undef, undef, 0.025);
}
like($t->slurp('log'), qr/<g2\@x\.test> was not sent/, 'the log tells');

my ($code, $out) = $t->culver('check', 'alice');
is($code, 0, 'the account is in order') or diag $out;
my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
