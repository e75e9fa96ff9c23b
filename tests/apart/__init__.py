"""The house once more, with the chat's tables in a database of their own."""
