# t/admin/token.t - culver token: passwords of single programs
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use JSON::XS;
use Test::More;

my $t = CulverTest->new(users => { alice => 'secret', bob => 'other' },
	conf => "failure-delay-ms = 1\n");
my %port = map { $_ => $t->start("${_}d", $_) } qw(imap pop3);

sub run {
	my ($rc, $out, $err) = $t->culver('token', @_);
	chomp $out;
	return wantarray ? ($rc, $out, $err) : $out;
}
sub imap {
	my ($user, $pass) = @_;
	my $c = $t->connect($port{imap});
	$c->get;
	return ($c->imap("LOGIN $user $pass"))[-1] =~ /OK/ ? 1 : 0;
}
sub pop3 {
	my ($user, $pass) = @_;
	my $c = $t->connect($port{pop3});
	$c->get;
	$c->ask("USER $user");
	return $c->ask("PASS $pass") =~ /\A\+OK/ ? 1 : 0;
}

# ---- none yet
is_deeply([run('list')], [0, '', ''], 'none, without a file');
is(run('list', '--json'), '[]', 'as JSON');

# ---- making them
my $all = run('add', 'alice', '--name', "Alice's phone");
like($all, qr/\Acvr-[a-km-np-z2-9]{32}\z/, 'is printed');
is((stat $t->path('tokens'))[2] & 07777, 0600, 'the file is private');
unlike($t->slurp('tokens'), qr/\Q$all\E/, 'and has not the token itself');
my $mail = run('add', 'ALICE', '--for=imap', '--until', '2099-12-31T12:00:00Z');
my $bob = run('add', 'bob');
isnt($all, $mail, 'each is another');
for (['add'], ['add', 'nobody'], ['add', 'alice', '--for', 'lmtp'],
    ['add', 'alice', '--for', ''], ['add', 'alice', '--until', 'soon'],
    ['add', 'alice', '--until', '2001-01-01'],
    ['add', 'alice', '--name', 'a,b'], ['add', '../x'], ['del', 'ffffffffffff'],
    ['del', ''], ['list', '../x']) {
	my ($rc, $out, $err) = run(@$_);
	is($rc, 100, "@$_: refused");
	like($err, qr/\Aculver: /, "@$_: and why");
	is($out, '', "@$_: nothing is made") if $_->[0] eq 'add';
}

# ---- logging in
is(imap('alice', $all), 1, 'IMAP');
is(pop3('alice', $all), 1, 'POP3');
is(imap('alice', 'secret'), 1, 'the password goes on');
is(imap('alice', $mail), 1, 'one for IMAP');
is(pop3('alice', $mail), 0, 'is not for POP3');
is(imap('bob', $all), 0, "another's");
is(imap('nobody', $all), 0, "nobody's");
like($t->slurp('log'), qr/login: user=alice protocol=imap token$/m,
    'the log tells that it was a token');

# ---- listing
my $l = decode_json(run('list', '--json'));
is(@$l, 3, 'three');
my ($first) = grep { $_->{name} eq "Alice's phone" } @$l;
like(delete $first->{made}, qr/\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'made');
my $id = delete $first->{id};
like($id, qr/\A[0-9a-f]{12}\z/, 'an id');
is_deeply($first, { account => 'alice', for => ['imap', 'jmap', 'pop3'],
	until => undef, name => "Alice's phone" }, 'one of them');
$l = decode_json(run('list', 'alice', '--json'));
is(@$l, 2, 'of one account');
my ($second) = grep { $_->{until} } @$l;
is($second->{until}, '2099-12-31T12:00:00Z', 'its end');
is_deeply($second->{for}, ['imap'], 'its protocols');
like(run('list', 'bob'), qr/\A[0-9a-f]{12}\tbob\timap\+jmap\+pop3\t-\t\z/,
    'as text');

# ---- protocols of an account
my $admin = sub { ($t->culver('user', 'passwd', @_))[0] };
is($admin->('--for', 'imap', 'bob'), 0, 'user passwd --for');
is(imap('bob', 'other'), 1, 'IMAP only');
is(pop3('bob', 'other'), 0, 'no POP3');
is(pop3('bob', $bob), 0, 'nor by a token');
like($t->slurp('log'), qr/user=bob .*protocol=pop3: not by this protocol/,
    'the log says so');
like(($t->culver('user', 'list'))[1], qr/^bob\tfor imap$/m, 'user list');
is($admin->('--for', 'imap,telnet', 'bob'), 100, 'an unknown protocol');
is($admin->('--for', 'pop3,imap,jmap', 'bob'), 0, 'all again');
is(pop3('bob', 'other'), 1, 'POP3 again');
unlike($t->slurp('passwd'), qr/for=/, 'without a key');

# ---- taking back
is_deeply([run('del', $id)], [0, '', ''], 'deleted');
is(imap('alice', $all), 0, 'is out at once');
is(imap('alice', $mail), 1, 'the other is not');
is((run('del', $id))[0], 100, 'no more there');

# ---- by hand, and damage
my $text = $t->slurp('tokens');
$text =~ s/^#culver-tokens.*\n//;
$t->spew('tokens', "# mine\nnonsense\n" . $text =~ s/\n\z//r);
is(imap('alice', $mail), 1, 'edited by hand, not sorted, no last newline');
is(imap('bob', $bob), 1, 'the other line');
run('add', 'bob', '--name', 'new');
like($t->slurp('tokens'), qr/\A#culver-tokens sorted \d{12}\n# mine\n/,
    'comments stay');
like($t->slurp('tokens'), qr/^# malformed: nonsense$/m, 'a bad line, too');
is(imap('bob', $bob), 1, 'sorted again');
$t->spew('tokens', $t->slurp('tokens') =~ s/:bob:for=/:bob:for=telnet+/gr);
is(imap('bob', $bob), 0, 'a key that is not known: not obeyed');
is(imap('bob', 'other'), 1, 'the password goes on');
$t->stop;
done_testing;
