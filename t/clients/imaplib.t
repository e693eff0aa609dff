# t/clients/imaplib.t - Python's imaplib, by TLS and by STARTTLS
use strict;
use warnings;
use CulverClients;
use CulverTest;
use Test::More;

plan skip_all => 'python3 is not installed' unless installed('python3');
my $t = CulverTest->new(tls => 1);
my $imap = $t->start('imapd', 'imap');
my $imaps = $t->start('imapd', 'imaps');
my $c = look($t, $imap);
mailboxes($c, 3);
$t->spew('client.py', <<'END');
import imaplib, ssl, sys, time

how, port, cert = sys.argv[1:]
context = ssl.create_default_context(cafile=cert)
if how == 'tls':
    m = imaplib.IMAP4_SSL('localhost', int(port), ssl_context=context)
else:
    m = imaplib.IMAP4('localhost', int(port))
    m.starttls(context)

def ok(r):
    assert r[0] == 'OK', r
    return r[1]

try:
    m.login('alice', 'wrong')
    assert False
except imaplib.IMAP4.error:
    pass
m.authenticate('PLAIN', lambda _: b'\0alice\0secret')
names = [l.split(b' "/" ')[1] for l in ok(m.list())]
assert b'Archive/2026' in names, names
assert ok(m.select('INBOX')) == [b'3']
text = ok(m.fetch('1', '(FLAGS RFC822)'))[0][1]
assert text.startswith(b'From: a10@example.com\r\n'), text[:100]
assert ok(m.search(None, 'SUBJECT', '"message 11"')) == [b'2']
assert ok(m.sort('(REVERSE SUBJECT)', 'UTF-8', 'ALL')) == [b'3 2 1']
assert ok(m.thread('REFERENCES', 'UTF-8', 'ALL')) == [b'(1)(2)(3)']
name = 'py-' + how
ok(m.create(name))
ok(m.append(name, r'(\Seen $py)', imaplib.Time2Internaldate(time.time()),
    b'Subject: from Python\r\n\r\n\xe4\r\n'))
ok(m.uid('COPY', '1:2', name))
ok(m.select(name))
assert ok(m.store('1', '+FLAGS', r'\Deleted'))
assert ok(m.expunge()) == [b'1']
m.close()
ok(m.enable('UTF8=ACCEPT'))
assert ok(m.status(name, '(MESSAGES UIDNEXT)'))[0].endswith(
    b'(MESSAGES 2 UIDNEXT 4)')
assert ok(m.getquotaroot('INBOX'))
assert ok(m.myrights('INBOX'))
assert ok(m.namespace())
ok(m.rename(name, name + '2'))
ok(m.subscribe(name + '2'))
ok(m.delete(name + '2'))
m.logout()
print('done')
END
my $cert = $t->path('cert.pem');
my $py = 'python3 ' . $t->path('client.py');
is(run_client('by TLS', "$py tls $imaps $cert"), "done\n", 'all of it');
is(run_client('by STARTTLS', "$py starttls $imap $cert"), "done\n",
	'all of it');
done_testing();
