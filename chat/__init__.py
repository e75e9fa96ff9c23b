"""Parley: rooms and direct messages for any Django project."""
