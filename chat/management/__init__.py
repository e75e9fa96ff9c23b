"""A door: commands for manage.py."""
