"""Demo: a picture in, a large coloured mask out, from real weights only."""

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.loaders import catalog, row_names
from pages.shared.masks import Given, make_mask, own_weights, picture_control, samples, show_progress
from pages.shared.networks import networks, states
from pages.shared.settings import Choice, Flag, Whole
from pages.shared.shortlist import shortlist, size_control
from pages.shared.views import masked, wiped
from zoo.overlay import indexed_png, legend, overlay_png, safe_palette
from zoo.prediction import Prediction
from zoo.runtimes import RUNTIMES
from zoo.weights.checkpoints import status

KINDS = {"Best there is": None, "Published": "published", "Bundled": "bundled", "Your own file": "own"}
FIRST = "cityscapes-mobilenetv2-unetlite-768x384"
ROW = Choice("demo_row", lambda: list(catalog().index), FIRST, "an id of the catalog")
SOURCE = Choice("demo_source", ["Sample", "Upload", "Camera"], "Sample")
WEIGHTS = Choice("demo_weights", list(KINDS), "Best there is")
FIT = Choice("demo_fit", ["stretch", "pad"], "stretch")
RUNTIME = Choice("demo_runtime", lambda: ["default", *RUNTIMES], "default")
VIEW = Choice("demo_view", ["Overlay", "Side by side", "Slide"], "Overlay")
STRENGTH, WIPE = Whole("demo_strength", 60, 0, 100, "percent"), Whole("demo_wipe", 50, 0, 100, "percent")
OUTLINES, SAFE = Flag("demo_outlines"), Flag("demo_safe")


def show(prediction: Prediction, given: Given) -> None:
    """Show a mask as large as the page is wide, its legend, and what has to be said of it."""
    made, label_map = prediction.weights, prediction.label_map
    if SAFE.value:
        label_map = label_map.in_colours(safe_palette(len(label_map.classes)))
    entries = legend(label_map)
    tools = st.container(horizontal=True, vertical_alignment="bottom")
    view = VIEW.draw(tools.segmented_control, "View")
    if view == "Slide":
        WIPE.draw(tools.slider, "Picture | mask (%)", width=220)
    else:
        STRENGTH.draw(tools.slider, "Mask strength (%)", width=220)
    OUTLINES.draw(tools.toggle, "Outlines")
    SAFE.draw(tools.toggle, "Colour-blind-safe")
    place = st.container()
    names = {f"{entry.name} {entry.share:.1f} %": entry.class_id for entry in entries}
    only = st.pills("Classes: click to highlight", list(names), selection_mode="multi", key="demo_only")
    options: dict[str, Any] = {"outlines": OUTLINES.value, "only": [names[name] for name in only] or None}
    image = masked(prediction.rgb, label_map, 1 if view == "Slide" else STRENGTH.value / 100, **options)
    told = f"The picture {given.name[:60]} with the mask of {made.row.title}"
    if view == "Side by side":
        left, right = place.columns(2)
        left.image(masked(prediction.rgb, label_map, 0), width="stretch", alt="The picture as it was given")
        right.image(image, width="stretch", alt=told)
    elif view == "Slide":
        place.image(wiped(prediction.rgb, image, WIPE.value / 100), width="stretch", alt=told)
    else:
        place.image(image, width="stretch", alt=told)
    st.markdown(f"**{made.label}**, on {made.row.title}.")
    with st.expander(
        f"Details: {prediction.seconds * 1000:.0f} ms, terms, downloads", icon=":material/info:"
    ):
        steps = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in prediction.timings.items())
        st.caption(f"Input {prediction.size}, {prediction.runtime}: {steps}.")
        for sentence in filter(None, (made.notice, *prediction.notes)):
            st.caption(sentence)
        shares = pd.DataFrame({"class": label_map.classes.names, "share_percent": prediction.shares})
        with st.container(horizontal=True):
            icon = ":material/download:"
            st.download_button("Mask", lambda: indexed_png(label_map), "mask.png", "image/png", icon=icon)
            overlay = lambda: overlay_png(prediction.rgb, label_map, STRENGTH.value / 100, **options)  # noqa: E731
            st.download_button("Overlay", overlay, "overlay.png", "image/png", icon=icon)
            st.download_button("Shares", shares.to_csv(index=False), "shares.csv", "text/csv", icon=icon)


st.title("Masks on your own picture", anchor=False)
controls, result = st.columns([1, 2.7], gap="medium")
with controls:
    known, names = states(tuple(catalog().index)), row_names()
    row_id = ROW.draw(
        st.selectbox, "Network", options=networks(), format_func=lambda row: f"{names[row]} · {known[row]}"
    )
    source = SOURCE.draw(st.segmented_control, "Picture")
    given = picture_control(source)
    with st.expander("Weights, size and runtime", icon=":material/tune:"):
        kind = WEIGHTS.draw(st.selectbox, "Weights")
        own = None
        if KINDS[kind] == "own":
            with shown_errors():
                own = own_weights()
        size_control()
        FIT.draw(st.radio, "Proportions", horizontal=True)
        RUNTIME.draw(st.selectbox, "Runtime")
    if source == "Sample":
        entry = next(iter(samples().values()))
        # Not a caption: a link in one is too faint to read.
        st.markdown(
            f":small[{entry['credit']}, {entry['licence']}. No street scene may be shipped: try your own.]"
        )
with result:
    if given is None or (KINDS[kind] == "own" and own is None):
        st.info("Choose a picture" if given is None else "Upload your weights", icon=":material/upload:")
        st.stop()
    if own is None and known[row_id] != "mask now":
        st.subheader("No weights for this network here yet", anchor=False)
        st.markdown(
            "Pick a network marked *mask now*, or upload a file of your own (under Weights)."
            if known[row_id] == "upload only"
            else "Its published weights can be downloaded; or pick a network marked *mask now*."
        )
    if "missing" in set(status(row_id)["status"]) and st.button(
        "Download the published weights", icon=":material/download:"
    ):
        from zoo.weights.download import download

        bar = st.progress(0.0, "Downloading")
        with shown_errors():
            download(row_id, lambda done, total: show_progress(bar, done, total))
            states.clear()
            st.rerun()
    if own is not None or known[row_id] == "mask now":
        weights = own[0] if own else KINDS[kind]
        runtime = None if RUNTIME.value == "default" else RUNTIME.value
        name = own[1] if own else None
        found = make_mask(given, row_id, weights, shortlist().size, FIT.value, runtime, name)
        if found is not None:
            show(found, given)
