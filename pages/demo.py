"""Demo: a picture in, a large coloured mask out, from real weights only."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.eightbits import in_8_bits, precision_control, show_difference
from pages.shared.errors import shown_errors
from pages.shared.fetching import no_weights
from pages.shared.kinds import Choice
from pages.shared.loaders import catalog, chosen_catalog
from pages.shared.masks import make_mask, own_weights, picture_control, samples
from pages.shared.modelfile import is_model, said_of
from pages.shared.networks import networks, state_of
from pages.shared.result import show
from pages.shared.shortlist import shortlist, size_control
from zoo.errors import shown_name
from zoo.prediction import prepare, prepare_file
from zoo.runtimes import RUNTIMES

KINDS = {"Best there is": None, "Published": "published", "Bundled": "bundled", "Your own file": "own"}
FIRST = "cityscapes-mobilenetv2-unetlite-768x384"
ROW = Choice("demo_row", lambda: list(catalog().index), FIRST, "an id of the catalog")
SOURCE = Choice("demo_source", ["Sample", "Upload", "Camera"], "Sample")
WEIGHTS = Choice("demo_weights", list(KINDS), "Best there is")
FIT = Choice("demo_fit", ["stretch", "pad"], "stretch")
RUNTIME = Choice("demo_runtime", lambda: ["default", *RUNTIMES], "default")

title, network, sources = st.columns([1.15, 1.9, 1.35], gap="medium", vertical_alignment="bottom")
title.title("Masks on your own picture", anchor=False)
# The picture first: on a narrow screen what stands beside it here goes below it, the legend at once.
result, controls = st.columns([2.7, 1], gap="medium")
tools, below = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
source = SOURCE.draw(sources.segmented_control, "Picture")
own = said = None
with controls:
    beside = st.container()
    given = picture_control(source)
    with st.expander("Weights, size and runtime", icon=":material/tune:"):
        kind = WEIGHTS.draw(st.selectbox, "Weights")
        if KINDS[kind] == "own":
            with shown_errors():
                own = own_weights()
                said = said_of(own[0]) if own and is_model(own[0]) else None
        size_control()
        FIT.draw(st.radio, "Proportions", horizontal=True)
        RUNTIME.draw(st.selectbox, "Runtime")
    if source == "Sample":
        entry = next(iter(samples().values()))
        # Not a caption: a link in one is too faint to read.
        st.markdown(
            f":small[{entry['credit']}, {entry['licence']}. No street scene may be shipped: try your own.]"
        )
whole = own is not None and is_model(own[0])
with network:
    if own and whole:
        st.text_input("Network", shown_name(own[1]), disabled=True, help="Your own file, under Weights")
        row = None
    else:
        listed = networks()
        shown = ROW.draw(st.selectbox, "Network", options=list(listed), format_func=listed.__getitem__)
        row = chosen_catalog().row(shown)
with result:
    if given is None or (KINDS[kind] == "own" and own is None):
        st.info("Choose a picture" if given is None else "Upload your weights", icon=":material/upload:")
        st.stop()
    runtime = None if RUNTIME.value == "default" else RUNTIME.value
    size = shortlist().size
    asked: dict[str, Any] = {"size": size, "fit": FIT.value, "runtime": runtime}
    if row is None:
        if said is None or own is None:  # it was told why
            st.stop()
        made = partial(prepare_file, Path(own[0]), said, name=shown_name(own[1]), **asked)
        found = make_mask(given, made, keep="demo_kept", own=own)
        if found is not None:
            show(found, given, beside, tools, below)
        st.stop()
    if own is None and no_weights(row):
        st.stop()
    weights = own[0] if own else KINDS[kind]
    wanted = ["float"]
    if row.own is None and (own or state_of(row) == "mask now"):
        with tools:
            wanted = precision_control(row, weights)
        if "8bit" in wanted:
            with shown_errors():
                if not in_8_bits(row, weights, size):
                    st.stop()
    masks = []
    for one in wanted:
        keep = "demo_kept" if one == wanted[0] else "demo_kept_8bit"
        made_of = partial(prepare, row, weights=weights, precision=one, **asked)
        masks.append(make_mask(given, made_of, keep=keep, own=own))
    if len(masks) == 2 and masks[0] and masks[1]:
        show_difference(masks[0], masks[1])
    elif masks[0] is not None:
        show(masks[0], given, beside, tools, below)
