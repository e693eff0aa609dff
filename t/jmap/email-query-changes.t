# t/jmap/email-query-changes.t - Email/queryChanges (RFC 8621 4.5): lists that a
# client keeps by what it is told are what Email/query says
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $seed = $ENV{CULVER_SEED} // time ^ $$;
srand $seed;
diag "CULVER_SEED=$seed";
my $rounds = $ENV{CULVER_LONG} ? 1000 : 60;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(folder "Sent" { role = "sent" }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my @box = map { $t->mailbox($_) } qw(inbox sent);
my (@email, %thread_id);
my $n = 0;

sub changes { $t->call('Email/queryChanges', { @_ }) }
sub some { $_[rand @_] }

# ---- what happens
sub arrive {
	my $ref = $n && rand() < .6 ? 1 + int(rand $n) : undef;
	my $subject = $ref ? $thread_id{$ref} : $n + 1;
	$thread_id{ ++$n } = $subject;
	my $head = "Message-ID: <$n\@x>\r\nSubject: s$subject\r\n";
	$head .= "References: <$ref\@x>\r\n" if $ref;
	my $id = $t->import_mail($head . "\r\n" . 'x' x rand 500,
		mailboxIds => { some(@box) => $T },
		receivedAt => sprintf('2026-01-%02dT%02d:00:00Z',
		    1 + rand 28, rand 24),
		rand() < .5 ? (keywords => { '$seen' => $T }) : ());
	push @email, $id unless ref $id;
}
sub update {
	my %set = map { some(@email) => {
		rand() < .5 ? ("keywords/$_[0]" => rand() < .5 ? $T : undef)
		: (mailboxIds => { map { $_ => $T } rand() < .3 ? @box :
		    some(@box) }) } } 1 .. 1 + rand 3;
	$t->call('Email/set', { update => \%set });
}
sub destroy {
	my $i = int rand @email;
	$t->call('Email/set', { destroy => [$email[$i]] });
	splice @email, $i, 1;
}
# By IMAP: \Deleted hides an Email, and not all that changes is one's change.
my $imap = $t->connect($t->start('imapd', 'imap'));
$imap->get;
$imap->imap('LOGIN alice secret');
my @imap = (
	(sub { 'STORE 1:' . (1 + int rand 3) . ' ' . some('+', '-') . 'FLAGS ('
	    . some('\Deleted', '\Seen', '\Flagged', '\Answered') . ')' }) x 3,
	sub { 'MOVE 1:2 ' . some('INBOX', 'Sent') },
	sub { 'COPY 1 ' . some('INBOX', 'Sent') },
	sub { 'EXPUNGE' }, sub { 'NOOP' },
	sub { some('CREATE', 'DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE') . ' other' },
	sub { 'RENAME other another' },
);
sub by_imap {
	$imap->imap('SELECT ' . some('INBOX', 'Sent'));
	$imap->imap(some(@imap)->()) for 1 .. 2;
	# Not those that only \Deleted hides.
	@email = @{ $t->call('Email/query', {})->{ids} };
}
sub something {
	my $r = rand;
	return arrive() if @email < 10 || $r < .3;
	return by_imap() if $r < .45;
	return update('$seen') if $r < .6;
	return update('$flagged') if $r < .8;
	return destroy();
}

# ---- the lists
my $newest = [{ property => 'receivedAt', isAscending => $F }];
my @queries = (
	{ sort => $newest },
	{ filter => { inMailbox => $box[0] }, sort => $newest },
	{ filter => { inMailbox => $box[1] }, sort => $newest,
	    collapseThreads => $T },
	{ collapseThreads => $T, sort => [{ property => 'size' }] },
	{ filter => { notKeyword => '$seen' } },
	{ filter => { hasKeyword => '$flagged' }, collapseThreads => $T },
	{ filter => { someInThreadHaveKeyword => '$flagged' } },
	{ filter => { allInThreadHaveKeyword => '$seen' },
	    collapseThreads => $T },
	{ filter => { operator => 'AND', conditions => [
	    { noneInThreadHaveKeyword => '$flagged' }, { minSize => 200 }] },
	    sort => [{ property => 'id' }] },
	{ sort => [{ property => 'someInThreadHaveKeyword',
	    keyword => '$flagged' }, { property => 'receivedAt' }] },
	{ sort => [{ property => 'hasKeyword', keyword => '$seen' },
	    { property => 'size' }], filter => { inMailboxOtherThan =>
	    [$box[1]] } },
	{ filter => { subject => 's1' }, sort => [{ property => 'subject' }] },
	{ filter => { inMailbox => $box[0], text => 'xx' }, sort => [
	    { property => 'allInThreadHaveKeyword', keyword => '$seen' },
	    { property => 'sentAt' }], collapseThreads => $T },
);
# The same, but of a length that the server doesn't keep: it is run anew.
sub anew {
	my ($q) = @_;
	return { %$q, filter => { operator => 'AND', conditions => [
		$q->{filter} || (), ({ minSize => 0 }) x 400] } };
}
sub apply {
	my ($ids, $ch) = @_;
	my %gone = map { $_ => 1 } @{ $ch->{removed} };
	my @ids = grep { !$gone{$_} } @$ids;
	splice(@ids, $_->{index}, 0, $_->{id}) for @{ $ch->{added} };
	return \@ids;
}

arrive() for 1 .. 20;
my @kept = map { $t->call('Email/query', $_) } @queries;
my ($bad, $told) = (0, 0);
for my $round (1 .. $rounds) {
	something() for 1 .. 1 + rand 4;
	if (rand() < .3) {	# another client has newer lists
		$t->calls(map { ['Email/query', $_] } @queries);
		something();
	}
	for my $i (0 .. $#queries) {
		next if rand() < .3;	# some lists are older than others
		my $q = $queries[$i];
		my @r = $t->calls(['Email/queryChanges', { %$q,
			calculateTotal => $T,
			sinceQueryState => $kept[$i]{queryState} }],
			['Email/query', $q], ['Email/query', anew($q)]);
		my ($ch, $now, $anew) = map { $_->[1] } @r;
		my $want = join ' ', @{ $now->{ids} };
		my $have = $ch->{removed} ? join(' ',
		    @{ apply($kept[$i]{ids}, $ch) }) : $ch->{type};
		$told += @{ $ch->{added} || [] };
		my $fresh = join ' ', @{ $anew->{ids} };
		is($want, $fresh, "round $round, query $i: kept and run anew")
		    if $want ne $fresh;
		$bad++ unless $have eq $want && $want eq $fresh && $ch->{total} == @{ $now->{ids} }
		    && $ch->{newQueryState} eq $now->{queryState};
		is($have, $want, "round $round, query $i") if $have ne $want;
		$kept[$i] = $now;
	}
}
is($bad, 0, "$rounds rounds of changes");
cmp_ok($told, '>', $rounds, 'something was told');

# ---- what it costs, and errors
my %all = (sort => $newest);
my $state = $t->call('Email/query', \%all)->{queryState};
is_deeply([@{ changes(%all, sinceQueryState => $state) }{qw(removed added)}],
    [[], []], 'nothing happened');
my $id = $t->import_mail("Subject: new\r\n\r\nx\r\n");
my $ch = changes(%all, sinceQueryState => $state);
is_deeply([@$ch{qw(removed added)}], [[], [{ id => $id, index => 0 }]],
    'a new one is added where it is');
is($ch->{oldQueryState}, $state, 'oldQueryState');
ok(!exists $ch->{total}, 'no total unless it is asked for');
$t->call('Email/set', { update => { $id => { 'keywords/$seen' => $T } } });
is(changes(%all, sinceQueryState => $state, maxChanges => 1, upToId => $id)
    ->{added}[0]{id}, $id, 'created and changed since: added alone');
$t->import_mail("Subject: new\r\n\r\ny\r\n");
is(changes(%all, sinceQueryState => $state, maxChanges => 1)->{type},
    'tooManyChanges', 'more than the client takes');
is(changes(%all, sinceQueryState => $_)->{type}, 'cannotCalculateChanges',
    "state '$_'") for '', 'x', '99999999';
is(changes(%all)->{type}, 'invalidArguments', 'no state');
is(changes(%all, sinceQueryState => $state, position => 3)->{type},
    'invalidArguments', 'no window');
is(changes(sort => [{ property => 'x' }], sinceQueryState => $state)->{type},
    'unsupportedSort', 'an unknown order');
done_testing();
