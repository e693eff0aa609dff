# t/imap/table.t - the command table, CAPABILITY and doc/rfc.csv agree
use strict;
use warnings;
use CulverTest;
use Test::More;

my $src = $ENV{srcdir};

sub slurp {
	open(my $fh, '<', "$src/$_[0]") or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}

# doc/rfc.csv
my (%cap, %command);
my ($head, @rows) = split /\n/, slurp('doc/rfc.csv');
is($head, 'requirement,rfc,section,file,test,status', 'rfc.csv has its head');
for (@rows) {
	my @f = split /,/, $_, -1;
	is(scalar @f, 6, "six fields: $f[0]");
	my ($what, $rfc, $section, $file, $test, $status) = @f;
	next unless $what =~ /\Aimap /;
	like($status, qr/\A(?:yes|no)\z/, "$what: status");
	ok(-f "$src/$file", "$what: $file is there");
	ok($status eq 'no' || -f "$src/$test", "$what: has a test");
	$cap{$1} = $test if $what =~ /\Aimap capability (.*)/ && $status eq 'yes';
	$command{$1} = $test if $what =~ /\Aimap command (.*)/
	    && $status eq 'yes';
}

# imapd/commands.c
my $c = slurp('imapd/commands.c');
my ($table) = $c =~ /commands\[\] = \{(.*?)\n\};/s;
my %table;
while ($table =~ /\{ "([^"]+)", (cmd_\w+), ([^{}]*)\}/g) {
	my ($name, $fn, $rest) = ($1, $2, $3);
	$table{$name} = $fn;
	like($rest, qr/IMAP_(?:ANY|NOAUTH|LOGGEDIN|AUTH|SELECTED)/,
		"$name has states");
	if ($rest =~ /"([^"]+)"/) {
		ok($cap{$1}, "$name: capability $1 is in rfc.csv");
	}
	is($name =~ /\AUID / ? 1 : 0, $rest =~ /IMAP_UID/ ? 1 : 0,
		"$name: flag IMAP_UID");
}
is_deeply([ sort keys %table ], [ sort keys %command ],
	'commands of the table and of rfc.csv');
for (sort keys %command) {
	next unless $command{$_} =~ /\.t\z/;
	like(slurp($command{$_}), qr/\b\Q$_\E\b/i, "$command{$_} uses $_");
}

# CAPABILITY in each state
my $t = CulverTest->new(tls => 1, conf =>
    qq(admins = {"alice"}\njmap-url = "https://mail.test"\n));
my $imap = $t->start('imapd', 'imap');
my %seen;
my $s = $t->connect($imap);
$s->imap_line;
for my $phase (qw(before after)) {
	my (undef, $l) = $s->imap('CAPABILITY');
	$seen{$_} = 1 for map { s/\A((?:APPEND|MESSAGE)LIMIT)=\d+\z/$1/r }
	    split / /, $l =~ s/\A\* CAPABILITY //r;
	$s->imap('LOGIN alice secret') if $phase eq 'before';
}
# Not from this host, where passwords may be sent: test-imap-session.
$seen{LOGINDISABLED} = 1;
# Instead of MESSAGELIMIT: limit.t.
$seen{SAVELIMIT} = 1;
is_deeply([ sort keys %seen ], [ sort keys %cap ],
	'capabilities that are sent and those of rfc.csv');

# every command of the table is known, none is done before login that may not
$s = $t->connect($imap);
$s->imap_line;
for (sort keys %table) {
	next if /\A(?:LOGOUT|STARTTLS|AUTHENTICATE|IDLE)\z/;
	my ($r) = $s->imap("$_ (");
	if (!defined $r) {
		$s = $t->connect($imap);
		$s->imap_line;
		redo;
	}
	like($r, qr/\Aa\d+ BAD (?:log in first|expected )/, "$_ is known");
}
done_testing();
