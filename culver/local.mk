# culver
