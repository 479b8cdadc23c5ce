"""Networks in 8 bits that `quantize` made, kept in the cache folder: by network, weights and calibration.

A file's name is KEY.HASH.onnx: what it was made from, and what it must hold. Beside it KEY.HASH.json says
how it was calibrated. Of several calibrations the last one made is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.cache import hash_file, prune, quantized_dir, touch, write_whole
from zoo.rows import Network

KEPT_QUANTIZED = 20
"""Those beyond these that were used longest ago are removed."""
_DIGITS = 24


def find_quantized(network: Network, weights_sha256: str) -> tuple[Path, Mapping[str, Any]] | None:
    """Return the last network in 8 bits made from these weights, with its calibration, or None."""
    found = list(quantized_dir().glob(f"{_key(network, weights_sha256)}.*.onnx"))
    for path in sorted(found, key=lambda file: file.stat().st_mtime_ns, reverse=True):
        facts = path.with_suffix(".json")
        if hash_file(path)[:_DIGITS] == path.name.split(".")[1] and facts.is_file():
            touch(path)
            touch(facts)
            return path, json.loads(facts.read_text(encoding="utf-8"))
        path.unlink(missing_ok=True)  # damaged, or left without its facts
    return None


def keep_quantized(
    network: Network, weights_sha256: str, model: bytes, calibration: Mapping[str, Any]
) -> Path:
    """Keep a network in 8 bits, and return where. Raises OSError where it cannot be written."""
    content = hashlib.sha256(model).hexdigest()[:_DIGITS]
    path = quantized_dir() / f"{_key(network, weights_sha256)}.{content}.onnx"
    # The facts first: a network without them counts as none.
    write_whole(path.with_suffix(".json"), json.dumps(dict(calibration)).encode())
    write_whole(path, model)
    for pattern in ("*.onnx", "*.json"):
        prune(quantized_dir(), pattern, KEPT_QUANTIZED)
    return path


def _key(network: Network, weights_sha256: str) -> str:
    return hashlib.sha256("|".join([*network, weights_sha256]).encode()).hexdigest()[:_DIGITS]
