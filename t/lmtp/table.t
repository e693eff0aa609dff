# t/lmtp/table.t - the command table, LHLO, HELP and doc/rfc.csv agree
use strict;
use warnings;
use lib "$ENV{srcdir}/t/lib";
use CulverTest;
use Test::More;

my $src = $ENV{srcdir};
sub slurp {
	open(my $fh, '<', "$src/$_[0]") or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}

my %have;
for (grep { /\Almtp / } split /\n/, slurp('doc/rfc.csv')) {
	my ($what, $rfc, $section, $file, $test, $status) = split /,/, $_, -1;
	like($status, qr/\A(?:yes|no)\z/, "$what: status");
	ok(-f "$src/$file" && -f "$src/$test", "$what: its files are there");
	my (undef, $kind, $name) = split / /, $what;
	$have{$kind}{$name} = $test if $status eq 'yes';
	like(slurp($test), qr/\b\Q$name\E\b/i, "$test uses $name")
	    if $kind eq 'command';
}

my ($table) = slurp('lmtpd/commands.c') =~ /commands\[\] = \{(.*?)\n\};/s;
my %fn = $table =~ /\{ "([A-Z]+)",\s*(cmd_\w+) \}/g;
my @served = sort grep { $fn{$_} !~ /\Acmd_(?:unknown|hello)\z/ } keys %fn;
is_deeply(\@served, [ sort keys %{ $have{command} } ],
	'commands of the table and of rfc.csv');

my $t = CulverTest->new;
my $c = $t->connect($t->start('lmtpd', 'lmtp'));
$c->get;
my ($help) = $c->ask('HELP') =~ /\A214 \S+ (.*)/;
is_deeply([ sort split ' ', $help ], \@served, 'HELP names them');
$c->line('LHLO client.test');
my @offered;
while (defined(my $l = $c->get)) {
	push @offered, $l =~ /\A250[- ]([A-Z0-9]+)(?: \d+)?\z/;
	last if $l =~ /\A250 /;
}
is_deeply([ sort @offered ], [ sort keys %{ $have{extension} } ],
	'LHLO offers what rfc.csv has');
done_testing();
