# t/jmap/mdn.t - MDN/send and MDN/parse (RFC 9007)
use strict;
use warnings;
use utf8;
use Encode qw(decode);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;
use CulverJmap;
use SmtpSink;

my $sink = SmtpSink->new(tempdir(CLEANUP => 1));
END { local $?; $sink->stop if $sink }
my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' },
	using => ['submission', 'mdn'],
	conf => qq(domains = {"example.org"}\njmap-max-objects-in-get = 10\n)
	    . qq(jmap-max-objects-in-set = 10\nsmtp-relay = ")
	    . $sink->relay . qq("\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $cap = 'urn:ietf:params:jmap:mdn';
is_deeply($t->session->{capabilities}{$cap}, {}, 'advertised');
is_deeply($t->session->{accounts}{ $t->account }{accountCapabilities}{$cap}, {},
    'for the account');
my $identity = $t->call('Identity/get', {})->{list}[0]{id};

sub mail {
	my (@more) = @_;
	return $t->import_mail(join "\r\n", 'From: joe@x.test', 'To: alice@example.org',
	    'Subject: =?utf-8?q?W=C3=B6rld_domination?=',
	    'Message-ID: <199509192301.23456@example.org>', @more, '', 'Hello', '');
}
my @dnt = ('Disposition-Notification-To: Joe <joe@x.test>',
    'Original-Recipient: rfc822;al@example.org');
my %disp = (actionMode => 'manual-action', sendingMode => 'mdn-sent-manually',
    type => 'displayed');
sub call {
	my ($send, %o) = @_;
	my %update = map { ($_->{forEmailId} // '') =~ /\AE/ ?
	    ($_->{forEmailId} => { 'keywords/$mdnsent' => $T }) : () } values %$send;
	return $t->calls(['MDN/send', { identityId => $identity, send => $send,
		onSuccessUpdateEmail => \%update, %o }]);
}
sub fails {
	my ($o, $type, $what, %more) = @_;
	my ($r) = call({ k => $o }, %more);
	is($r->[1]{notSent}{k}{type} // $r->[1]{type}, $type, $what);
	return $r->[1]{notSent}{k};
}

# ---- MDN/send: the RFC's example
my $id = mail(@dnt);
my @r = call({ k1546 => { forEmailId => $id, subject => 'Read receipt for: Wörld',
	textBody => "Displayed, vielleicht für länger.\n", reportingUA =>
	'joes-pc.cs.example.com; Foomail 97.1', disposition => \%disp,
	extensionFields => { 'X-EXTENSION-EXAMPLE' => 'example.com' } } });
is_deeply($r[0][1]{sent}, { k1546 => { finalRecipient => 'rfc822; alice@example.org',
	originalMessageId => '<199509192301.23456@example.org>', originalRecipient =>
	'rfc822;al@example.org', mdnGateway => undef, error => undef,
	includeOriginalMessage => $F } }, 'sent, with what was not given');
is($r[0][1]{notSent}, undef, 'notSent');
is_deeply([$r[1][0], $r[1][1]{updated}], ['Email/set', { $id => undef }],
    'Email/set follows');
ok($t->call('Email/get', { ids => [$id], properties => ['keywords'] })
    ->{list}[0]{keywords}{'$mdnsent'}, '$mdnsent is set');
my ($m) = $sink->mails;
is($m->{from}, '', 'from the null sender');
is_deeply($m->{rcpt}, ['joe@x.test'], 'to who asked for it');
my $text = $m->{data};
like($text, qr{^Content-Type: multipart/report;\r\n report-type=disposition-notification;}m,
    'multipart/report');
like($text, qr{^From: .*alice\@example\.org}m, 'From');
like($text, qr{^To: joe\@x\.test\r$}m, 'To');
like($text, qr{^In-Reply-To: <199509192301.23456\@example.org>\r$}m, 'In-Reply-To');
like($text, qr{^Disposition: manual-action/mdn-sent-manually; displayed\r$}m,
    'Disposition');
like($text, qr{^Date: .*\d}m, 'Date');
unlike($text, qr{^Auto-Submitted}m, 'not automatic');
fails({ forEmailId => $id, disposition => \%disp }, 'mdnAlreadySent',
    'only once');

# ---- and what comes out of it
my $blob = $t->upload($text);
my $p = $t->call('MDN/parse', { blobIds => [$blob] })->{parsed}{$blob};
is_deeply($p, { forEmailId => undef, subject => 'Read receipt for: Wörld',
	textBody => "Displayed, vielleicht für länger.\n",
	includeOriginalMessage => $F, reportingUA =>
	'joes-pc.cs.example.com; Foomail 97.1', disposition => \%disp,
	mdnGateway => undef, originalRecipient => 'rfc822;al@example.org',
	finalRecipient => 'rfc822; alice@example.org', originalMessageId =>
	'<199509192301.23456@example.org>', error => undef,
	extensionFields => { 'X-EXTENSION-EXAMPLE' => 'example.com' } },
    'MDN/parse of what was sent');

# ---- defaults, the original
$id = mail(@dnt, 'X-Bin: ' . "\xc3\xa9");
@r = call({ k => { forEmailId => $id, disposition => { %disp, actionMode =>
	'automatic-action', sendingMode => 'mdn-sent-automatically' },
	includeOriginalMessage => $T, finalRecipient => 'rfc822; alice+x@example.org' } },
    onSuccessUpdateEmail => { '#k' => { keywords => { '$mdnsent' => $T } } });
my $s = $r[0][1]{sent}{k};
is($s->{subject}, 'Disposition notification: Wörld domination', 'a subject');
ok(length $s->{textBody}, 'a text');
ok(!exists $s->{finalRecipient}, 'not what was given');
is_deeply($r[1][1]{updated}, { $id => undef }, 'by its creation id');
($m) = $sink->mails;
like($m->{data}, qr{^Auto-Submitted: auto-replied\r$}m, 'automatic');
like($m->{data}, qr{^Content-Transfer-Encoding: 8bit\r$}m, '8bit');
$blob = $t->upload($m->{data});
$p = $t->call('MDN/parse', { blobIds => [$blob] })->{parsed}{$blob};
ok($p->{includeOriginalMessage}, 'with the original');
is($p->{finalRecipient}, 'rfc822; alice+x@example.org', 'finalRecipient');
like($m->{data}, qr{message/rfc822\r\n\r\nFrom: joe\@x\.test}, 'which is there');

# ---- what is refused
$id = mail(@dnt);
my %ok = (forEmailId => $id, disposition => \%disp);
fails({ %ok, forEmailId => 'Exx' }, 'notFound', 'no such Email');
my $none = mail();
fails({ %ok, forEmailId => $none }, 'notFound', 'nobody asked for it');
my $broken = mail('Disposition-Notification-To: nobody');
fails({ %ok, forEmailId => $broken }, 'notFound', 'no address');
fails({ %ok, finalRecipient => 'rfc822; eve@x.test' }, 'forbiddenFrom',
    "somebody else's finalRecipient");
for ([disposition => { %disp, type => 'eaten' }], [disposition => { %disp,
	type => 'Displayed' }], [disposition => {}], [disposition => 5],
    [subject => 5], [textBody => []], [includeOriginalMessage => 'x'],
    [reportingUA => "a\r\nBcc: x"], [reportingUA => 'é'],
    [finalRecipient => 'alice@example.org'], [finalRecipient => 'rfc822; x'],
    [extensionFields => { 'Final-Recipient' => 'x' }],
    [extensionFields => { 'a b' => 'x' }], [extensionFields => { a => "x\ny" }],
    [extensionFields => []], [foo => 1], [originalMessageId => '<x@y>'],
    [mdnGateway => 'x'], [error => ['x']], [subject => "a\r\nb"]) {
	my $e = fails({ %ok, @$_ }, 'invalidProperties', "refused: $_->[0]");
	is_deeply($e->{properties}, [$_->[0]], 'properties');
}
my $e = fails({ forEmailId => $id }, 'invalidProperties', 'no disposition');
is_deeply($e->{properties}, ['disposition'], 'properties');
fails(\%ok, 'invalidArguments', 'without $mdnsent', onSuccessUpdateEmail => {});
fails(\%ok, 'invalidArguments', 'something else', onSuccessUpdateEmail =>
    { $id => { 'keywords/$seen' => $T } });
fails(\%ok, 'invalidArguments', 'no such identity', identityId => 'Ixx');
is((call({}, accountId => 'Ax'))[0][1]{type}, 'accountNotFound', 'no such account');
is((call({ map { $_ => \%ok } 1 .. 11 }))[0][1]{type}, 'requestTooLarge', 'too many');
{
	local $t->{using} = ['urn:ietf:params:jmap:core', $cap];
	is((call({ k => \%ok }))[0][1]{type}, 'unknownMethod', 'mail is needed');
}
is(scalar(my @sent = $sink->mails), 0, 'nothing was sent');
my $no = mail('Disposition-Notification-To: no-one@x.test');
fails({ %ok, forEmailId => $no }, 'forbidden', 'the mail system refuses');
my $later = mail('Disposition-Notification-To: later-one@x.test');
fails({ %ok, forEmailId => $later }, 'serverUnavailable', 'or not now');
@r = call({ a => \%ok, b => \%ok });
is_deeply([sort map { keys %{ $r[0][1]{$_} } } qw(sent notSent)], ['a', 'b'],
    'twice the same');
is((values %{ $r[0][1]{notSent} })[0]{type}, 'mdnAlreadySent', 'only once');

# ---- one at most, whatever happens
sub marked {
	return $t->call('Email/get', { ids => [$_[0]], properties => ['keywords'] })
	    ->{list}[0]{keywords}{'$mdnsent'} ? 1 : 0;
}
$sink->mails;
my $again = mail(@dnt);
$sink->mode('refuse');
fails({ %ok, forEmailId => $again }, 'forbidden', 'refused at the end');
is(marked($again), 0, 'refused: not marked as sent');
$sink->mode('drop');
my $unknown = mail(@dnt);
fails({ %ok, forEmailId => $unknown }, 'serverUnavailable', 'no last answer');
is(marked($unknown), 1, 'it may have been sent');
$sink->mode('');
fails({ %ok, forEmailId => $unknown }, 'mdnAlreadySent', 'so not again');
is(scalar(@sent = $sink->mails), 0, 'the sink got none of them');
@r = call({ k => { %ok, forEmailId => $again } });
ok($r[0][1]{sent}{k}, 'what was refused may be sent again') or diag explain \@r;
is_deeply([$r[1][1]{updated}, marked($again)], [{ $again => undef }, 1], 'marked');
is(scalar(@sent = $sink->mails), 1, 'and is');

my $killed = mail(@dnt);
$sink->mode('mute');
my $pid = fork // die "fork: $!";
if ($pid == 0) {
	delete $t->{conn};
	eval { call({ k => { %ok, forEmailId => $killed } }) };
	POSIX::_exit(0);
}
for (1 .. 600) {
	last if @sent = $sink->mails;
	select(undef, undef, undef, 0.05);
}
is(scalar @sent, 1, 'sent, and the server is killed');
kill 'KILL', $t->{jmap_pid};
waitpid($t->{jmap_pid}, 0);
waitpid($pid, 0);
$t->start_jmap;
delete $t->{conn};
$sink->mode('');
is(marked($killed), 1, 'it is known to be sent');
fails({ %ok, forEmailId => $killed }, 'mdnAlreadySent', 'not again after a crash');
is(scalar(@sent = $sink->mails), 0, 'nothing twice');

# ---- MDN/parse
sub report {
	my ($report, $type) = @_;
	return $t->upload(join "\r\n", 'Subject: r', 'Content-Type: multipart/report;'
	    . ' report-type=disposition-notification; boundary=b', '', '--b', '',
	    'text', '--b', 'Content-Type: ' . ($type
	    // 'message/disposition-notification'), '', $report, '--b--', '');
}
sub parsed {
	my ($blob) = @_;
	my $r = $t->call('MDN/parse', { blobIds => [$blob] });
	return $r->{parsed} ? $r->{parsed}{$blob} : undef;
}
my $fr = 'Final-Recipient: rfc822; a@b';
$p = parsed(report("$fr\r\nDisposition: Automatic-Action/\r\n MDN-sent-automatically ;"
	. " Deleted/error,expired\r\nError: one\r\nError: two\r\nMDN-Gateway: smtp; g\r\n"
	. 'Warning: w'));
is_deeply($p->{disposition}, { actionMode => 'automatic-action', sendingMode =>
	'mdn-sent-automatically', type => 'deleted' }, 'lower case');
is_deeply($p->{error}, ['one', 'two'], 'error');
is($p->{mdnGateway}, 'smtp; g', 'mdnGateway');
is_deeply($p->{extensionFields}, { Warning => 'w' }, 'others');
is($p->{textBody}, 'text', 'textBody');
my $d = 'Disposition: manual-action/mdn-sent-manually; displayed';
for ([report($fr), 'no disposition'], [report($d), 'no recipient'],
    [report("$fr\r\nDisposition: eaten"), 'a bad one'],
    [report("$fr\r\nDisposition: manual-action/mdn-sent-manually; eaten"), 'type'],
    [report("$fr\r\n$d", 'text/plain'), 'no report'], [$t->upload(''), 'nothing'],
    [$t->upload("Subject: x\r\n\r\n$fr\r\n$d\r\n"), 'no multipart']) {
	is_deeply($t->call('MDN/parse', { blobIds => [$_->[0]] })->{notParsable},
	    [$_->[0]], "notParsable: $_->[1]");
}
my $good = report("$fr\r\n$d");
my $r = $t->call('MDN/parse', { blobIds => ['Gx', $good, 'Gx'] });
is_deeply($r->{notFound}, ['Gx'], 'notFound');
is_deeply([keys %{ $r->{parsed} }], [$good], 'another');
is($r->{notParsable}, undef, 'notParsable');
is($t->call('MDN/parse', {})->{error}, 'invalidArguments', 'no blobIds');
is($t->call('MDN/parse', { blobIds => [('x') x 11] })->{error}, 'requestTooLarge',
    'too many');

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
