# t/admin/who.t - culver who, kick
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'secret' });
my %port = map { $_ => $t->start("${_}d", $_) } qw(imap pop3);

sub imap {
	my ($user) = @_;
	my $c = $t->connect($port{imap});
	$c->get;
	like(($c->imap("LOGIN $user secret"))[0], qr/ OK/, "$user is in");
	return $c;
}
sub who {
	my ($rc, $out, $err) = $t->culver('who', '--json', @_);
	is("$rc $err", '0 ', join ' ', 'who', @_);
	my @w = sort { $a->{account} cmp $b->{account} ||
	    $a->{protocol} cmp $b->{protocol} } @{ decode_json($out) };
	return @w;
}
# A process may end a moment after its connection.
sub who_soon {
	my ($n, @args) = @_;
	my @w;
	for (1 .. 200) {
		@w = who(@args);
		return @w if @w == $n;
		select(undef, undef, undef, 0.05);
	}
	return @w;
}

is_deeply([who()], [], 'nobody, and no files');
my $idle = $t->connect($port{imap});
$idle->get;
my ($alice, $bob) = (imap('alice'), imap('bob'));
my $pop = $t->connect($port{pop3});
$pop->get;
$pop->ask('USER bob');
like($pop->ask('PASS secret'), qr/\A\+OK/, 'POP3');
my @w = who();
is(@w, 3, 'three: who is not logged in yet is not one');
is_deeply([map { "$_->{account} $_->{protocol}" } @w],
    ['alice imap', 'bob imap', 'bob pop3'], 'these');
like($w[0]{peer}, qr/\A127\.0\.0\.1:\d+\z/, 'from where');
like($w[0]{since}, qr/\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'since when');
ok(kill(0, $w[0]{pid}), 'which process');
is(scalar who('bob'), 2, 'of an account');
is(scalar who('bob', '--protocol=pop3'), 1, 'and protocol');
like(($t->culver('who'))[1], qr/^ *\d+  imap  \S+  127\S+ +alice$/m, 'text');

# An end, by the client's will and against its own
like(($alice->imap('UNSELECT'))[0], qr/ (?:OK|BAD|NO)/, 'still there');
$alice->imap('LOGOUT');
is(who_soon(0, 'alice'), 0, 'who logs out is gone');
kill 'KILL', $w[1]{pid};
is(who_soon(0, 'bob', '--protocol', 'imap'), 0,
    'who was killed is gone: nothing stale');

# Slots are taken again, UNAUTHENTICATE gives one back.
$alice = imap('alice');
like(($alice->imap('UNAUTHENTICATE'))[0], qr/ OK/, 'out');
is(scalar who('alice'), 0, 'without an account');
like(($alice->imap('LOGIN bob secret'))[0], qr/ OK/, 'in as another');
is(scalar who('bob'), 2, 'is that');

# kick
my ($rc, $out, $err) = $t->culver('kick', '--json', 'bob', '--protocol=imap');
is("$rc $err", '0 ', 'kick');
is(decode_json($out)->[0]{account}, 'bob', 'tells whom');
like($alice->get // '', qr/\A\* BYE/, 'goodbye');
like($pop->ask('NOOP'), qr/\A\+OK/, 'the other one stays');
($rc, $out, $err) = $t->culver('kick', '--pid', (who('bob'))[0]{pid});
is($rc, 0, 'by its number');
is(who_soon(0), 0, 'nobody is left');
for (['kick'], ['kick', 'alice'], ['kick', '--pid', 1], ['kick', '--pid=x'],
    ['who', '--protocol=jmap'], ['kick', '../x']) {
	($rc, $out, $err) = $t->culver(@$_);
	is($rc, 100, "@$_: refused");
	isnt($err, '', 'and why');
}
is(($t->culver('kick', '--all'))[0], 0, 'all of nobody');
ok(kill(0, $$), 'we live');
like(($idle->imap('NOOP'))[0], qr/ OK/, 'who is not in is left alone');
done_testing;
