# jmap-fcgi
