"""Whether the packages below this one are ours: `search` is a name that others give their packages, too."""

from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).resolve().parents[1]
_OURS = ("search", "training", "indexes", "serving", "terminal")


def see_that_ours_are_imported(home: Path = _HERE) -> None:
    """Refuse to begin where Python finds somebody else's package, or none, under the name of one of ours.

    :param home: the folder that holds all of ours.
    :raises ImportError: naming it, and what to do.
    """
    for name in _OURS:
        spec = find_spec(name)
        where = Path(spec.origin).resolve() if spec is not None and spec.origin else None
        if where is None or where.parents[1] != home:
            raise ImportError(
                f"bespoke needs its own package {name!r}, and Python finds {where or 'none'}: install bespoke into a virtual "
                f"environment of its own, and rename any file or folder {name!r} where you start Python."
            )


see_that_ours_are_imported()
