"""How the expression network comes about: faces with votes, networks, training, export. No server imports any of it."""
