# t/session/doc.t - culver.conf(5) names every setting, with its default
use strict;
use warnings;
use Test::More;

my $src = $ENV{srcdir} || '.';
sub slurp {
	open(my $fh, '<', "$src/$_[0]") or die "$_[0]: $!";
	local $/;
	return scalar <$fh>;
}
my $keys = slurp('conf/keys.c');
my $man = slurp('doc/culver.conf.5');
my %row = $keys =~ /^\t\{ "([a-z0-9-]+)", (CONF_K_.*)$/mg;
cmp_ok(scalar(keys %row), '>', 40, 'rows of the tables');
my %doc = map { $_ => 1 } $man =~ /^\.It Cm (\S+)/mg;
is_deeply([ sort keys %doc ], [ sort keys %row ], 'culver.conf(5): the names');
for my $k (sort keys %row) {
	my ($def) = $row{$k} =~ /CONF_K_(?:NUM|SIZE|TIME)\S+ \S+ \S+ "([^"]+)"/
	    or next;
	my ($text) = $man =~ /^\.It Cm \Q$k\E\n(.*?)^\.(?:It|El)/ms;
	like($text, qr/^\.Bq \Q$def\E /m, "culver.conf(5): default of $k");
}
done_testing();
