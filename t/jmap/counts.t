# t/jmap/counts.t - the four counts of a Mailbox (RFC 8621 2) after random
# changes by IMAP and JMAP, reckoned from the Emails themselves
use strict;
use warnings;
use Test::More;
use CulverJmap;

my $t = CulverJmap->new(users => { alice => 'secret' },
	conf => qq(folder "Trash" { role = "trash" }\nfolder "Work" { }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my $seed = $ENV{CULVER_SEED} // 11;
my $rounds = $ENV{CULVER_LONG} ? 2000 : 150;
srand $seed;
my @box = map { $t->mailbox($_) } qw(inbox trash Work);
my $trash = $box[1];
my $imap = $t->connect($t->start('imapd', 'imap'));
$imap->imap_line;
$imap->imap('LOGIN alice secret');
sub any { $_[rand @_] }
my $n = 0;
sub emails { @{ $t->call('Email/query', {})->{ids} } }
sub set { $t->call('Email/set', { @_ }) }
my %kw = map { $_ => 1 } qw($seen $draft $flagged);
my @ops = (
	(sub { my $th = int rand 6; $n++; $t->import_mail("Subject: t$th\r\n" .
		"Message-ID: <m$n\@x>\r\nReferences: <t$th\@x>\r\n\r\nx\r\n",
		mailboxIds => { map { $_ => $T } any(@box), any(@box) },
		keywords => { rand() < 0.4 ? ('$seen' => $T) : (),
		    rand() < 0.2 ? ('$draft' => $T) : () }) }) x 3,
	(sub { my $e = any(emails()) // return; set(update => { $e => {
		'keywords/' . any(sort keys %kw) => any($T, undef) } }) }) x 3,
	(sub { my $e = any(emails()) // return; set(update => { $e => {
		mailboxIds => { map { $_ => $T } any(@box), any(@box) } } })
		}) x 3,
	sub { my $e = any(emails()) // return; set(destroy => [$e]) },
	(sub { $imap->imap('SELECT ' . any('INBOX', 'Trash', 'Work'));
		$imap->imap('STORE 1:' . (1 + int rand 2) . ' ' . any('+', '-')
		    . 'FLAGS (' . any('\Deleted', '\Seen', '\Draft') . ')') }) x 3,
	sub { $imap->imap('SELECT ' . any('INBOX', 'Work'));
		$imap->imap('MOVE 1 Trash') },
	sub { $imap->imap('EXPUNGE') },
	sub { $t->call('Mailbox/set', { update => { $trash => { role =>
		any(undef, 'trash') } } }) },
);

# What section 2 says, of what Email/get tells.
sub reckon {
	my ($trash) = @_;
	my @e = @{ $t->call('Email/get', { ids => [emails()], properties =>
		[qw(threadId mailboxIds keywords)] })->{list} };
	my (%c, %unread);
	for my $e (@e) {
		my $k = $e->{keywords};
		next if $k->{'$seen'} || $k->{'$draft'};
		my @in = keys %{ $e->{mailboxIds} };
		$unread{ $e->{threadId} }{trash} = 1 if grep { $_ eq $trash } @in;
		$unread{ $e->{threadId} }{other} = 1 if grep { $_ ne $trash } @in;
	}
	for my $e (@e) {
		my $k = $e->{keywords};
		for my $m (keys %{ $e->{mailboxIds} }) {
			$c{$m}{totalEmails}++;
			$c{$m}{unreadEmails}++ if !$k->{'$seen'} && !$k->{'$draft'};
			$c{$m}{th}{ $e->{threadId} } = 1;
		}
	}
	for my $m (@box) {
		my @th = keys %{ $c{$m}{th} || {} };
		$c{$m}{totalThreads} = @th;
		$c{$m}{unreadThreads} = grep { $unread{$_}{ $m eq $trash ?
		    'trash' : 'other' } } @th;
	}
	return map { my $m = $_; $m => join ' ', map { $c{$m}{$_} || 0 }
	    qw(totalEmails unreadEmails totalThreads unreadThreads) } @box;
}
my @off;
for my $i (1 .. $rounds) {
	any(@ops)->();
	next if $i % 3;
	my %is = map { $_->{id} => $_ } @{ $t->call('Mailbox/get', {})->{list} };
	my %want = reckon($is{$trash}{role} ? $trash : '');
	for my $m (@box) {
		my $got = join ' ', @{ $is{$m} }{qw(totalEmails unreadEmails
		    totalThreads unreadThreads)};
		push @off, "$i: $is{$m}{name}: $got, not $want{$m}"
		    if $got ne $want{$m};
	}
	last if @off;
}
cmp_ok(scalar(emails()), '>', 10, 'there is mail');
is(join("\n", @off), '', 'counts') or diag "seed $seed";
done_testing();
