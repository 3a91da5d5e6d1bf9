"""Manifests that a test lets say something else: sealed anew, as the product writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from search.projects.sealed import seal, unseal


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the manifest of an artifact says.

    :param folder: of the artifact.
    :param change: is given the manifest's content, to change it in place.
    """
    path = folder / "manifest.json"
    content = json.loads(unseal(path.read_bytes()))
    change(content)
    path.write_text(seal(json.dumps(content, indent=2)), encoding="utf-8")
