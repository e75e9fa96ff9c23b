"""People of the host: signed in by address, numbered by UUID, without a user name."""
