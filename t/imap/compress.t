# t/imap/compress.t - COMPRESS=DEFLATE (RFC 4978), alone and in TLS
use strict;
use warnings;
use Compress::Raw::Zlib;
use CulverTest;
use Test::More;

# A client whose octets go through zlib after begin().
package Zipped;
our @ISA = ('CulverTest::Client');

sub begin {
	my ($self) = @_;
	($self->{out}) = Compress::Raw::Zlib::Deflate->new(
		-WindowBits => -Compress::Raw::Zlib::MAX_WBITS(),
		-AppendOutput => 1);
	($self->{in}) = Compress::Raw::Zlib::Inflate->new(
		-WindowBits => -Compress::Raw::Zlib::MAX_WBITS());
	return $self;
}

sub put {
	my ($self, $data) = @_;
	return $self->SUPER::put($data) unless $self->{out};
	my $z = '';
	$self->{out}->deflate($data, $z);
	$self->{out}->flush($z, Compress::Raw::Zlib::Z_SYNC_FLUSH());
	return $self->SUPER::put($z);
}

sub fill {
	my ($self, $timeout) = @_;
	return $self->SUPER::fill($timeout) unless $self->{in};
	my $plain = $self->{buf};
	$self->{buf} = $self->{raw} // '';
	my $n = $self->SUPER::fill($timeout);
	my $got = '';
	my $rc = $self->{in}->inflate($self->{buf}, $got);
	die "inflate: $rc" if $rc != Compress::Raw::Zlib::Z_OK()
	    && $rc != Compress::Raw::Zlib::Z_BUF_ERROR();
	$self->{wire} += $n;
	$self->{raw} = $self->{buf};
	$self->{buf} = $plain . $got;
	return $n;
}

package main;

my $t = CulverTest->new(tls => 1, users => { alice => 'secret' });
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');

sub session {
	my ($tls) = @_;
	my $c = bless $t->connect($tls ? $imaps : $imap, tls => $tls), 'Zipped';
	$c->imap_line;
	my ($ok) = $c->imap('LOGIN alice secret');
	like($ok, qr/ OK .*COMPRESS=DEFLATE/, 'offered after login');
	return $c;
}

my $text = join '', map { "line $_ of a text that repeats itself\r\n" } 1 .. 9000;
my $noise = pack 'N*', map { int rand 2**32 } 1 .. 40000;
$noise =~ tr/\0\r\n/abc/;
$noise .= "\r\n";

for my $tls (0, 1) {
	my $how = $tls ? 'in TLS' : 'alone';
	my $c = session($tls);
	my ($ok) = $c->imap('COMPRESS GZIP');
	like($ok, qr/ BAD expected DEFLATE/, "$how: another mechanism");
	($ok) = $c->imap('COMPRESS DEFLATE');
	like($ok, qr/ OK /, "$how: COMPRESS");
	$c->begin;
	($ok) = $c->imap('NOOP');
	like($ok, qr/ OK /, "$how: NOOP");
	my (undef, $caps) = $c->imap('CAPABILITY');
	unlike($caps, qr/COMPRESS/, "$how: not offered again");
	($ok) = $c->imap('COMPRESS DEFLATE');
	like($ok, qr/ NO \[COMPRESSIONACTIVE\]/, "$how: not twice");
	$c->imap('SELECT INBOX');
	for my $big ($text, $noise) {
		my $n = length $big;
		($ok) = $c->imap("APPEND INBOX {$n+}\r\n$big");
		like($ok, qr/ OK \[APPENDUID \d+ (\d+)\]/, "$how: APPEND $n");
		my ($uid) = $ok =~ /APPENDUID \d+ (\d+)/;
		$c->{wire} = 0;
		my (undef, $f) = $c->imap("UID FETCH $uid BODY.PEEK[]");
		($f) = $f =~ /\{$n\}\r\n(.*)\)\z/s;
		ok(defined $f && $f eq $big, "$how: FETCH gives it back");
		cmp_ok($c->{wire}, '<', $n / 10, "$how: it was compressed")
		    if $big eq $text;
	}
	# Many commands in one piece: they wait within the filter.
	$c->put(join '', map { "p$_ NOOP\r\n" } 1 .. 3000);
	my $good = 0;
	for (1 .. 3000) {
		my $l = $c->imap_line // last;
		last unless $l =~ /\Ap$_ OK /;
		$good++;
	}
	is($good, 3000, "$how: pipelined commands");
	# IDLE is told at once, and its DONE is seen.
	$c->line('i IDLE');
	like($c->imap_line, qr/\A\+ /, "$how: IDLE");
	my $other = $t->connect($imap);
	$other->imap_line;
	$other->imap('LOGIN alice secret');
	$other->imap("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n");
	like($c->imap_line, qr/\A\* \d+ EXISTS/, "$how: news while idle");
	$c->line('DONE');
	1 while ($ok = $c->imap_line // 'i none') !~ /\Ai /;
	like($ok, qr/\Ai OK /, "$how: DONE");
	$c->line('l LOGOUT');
	like($c->imap_line, qr/\A\* BYE /, "$how: LOGOUT");
	$c->close;
}

# What is no DEFLATE ends the session, and nothing else.
my $c = session(0);
$c->imap('COMPRESS DEFLATE');
CulverTest::Client::put($c, "b NOOP\r\n" x 100);
$c->{in} = $c->{out} = undef;
$c->rest;
ok($c->eof, 'nonsense ends the connection');
like($t->slurp('log') . $t->slurp('stderr'), qr/compressed data is damaged/,
	'and is logged');
$c = session(0);
my ($ok) = $c->imap('NOOP');
like($ok, qr/ OK /, 'another session');
# Before login there is nothing to compress.
$c = $t->connect($imap);
$c->imap_line;
($ok) = $c->imap('COMPRESS DEFLATE');
like($ok, qr/ BAD log in first/, 'before login');
done_testing;
