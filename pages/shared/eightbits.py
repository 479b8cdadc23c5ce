"""A network in float, in 8 bits, or where the two differ; and 8 bits made in place where they are missing."""

from __future__ import annotations

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.kinds import Choice
from pages.shared.masks import IMAGE_TYPES, queue
from pages.shared.result import details, milliseconds, whose
from pages.shared.views import reduced
from zoo import limits
from zoo.comparison import compare_shares, disagreement
from zoo.errors import WeightsMissingError
from zoo.limits import MEGABYTE
from zoo.overlay import marked
from zoo.prediction import Prediction
from zoo.rows import Row
from zoo.sizes import Size
from zoo.weights.checkpoints import resolve

LABELS = {"float": "Float", "8bit": "8 bits", "difference": "Difference"}
PRECISION = Choice("demo_precision", ["", *LABELS], "")
"""Empty: what the row is published in."""


def precision_control(row: Row, weights: str | None) -> list[str]:
    """Draw the choice of precision; return in what to run the network: one, or both for their difference."""
    own = "8bit" if row.qat and weights in (None, "bundled") else "float"
    chosen = (
        PRECISION.draw(
            st.segmented_control,
            "Precision",
            key=f"demo_precision_{own}",  # its default is another row's
            show=lambda precision: precision or own,
            options=list(LABELS),
            format_func=LABELS.__getitem__,
        )
        or own
    )
    return ["float", "8bit"] if chosen == "difference" else [chosen]


def in_8_bits(row: Row, weights: str | None, size: Size | None) -> bool:
    """Return whether the network is here in 8 bits; if not, draw what makes it from a visitor's pictures."""
    try:
        resolve(row, weights, "8bit")
    except WeightsMissingError:
        _make(row, weights, size)
        return False
    return True


def _make(row: Row, weights: str | None, size: Size | None) -> None:
    st.subheader("Not in 8 bits yet", anchor=False)
    st.markdown(
        f"Give at least {limits.CALIBRATION_PICTURES} pictures of the kind that the network will see: on "
        "them the range of every layer is found. It takes some seconds a picture, and is kept."
    )
    sent = st.file_uploader(
        f"Pictures, {limits.CALIBRATION_PICTURES} or more; the first {limits.CALIBRATION_MOST} are used",
        IMAGE_TYPES,
        accept_multiple_files=True,
        key="demo_calibration",
        max_upload_size=limits.IMAGE_BYTES // MEGABYTE,
    )
    enough = len(sent) >= limits.CALIBRATION_PICTURES
    if not st.button("Make it in 8 bits", type="primary", disabled=not enough):
        return
    from zoo.quantization.network import quantize

    bar = st.progress(0.0, "Starting")

    def tell(words: str, done: int, total: int) -> None:
        bar.progress(done / total, f"{words}: {done} of {total}")

    def wait(place: int) -> None:
        bar.progress(0.0, f"Waiting: place {place} in the queue")

    with shown_errors():
        with queue().turn(wait):
            quantize(
                row,
                [file.getvalue() for file in sent[: limits.CALIBRATION_MOST]],
                weights=weights,
                size=size,
                progress=tell,
            )
        st.rerun()


def show_difference(in_float: Prediction, in_8: Prediction) -> None:
    """Show where a network in 8 bits gives another class than in float, counted and marked."""
    maps = [in_float.label_map, in_8.label_map]
    differ = disagreement(maps)
    st.markdown(f"**{differ.percent:.2f} % of the pixels** get another class in 8 bits than in float.")
    st.image(
        reduced(marked(in_float.rgb, differ.mask)),
        width="stretch",
        alt=f"The picture with the {differ.percent:.2f} % of its pixels marked that differ in 8 bits",
    )
    for prediction in (in_float, in_8):
        st.markdown(f":small[{whose(prediction.weights)}. {milliseconds(prediction)}]")
    shares = compare_shares(maps).reset_index()
    shares.columns = ["class", "Float (%)", "8 bits (%)", "Difference (points)"]
    number = st.column_config.NumberColumn(format="%.2f")
    with st.expander("Shares by class", icon=":material/table_rows:"):
        st.dataframe(
            shares[shares["Float (%)"] + shares["8 bits (%)"] > 0],
            hide_index=True,
            column_config=dict.fromkeys(shares.columns[1:], number) | {"class": "Class"},
            alt="Share of the picture by class, in float and in 8 bits.",
        )
    details(in_float)
    details(in_8)
