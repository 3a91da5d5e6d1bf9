"""What two tests ask of a model: are its weights the same?"""

import hashlib
from typing import Any

import numpy as np


def weights_fingerprint(model: Any) -> str:
    """A hash over the names and values of a model's parameters."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()
