"""The button that makes a page to send of what is on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from pages.shared.comparing import Outcome
from pages.shared.link import address_here
from pages.shared.loaders import chosen_catalog
from pages.shared.shortlist import SHARED, shortlist
from zoo.evaluation.summary import Summary
from zoo.images import Picture
from zoo.report import Decision, make_report
from zoo.report.masks import Masks
from zoo.rows import Row


def report_button(
    rows: Sequence[Row],
    *,
    picture: Picture | None = None,
    outcomes: Sequence[Outcome] = (),
    evaluations: Sequence[Summary] = (),
) -> None:
    """Draw a button that downloads the decision as one page: these rows, their masks, what was measured."""
    chosen = shortlist()
    decision = Decision(
        dataset=rows[0].dataset,
        max_gmacs=chosen.budget,
        size=chosen.size,
        rows=tuple(row.id for row in rows),
        catalog=chosen_catalog(),
        evaluations=tuple(evaluations),
        view=address_here(SHARED),
    )
    st.download_button(
        "Report",
        partial(_made, decision, picture, tuple(outcomes)),
        "report.html",
        "text/html",
        icon=":material/summarize:",
        help="One page to send: it opens in any browser and needs no network.",
        on_click="ignore",
    )


def _made(decision: Decision, picture: Picture | None, outcomes: Sequence[Outcome]) -> str:
    """Return the page; only a click makes it."""
    if picture is None:
        return make_report(decision)
    made = [(each.variant.title, each.prediction) for each in outcomes if each.prediction is not None]
    missing = [f"{each.variant.title}: {each.words}" for each in outcomes if each.prediction is None]
    return make_report(replace(decision, masks=Masks.of(picture, made, missing)))
