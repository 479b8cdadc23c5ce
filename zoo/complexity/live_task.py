"""The live count of a row's network: what the process of its own does (see zoo.runtimes.worker)."""

from __future__ import annotations

from zoo.complexity.live import count_network
from zoo.models import check_classes
from zoo.rows import Network
from zoo.runtimes.isolated import as_json
from zoo.runtimes.worker import Header, Memory, Values
from zoo.sizes import Size


def count(memory: Memory, arguments: Header, content: Values) -> tuple[Header, Values]:
    """Answer with the count of a `network` with `num_classes` at `size`, as JSON; `name` is for messages."""
    classes = check_classes(arguments["num_classes"])
    network, size = Network(*arguments["network"]), Size(*arguments["size"])
    found = count_network(network, classes, size, name=arguments["name"])
    return {}, as_json(
        {
            "macs": found.macs,
            "params": found.params,
            "layers": found.layers.drop(columns="share").to_dict("records"),
            "peak_activation_values": found.peak_activation_values,
            "uncounted": dict(found.uncounted),
        }
    )
