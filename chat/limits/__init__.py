"""How much of what one person and one address may do: counted in one place for every door.

``AVAILABLE`` says whether the package ``limits`` is installed, which the extras limits, jwt and websocket bring. The
core runs without it, and then holds nobody to any rate; the includes of sign-in do not open without it.
"""

from importlib.util import find_spec

AVAILABLE = find_spec("limits") is not None
