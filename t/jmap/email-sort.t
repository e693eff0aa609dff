# t/jmap/email-sort.t - Email/query by what messages know (RFC 8621 4.4.2)
use strict;
use warnings;
use utf8;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' });
my $F = JSON::PP::false;
my %name;
sub mail {
	my ($name, @header) = @_;
	my $id = $t->import_mail(join("\r\n", @header, '', 'x', ''),
		receivedAt => '2024-01-01T00:00:00Z');
	$name{$id} = $name;
}
sub query {
	my (@by) = @_;
	my $r = $t->call('Email/query', { sort => \@by });
	return $r->{error} // join ' ', map { $name{$_} } @{ $r->{ids} };
}

mail('a', 'From: =?utf-8?q?=C3=81rp=C3=A1d?= <z@x.test>', 'To: b@x.test',
    'Subject: Re: delta', 'Date: Mon, 01 Jan 2024 12:00:00 +0200');
mail('b', 'From: bertha@x.test', 'To: "Carl" <a@x.test>', 'Subject: [list] Alpha',
    'Date: Mon, 01 Jan 2024 11:00:00 +0000');
mail('c', 'From: <aaa@x.test>, First <b@x.test>', 'To: A@x.test, z@x.test',
    'Subject: charlie', 'Date: Sun, 31 Dec 2023 23:00:00 -0500');
mail('d', 'Subject: Fwd: BRAVO', 'To: Undisclosed:;');
mail('e', 'From: Bert <0@x.test>', 'Date: Mon, 01 Jan 1900 00:00:00 +0000');

is(query({ property => 'from' }), 'd c a e b', 'from: names, else addresses');
is(query({ property => 'from', isAscending => $F }), 'b e a c d', 'descending');
is(query({ property => 'to' }, { property => 'id' }), 'd e c a b', 'to');
is(query({ property => 'subject' }), 'e b d c a', 'base subjects');
is(query({ property => 'subject', collation => 'i;octet' }), 'e b d c a',
    'another collation');
is(query({ property => 'sentAt' }, { property => 'id' }), 'e d c a b',
    'sentAt, in UTC; without it receivedAt');
is(query({ property => 'receivedAt' }, { property => 'from' }), 'd c a e b',
    'as the second');
is(query({ property => 'from', collation => 'x' }), 'unsupportedSort',
    'no such collation');
my $mail = $t->session->{accounts}{ $t->account }{accountCapabilities}
    {'urn:ietf:params:jmap:mail'};
my %can = map { $_ => 1 } @{ $mail->{emailQuerySortOptions} };
ok($can{$_}, "$_ is announced") for qw(from to subject sentAt);
my $r = $t->call('Email/query', { sort => [{ property => 'from' }], limit => 2,
	position => 1 });
is(join(' ', map { $name{$_} } @{ $r->{ids} }), 'c a', 'a window');
my $new = $t->import_mail("From: bea\@x.test\r\n\r\nx\r\n");
$r = $t->call('Email/queryChanges', { sort => [{ property => 'from' }],
	sinceQueryState => $r->{queryState} });
is_deeply($r->{added}, [{ id => $new, index => 3 }], 'queryChanges');

my $log = $t->slurp('log') . $t->slurp('stderr');
unlike($log, qr/Sanitizer|runtime error|internal error/, 'no complaint');
done_testing();
