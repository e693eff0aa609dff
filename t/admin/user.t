# t/admin/user.t - culver user: accounts and their passwords
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use IPC::Open2;
use JSON::XS;
use Test::More;
use Time::HiRes qw(time);

my $cheap = qq(hash = "\$5\$"\nhash-cost = 1000\n)
    . qq(folder "Sent" { role = "sent" }\n);
my $t = CulverTest->new(users => {}, conf => $cheap);

sub hash_of {
	my ($name) = @_;
	return $t->slurp('passwd') =~ /^\Q$name\E:([^:\n]*)/m ? $1 : undef;
}

sub has_password {
	my ($name, $pw) = @_;
	my $h = hash_of($name) // return 0;
	return (crypt($pw, $h) // '') eq $h;
}

# making them
my ($rc, $out, $err) = $t->culver(\"secret\n", qw(user add alice bob
	--password-stdin));
is($rc, 0, 'two accounts') or diag $err;
is($out, "alice\nbob\n", 'are named');
ok(has_password($_, 'secret'), "$_ has the password") for qw(alice bob);
ok(-d $t->path("mail/$_"), "$_ has a directory") for qw(alice bob);
is((stat $t->path('passwd'))[2] & 07777, 0600, 'passwd is mode 0600');
($rc, $out) = $t->culver(qw(mailbox list alice --json));
is($rc, 0, 'mailbox list');
my $boxes = decode_json($out);
is_deeply([ map { [ $_->{path}, $_->{role} ] } @$boxes ],
	[ [ 'INBOX', 'inbox' ], [ 'Sent', 'sent' ] ], 'the folders');

($rc, $out, $err) = $t->culver(\"other\n",
	qw(user add alice carol --password-stdin));
is($rc, 100, 'one exists');
like($err, qr/alice: exists/, 'and is named');
is($out, "carol\n", 'the other is made');
ok(has_password('alice', 'secret'), 'and it keeps its password');

for my $bad ('', '.x', '-x', 'a/b', 'a:b', '..', 'x' x 129, "a\nb", "\xff") {
	($rc) = $t->culver(\"pw\n", qw(user add --password-stdin --), $bad);
	is($rc, 100, 'not a name: ' . ($bad =~ s/[^ -~]/?/gr));
}
($rc) = $t->culver(\"pw\n", qw(user add --password-stdin),
	"zo\xc3\xab\@example.org");
is($rc, 0, 'a name in UTF-8');
for my $in ("", "\n", "a\0b\n", "\xff\n", 'x' x 2000 . "\n") {
	($rc) = $t->culver(\$in, qw(user add dave --password-stdin));
	is($rc, 100, 'not a password');
}
ok(!defined hash_of('dave'), 'nor an account');
for my $args ([qw(user add)], [qw(user add dave --password pw)],
	[qw(user add dave --random --no-password)], [qw(user)],
	[qw(user add dave eve --random --full-name=x)],
	[qw(user add dave --random --full-name=a:b)],
	[qw(user frob)], [qw(user add --count 0)], [qw(user add --count x)],
	[qw(user add dave --count 2)], [qw(user add --prefix x dave)],
	[qw(user list x)], [qw(user passwd)], [qw(mailbox list)], [qw(frob)]) {
	($rc, $out, $err) = $t->culver(@$args);
	is($rc, 100, "usage: @$args");
	like($err, qr/^culver: ./, 'says so');
}

($rc, $out) = $t->culver(qw(user add --random erin frank));
is($rc, 0, '--random');
my %pw = map { split /:/ } split /\n/, $out;
is_deeply([ sort keys %pw ], [qw(erin frank)], 'prints both');
ok($pw{erin} ne $pw{frank}, 'different ones');
ok(has_password($_, $pw{$_}), "that of $_") for keys %pw;

($rc, $out) = $t->culver(\"# team\ngina:g w:x\n\nhans\r\n",
	qw(user add --names-stdin --random));
is($rc, 0, '--names-stdin') or diag $out;
ok(has_password('gina', 'g w:x'), 'a password from the line');
ok($out =~ /^hans:(\S+)$/m && has_password('hans', $1), 'a random one');
($rc) = $t->culver(\"pw\n", qw(user add --no-password ida));
is(hash_of('ida'), '*', '--no-password');
($rc) = $t->culver(qw(user add --no-password jane), '--full-name=Jane Doe');
like($t->slurp('passwd'), qr/^jane:\*:name=Jane Doe$/m, '--full-name');
$t->culver(\"pw\n", qw(user passwd --password-stdin jane));
like($t->slurp('passwd'), qr/^jane:[^*:][^:]*:name=Jane Doe$/m,
    'which a new password keeps');

# many, fast
my $start = time;
($rc, $out, $err) = $t->culver(\"pw\n",
	qw(user add --count 1000 --password-stdin --quiet));
my $took = time - $start;
is($rc, 0, 'a thousand') or diag $err;
ok(has_password('user1000', 'pw'), 'the last of them');
cmp_ok($took, '<', 60, sprintf 'in %.1f s', $took);
diag(sprintf 'user add --count 1000: %.1f s', $took);

# listing
($rc, $out) = $t->culver(qw(user list --json));
is($rc, 0, 'list --json');
my %list = map { $_->{name} => $_ } @{ decode_json($out) };
cmp_ok(scalar keys %list, '>=', 1008, 'all are listed');
ok($list{alice}{password} && !$list{ida}{password}, 'with a password or not');
($rc, $out) = $t->culver(qw(user list));
like($out, qr/^alice$/m, 'list');
like($out, qr/^ida\tno password$/m, 'list tells of no password');

# changing
($rc) = $t->culver(\"new\n", qw(user passwd alice --password-stdin));
is($rc, 0, 'passwd');
ok(has_password('alice', 'new') && has_password('bob', 'secret'),
	'is for that account');
($rc) = $t->culver(\"new\n", qw(user passwd nobody bob --password-stdin));
is($rc, 100, 'passwd of nobody');
ok(has_password('bob', 'secret'), 'changes nothing');
($rc) = $t->culver(qw(user passwd bob --disable));
is($rc, 0, '--disable');
($rc, $out) = $t->culver(qw(user list));
like($out, qr/^bob\tdisabled$/m, 'is listed');
ok(has_password('bob', 'secret'), 'keeps the password');
($rc) = $t->culver(qw(user passwd bob --enable));
unlike($t->slurp('passwd'), qr/^bob:.*disabled/m, '--enable');

# deleting
($rc, $out, $err) = $t->culver(qw(user del bob));
is($rc, 100, 'del without a terminal or --yes');
ok(-d $t->path('mail/bob') && defined hash_of('bob'), 'deletes nothing');
($rc) = $t->culver(qw(user del --yes bob));
is($rc, 0, 'del');
ok(!-e $t->path('mail/bob') && !defined hash_of('bob'), 'all is gone');
($rc) = $t->culver(qw(user del --yes bob));
is($rc, 100, 'del of nobody');
($rc) = $t->culver(qw(user del --yes ../mail));
is($rc, 100, 'del of no name');
ok(-d $t->path('mail'), 'harms nobody');
($rc) = $t->culver(qw(user del --keep-mail carol));
ok($rc == 0 && -d $t->path('mail/carol') && !defined hash_of('carol'),
	'--keep-mail');
($rc, $out, $err) = $t->culver(\"pw\n", qw(user add carol --password-stdin));
is($rc, 0, 'and it is taken over again') or diag $err;

my $passwd = $t->slurp('passwd');
$passwd =~ s/^alice:/al:*:alias-of=alice\nalice:/m;
$t->spew('passwd', $passwd);
($rc, $out, $err) = $t->culver(qw(user del --yes alice));
is($rc, 100, 'del of what has another name');
like($err, qr/\bal is another name/, 'which is told');
($rc) = $t->culver(\"pw\n", qw(user passwd al --password-stdin));
is($rc, 100, 'passwd of another name');
($rc) = $t->culver(qw(user del --yes al));
ok($rc == 0 && -d $t->path('mail/alice'), 'del of another name');

# a terminal: script(1) is one
SKIP: {
	skip 'no script(1)', 5
	    if system('command -v script >/dev/null 2>&1') != 0;
	my $ask = sub {
		my ($args, @answers) = @_;
		my $cmd = join ' ', $t->program('culver'), '-f', $t->conf_file,
		    $args;
		my $pid = open2(my $r, my $w, 'script', '-qefc', $cmd,
		    '/dev/null');
		my $seen = '';
		for my $a (@answers) {
			until ($seen =~ /: \z/) {
				sysread($r, $seen, 4096, length $seen) or last;
			}
			syswrite($w, $a);
			$seen .= '|';
		}
		1 while sysread($r, $seen, 4096, length $seen);
		close($w);
		waitpid($pid, 0);
		return ($? >> 8, $seen);
	};
	($rc, $out) = $ask->('user add jo', "pssst\r", "pssst\r");
	is($rc, 0, 'asks on the terminal') or diag $out;
	ok(has_password('jo', 'pssst'), 'twice');
	unlike($out, qr/pssst/, 'without echo');
	($rc, $out) = $ask->('user add ka', "pssst\r", "other\r");
	ok($rc == 100 && !defined hash_of('ka'), 'and they have to agree');
	($rc, $out) = $ask->('user add ka', "psx\x7fs\x03");
	ok($rc == 100 && !defined hash_of('ka'), 'interrupted');
}

# configuration
($rc, $out) = $t->culver(qw(config));
ok($rc == 0 && $out =~ /^hostname = "mail\.test"$/m, 'config');
like($out, qr/^max-message = /m, 'with defaults');
($rc, $out) = $t->culver(qw(config --check));
ok($rc == 0 && $out eq '', 'config --check');
{
	my $u = CulverTest->new(tls => 1);
	is(($u->culver(qw(config --check)))[0], 0, 'config --check with TLS');
	ok(!-e $u->path('ticket.key'), '... makes no ticket key');
	my $conf = $u->slurp('culver.conf');
	$u->spew('culver.conf', qq(tls-priority = "NORMAL:+BLURDY"\n$conf));
	my ($rc, undef, $err) = $u->culver(qw(config --check));
	ok($rc == 100 && $err =~ /priorities/, '... looks at the priorities')
	    or diag "$rc $err";
	$u->spew('culver.conf', $conf);
	$u->spew('key.pem', "garbage\n");
	($rc, undef, $err) = $u->culver(qw(config --check));
	ok($rc == 100 && $err =~ /private key/, '... and the keys')
	    or diag "$rc $err";
}
$t->spew('culver.conf', $t->slurp('culver.conf') . "frob = 1\n");
($rc, $out, $err) = $t->culver(qw(config --check));
is($rc, 100, 'config --check finds faults');
like($err, qr/culver\.conf:\d+: .*frob/, 'and tells where');
$rc = system($t->program('culver') . ' -f /nonexistent config 2>/dev/null');
is($rc >> 8, 100, 'no configuration');
like(qx(@{[$t->program('culver')]} help), qr/^  user add /m, 'help');
like(qx(@{[$t->program('culver')]} import --help), qr/--skip-dup/,
	'help of a command');

done_testing;
