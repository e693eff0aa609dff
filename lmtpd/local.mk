# lmtpd
