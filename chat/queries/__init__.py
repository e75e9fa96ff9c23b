"""Reads, always for a viewer: what they return is what that person may see, in a fixed number of queries."""
