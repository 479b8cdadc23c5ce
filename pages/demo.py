"""Demo: a picture in, a coloured mask out, from real weights only."""

import pandas as pd
import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.loaders import catalog, row_names
from pages.shared.masks import make_mask, own_weights, picture_bytes, show_progress
from pages.shared.settings import Choice, Flag, Whole
from pages.shared.shortlist import shortlist, size_control
from zoo.charts import mask_preview, shares_bars
from zoo.overlay import indexed_png, legend, overlay_png, safe_palette
from zoo.weights.checkpoints import status

KINDS = {"Best there is": None, "Published": "published", "Bundled": "bundled", "Your own file": "own"}
ROW = Choice(
    "demo_row",
    lambda: list(catalog().index),
    "cityscapes-mobilenetv2-unetlite-768x384",
    "an id of the catalog",
)
SOURCE = Choice("demo_source", ["Sample", "Upload", "Camera"], "Sample")
WEIGHTS = Choice("demo_weights", list(KINDS), "Best there is")
FIT = Choice("demo_fit", ["stretch", "pad"], "stretch")
RUNTIME = Choice("demo_runtime", ["default", "onnxruntime", "torch", "litert"], "default")
STRENGTH = Whole("demo_strength", 60, 0, 100, "percent")
OUTLINES, SAFE = Flag("demo_outlines"), Flag("demo_safe")

st.title("Masks on your own picture", anchor=False)
controls, result = st.columns([1, 2.4], gap="large")
with controls:
    row_id = ROW.draw(st.selectbox, "Network", format_func=row_names().__getitem__)
    here = status(row_id)
    words = {"missing": "published: to download", "unavailable": "none published"}
    st.caption("Weights: " + "; ".join(words.get(state, state) for state in here["status"]) + ".")
    source = SOURCE.draw(st.segmented_control, "Picture")
    picture = picture_bytes(source)
    with st.expander("Weights, size and runtime", icon=":material/tune:"):
        kind = WEIGHTS.draw(st.selectbox, "Weights")
        fit = FIT.draw(st.radio, "Proportions", horizontal=True)
        runtime = RUNTIME.draw(st.selectbox, "Runtime")
        size_control()
        weights = KINDS[kind]
        if weights == "own":
            with shown_errors():
                weights = own_weights()
    if (here["status"] == "missing").any() and st.button(
        "Download the published weights", icon=":material/download:"
    ):
        from zoo.weights.download import download

        bar = st.progress(0.0, "Downloading")
        with shown_errors():
            download(row_id, lambda done, total: show_progress(bar, done, total))
            st.rerun()
    strength = STRENGTH.draw(st.slider, "Mask strength (%)") / 100
    outlines = OUTLINES.draw(st.toggle, "Outlines between regions")
    safe = SAFE.draw(st.toggle, "Colour-blind-safe colours")

with result:
    if picture is None or (kind == "Your own file" and weights is None):
        st.info("Choose a picture" if picture is None else "Upload your weights", icon=":material/upload:")
        st.stop()
    made_now = make_mask(
        *picture, row_id, weights, shortlist().size, fit, None if runtime == "default" else runtime
    )
    if made_now is None:
        st.stop()
    prediction = made_now
    made = prediction.weights
    label_map = prediction.label_map
    classes = label_map.classes.names
    if safe:
        label_map = label_map.in_colours(safe_palette(len(classes)))
    entries = legend(label_map)
    only = st.pills(
        "Show classes", [entry.name for entry in entries], selection_mode="multi", key="demo_only"
    )
    shown = [classes.index(name) for name in only] or None
    original, masked = st.columns(2)
    original.image(prediction.rgb, caption="Picture", width="stretch", alt="The picture as it was given")
    masked.plotly_chart(
        mask_preview(prediction.rgb, label_map, strength, outlines=outlines, only=shown),
        config={"displayModeBar": False},
        alt="The picture with its mask; hover to read the class.",
    )
    masked.caption("Mask; hover to read the class")
    st.markdown(f"**{made.label}**, on {made.row.id}, input {prediction.size}, {prediction.runtime}.")
    for sentence in filter(None, (made.notice, *prediction.notes)):
        st.caption(sentence)

    shares = pd.DataFrame({"class": classes, "share_percent": prediction.shares})
    st.plotly_chart(
        shares_bars(entries),
        config={"displayModeBar": False},
        alt="Legend: each class in its colour with its share of the picture.",
    )
    steps = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in prediction.timings.items())
    st.caption(f"{prediction.seconds * 1000:.0f} ms in total: {steps}.")
    with st.container(horizontal=True):
        st.download_button(
            "Mask",
            lambda: indexed_png(label_map),
            "mask.png",
            "image/png",
            icon=":material/download:",
        )
        st.download_button(
            "Overlay",
            lambda: overlay_png(prediction.rgb, label_map, strength, outlines=outlines, only=shown),
            "overlay.png",
            "image/png",
            icon=":material/download:",
        )
        st.download_button(
            "Shares", shares.to_csv(index=False), "shares.csv", "text/csv", icon=":material/download:"
        )
if source == "Sample":
    st.caption("Photograph by danielbuechele, CC BY 2.0, scikit-learn's sample image.")
