"""Latency: milliseconds on chips, on this machine and on your board against MACs, and what bounds a chip."""

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.kinds import Choice, Whole
from pages.shared.loaders import chosen_catalog
from pages.shared.onchip import draw_on_chip
from pages.shared.own import own
from pages.shared.own_control import own_control
from pages.shared.shortlist import rows_control, shortlist
from pages.shared.timing import all_setups, boards_control, here, own_rows, show, time_rows
from zoo.benchmark import CONDITIONS, physical_cores
from zoo.catalog import all_shipped
from zoo.charts import device_bars, precision_gains
from zoo.chips import (
    NOTICE,
    Setup,
    float_against_8_bits,
    load_chips,
    measured_setups,
    milliseconds,
    over_devices,
)
from zoo.rows import OWN

VIEWS = {"chips": "Measured chips", "here": "This machine and boards", "roofline": "On my chip"}
VIEW = Choice("latency_view", list(VIEWS), "chips")
SETUP = Choice(
    "latency_setup",
    lambda: list(measured_setups()),
    "Samsung Galaxy S25 (float, onnx)",
    "a setup of the list",
)
NETWORK = Choice("latency_network", lambda: list(load_chips()["network"].unique()), "pidnet", "a network")
THREADS = Whole("latency_threads", physical_cores(), 1, 256, "threads")


st.title("Latency", anchor=False)
view = VIEW.draw(
    st.segmented_control, "Milliseconds", format_func=VIEWS.__getitem__, label_visibility="collapsed"
)
if view == "chips":
    chosen = SETUP.draw(st.selectbox, "Device, precision and runtime: they never mix", width=420)
    setup = Setup(*measured_setups()[chosen])
    show(milliseconds(setup))
    left, right = st.columns(2, gap="large")
    with left, shown_errors():
        st.subheader("Float against 8 bits", anchor=False)
        both = float_against_8_bits(setup.device, setup.runtime)
        if both.empty:
            st.caption(f"Nobody ran {setup.device} with {setup.runtime} in both.")
        else:
            st.plotly_chart(
                precision_gains(both),
                alt="How many times as fast each network is in 8 bits; below 1 it is slower.",
            )
            slower = ", ".join(both.loc[both["gain"] < 1, "network"])
            st.caption(
                f"On {setup.device} with {setup.runtime}. Slower in 8 bits: {slower or 'none'}. "
                "A latency says nothing of the accuracy in 8 bits."
            )
    with right, shown_errors():
        st.subheader("One network on every device", anchor=False)
        network = NETWORK.draw(st.selectbox, "Network, as its source calls it")
        devices = over_devices(network, setup.precision, setup.runtime)
        st.plotly_chart(device_bars(devices), alt=f"Milliseconds of {network} on each device.")
        st.caption(f"In {setup.precision} with {setup.runtime}.")
    st.caption(NOTICE)
elif view == "here":
    st.caption(f"{CONDITIONS} Rows run with random weights, which do not change their speed.")
    rows_control()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        own_control()
        threads = THREADS.draw(st.number_input, "Threads", width=120)
        rows = [row for row in shortlist().rows if row in all_shipped().table.index or row in own_rows()]
        words = "Time the chosen row" if len(rows) == 1 else f"Time the {len(rows)} chosen rows"
        one = st.button(words, disabled=not rows, type="primary")
        whole = st.button("Time the whole catalog", help="Minutes; stop when you like.")
    if one or whole:
        time_rows(
            rows if one else [row.id for row in chosen_catalog().rows if row.network and row.catalog != OWN],
            threads,
        )
    if own():
        st.caption(
            "An .onnx of your own is timed in a process of its own, within limits; what it took is yours "
            "alone, gone with your session. A board's file is matched by the content of the .onnx."
        )
    if len(rows) < len(shortlist().rows):
        st.caption("Rows of your own that name no network cannot be timed.")
    for reason in st.session_state.pop("latency_skipped", []):
        st.warning(reason, icon=":material/skip_next:")
    boards_control()
    measured = all_setups()
    if measured:
        show(measured[st.selectbox("Measured with", list(measured), key="latency_here")])
    else:
        st.info("Nothing is measured yet: choose rows and time them, or upload a board's file.")
    if machine := here():
        st.download_button(
            "This machine's measurements (JSON)", machine.as_json(), "measurements.json", on_click="ignore"
        )
else:
    draw_on_chip()
