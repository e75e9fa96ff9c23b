"""Where a published event goes: each file one outlet, named in ``CHAT["OUTLETS"]``."""
