# t/jmap/one-change.t - what IMAP, POP3 or LMTP do is in JMAP's /changes at
# once, what JMAP does is in theirs, and the ids are those of RFC 8474
use strict;
use warnings;
use Test::More;
use CulverJmap;
use POSIX qw(strftime);

my $t = CulverJmap->new(users => { alice => 'secret', bob => 'b' },
	conf => qq(folder "Trash" { role = "trash" }\n));
my ($T, $F) = (JSON::PP::true, JSON::PP::false);
my %port = (imap => $t->start('imapd', 'imap'),
	pop3 => $t->start('pop3d', 'pop3'), lmtp => $t->start('lmtpd', 'lmtp'));
my ($inbox, $trash) = map { $t->mailbox($_) } qw(inbox trash);
my @types = qw(Mailbox Thread Email);
my $n = 0;

sub mail {
	my (@h) = @_;
	$n++;
	return join("\r\n", "Subject: Mail $n", "Message-ID: <m$n\@test>", @h,
	    '', "Text $n.", '');
}
sub login {
	my (@select) = @_;
	my $c = $t->connect($port{imap});
	$c->imap_line;
	ok_imap($c, 'LOGIN alice secret');
	ok_imap($c, @select) if @select;
	return $c;
}
# The untagged lines of a command that has to succeed.
sub ok_imap {
	my ($c, $cmd) = @_;
	my ($r, @lines) = $c->imap($cmd);
	like($r // 'nothing', qr/\A\w+ OK/, $cmd =~ s/\r\n.*//sr);
	return (@lines, $r // '');
}
sub append {
	my ($c, $octets, $to) = @_;
	return join ' ', ok_imap($c, 'APPEND ' . ($to // 'INBOX') . ' {'
	    . length($octets) . "+}\r\n$octets");
}
my %state;
sub mark { $state{$_} = $t->call("$_/get", { ids => [] })->{state} for @types }

# What changed since the last look: "Type: +created ~updated -destroyed".
sub changes {
	my @out;
	for my $type (@types) {
		my $r = $t->call("$type/changes", { sinceState => $state{$type} });
		return "$type: $r->{error}" if $r->{error};
		my @ids = (map({ "+$_" } sort @{ $r->{created} }),
		    map({ "~$_" } sort @{ $r->{updated} }),
		    map({ "-$_" } sort @{ $r->{destroyed} }));
		push @out, "$type " . join ' ', @ids if @ids;
		push @out, 'counts' if $type eq 'Mailbox' &&
		    $r->{updatedProperties};
		is($r->{newState}, $t->call("$type/get", { ids => [] })->{state},
		    "$type: newState") if @ids || $r->{hasMoreChanges};
		$state{$type} = $r->{newState};
	}
	return join ', ', @out;
}
sub email {
	my ($id) = @_;
	return $t->call('Email/get', { ids => [$id], properties => [qw(id
		threadId mailboxIds keywords receivedAt subject)] })->{list}[0];
}
sub box {
	my ($id) = @_;
	return $t->call('Mailbox/get', { ids => [$id] })->{list}[0];
}
# EMAILID and THREADID of a UID.
sub ids_of {
	my ($c, $uid) = @_;
	my $l = join ' ', ok_imap($c, "UID FETCH $uid (EMAILID THREADID)");
	return $l =~ /EMAILID \((\w+)\) THREADID \((\w+)\)/;
}
sub box_id {
	my ($c, $name) = @_;
	my ($l) = ok_imap($c, "STATUS $name (MAILBOXID)");
	return $l =~ /MAILBOXID \((\w+)\)/ ? $1 : $l;
}

# ======== IMAP -> JMAP
my $c = login('SELECT INBOX');
is(box_id($c, 'INBOX'), $inbox, 'MAILBOXID is the id');
is(box_id($c, 'Trash'), $trash, 'of another, too');
mark();
my ($uid) = append($c, mail('Date: Tue, 13 Oct 2020 10:00:00 +0200'))
    =~ /APPENDUID \d+ (\d+)/;
my ($e, $th) = ids_of($c, $uid);
is(changes(), "Mailbox ~$inbox, counts, Thread +$th, Email +$e", 'APPEND');
is_deeply([@{ email($e) }{qw(id threadId mailboxIds)}], [$e, $th,
	{ $inbox => $T }], 'EMAILID and THREADID are the ids');
ok_imap($c, "UID STORE $uid +FLAGS (\\Seen)");
is(changes(), "Mailbox ~$inbox, counts, Email ~$e", 'STORE \Seen');
is_deeply(email($e)->{keywords}, { '$seen' => $T }, '$seen');
ok_imap($c, "UID STORE $uid +FLAGS.SILENT (\\Flagged MyTag \$Forwarded)");
is(changes(), "Email ~$e", 'STORE of flags that do not count');
is_deeply(email($e)->{keywords}, { map { $_ => $T } qw($seen $flagged mytag
	$forwarded) }, 'keywords');
ok_imap($c, "UID STORE $uid +FLAGS (\\Flagged)");
is(changes(), '', 'STORE of what is set already');
ok_imap($c, "UID STORE $uid FLAGS (\\Answered \\Draft)");
like(changes(), qr/\A(?:Mailbox ~$inbox, counts, )?Email ~$e\z/, 'STORE FLAGS');
is_deeply(email($e)->{keywords}, { '$answered' => $T, '$draft' => $T },
    'replaced');
is(box($inbox)->{unreadEmails}, 0, 'a draft is not unread');

ok_imap($c, 'CREATE Work');
my $work = box_id($c, 'Work');
is(changes(), "Mailbox +$work", 'CREATE');
is_deeply([@{ box($work) }{qw(name parentId isSubscribed)}], ['Work', undef,
	$F], 'is seen');
ok_imap($c, 'SUBSCRIBE Work');
is(changes(), "Mailbox ~$work", 'SUBSCRIBE');
is(box($work)->{isSubscribed}, $T, 'isSubscribed');
ok_imap($c, 'UNSUBSCRIBE Work');
is(changes(), "Mailbox ~$work", 'UNSUBSCRIBE');
ok_imap($c, 'CREATE Work/sub');
my $sub = box_id($c, 'Work/sub');
is(changes(), "Mailbox +$sub", 'CREATE below');
is(box($sub)->{parentId}, $work, 'parentId');
ok_imap($c, 'CREATE Arch (USE (\Archive))');
my $arch = box_id($c, 'Arch');
is(changes(), "Mailbox +$arch", 'CREATE with USE');
is(box($arch)->{role}, 'archive', 'role');
ok_imap($c, 'RENAME Work/sub Other');
is(changes(), "Mailbox ~$sub", 'RENAME');
is_deeply([@{ box($sub) }{qw(name parentId)}], ['Other', undef], 'renamed');
ok_imap($c, 'RENAME Work "Projekt-&APw-"');
is(changes(), "Mailbox ~$work", 'RENAME');
is(box($work)->{name}, "Projekt-\x{fc}", 'in UTF-8');
ok_imap($c, 'RENAME "Projekt-&APw-" Work');
ok_imap($c, 'SETMETADATA Arch (/private/specialuse NIL)');
mark();
ok_imap($c, 'SETMETADATA Arch (/private/comment "x")');
is(changes(), '', 'SETMETADATA of what JMAP does not have');

ok_imap($c, "UID COPY $uid Work");
is(changes(), "Mailbox ~$work, counts, Email ~$e", 'COPY');
is_deeply(email($e)->{mailboxIds}, { $inbox => $T, $work => $T },
    'one Email in two mailboxes');
ok_imap($c, "UID MOVE $uid Other");
like(changes(), qr/\AMailbox(?: ~(?:$inbox|$sub)){2}, counts, Email ~$e\z/,
    'MOVE');
is_deeply(email($e)->{mailboxIds}, { $sub => $T, $work => $T }, 'moved');
my $d = login('SELECT Work');
ok_imap($d, 'UID STORE 1 +FLAGS (\Deleted)');
is(changes(), "Mailbox ~$work, counts, Email ~$e",
    '\Deleted: as if it were not there');
is_deeply(email($e)->{mailboxIds}, { $sub => $T }, 'RFC 8621 4.1.1');
is_deeply([@{ box($work) }{qw(totalEmails totalThreads)}], [0, 0], 'counts');
ok_imap($d, 'EXPUNGE');
unlike(changes(), qr/[+-]|Thread/, 'EXPUNGE: it was gone before');
ok_imap($d, 'SELECT Other');
ok_imap($d, 'UID STORE 1 +FLAGS (\Deleted)');
is(changes(), "Mailbox ~$sub, counts, Thread -$th, Email -$e",
    '\Deleted in the last mailbox');
ok_imap($d, 'UID STORE 1 -FLAGS (\Deleted)');
like(changes(), qr/\AMailbox ~$sub, counts, Thread .$th, Email .$e\z/,
    'and back');
is_deeply(email($e)->{mailboxIds}, { $sub => $T }, 'the same id');
ok_imap($d, 'UID STORE 1 +FLAGS (\Deleted)');
ok_imap($d, 'CLOSE');
is(changes(), "Mailbox ~$sub, counts, Thread -$th, Email -$e", 'CLOSE');
ok_imap($d, 'DELETE Other');
is(changes(), "Mailbox -$sub", 'DELETE');
($uid) = append($c, mail(), 'Work') =~ /APPENDUID \d+ (\d+)/;
ok_imap($d, 'SELECT Work');
($e, $th) = ids_of($d, $uid);
mark();
my $new = mail('In-Reply-To: <m' . ($n) . '@test>');
my ($r) = join ' ', ok_imap($d, "UID REPLACE $uid Work {" . length($new)
    . "+}\r\n$new");
my ($e2, $th2) = ids_of($d, $r =~ /APPENDUID \d+ (\d+)/);
like(changes(), qr/\AMailbox ~$work(?:, counts)?, Thread .*Email \+$e2 -$e\z/,
    'REPLACE: another Email');
is(email($e2)->{threadId}, $th2, 'THREADID');
ok_imap($d, 'UNSELECT');
ok_imap($d, 'DELETE Work');
is(changes(), "Mailbox -$work, Thread -$th2, Email -$e2",
    'DELETE with mail in it');

# ======== rights of others: IMAP's ACL is JMAP's session and myRights
my $alice = $t->account;
$t->import_mail(mail(), mailboxIds => { $arch => $T });
ok_imap($c, 'SETACL Arch bob lr');
sub as {
	@$t{qw(user pass)} = @_;
	delete $t->{session};
}
as('bob', 'b');
ok($t->session->{accounts}{$alice}, 'SETACL shows the account');
$t->{acct} = $alice;
is(box($arch)->{myRights}{mayAddItems}, $F, 'myRights');
mark();
ok_imap($c, 'SETACL Arch bob lri');
is(box($arch)->{myRights}{mayAddItems}, $T, 'SETACL: myRights');
like(changes(), qr/\AMailbox(?: ~$arch\b|: cannotCalculateChanges\z)/,
    'and another state');
ok_imap($c, 'DELETEACL Arch bob');
delete $t->{session};
is($t->session->{accounts}{$alice}, undef, 'DELETEACL');
delete $t->{acct};
as('alice', 'secret');

# ======== LMTP and POP3 -> JMAP
mark();
my $l = $t->connect($port{lmtp});
$l->get;
$l->line('LHLO test');
1 while $l->get !~ /\A250 /;
$l->ask('MAIL FROM:<x@example.org>');
$l->ask('RCPT TO:<alice>');
$l->ask('DATA');
$l->put(mail() . ".\r\n");
like($l->get, qr/\A250/, 'delivered');
my $got = changes();
($th, $e) = $got =~ /\AMailbox ~$inbox, counts, Thread \+(\w+), Email \+(\w+)\z/;
ok($e, 'delivery') or diag $got;
is(email($e)->{threadId}, $th, 'and in a thread');
my $p = $t->connect($port{pop3});
$p->get;
$p->ask('USER alice');
like($p->ask('PASS secret'), qr/\A\+OK 1 /, 'POP3 sees it');
$p->ask('RETR 1');
$p->multi;
$p->ask('DELE 1');
is(changes(), '', 'DELE alone');
like($p->ask('QUIT'), qr/\A\+OK/, 'QUIT');
is(changes(), "Mailbox ~$inbox, counts, Thread -$th, Email -$e", 'DELE, QUIT');

# ======== JMAP -> IMAP: to who has it selected, idles, or asks
my ($sel, $idle) = map { login('SELECT INBOX') } 1, 2;
sub idle_on {
	$idle->line('i1 IDLE');
	like($idle->get, qr/\A\+/, 'idles');
}
sub told {
	my ($re, $what) = @_;
	my @l;
	while (defined(my $l = $idle->get)) {
		push @l, $l;
		last if $l =~ $re;
	}
	like($l[-1] // 'nothing', $re, "$what: IDLE");
	$idle->line('DONE');
	$idle->imap_until('i1');
	like(join("\n", ok_imap($sel, 'NOOP')), $re, "$what: NOOP");
}
sub set {
	my ($type, %args) = @_;
	my $r = $t->call("$type/set", \%args);
	is($r->{error} // $r->{notCreated} // $r->{notUpdated} //
	    $r->{notDestroyed}, undef, "$type/set") or diag explain $r;
	return $r;
}
idle_on();
$e = $t->import_mail(mail(), keywords => { '$flagged' => $T },
	receivedAt => '2021-02-03T04:05:06Z');
told(qr/\A(?:.*\n)*\* 1 EXISTS/, 'import');
like(join(' ', ok_imap($sel, 'FETCH 1 (FLAGS INTERNALDATE EMAILID)')),
    qr/FLAGS \(\\Flagged[^)]*\) INTERNALDATE " 3-Feb-2021 04:05:06 \+0000" EMAILID \($e\)/,
    'as given');
idle_on();
set('Email', update => { $e => { 'keywords/$seen' => $T,
	'keywords/$junk' => $T } });
told(qr/\* 1 FETCH \(.*FLAGS \([^)]*\\Seen[^)]*\$junk/i, 'keywords');
my $made = set('Mailbox', create => { k => { name => "L\x{e4}nder",
	role => 'archive' } })->{created}{k}{id};
like(join(' ', ok_imap($sel, 'LIST "" "L*" RETURN (SPECIAL-USE SUBSCRIBED STATUS (MAILBOXID))')),
    qr/\\Subscribed.*\\Archive.*"?L&AOQ-nder"?.*MAILBOXID \($made\)/, 'Mailbox/set create');
idle_on();
set('Email', update => { $e => { "mailboxIds/$made" => $T } });
set('Email', update => { $e => { 'keywords/$seen' => undef } });
told(qr/\* 1 FETCH \(.*FLAGS \((?![^)]*\\Seen)/, 'a mailbox, then a keyword');
like(join(' ', ok_imap($sel, 'STATUS "L&AOQ-nder" (MESSAGES UNSEEN)')),
    qr/MESSAGES 1 UNSEEN 1/, 'flags are the same in all mailboxes');
idle_on();
set('Email', update => { $e => { "mailboxIds/$inbox" => undef } });
told(qr/\* (?:1 EXPUNGE|VANISHED)/, 'out of the mailbox');
set('Mailbox', update => { $made => { name => 'Lands', role => undef,
	isSubscribed => $F, parentId => $arch } });
like(join(' ', ok_imap($sel, 'LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED)')),
    qr/\* LIST \((?![^)]*\\Subscribed|[^)]*\\Archive)[^)]*\) "\/" "?Arch\/Lands"?/,
    'Mailbox/set update');
ok_imap($sel, 'SELECT Arch/Lands');
is((ids_of($sel, 1))[0], $e, 'the same EMAILID');
set('Mailbox', destroy => [$made], onDestroyRemoveEmails => $T);
unlike(join(' ', ok_imap($c, 'LIST "" "*"')), qr/Lands/,
    'Mailbox/set destroy');
like(join(' ', ok_imap($sel, 'NOOP')), qr{\* 1 EXPUNGE},
    'its mail is gone for who had it selected');
$sel = login('SELECT INBOX');
idle_on();
$r = set('Email', create => { k => { mailboxIds => { $inbox => $T },
	keywords => { '$draft' => $T }, subject => 'made' } });
told(qr/\* 1 EXISTS/, 'Email/set create');
$e = $r->{created}{k}{id};
my ($fetched) = ok_imap($sel, 'FETCH 1 (FLAGS RFC822.SIZE EMAILID THREADID BODY.PEEK[])');
like($fetched, qr/\\Draft.*RFC822\.SIZE $r->{created}{k}{size} EMAILID \($e\) THREADID \($r->{created}{k}{threadId}\)/,
    'with its ids');
$p = $t->connect($port{pop3});
$p->get;
$p->ask('USER alice');
like($p->ask('PASS secret'), qr/\A\+OK 1 /, 'POP3 has it');
$p->ask('RETR 1');
my $popped = $p->multi;
ok(index($fetched, $popped) > 0, 'the same octets');
$p->ask('QUIT');
idle_on();
set('Email', destroy => [$e]);
told(qr/\* (?:1 EXPUNGE|VANISHED)/, 'Email/set destroy');
$p = $t->connect($port{pop3});
$p->get;
$p->ask('USER alice');
like($p->ask('PASS secret'), qr/\A\+OK 0 /, 'POP3 has none');
done_testing();
