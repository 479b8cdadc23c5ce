"""Running a stranger's model: what the process of its own does (see zoo.runtimes.worker)."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from zoo.labelling import Frame, find_labels
from zoo.runtimes import RUNTIMES
from zoo.runtimes.runtime import Loading, Network
from zoo.runtimes.worker import Header, Memory, Values
from zoo.sizes import Size


def load(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values | None]:
    """Load a model's bytes after a look at them, and answer with its InputSpec.

    Arguments: `runtime`, and `size` (width, height), which a free input is given.
    """
    runtime = RUNTIMES[arguments["runtime"]]
    model = content.tobytes()
    if runtime.file_format == "onnx":
        from zoo.runtimes.onnx_check import check_onnx

        check_onnx(model)
    network = runtime.open_file(model, Loading(Size(*arguments["size"]), keep_memory=False))
    memory["network"] = network
    return asdict(network.spec), None


def labels(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values | None]:
    """Run the loaded model, and answer with the picture's labels and, if asked, their confidence, as bytes.

    Arguments: `frame` and `confidence`, as `zoo.labelling.find_labels` takes them.
    """
    network: Network = memory["network"]
    input_size, picture_size, part, ours = arguments["frame"]
    frame = Frame(Size(*input_size), Size(*picture_size), (part[0], part[1]), ours)
    found = find_labels(network.run(content), frame, confidence=arguments["confidence"])
    planes = [found.labels] if found.confidence is None else [found.labels, found.confidence]
    answer = np.concatenate([np.ascontiguousarray(plane).view(np.uint8).ravel() for plane in planes])
    header = {
        "kind": found.kind,
        "class_count": found.class_count,
        "confidence": found.confidence is not None,
    }
    return header, answer
