# t/jmap/gone.t - a client that disconnects stops its request
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' }, conf =>
	"jmap-max-concurrent-requests = 1\n");
my $J = $CulverJmap::json;
my $acct = $t->account;
my $inbox = $t->mailbox('inbox');
my $text = join '', map { "line $_ of a long text\r\n" } 1 .. 40000;
$t->import_mail("Subject: $_\r\n\r\n$_ $text") for 1 .. 8;

# Seconds of work, had it to be done.
sub long {
	return map { ['Email/query', { accountId => $acct, filter => {
		body => "absent$_" } }, "q$_"] } 1 .. 60;
}
sub leave {
	my (@calls) = @_;
	my $body = $J->encode({ using => ['urn:ietf:params:jmap:core',
		'urn:ietf:params:jmap:mail'], methodCalls => \@calls });
	my $c = $t->raw;
	$c->put("POST /jmap/api HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
	    . $t->auth . "\r\nContent-Type: application/json\r\n"
	    . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
	sleep 0.2;
	$c->close;
}
sub logged {
	my ($re, $n) = @_;
	my $found;
	for (1 .. 600) {
		$found = () = $t->slurp('log') =~ /$re/g;
		return $found if $found >= $n;
		sleep 0.05;
	}
	return $found;
}

leave(long());
is(logged(qr/the client is gone: Email\/query stops/, 1), 1, 'it stops');
my $r;
for (1 .. 100) {	# the other request may not be quite over
	$r = eval { $t->call('Mailbox/get', { ids => [] }) } and last;
	sleep 0.05;
}
ok($r, 'and takes no place any more');

# What changes something is done, whoever waits; what comes after it isn't.
leave(['Email/query', { accountId => $acct, filter => { body => 'absent' } },
	'q'], ['Mailbox/set', { accountId => $acct, create => { k =>
	{ name => 'made' } } }, 's'], long());
is(logged(qr/the client is gone: Email\/query stops/, 2), 2, 'it stops, too');
for (1 .. 100) {
	$r = eval { $t->mailbox('made') } and last;
	sleep 0.05;
}
ok($r, 'after what it had to change');
done_testing();
