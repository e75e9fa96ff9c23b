"""The API described, for machines and for people; turned on by including its urls before those of ``chat.rest``."""
