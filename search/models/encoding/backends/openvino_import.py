"""OpenVINO without its telemetry: importing it would otherwise write to the home folder and report over the network."""

import sys
from types import ModuleType


def load_openvino() -> ModuleType:
    """Import OpenVINO. It takes the absence of its telemetry package for an answer."""
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    module: ModuleType = openvino
    return module
