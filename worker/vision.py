"""torchvision, importable beside any build of torch: `from worker.vision import torchvision`.

torchvision's compiled operators are built for one build of torch; beside another (the wheel for CUDA next to torch for
the CPU, say) they do not load, and `import torchvision` fails although datasets and models need none of them: it
attaches rules to two operators that then do not exist. So the compiled operators are loaded first, as torchvision
itself does it, and only where that fails are the two declared, without an implementation.
"""

import importlib
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import Any

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    package = find_spec("torchvision")
    compiled = PathFinder.find_spec("_C", package.submodule_search_locations) if package else None
    if compiled is None or compiled.origin is None:
        return False
    try:
        torch.ops.load_library(compiled.origin)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


def _declare() -> list[torch.library.Library]:
    """Declare each operator that is missing; they stay declared as long as the returned libraries live."""
    libraries = []
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
            library.define(schema)  # type: ignore[no-untyped-call]
            libraries.append(library)
    return libraries


_DECLARED = [] if _compiled_operators_load() else _declare()

torchvision: Any = importlib.import_module("torchvision")
