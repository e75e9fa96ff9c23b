"""What the host sells."""
