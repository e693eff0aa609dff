# t/jmap/submission-crash.t - who sends is killed at any time: nothing is sent
# twice, nothing is lost, and where nobody knows that is said
#
# CULVER_LONG=1: more rounds; CULVER_SEED: those of another run again.
use strict;
use warnings;
use Test::More;
use File::Temp qw(tempdir);
use POSIX qw(strftime);
use CulverJmap;
use SmtpSink;

my $sink = SmtpSink->new(tempdir(CLEANUP => 1));
END { local $?; $sink->stop if $sink }
my $t = CulverJmap->new(users => { alice => 'secret' },
	using => ['submission'], conf => qq(domains = {"example.org"}\n)
	. qq(outbox-poll = 1h\nsmtp-relay = ") . $sink->relay . qq("\n));
my $seed = $ENV{CULVER_SEED} // time ^ $$;
srand($seed);
diag "seed $seed" if $ENV{CULVER_LONG};
my $count = $ENV{CULVER_LONG} ? 900 : 150;

my $identity = $t->call('Identity/get', {})->{list}[0]{id};
my $email = $t->import_mail("From: alice\@example.org\r\nTo: x\@x.test\r\n"
    . "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n" . 'x' x 3000 . "\r\n");
my $when = strftime('%FT%TZ', gmtime(time + 3));
my $r = $t->call('EmailSubmission/set', { create => { map { ("k$_" => {
	identityId => $identity, emailId => $email, envelope => {
	mailFrom => { email => 'alice@example.org', parameters =>
		{ HOLDUNTIL => $when } },
	rcptTo => [{ email => "r$_\@x.test" }] } }) } 1 .. $count } });
is(scalar keys %{ $r->{created} }, $count, 'submitted') or diag explain $r;
my %rcpt = map { $r->{created}{"k$_"}{id} => "r$_\@x.test" } 1 .. $count;
sleep 1 while strftime('%FT%TZ', gmtime) lt $when;

my $kills = 0;
for my $round (1 .. 20 * $count) {
	last if ($t->culver('spool', '--list'))[1] eq '';
	my $pid = fork // die $!;
	if ($pid == 0) {
		open(STDOUT, '>', '/dev/null');
		open(STDERR, '>>', $t->path('stderr'));
		exec($t->program('culver'), '-f', $t->conf_file, 'spool')
		    or POSIX::_exit(127);
	}
	# Slow machines need longer to get anywhere.
	select(undef, undef, undef, rand(0.04 + $round / 2000));
	$kills += kill 'KILL', $pid;
	waitpid($pid, 0);
}
is(($t->culver('spool', '--list'))[1], '', 'all is done');
cmp_ok($kills, '>', 5, 'with many deaths');
my %got;
$got{ $_->{rcpt}[0] }++ for $sink->mails;
is(scalar(grep { $_ > 1 } values %got), 0, 'nothing is sent twice');
my ($lost, $unknown, $wrong) = (0, 0, 0);
for (@{ $t->call('EmailSubmission/get', {})->{list} }) {
	my $to = $rcpt{ $_->{id} };
	my $reply = $_->{deliveryStatus}{$to}{smtpReply};
	$wrong++ if $_->{undoStatus} ne 'final';
	if ($reply =~ /Interrupted/) {
		$unknown++;
	} elsif (!$got{$to}) {
		$lost++;
	}
}
is($wrong, 0, 'all are final');
is($lost, 0, 'what is said to be sent was sent');
diag "$kills deaths, $unknown of $count unknown" if $ENV{CULVER_LONG};
cmp_ok($unknown, '<', $count / 2, 'most are known');
my ($code, $out) = $t->culver('check', 'alice');
is($code, 0, 'the account is in order') or diag $out;
done_testing();
