"""What an installation takes on disk, package by package: `python -m benchmarks.sizes`.

Alone and with Python's own library, so that the build of the container image can run this file in its packages' environment.
"""

import argparse
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

_SHOWN = 15


def sizes(packages: Iterable[Distribution]) -> dict[str, int]:
    """Bytes on disk by package, the largest first: what it installed, and what Python compiled of that."""
    found: dict[str, int] = {}
    for package in packages:
        files = {Path(str(package.locate_file(file))) for file in package.files or ()}
        compiled = {made for file in files for made in _compiled(file)}
        there = [path for path in files | compiled if path.is_file()]
        found[package.name] = sum(path.stat().st_size for path in there)
    return dict(sorted(found.items(), key=lambda row: -row[1]))


def _compiled(file: Path) -> Iterable[Path]:
    folder = file.parent / "__pycache__"
    return folder.glob(f"{file.stem}.*.pyc") if file.suffix == ".py" and folder.is_dir() else ()


def main() -> None:
    """Print the table; exit status 1 where all together is more than `--most`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, help="megabytes that all may take together")
    parser.add_argument("--beside", type=int, default=0, help="megabytes of what is not counted")
    asked = parser.parse_args()
    found = sizes(distributions())
    shown, rest = list(found.items())[:_SHOWN], list(found.items())[_SHOWN:]
    for name, size in shown:
        print(f"{size / 1e6:>8,.0f} MB  {name}")
    total = sum(found.values()) / 1e6 + asked.beside
    print(f"{sum(size for _, size in rest) / 1e6:>8,.0f} MB  {len(rest)} others")
    print(f"{asked.beside:>8,} MB  beside (the system, Python, our own files)")
    print(f"{total:>8,.0f} MB  together")
    if asked.most is not None and total > asked.most:
        sys.exit(f"That is more than {asked.most:,} MB.")


if __name__ == "__main__":
    main()
