"""JSON objects that carry a hash of themselves: a digit that changed on the disk is noticed when they are read."""

import hashlib
import re

_SEAL = re.compile(rb',\n  "sha256": "([0-9a-f]{64})"\n}\n\Z')


def seal(text: str) -> str:
    """A JSON object with a last key `sha256`: the hash of all that stands before it.

    :param text: the object; it has at least one key.
    """
    head = text.rstrip().removesuffix("}").rstrip()
    seal = hashlib.sha256(head.encode()).hexdigest()
    return f'{head},\n  "sha256": "{seal}"\n}}\n'


def unseal(content: bytes) -> bytes:
    """A sealed object without its seal.

    >>> unseal(seal('{"k": 10}').encode())
    b'{"k": 10}'

    :raises ValueError: where it has none, or is not what was sealed.
    """
    found = _SEAL.search(content)
    if found is None:
        raise ValueError("it is cut, or was written by something else")
    head = content[: found.start()]
    if hashlib.sha256(head).hexdigest().encode() != found[1]:
        raise ValueError("it is not as it was written")
    return head + b"}"


def is_sealed(content: bytes) -> bool:
    """Whether something ends with a seal, right or wrong."""
    return _SEAL.search(content) is not None
