# t/jmap/submission-sendmail.t - submissions by the sendmail interface; and what
# becomes of them when a process dies
use strict;
use warnings;
use Test::More;
use File::Temp qw(tempdir);
use CulverJmap;

my $dir = tempdir(CLEANUP => 1);

# Keeps arguments and message; exits as $dir/exit says; waits for $dir/go if
# there is a file $dir/wait.
open(my $fh, '>', "$dir/sendmail") or die $!;
print $fh <<"END";
#!/bin/sh
touch $dir/began
n=\$(ls $dir | grep -c '^args')
for i in "\$@"; do printf '%s\\n' "\$i"; done > $dir/args.\$n.new
cat > $dir/mail.\$n
env > $dir/env
ls /proc/self/fd > $dir/fds
while [ -e $dir/wait ] && [ ! -e $dir/go ]; do sleep 0.05; done
mv $dir/args.\$n.new $dir/args.\$n
echo "I am sendmail"
echo "and say no" >&2
exit \$(cat $dir/exit)
END
close $fh;
chmod 0755, "$dir/sendmail";

my $t = CulverJmap->new(users => { alice => 'secret' },
	using => ['submission'], conf => qq(domains = {"example.org"}\n)
	. qq(sendmail = "$dir/sendmail"\noutbox-poll = 1h\nsend-retry = 1\n)
	. qq(send-give-up = 4\n));

sub spew {
	my ($name, $text) = @_;
	open(my $f, '>', "$dir/$name") or die $!;
	print $f $text;
	close $f;
}
sub slurp {
	my ($name) = @_;
	open(my $f, '<', "$dir/$name") or return undef;
	local $/;
	return scalar <$f>;
}
sub wait_for {
	my ($name) = @_;
	for (1 .. 400) {
		return 1 if -e "$dir/$name";
		select(undef, undef, undef, 0.025);
	}
	return 0;
}

my $identity = $t->call('Identity/get', {})->{list}[0]{id};
my $email = $t->import_mail("From: alice\@example.org\r\nTo: b\@x.test\r\n"
    . "Bcc: c\@x.test\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n"
    . "Hello\r\n.\r\nend\r\n");
sub submit {
	my (%o) = @_;
	my $r = $t->call('EmailSubmission/set', { create => { k => {
		identityId => $identity, emailId => $email, %o } } });
	return $r->{created} ? $r->{created}{k} : $r->{notCreated}{k};
}
sub get {
	return $t->call('EmailSubmission/get', { ids => [@_] })->{list}[0];
}
sub later_on { select(undef, undef, undef, 1.1) }	# send-retry

spew('exit', 0);
my $r = submit();
is($r->{undoStatus}, 'final', 'sent') or diag explain $r;
is_deeply($r->{deliveryStatus}{'c@x.test'}, { smtpReply =>
	'250 2.0.0 Accepted by the mail system', delivered => 'unknown',
	displayed => 'unknown' }, 'status');
is(slurp('args.0'), join("\n", '-i', '-f', 'alice@example.org', '--',
	'b@x.test', 'c@x.test', ''), 'arguments');
is(slurp('mail.0'), "From: alice\@example.org\nTo: b\@x.test\n"
    . "Date: Mon, 23 Nov 2026 12:00:00 +0000\n\nHello\n.\nend\n",
    'the message, without Bcc, with line ends of the system');
unlike(slurp('env'), qr/^(?:FCGI|LISTEN|CULVER|HOME)/m, 'environment');
is(slurp('fds'), "0\n1\n2\n3\n", 'no other descriptors (3 is ls\'s own)');
my $odd = submit(envelope => { mailFrom => { email => '' },
	rcptTo => [{ email => '-oQ@x.test' }, { email => '`id`@x.test' }] });
is(slurp('args.1'), join("\n", '-i', '-f', '<>', '--', '-oQ@x.test',
	'`id`@x.test', ''), 'the null sender; addresses are but that');

# ---- exit codes
spew('exit', 67);
$r = submit();
is($r->{type}, 'forbiddenToSend', 'refused');
is($r->{description}, '554 5.0.0 Refused by the mail system: I am sendmail '
    . 'and say no', 'what it said');
spew('exit', 75);
$r = submit();
is($r->{undoStatus}, 'pending', 'not now');
is($r->{deliveryStatus}{'b@x.test'}{delivered}, 'queued', 'queued');
later_on() for 1 .. 5;
my ($code, $out, $err) = $t->culver('spool');
is($code, 0, 'culver spool');
is(get($r->{id})->{undoStatus}, 'final', 'given up');
is(get($r->{id})->{deliveryStatus}{'b@x.test'}{delivered}, 'no', 'no');
rename "$dir/sendmail", "$dir/away";
$r = submit();
is($r->{undoStatus}, 'pending', 'there is no program');
rename "$dir/away", "$dir/sendmail";
spew('exit', 0);
later_on();
($code, $out, $err) = $t->culver('spool');
is(get($r->{id})->{undoStatus}, 'final', 'sent later')
    or diag $code, $out, $err;

# ---- a process dies while the program runs: nothing is sent twice, and what
# nobody knows is said
my $n = () = glob("$dir/args.*");
spew('wait', '');
unlink "$dir/began";
my $pid = fork // die $!;
if ($pid == 0) {
	delete $t->{conn};
	eval { submit() };
	POSIX::_exit(0);
}
ok(wait_for('began'), 'it runs');
my ($p) = grep { $_->{undoStatus} eq 'pending' }
    @{ $t->call('EmailSubmission/get', {})->{list} };
is($t->call('EmailSubmission/set', { update => { $p->{id} =>
	{ undoStatus => 'canceled' } } })->{notUpdated}{ $p->{id} }{type},
    'cannotUnsend', 'too late to cancel');
($code, $out, $err) = $t->culver('spool');
like($err, qr/somebody else is sending/, 'one at a time');
kill 'KILL', $t->{jmap_pid};
waitpid($t->{jmap_pid}, 0);
waitpid($pid, 0);
spew('go', '');
unlink "$dir/wait";
ok(wait_for("args.$n"), 'the program has all of the message');
is(slurp("mail.$n"), slurp('mail.0'), 'it has');
($code, $out, $err) = $t->culver('spool');
is($code, 0, 'culver spool') or diag $err;
is(() = glob("$dir/args.*"), $n + 1, 'not sent twice');
$t->start_jmap;
delete $t->{conn};
my $got = get($p->{id});
is($got->{undoStatus}, 'final', 'final');
is_deeply($got->{deliveryStatus}{'b@x.test'}, { delivered => 'unknown',
	displayed => 'unknown', smtpReply =>
	'451 4.3.0 Interrupted; it may have been sent' }, 'nobody knows');

# ---- without a mail system
$t->stop;
my $text = $t->slurp('culver.conf');
$t->spew('culver.conf', $text =~ s/^sendmail.*$//mr);
($code, $out, $err) = $t->culver('spool');
is($code, 100, 'culver spool: nothing is configured');
$t->start_jmap;
$t->start_nginx;
delete @$t{qw(conn session)};
ok(!exists $t->session->{capabilities}{'urn:ietf:params:jmap:submission'},
    'not advertised');
$r = $t->post($CulverJmap::json->encode({ using =>
	['urn:ietf:params:jmap:submission'], methodCalls => [] }));
is($r->{json}{type}, 'urn:ietf:params:jmap:error:unknownCapability',
    'not known');
($code, $out) = $t->culver('check', 'alice');
is($code, 0, 'the account is in order') or diag $out;
done_testing();
