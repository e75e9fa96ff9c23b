"""A host whose people sign in by the classes of other packages."""
