# t/jmap/table.t - the method table and doc/rfc.csv agree
use strict;
use warnings;
use Test::More;

my $src = $ENV{srcdir} || '.';

sub slurp {
	open(my $fh, '<', "$src/$_[0]") or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}

my %table = map { $_ => 1 }
    slurp('jmap-fcgi/methods.c') =~ m{^\t\{ "(\w+/\w+)",}mg;
cmp_ok(scalar keys %table, '>', 10, 'methods are in the table');

my (%yes, %seen);
for (grep { /\Ajmap / } split /\n/, slurp('doc/rfc.csv')) {
	my ($what, $rfc, $section, $file, $test, $status) = split /,/, $_, -1;
	ok(!$seen{$what}++, "$what: once");
	like("$rfc $section", qr/\A\d{4} \d+(?:\.\d+)*\z/, 'RFC and section');
	ok(!length || -f "$src/$_", "$_ is there") for $file, $test;
	like($status, qr/\A(?:yes|no)\z/, 'status');
	ok($status eq 'no' || length $file && length $test,
	    'what is done has a file and a test');
	next unless $what =~ m{\Ajmap method (\w+/\w+)\z};
	my $method = $1;
	$yes{$method} = 1 if $status eq 'yes';
	next if $status ne 'yes';
	like(slurp($test), qr/\Q$method\E/, "$test calls $method");
}
is_deeply([sort keys %yes], [sort keys %table],
    'the methods of the table are those of rfc.csv');
done_testing();
