# libsession
