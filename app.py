"""The server: `streamlit run app.py`."""

import gc
import sys

import streamlit as st

import zoo.charts.explore  # noqa: F401  # here, so that the server pays for these imports at its start, not the first visitor
from zoo.audit import audit

audit()  # reads the tables once
gc.collect()
gc.freeze()  # what is loaded now stays: no later collection has to walk it
# Longer than a run: who has begun ends soon. In turns, visitors who meet would all wait for all.
sys.setswitchinterval(0.03)
app = st.App("pages/main.py")
