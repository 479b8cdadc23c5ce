"""Making a mask for a visitor: their picture, their weights, one inference at a time on the server."""

import csv
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from zoo import limits
from zoo.errors import ModelFileError, NotNowError, ZooError, shown_name
from zoo.images import read_image
from zoo.limits import MEGABYTE
from zoo.prediction import Job, Prediction, carry_out
from zoo.queue import TicketQueue
from zoo.tables import DATA
from zoo.weights.checkpoints import FORMATS, Checkpoint

SAMPLES = DATA / "samples"
MODEL_TYPES = [suffix.lstrip(".") for suffix in FORMATS]
IMAGE_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "mpo"]


@dataclass(frozen=True)
class Given:
    """A picture as the visitor gave it."""

    data: bytes
    name: str
    sha256: str

    @classmethod
    def of(cls, data: bytes, name: str) -> "Given":
        """Return the picture with its hash."""
        return cls(data, name, hashlib.sha256(data).hexdigest())


Key = tuple[Job, Checkpoint, str]
"""What a mask is made from: the job, the weights with what is said of them, and the picture's hash."""


@dataclass
class Kept:
    """What a visitor's session keeps: the last mask, and the job that failed last, with its words."""

    key: Key | None = None
    prediction: Prediction | None = None
    failed: tuple[Key, str] | None = None


@st.cache_resource
def queue() -> TicketQueue:
    """Return the server's one queue."""
    return TicketQueue()


@st.cache_data
def samples() -> dict[str, dict[str, str]]:
    """Return the sample pictures by title, with file, credit and licence."""
    with (SAMPLES / "samples.csv").open(encoding="utf-8", newline="") as file:
        return {line["title"]: line for line in csv.DictReader(file)}


@st.cache_data
def _sample(file: str) -> Given:
    return Given.of((SAMPLES / file).read_bytes(), file)


def picture_control(source: str) -> Given | None:
    """Draw what gives the picture and return it, or None while there is none; it stays when pages change."""
    if source == "Sample":
        entry = next(iter(samples().values()))
        return _sample(entry["file"])
    if source == "Camera":
        sent = st.camera_input("Take a picture", key="demo_camera")
    else:
        sent = st.file_uploader(
            f"JPEG, PNG, WebP, BMP or TIFF, up to {limits.IMAGE_BYTES // MEGABYTE} MB and "
            f"{limits.IMAGE_PIXELS // 1_000_000} megapixels",
            IMAGE_TYPES,
            key="demo_upload",
            max_upload_size=limits.IMAGE_BYTES // MEGABYTE,
        )
    pictures: dict[str, Given] = st.session_state.setdefault("demo_pictures", {})
    if sent is not None:
        pictures[source] = Given.of(sent.getvalue(), getattr(sent, "name", "camera picture"))
    given = pictures.get(source)
    if given is not None and sent is None:
        st.caption(f"{shown_name(given.name)}, as you gave it before.")
    st.caption("It stays in the memory of this server and is not stored.")
    return given


def own_weights(page: str = "demo") -> tuple[str, str] | None:
    """Draw a page's uploader of a visitor's own weights; return where they lie and their name, or None."""
    sent = st.file_uploader(
        f"Your weights, up to {limits.MODEL_BYTES // MEGABYTE} MB", MODEL_TYPES, key=f"{page}_own_weights"
    )
    kept: tuple[str, str, str] | None = st.session_state.get(f"{page}_own")
    if sent is not None and (kept is None or kept[0] != sent.file_id):
        suffix = Path(sent.name).suffix.lower()
        if suffix not in FORMATS:
            raise ModelFileError(
                f"{shown_name(sent.name)} cannot be used: give one of {', '.join(MODEL_TYPES)}."
            )
        # One file a page, named by us; the folder goes with the session.
        folder = st.session_state.setdefault(
            f"{page}_folder", tempfile.TemporaryDirectory(prefix="segselect-")
        )
        for earlier in Path(folder.name).iterdir():
            earlier.unlink()
        path = Path(folder.name) / f"{hashlib.sha256(sent.file_id.encode()).hexdigest()[:32]}{suffix}"
        path.write_bytes(sent.getbuffer())
        kept = st.session_state[f"{page}_own"] = (sent.file_id, str(path), sent.name)
    return None if kept is None else kept[1:]


def make_mask(
    given: Given,
    prepared: Callable[[], tuple[Job, Checkpoint]],
    *,
    keep: str,
    own: tuple[str, str] | None = None,
) -> Prediction | None:
    """Return the mask, made now or kept from the last rerun; on an error the last good one, with a line.

    `prepared` is a call of `zoo.prediction.prepare` or `prepare_file`, `keep` the name under which the
    session keeps the mask, `own` where the visitor's file lies and what they call it. What failed is
    remembered like what worked: the same request is not carried out again in vain.
    """
    kept: Kept = st.session_state.setdefault(keep, Kept())
    key: Key | None = None
    try:
        job, checkpoint = prepared()
        key = (job, checkpoint, given.sha256)
        if kept.failed is not None and kept.failed[0] == key:
            return _told(kept, kept.failed[1])
        if kept.key != key:
            kept.prediction, kept.key = _make(given, job, checkpoint), key
    except ZooError as error:
        words = str(error)
        if own is not None:  # the visitor's file as they know it
            words = words.replace(Path(own[0]).name, shown_name(own[1]))
        if key is not None and not isinstance(error, NotNowError):  # which may pass by itself
            kept.failed = (key, words)
        return _told(kept, words)
    return kept.prediction


def _make(given: Given, job: Job, checkpoint: Checkpoint) -> Prediction:
    """Make a mask in the visitor's turn, telling each step in a line that is gone afterwards."""
    line = st.empty()

    def tell(words: str) -> None:
        line.info(words, icon=":material/hourglass_top:")

    try:
        with queue().turn(lambda place: tell(f"Waiting: place {place} in the queue")):
            return carry_out(job, checkpoint, read_image(given.data, given.name), progress=tell)
    finally:
        line.empty()


def _told(kept: Kept, words: str) -> Prediction | None:
    st.error(words, icon=":material/error:")
    if kept.prediction is not None:
        st.caption("Below is the mask before this change.")
    return kept.prediction


def show_progress(bar: DeltaGenerator, done: int, total: int | None) -> None:
    """Move a download's bar; `done` and `total` are bytes, `total` None where the server does not say."""
    megabytes = f"{done / MEGABYTE:.1f} MB"
    bar.progress(min(1.0, done / total) if total else 0.0, f"Downloading: {megabytes}")
