# t/jmap/push.t - the event source (RFC 8620 7.3)
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'other' });
my $acct = $t->account;
my $T = JSON::PP::true;
my $mail = "Subject: x\r\n\r\nx\r\n";
my $inbox = $t->mailbox('inbox');

sub state_of { $t->call("$_[0]/get", { ids => [] })->{state} }
sub event { CulverJmap::event(@_) }

# ---- what is asked for
for ('', 'types=*', 'types=*&closeafter=no', 'types=*&ping=0',
    'types=&closeafter=no&ping=0', 'types=*&closeafter=x&ping=0',
    'types=*&closeafter=no&ping=x', 'types=*&closeafter=no&ping=-1',
    'types=%zz&closeafter=no&ping=0') {
	is($t->request('GET', "/jmap/eventsource?$_")->{status}, 400, "?$_");
}
is($t->request('GET', '/jmap/eventsource?types=*&closeafter=no&ping=0',
	auth => undef)->{status}, 401, 'not without a password');

# ---- events
my ($c, $status) = $t->stream('types=*&closeafter=no&ping=0');
like($status, qr{\AHTTP/1.1 200 }, 'a stream');
like($c->{header}{'content-type'}, qr{\Atext/event-stream}, 'its type');
like($c->{header}{'cache-control'}, qr/no-store/, 'not cached');
my ($only) = $t->stream('types=Email,Foo&closeafter=no&ping=0');
my ($none) = $t->stream('types=CalendarEvent&closeafter=no&ping=0');
my ($new) = $t->stream('types=EmailDelivery&closeafter=no&ping=0');
my ($once) = $t->stream('types=*&closeafter=state&ping=0');
my $id = $t->import_mail($mail);
my $e = event($c);
is($e->{event}, 'state', 'a state event');
ok($e->{id}, 'with an id');
is($e->{data}{'@type'}, 'StateChange', '@type');
my $s = $e->{data}{changed}{$acct};
is_deeply([sort keys %$s], [qw(Email EmailDelivery Mailbox Quota Thread)],
    'new mail changes all types');
is($s->{$_}, state_of($_), "the state of $_") for qw(Email Mailbox Thread);
my $first = $e->{id};
$e = event($only);
is_deeply($e->{data}{changed}, { $acct => { Email => $s->{Email} } },
    'only the types that are wanted');
$e = event($new);
is_deeply([keys %{ $e->{data}{changed}{$acct} }], ['EmailDelivery'],
    'EmailDelivery');
$e = event($once);
is($e->{event}, 'state', 'closeafter=state: an event');
ok(!defined event($once, 5), 'and the end');

$t->call('Email/set', { update => { $id => { 'keywords/$flagged' => $T } } });
$e = event($c);
is_deeply($e->{data}{changed}{$acct}, { Email => state_of('Email') },
    'a flag changes Email alone');
is((event($only))->{data}{changed}{$acct}{Email}, state_of('Email'), 'here too');
ok(!defined event($new, 0.3), 'and is no delivery');
ok(!defined event($none, 0.1), 'nothing for a type that is not there');

# ---- what was missed
my ($back) = $t->stream('types=*&closeafter=no&ping=0', "Last-Event-ID: $first");
$e = event($back);
is_deeply([sort keys %{ $e->{data}{changed}{$acct} }], ['Email', 'Quota'],
    'changes after Last-Event-ID come at once');
($back) = $t->stream('types=*&closeafter=no&ping=0', "Last-Event-ID: $e->{id}");
ok(!defined event($back, 0.3), 'nothing was missed');
for ('nonsense', '99999999999') {
	($back) = $t->stream('types=*&closeafter=no&ping=0', "Last-Event-ID: $_");
	$e = event($back);
	is(scalar keys %{ $e->{data}{changed}{$acct} || {} }, 5,
	    "unknown id $_: all may have changed");
}

# ---- other accounts
my ($bob) = do {
	local @$t{qw(user pass)} = ('bob', 'other');
	$t->stream('types=*&closeafter=no&ping=0');
};
$t->import_mail($mail);
ok(event($c), 'an event for alice');
ok(!defined event($bob, 0.3), 'none for bob');

# ---- pings
my ($ping) = $t->stream('types=*&closeafter=no&ping=1');
$e = event($ping, 5);
is_deeply($e, { event => 'ping', data => { interval => 1 } },
    'a ping, without an id');
ok(event($ping, 5), 'and again');

# ---- ends
my $streams = sub {
	my $n = 0;
	for (glob "/proc/$t->{jmap_pid}/fd/*") {
		my $l = readlink;
		$n++ if defined $l && $l =~ /\Asocket:/;
	}
	return $n;
};
my $open = $streams->();
$_->close for $c, $only, $none, $new, $bob, $ping;
for (1 .. 100) {
	last if $streams->() <= $open - 6;
	select undef, undef, undef, 0.05;
}
cmp_ok($streams->(), '<=', $open - 6, "the client's end is noticed");
my @many;
for (1 .. 40) {
	my ($c, $status) = $t->stream('types=*&closeafter=no&ping=0');
	push @many, $c if $status =~ / 200 /;
	like($status, qr/ (?:200|429) /, 'answered') unless $_ % 10;
}
cmp_ok(scalar @many, '<=', 32, 'no more than 32 of an account');
cmp_ok(scalar @many, '>=', 25, 'but many');
$t->import_mail($mail);
is(scalar(grep { event($_, 5) } @many), scalar @many, 'all are told');
kill TERM => $t->{jmap_pid};
is(scalar(grep { !defined event($_, 5) } @many), scalar @many,
    'SIGTERM ends all streams');
waitpid($t->{jmap_pid}, 0);
is($?, 0, 'in good order');
done_testing();
