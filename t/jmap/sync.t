# t/jmap/sync.t - a client that follows /changes has what a fresh one gets,
# whatever was done, while commits fail at random (engine "chaos")
use strict;
use warnings;
use Test::More;
$ENV{CULVER_ENGINE} //= 'chaos:mem';
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' });
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $seed = $ENV{CULVER_SEED} // 20260;
my $rounds = $ENV{CULVER_LONG} ? 3000 : 250;
srand $seed;
diag("seed $seed") if $ENV{CULVER_SEED};

# Making the account may fail, too.
for (1 .. 60) {
	last if eval { $t->account };
}
# What the server can't do just now is tried again; the answer, or dies.
sub call {
	my ($name, $args) = @_;
	for (1 .. 60) {
		my $r = eval { $t->call($name, $args) };
		die $@ if !$r && $@ !~ /\A503/;
		return $r if $r && ($r->{error} // '') !~ /\Aserver/;
		die "$name: serverFail" if $r && $r->{error} eq 'serverFail';
	}
	die "$name: never";
}
# So is the account, which is made at the first request.
for (1 .. 60) {
	last if eval { $t->session };
}
sub ids { map { $_->{id} } @{ call('Mailbox/get', {})->{list} } }
sub emails { @{ call('Email/query', {})->{ids} } }
sub any { $_[rand @_] }

my (%cache, %state);
sub sync {
	my ($type) = @_;
	my $steps = 0;
	for (;;) {
		my $r = call("$type/changes", { sinceState => $state{$type},
			rand() < 0.5 ? (maxChanges => 1 + int rand 9) : () });
		die "$type/changes: $r->{error}" if $r->{error};
		my %in = map { $_ => 1 } @{ $r->{created} }, @{ $r->{updated} };
		my $g = call("$type/get", { ids => [keys %in],
			$type eq 'Email' ? (properties => [qw(keywords mailboxIds
				threadId)]) : () });
		delete $cache{$type}{$_} for @{ $r->{destroyed} },
		    @{ $g->{notFound} };
		$cache{$type}{$_->{id}} = $_ for @{ $g->{list} };
		$state{$type} = $r->{newState};
		return if !$r->{hasMoreChanges};
		die "$type/changes does not end" if $steps++ > 1000;
	}
}

my $blob;
for (1 .. 60) {
	$blob = eval {
		$t->upload("Subject: t\r\nMessage-ID: <a\@b>\r\n\r\nx\r\n")
	} and last;
	die $@ if $@ !~ / 503 /;
}
my $n = 0;
my @ops = (
	sub { call('Mailbox/set', { create => { k => { name => 'm' . $n++,
		parentId => rand() < 0.5 ? any(ids()) : undef } } }) },
	sub { call('Mailbox/set', { update => { any(ids()) => {
		name => 'r' . $n++ } } }) },
	sub { call('Mailbox/set', { destroy => [any(ids())],
		onDestroyRemoveEmails => rand() < 0.5 ? $T : $F }) },
	(sub { call('Email/import', { emails => { k => { blobId => $blob,
		mailboxIds => { map { $_ => $T } any(ids()), any(ids()) } } } })
	}) x 3,
	(sub { my $e = any(emails()) // return;
		call('Email/set', { update => { $e => { 'keywords/'
		. any('$seen', '$flagged', 'x') => any($T, undef) } } }) }) x 2,
	sub { my $e = any(emails()) // return;
		call('Email/set', { update => { $e => { mailboxIds =>
		{ any(ids()) => $T } } } }) },
	sub { my $e = any(emails()) // return;
		call('Email/set', { destroy => [$e] }) },
);
$state{$_} = call("$_/get", { ids => [] })->{state} for qw(Mailbox Email Thread);
$cache{Mailbox}{$_->{id}} = $_ for @{ call('Mailbox/get', {})->{list} };
my @e = emails();
is(@e, 0, 'begins empty');
for (1 .. $rounds) {
	any(@ops)->();
	sync(any(qw(Mailbox Email Thread))) if rand() < 0.1;
}
sync($_) for qw(Mailbox Email Thread);
my %fresh;
$fresh{Mailbox}{$_->{id}} = $_ for @{ call('Mailbox/get', {})->{list} };
@e = emails();
$fresh{Email}{$_->{id}} = $_ for @{ call('Email/get', { ids => \@e,
	properties => [qw(keywords mailboxIds threadId)] })->{list} };
my %threads = map { $_->{threadId} => 1 } values %{ $fresh{Email} };
$fresh{Thread}{$_->{id}} = $_ for @{ call('Thread/get',
	{ ids => [keys %threads] })->{list} };
cmp_ok(scalar @e, '>', 3, 'there is mail');
is_deeply($cache{$_}, $fresh{$_}, "$_: the cache is what is there")
    for qw(Mailbox Email Thread);

# Counts and totals agree (RFC 8621 2 and 4.4).
my @off;
for my $m (values %{ $fresh{Mailbox} }) {
	my $all = sub { call('Email/query', { calculateTotal => $T, filter =>
		{ inMailbox => $m->{id} }, @_ })->{total} };
	push @off, $m->{name} unless $m->{totalEmails} == $all->()
	    && $m->{totalThreads} == $all->(collapseThreads => $T)
	    && $m->{unreadEmails} == $all->(filter => { inMailbox => $m->{id},
		notKeyword => '$seen' });
}
is_deeply(\@off, [], 'counts are totals');
my $failed = () = $t->slurp('log') =~ /: chaos \(-\d+\)$/mg;
cmp_ok($failed, '>', 0, 'commits did fail') if $ENV{CULVER_ENGINE} =~ /chaos/;
done_testing();
