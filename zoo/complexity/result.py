"""What a count gives, whoever counted: the live count or a graph's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import pandas as pd

PTFLOPS_VERSION = version("ptflops")
LAYER_COLUMNS = ["name", "kind", "kernel", "stride", "dilation", "groups"]
LAYER_COLUMNS += ["input_shape", "output_shape", "macs", "params"]


@dataclass(frozen=True)
class Complexity:
    """What a network costs at one input size, at batch 1."""

    id: str
    width: int
    height: int
    macs: int
    params: int
    layers: pd.DataFrame
    """name, kind, kernel, stride, dilation, groups, input_shape, output_shape, macs, params, share (%)."""
    peak_activation_values: int
    weights_bytes: int
    """At 4 bytes a value."""
    uncounted: Mapping[str, int]
    """Operations that are no MACs by definition, with how often they run."""
    seconds: float
    ptflops_version: str = PTFLOPS_VERSION
    run_peak_values: int | None = None
    """The peak activation as a runtime holds it, where a convolution writes a sum over the other summand, up
    to the last operation; None where it was not asked for."""
