"""Which networks a picture can be tried on: the likely ones first, each with what can be done now."""

import streamlit as st

from pages.shared.exploring import answer_here
from pages.shared.loaders import chosen_catalog, row_names
from pages.shared.shortlist import shortlist
from zoo.rows import Row
from zoo.weights.checkpoints import status

WORDS = {
    "bundled": "mask now",
    "downloaded": "mask now",
    "missing": "download",
    "unavailable": "upload only",
}


@st.cache_data(ttl=5)
def states() -> dict[str, str]:
    """Return what can be done with each row that ships now, in words."""
    best = status().groupby("id", sort=False)["status"].agg(list)
    return {row: next(word for key, word in WORDS.items() if key in found) for row, found in best.items()}


def state_of(row: Row) -> str:
    """Return what can be done with a row now, in words; an own network brings its weights."""
    if row.own is not None:
        return "mask now"
    shipped = states().get(row.id)
    return shipped or next(word for key, word in WORDS.items() if key in set(status(row)["status"]))


def networks() -> dict[str, str]:
    """Return the rows with their words: the answer, the shortlist, those with weights here, the rest."""
    chosen, names = shortlist(), row_names()
    known = {row.id: state_of(row) for row in chosen_catalog().rows}
    found = answer_here(chosen.datasets[0], None).chosen
    groups = {
        "The answer": [found] if found else [],
        "Shortlist": chosen.rows,
        "Weights here": [row for row, words in known.items() if words == "mask now"],
        "Others": list(known),
    }
    listed: dict[str, str] = {}
    for group, rows in groups.items():
        listed |= {row: f"{group}: {names[row]} · {known[row]}" for row in rows if row not in listed}
    return listed
