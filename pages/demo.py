"""Demo: a picture in, a large coloured mask out, from real weights only."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.loaders import catalog
from pages.shared.masks import make_mask, own_weights, picture_control, samples, show_progress
from pages.shared.modelfile import is_model, said_of
from pages.shared.networks import networks, states
from pages.shared.result import show
from pages.shared.settings import Choice
from pages.shared.shortlist import shortlist, size_control
from zoo.errors import shown_name
from zoo.prediction import Job, prepare, prepare_file
from zoo.runtimes import RUNTIMES
from zoo.weights.checkpoints import Checkpoint, status

KINDS = {"Best there is": None, "Published": "published", "Bundled": "bundled", "Your own file": "own"}
FIRST = "cityscapes-mobilenetv2-unetlite-768x384"
ROW = Choice("demo_row", lambda: list(catalog().index), FIRST, "an id of the catalog")
SOURCE = Choice("demo_source", ["Sample", "Upload", "Camera"], "Sample")
WEIGHTS = Choice("demo_weights", list(KINDS), "Best there is")
FIT = Choice("demo_fit", ["stretch", "pad"], "stretch")
RUNTIME = Choice("demo_runtime", lambda: ["default", *RUNTIMES], "default")

title, network = st.columns([1, 2.7], gap="medium", vertical_alignment="center")
title.title("Masks on your own picture", anchor=False)
controls, result = st.columns([1, 2.7], gap="medium")
own = said = None
with controls:
    source = SOURCE.draw(st.segmented_control, "Picture")
    given = picture_control(source)
    beside = st.container()
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
with network:
    if own and is_model(own[0]):
        row_id = ROW.value
        st.text_input("Network", shown_name(own[1]), disabled=True, help="Your own file, under Weights")
    else:
        listed = networks()
        row_id = ROW.draw(st.selectbox, "Network", options=list(listed), format_func=listed.__getitem__)
with result:
    state = states(tuple(catalog().index))[row_id]
    if given is None or (KINDS[kind] == "own" and own is None):
        st.info("Choose a picture" if given is None else "Upload your weights", icon=":material/upload:")
        st.stop()
    if own is None and state != "mask now":
        st.subheader("No weights for this network here yet", anchor=False)
        st.markdown(
            "Pick a network marked *mask now*, or upload a file of your own (under Weights)."
            if state == "upload only"
            else "Its published weights can be downloaded; or pick a network marked *mask now*."
        )
    to_download = own is None and "missing" in set(status(row_id)["status"])
    if to_download and st.button("Download the published weights", icon=":material/download:"):
        from zoo.weights.download import download

        bar = st.progress(0.0, "Downloading")
        with shown_errors():
            download(row_id, lambda done, total: show_progress(bar, done, total))
            states.clear()
            st.rerun()
    runtime = None if RUNTIME.value == "default" else RUNTIME.value
    asked: dict[str, Any] = {"size": shortlist().size, "fit": FIT.value, "runtime": runtime}
    made: Callable[[], tuple[Job, Checkpoint]] | None = None
    if own and is_model(own[0]):
        made = partial(prepare_file, Path(own[0]), said, name=shown_name(own[1]), **asked) if said else None
    elif own or state == "mask now":
        made = partial(prepare, row_id, weights=own[0] if own else KINDS[kind], **asked)
    if made is not None:
        found = make_mask(given, made, keep="demo_kept", own=own)
        if found is not None:
            show(found, given, beside)
