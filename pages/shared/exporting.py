"""The network behind a mask as an .onnx file to take away: made when asked for, kept, checked before."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.kinds import Flag
from pages.shared.masks import queue
from zoo.families import families
from zoo.prediction import Prediction

FREE = Flag("demo_free_sides", True)


def network_download(prediction: Prediction) -> None:
    """Draw a button that offers the network of a mask as ONNX, with its weights, classes and preparation.

    In 8 bits it is the file that ran; in float it is exported, and offered only once onnxruntime and torch
    agree. A model of the visitor's own is theirs already: nothing is drawn.
    """
    made, row = prediction.weights, prediction.weights.row
    if made.stranger or row.network is None:
        return
    menu = st.popover(
        "Download the network (ONNX)", icon=":material/output:", on_change="rerun", key="demo_onnx"
    )
    if not menu.open:
        return
    with menu:
        if made.precision == "8bit":
            _offer(made.path, f"{row.id}-8bit.onnx")
            return
        free = False
        if not families()[row.network.family].fixed_size:
            free = FREE.draw(
                st.toggle, "Takes any size", help=f"Otherwise the file takes {prediction.size} only."
            )
        files: dict[tuple[object, ...], Path] = st.session_state.setdefault("demo_exports", {})
        key = row.id, made.sha256, prediction.size, free
        if key not in files and st.button("Make the file", type="primary"):
            with shown_errors():
                files.clear()  # the last one is kept
                files[key] = _made(prediction, free)
        if key in files:
            _offer(files[key], f"{row.id}-{'any-size' if free else prediction.size}.onnx")


def _made(prediction: Prediction, free: bool) -> Path:
    """Export the network in the visitor's turn, telling each step."""
    from zoo.export import export

    made = prediction.weights
    folder = st.session_state.setdefault(
        "demo_export_folder", tempfile.TemporaryDirectory(prefix="segselect-")
    )
    with st.status("Making the file", expanded=True) as line:

        def tell(words: str) -> None:
            line.update(label=words)

        with queue().turn(lambda place: tell(f"Waiting: place {place} in the queue")):
            done = export(
                made.row,
                Path(folder.name) / "network.onnx",
                weights=str(made.path) if made.kind == "own" else made.kind,
                size=prediction.size,
                dynamic=free,
                progress=tell,
            )
        line.update(label="Checked: onnxruntime and torch agree", state="complete", expanded=False)
    return done.path


def _offer(path: Path, name: str) -> None:
    st.caption(f"{path.stat().st_size / 1e6:.1f} MB, with its class names and preparation inside.")
    st.download_button(
        "Save the file",
        path.read_bytes(),
        name,
        "application/octet-stream",
        type="primary",
        on_click="ignore",
    )
