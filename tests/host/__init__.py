"""A stranger's project: it lives in a process of its own, where only what it installed can be imported."""
