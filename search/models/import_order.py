"""Two libraries that import each other's parts, imported in one order by whatever thread comes first."""

from importlib import import_module


def before_transformers() -> None:
    """Import sentence_transformers, and with it all of transformers that it takes, before a name of transformers is asked for.

    Where one thread imports sentence_transformers and another a name of transformers, each holds a part that the other waits
    for. Python then gives out a module that is half imported: "cannot import name 'AutoTokenizer' from 'transformers'"
    (transformers 5.23, sentence-transformers 6.2). Whoever asks for the same package first waits for it instead.
    """
    import_module("sentence_transformers")
