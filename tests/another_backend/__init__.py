"""A database backend of a vendor that the chat does not serve."""
