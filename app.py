"""The server: `streamlit run app.py`."""

import gc

import streamlit as st

import zoo.charts.explore  # noqa: F401  # here, so that the server pays for these imports at its start, not the first visitor
from zoo.audit import audit

audit()  # reads the tables once
gc.collect()
gc.freeze()  # what is loaded now stays: no later collection has to walk it
app = st.App("pages/main.py")
