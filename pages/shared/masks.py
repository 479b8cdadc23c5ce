"""Making a mask for a visitor: their picture, their weights, one inference at a time on the server."""

import hashlib
import tempfile
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from zoo.errors import ModelFileError, ZooError, shown_name
from zoo.images import read_image
from zoo.prediction import Prediction, predict
from zoo.queue import TicketQueue
from zoo.sizes import Size
from zoo.tables import DATA

SAMPLE = DATA / "samples" / "china.jpg"
MODEL_TYPES = ["pth", "pt", "safetensors", "onnx", "tflite"]
IMAGE_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "mpo"]


@st.cache_resource
def queue() -> TicketQueue:
    """Return the server's one queue."""
    return TicketQueue()


def picture_bytes(source: str) -> tuple[bytes, str] | None:
    """Return the visitor's picture and its name, or None while there is none."""
    if source == "Sample":
        return SAMPLE.read_bytes(), SAMPLE.name
    if source == "Camera":
        taken = st.camera_input("Take a picture", key="demo_camera")
        return None if taken is None else (taken.getvalue(), "camera picture")
    sent = st.file_uploader(
        "Your picture: JPEG, PNG, WebP, BMP or TIFF, up to 20 MB and 40 megapixels",
        IMAGE_TYPES,
        key="demo_upload",
        max_upload_size=20,
    )
    st.caption("It stays in the memory of this server and is not stored.")
    return None if sent is None else (sent.getvalue(), sent.name)


def own_weights() -> str | None:
    """Return the path of the visitor's uploaded weights, or None while there are none."""
    sent = st.file_uploader("Your weights, up to 500 MB", MODEL_TYPES, key="demo_own_weights")
    if sent is None:
        return None
    suffix = next((f".{kind}" for kind in MODEL_TYPES if sent.name.lower().endswith(f".{kind}")), None)
    if suffix is None:
        raise ModelFileError(f"{sent.name!r} cannot be used: give one of {', '.join(MODEL_TYPES)}.")
    # The name on disk comes from the content, never from the visitor; the folder goes with the session.
    folder = st.session_state.setdefault("demo_folder", tempfile.TemporaryDirectory(prefix="segselect-"))
    data = sent.getvalue()
    path = Path(folder.name) / (hashlib.sha256(data).hexdigest()[:32] + suffix)
    if not path.exists():
        path.write_bytes(data)
    st.session_state.demo_own_name = sent.name
    return str(path)


def make_mask(
    data: bytes, name: str, row_id: str, weights: str | None, size: Size | None, fit: str, runtime: str | None
) -> Prediction | None:
    """Return the mask, made now or kept from the last rerun; on an error the last good one, with a line."""
    key = (hashlib.sha256(data).digest(), row_id, weights, size, fit, runtime)
    kept = st.session_state.get("demo_result")
    if kept is not None and kept[0] == key:
        return kept[1]
    status = st.status("Waiting for a free place", expanded=False)
    try:
        with queue().turn(lambda place: status.update(label=f"Waiting: place {place} in the queue")):
            prediction = predict(
                row_id,
                read_image(data, name),
                weights=weights,
                size=size,
                fit=fit,
                runtime=runtime,
                progress=lambda words: status.update(label=words),
            )
    except ZooError as error:
        status.update(label="No new mask", state="error")
        st.error(_by_the_visitors_name(str(error), weights), icon=":material/error:")
        if kept is not None:
            st.caption("Below is the mask before this change.")
        return None if kept is None else kept[1]
    status.update(label=f"Mask made in {prediction.seconds:.2f} s", state="complete")
    st.session_state.demo_result = (key, prediction)
    return prediction


def _by_the_visitors_name(text: str, weights: str | None) -> str:
    """Name the visitor's own file as they know it, not as it lies here."""
    name = st.session_state.get("demo_own_name")
    return text if name is None or weights is None else text.replace(Path(weights).name, shown_name(name))


def show_progress(bar: DeltaGenerator, done: int, total: int | None) -> None:
    """Move a download's bar; `done` and `total` are bytes, `total` None where the server does not say."""
    megabytes = f"{done / 1e6:.1f} MB"
    bar.progress(min(1.0, done / total) if total else 0.0, f"Downloading: {megabytes}")
