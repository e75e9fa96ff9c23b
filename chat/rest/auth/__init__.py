"""Sign-in for hosts that have none of their own; left out by leaving out its urls."""
