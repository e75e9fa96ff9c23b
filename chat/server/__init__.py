"""The HTTP server: what holds against hostile clients before a request reaches the application."""
