"""Which networks a picture can be tried on: the likely ones first, each with what can be done now."""

import streamlit as st

from pages.shared.loaders import catalog, row_names, table_at
from pages.shared.shortlist import shortlist
from zoo.selection import PUBLISHED, answer
from zoo.weights.checkpoints import status

WORDS = {
    "bundled": "mask now",
    "downloaded": "mask now",
    "missing": "download",
    "unavailable": "upload only",
}


@st.cache_data(ttl=5)
def states(ids: tuple[str, ...]) -> dict[str, str]:
    """Return what can be done with each row now, in words."""
    best = status().groupby("id", sort=False)["status"].agg(list)
    return {row: next(word for key, word in WORDS.items() if key in best.get(row, [key])) for row in ids}


def networks() -> dict[str, str]:
    """Return the rows with their words: the answer, the shortlist, those with weights here, the rest."""
    chosen, known, names = shortlist(), states(tuple(catalog().index)), row_names()
    found = answer(table_at(None), chosen.datasets[0], max_cost=chosen.budget, cost=PUBLISHED).chosen
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
