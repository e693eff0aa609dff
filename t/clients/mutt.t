# t/clients/mutt.t - mutt on a terminal
use strict;
use warnings;
use CulverClients;
use CulverTest;
use File::Path qw(make_path);
use Test::More;

plan skip_all => 'mutt or script is not installed'
    unless installed('mutt') && installed('script');
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $dir = $t->path('client');
make_path($dir);
my $c = look($t, $imap);
mailboxes($c, 4);
$c->imap('SELECT INBOX');
$c->imap('STORE 1:* -FLAGS.SILENT (\\Flagged)');
$c->imap('UNSELECT');
$t->spew('muttrc', <<"END");
set folder=imap://alice:secret\@127.0.0.1:$imap/
set spoolfile=+INBOX ssl_starttls=no ssl_force_tls=no
set header_cache="" confirmappend=no confirmcreate=no delete=yes quit=yes
set move=no mark_old=no wait_key=no copy=no
set imap_check_subscribed=no sort=mailbox-order
END
my ($ok) = $c->imap('STATUS INBOX (MESSAGES)');
my ($was) = ($c->imap('STATUS INBOX (MESSAGES)'))[1] =~ /(\d+)\)/;
my $keys = join '', '<first-entry>', '<delete-message>',
    '<last-entry>', '<flag-message>',
    '<copy-message>', '=ByMutt<enter>', '<sync-mailbox>',
    '<display-message>', '<exit>', '<quit>';
my $cmd = "HOME='$dir' TERM=vt100 mutt -n -F '$t->{dir}/muttrc' "
    . "-e 'push $keys'";
my $out = qx(timeout -k 5 30 script -qec "$cmd" /dev/null </dev/null 2>&1);
is($? >> 8, 0, 'mutt ends in order') or diag($out);
my (undef, $l) = $c->imap('STATUS INBOX (MESSAGES)');
is(($l =~ /(\d+)\)/)[0], $was - 1, 'mutt deleted a message');
(undef, $l) = $c->imap('STATUS ByMutt (MESSAGES)');
is($l, '* STATUS ByMutt (MESSAGES 1)', 'mutt copied one');
$c->imap('EXAMINE INBOX');
(undef, $l) = $c->imap('SEARCH FLAGGED ' . ($was - 1));
is($l, '* SEARCH ' . ($was - 1), 'mutt flagged the last');
done_testing();
