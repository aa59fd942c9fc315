"""How deep the JSON of a body is nested, told from its bytes: whoever parses it first has already gone that deep."""

import re
from itertools import accumulate
from typing import Final

DEEPEST: Final = 32
"""Lists and objects within each other; the deepest body of the service has seven."""
MOST: Final = 100_000
"""Lists and objects of one body; the largest permission has some thousands."""

# A text that does not end goes to the end of the body. Possessive: no text is looked at twice.
_TEXT: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS: Final = bytes(byte for byte in range(256) if byte not in _STEPS)


def is_too_deep(body: bytes) -> bool:
    """Whether it has more lists and objects within each other, or in all, than any request needs."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    signs = _TEXT.sub(b"", body).translate(None, _OTHERS)
    return len(signs) > 2 * MOST or max(accumulate(map(_STEPS.__getitem__, signs)), default=0) > DEEPEST
