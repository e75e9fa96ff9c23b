"""What Django can say before the first request: a misspelt setting, a path that will not import."""
