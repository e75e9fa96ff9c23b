"""A host whose people sign in by e-mail, have no user name, and are numbered by UUIDs."""
