"""An export in a process of its own: `python -m zoo.runtimes.export_task`, as zoo.runtimes.export starts it.

torch takes seconds to import and holds the interpreter while it exports: in a server's process the other
visitors would wait. An order is JSON on standard input; a refusal is JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.rows import Network, Row
from zoo.runtimes.export import write_onnx
from zoo.runtimes.last_resize import cut_last_resize
from zoo.sizes import Size

COURTESY = 5
"""Who waits for an export waits for seconds; who moves a slider meanwhile goes first."""


def carry_out(order: dict[str, Any]) -> None:
    """Write the .onnx that an order asks for; raises as `zoo.runtimes.export.write_elsewhere` says."""
    from zoo.models import build_model
    from zoo.weights.layouts import build_for

    size = Size(*order["size"])
    row = Row(
        order["id"],
        order["dataset"],
        order["model"],
        size,
        network=Network(*order["network"]),
        num_classes=order["num_classes"],
    )
    weights = order["weights"]
    model = build_model(row).eval() if weights is None else build_for(row, weights)
    path = Path(order["out"])
    write_onnx(model, size, path, dynamic=order["dynamic"])
    if not order["whole"]:
        import onnx

        proto = onnx.load(path)
        cut_last_resize(proto.graph)
        onnx.save(proto, path)


def main() -> int:
    """Carry out the order on standard input."""
    answer, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not get into the answer
    if hasattr(os, "nice"):  # Windows has none
        os.nice(COURTESY)
    try:
        carry_out(json.load(sys.stdin))
    except ZooError as error:
        json.dump({"kind": type(error).__name__, "words": str(error)}, answer)
        return 1
    except OSError as error:
        json.dump({"kind": "OSError", "words": error.strerror or str(error)}, answer)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
