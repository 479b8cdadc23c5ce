"""A mask as a visitor sees it: large, with whose weights made it, a legend that highlights, and downloads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.exporting import network_download
from pages.shared.kinds import Choice, Choices, Flag, Whole
from pages.shared.masks import Given
from pages.shared.own import escaped
from pages.shared.views import masked, swatch, wiped
from zoo.classes import LabelMap
from zoo.limits import MAX_CLASSES
from zoo.overlay import LegendEntry, indexed_png, legend, overlay_png, safe_palette
from zoo.prediction import Prediction
from zoo.weights.bundled import bundled_at
from zoo.weights.checkpoints import Checkpoint

VIEW = Choice("demo_view", ["Overlay", "Side by side", "Slide"], "Overlay")
STRENGTH, WIPE = Whole("demo_strength", 60, 0, 100, "percent"), Whole("demo_wipe", 50, 0, 100, "percent")
OUTLINES, SAFE = Flag("demo_outlines"), Flag("demo_safe")
ONLY = Choices("demo_only", [str(class_id) for class_id in range(MAX_CLASSES)], [], "class ids")
PRECISIONS = {"float": "in float", "8bit": "in 8 bits"}


def show(
    prediction: Prediction, given: Given, beside: DeltaGenerator, tools: DeltaGenerator, below: DeltaGenerator
) -> None:
    """Show a mask as large as its column is wide, its legend `beside` it, and what has to be said of it.

    `tools` get what changes the view, `below` downloads and details.
    """
    made, label_map = prediction.weights, _coloured(prediction)
    st.markdown(f":small[{whose(made)}. {milliseconds(prediction)}]")
    picture = st.container()
    view = VIEW.draw(tools.segmented_control, "View", label_visibility="collapsed")
    if view == "Slide":
        WIPE.draw(tools.slider, "Picture | mask (%)", width=220)
    else:
        STRENGTH.draw(tools.slider, "Mask strength (%)", width=220)
    OUTLINES.draw(tools.toggle, "Outlines")
    SAFE.draw(tools.toggle, "Colour-blind-safe")
    with beside:
        only = _chips(legend(label_map))
    image = masked(
        prediction.rgb,
        label_map,
        1 if view == "Slide" else STRENGTH.value / 100,
        outlines=OUTLINES.value,
        only=only,
    )
    told = f"The picture {given.name[:60]} with the mask of {made.row.title}"
    with picture:
        if view == "Side by side":
            left, right = st.columns(2, gap="xsmall")
            left.image(
                masked(prediction.rgb, label_map, 0), width="stretch", alt="The picture as it was given"
            )
            right.image(image, width="stretch", alt=told)
        elif view == "Slide":
            st.image(wiped(prediction.rgb, image, WIPE.value / 100), width="stretch", alt=told)
        else:
            st.image(image, width="stretch", alt=told)
    with below:
        with st.container(horizontal=True):
            _downloads(prediction, only)
            network_download(prediction)
        details(prediction)


def whose(made: Checkpoint) -> str:
    """Return in one line which network made a mask, whose weights it has, and what they measured."""
    name = f"**{escaped(made.row.title)}** {PRECISIONS[made.precision]}"
    if made.kind == "bundled":
        shipped = bundled_at(made.path)
        measured = f"**{shipped.figures['test']['miou']:.2f} % mIoU** measured on its test pictures"
        return f"{name}: bundled weights trained on {shipped.figures['dataset']}, {measured}"
    if made.kind == "published" and made.row.miou is not None:
        return f"{name}: {made.source}, **{made.row.miou:g} % mIoU** published on {made.row.dataset}"
    if made.row.network is None:
        name = f"**{escaped(made.row.model)}**"
        return f"{name}: {escaped(made.label)}, nothing measured"
    return f"{name}: {escaped(made.source)}, nothing measured"


def _chips(entries: Sequence[LegendEntry]) -> list[int] | None:
    """Draw the classes that are in the picture; return those that are to be highlighted, None for all."""
    labels = {
        str(entry.class_id): f"![]({swatch(entry.colour)}) {escaped(entry.name)} {entry.share:.1f} %"
        for entry in entries
    }
    chosen = ONLY.draw(
        st.pills,
        "Classes: click to highlight",
        selection_mode="multi",
        show=lambda ids: [class_id for class_id in ids if class_id in labels],
        options=list(labels),
        format_func=labels.__getitem__,
    )
    return [int(class_id) for class_id in chosen if class_id in labels] or None


def milliseconds(prediction: Prediction) -> str:
    """Return how long the network took on this server, in words."""
    return f"**{prediction.timings['inference'] * 1000:.0f} ms** here, at {prediction.size}."


def details(prediction: Prediction) -> None:
    """Draw, behind a line to open, the time of each step, whose weights these are, and their terms."""
    made = prediction.weights
    panel = st.expander(f"Details of the mask {PRECISIONS[made.precision]}", icon=":material/info:")
    steps = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in prediction.timings.items())
    total = f"{prediction.seconds * 1000:.0f} ms in total"
    panel.caption(f"Input {prediction.size}, {prediction.runtime}, {total}: {steps}.")
    for sentence in filter(None, (f"{made.label}.", made.calibration, made.notice, *prediction.notes)):
        panel.caption(escaped(sentence))


def _downloads(prediction: Prediction, only: list[int] | None) -> None:
    """Draw a button that offers mask, overlay and shares; the files are made when it is opened.

    They are bytes and a click runs nothing: a file made by a later run would take the place of an earlier one
    that a quick visitor is still fetching.
    """
    menu = st.popover("Download", icon=":material/download:", on_change="rerun", key="demo_downloads")
    if not menu.open:
        return
    label_map = _coloured(prediction)
    shares = pd.DataFrame({"class": label_map.classes.names, "share_percent": prediction.shares})
    overlay = overlay_png(prediction.rgb, label_map, STRENGTH.value / 100, outlines=OUTLINES.value, only=only)
    for name, data, file, kind in (
        ("Mask", indexed_png(label_map), "mask.png", "image/png"),
        ("Overlay", overlay, "overlay.png", "image/png"),
        ("Shares", shares.to_csv(index=False), "shares.csv", "text/csv"),
    ):
        menu.download_button(name, data, file, kind, on_click="ignore")


def _coloured(prediction: Prediction) -> LabelMap:
    label_map = prediction.label_map
    return label_map.in_colours(safe_palette(len(label_map.classes))) if SAFE.value else label_map
