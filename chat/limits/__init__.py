"""How much of what one person and one address may do: counted in one place for every door.

``AVAILABLE`` says whether the package ``limits`` is installed (the extra of that name). The core runs without it,
and then counts nothing; sign-in and sockets, whose extras bring it, do not.
"""

from importlib.util import find_spec

AVAILABLE = find_spec("limits") is not None
