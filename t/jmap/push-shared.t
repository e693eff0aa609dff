# t/jmap/push-shared.t - event streams (RFC 8620 7.3): other users' accounts, and
# logins that are not right any more
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b',
	eve => 'e' });
my $imap = $t->start('imapd', 'imap');
my $mail = "Subject: x\r\n\r\nx\r\n";

sub as {
	my ($user, $pass) = @_;
	@$t{qw(user pass)} = ($user, $pass);
	delete @$t{qw(session acct)};
}
sub event { CulverJmap::event(@_) }
sub stream {
	my ($c, $status) = $t->stream('types=*&closeafter=no&ping=0', @_);
	like($status, qr/ 200 /, "a stream of $t->{user}");
	return $c;
}

# ---- what bob has, and what of it alice may see
as('bob', 'b');
my $bob = $t->account;
my $box = $t->call('Mailbox/set', { create => { k => { name => 'open' } } })
    ->{created}{k}{id};
my %in = (mailboxIds => { $box => JSON::PP::true });
my $one = $t->import_mail($mail, %in);
my $acl = $t->connect($imap);
$acl->imap_line;
$acl->imap('LOGIN bob b');
like(($acl->imap('SETACL open alice lr'))[0], qr/ OK/, 'shared with alice');

as('alice', 'secret');
my $alice = $t->account;
my $c = stream();
ok(!defined event($c, 0.2), 'nothing is new');
as('eve', 'e');
$t->account;
my $eve = stream();

# ---- a change there is told with the states that /get has there
sub changed_by_bob {
	my ($do) = @_;
	as('bob', 'b');
	$do->();
	as('alice', 'secret');
}
my $two;
changed_by_bob(sub { $two = $t->import_mail("Subject: y\r\n\r\ny\r\n", %in) });
my $e = event($c);
is_deeply([keys %{ $e->{data}{changed} }], [$bob], "an event of bob's");
is_deeply([sort keys %{ $e->{data}{changed}{$bob} }],
    [qw(Email Mailbox Thread)], 'of the types that can be read there');
for (qw(Email Mailbox Thread)) {
	is($e->{data}{changed}{$bob}{$_}, $t->call("$_/get", { ids => [],
		accountId => $bob })->{state}, "the state of $_");
}
like($e->{id}, qr/\A\d+,\Q$bob\E:\d+\z/, 'the id has both accounts');
ok(!defined event($eve, 0.2), 'nothing for who may not see it');

# ---- what was missed, in both
changed_by_bob(sub { $t->call('Email/set', { update => { $two =>
	{ 'keywords/$flagged' => JSON::PP::true } } }) });
my $flag = event($c);
is_deeply([keys %{ $flag->{data}{changed}{$bob} }], ['Email'], 'a flag');
$t->import_mail($mail);
my $own = event($c);
is_deeply([keys %{ $own->{data}{changed} }], [$alice], 'her own');
my $back = stream("Last-Event-ID: $e->{id}");
my $got = event($back);
is_deeply([sort keys %{ $got->{data}{changed} }], [sort $alice, $bob],
    'both come back in one event');
ok(exists $got->{data}{changed}{$bob}{Email}, "bob's Email");
is($got->{id}, $own->{id}, 'and with it all is told');
ok(!defined event(stream("Last-Event-ID: $own->{id}"), 0.2),
    'nothing was missed');
my ($first) = $own->{id} =~ /\A(\d+)/;
$got = event(stream("Last-Event-ID: $first"));
is_deeply([keys %{ $got->{data}{changed} }], [$bob],
    'an id from before the share: all of it is new');
$got = event(stream("Last-Event-ID: $first,$bob:x"));
is_deeply([keys %{ $got->{data}{changed} }], [$bob], 'one that is broken');
my ($once) = $t->stream('types=Email&closeafter=state&ping=0',
    "Last-Event-ID: $e->{id}");
$got = event($once);
is_deeply([sort keys %{ $got->{data}{changed} }], [sort $alice, $bob],
    'closeafter=state: all in one event');
ok(!defined event($once, 5), 'and the end');

# ---- the right is taken away
like(($acl->imap('DELETEACL open alice'))[0], qr/ OK/, 'not shared any more');
changed_by_bob(sub { $t->import_mail("Subject: z\r\n\r\nz\r\n", %in) });
ok(!defined event($c, 0.3), 'no more of bob');
$t->import_mail("Subject: w\r\n\r\nw\r\n");
is_deeply([keys %{ event($c)->{data}{changed} }], [$alice], 'but her own');
event($back);

# ---- another password
as('eve', 'e');
my $other = $t->auth('alice', 'secret');
$t->{users}{alice} = "new";
$t->add_users;
is($t->request('GET', '/.well-known/jmap', auth => $other)->{status}, 401,
    'the old one is not right at once');
for ($c, $back) {
	event($_, 5);
	ok($_->{over}, 'her streams end');
}
is($t->call('Mailbox/set', { create => { k => { name => 'k' } } })
    ->{notCreated}, undef, 'eve changes something');
ok(event($eve), "eve's stream goes on");
done_testing();
