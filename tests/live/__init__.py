"""The whole service, run as processes and used over real connections."""
