"""The libraries a model is made with, as they are when it is made."""

import platform
from importlib.metadata import version

_NAMES = ("sentence-transformers", "torch", "transformers", "gensim", "peft", "numpy")


def libraries() -> dict[str, str]:
    """Versions by name, Python's first."""
    return {"python": platform.python_version(), **{name: version(name) for name in _NAMES}}
