"""The masks of one picture by several rows: made one after the other, kept while they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.fetching import download_button
from pages.shared.masks import Given, queue
from pages.shared.own import escaped
from pages.shared.variants import Variant
from pages.shared.views import masked, reduced, swatch
from zoo.classes import LabelMap
from zoo.comparison import LEAST, Disagreement, compare_shares, disagreement
from zoo.errors import NotNowError, WeightsMissingError, ZooError
from zoo.images import Picture, read_image
from zoo.overlay import marked
from zoo.prediction import Job, Prediction, carry_out, prepare
from zoo.sizes import Size


class Outcome(NamedTuple):
    """What a variant made of the picture: a mask, or why there is none."""

    variant: Variant
    prediction: Prediction | None
    words: str = ""
    missing: bool = False
    """Whether it is only that there are no weights here."""


@dataclass
class Kept:
    """What a visitor's session keeps: their picture as read, and the masks or failures of these variants."""

    picture: tuple[str, Picture] | None = None
    results: dict[tuple[Job, str], Prediction | str] = field(default_factory=dict)
    shown: tuple[Outcome, ...] = ()


def compared_masks(given: Given, variants: Sequence[Variant], size: Size | None) -> tuple[Outcome, ...]:
    """Return what each variant makes of the picture, made now or kept from the last rerun.

    A picture that is refused is told in one line, and the masks of the one before stay.
    """
    kept: Kept = st.session_state.setdefault("compare_kept", Kept())
    try:
        picture = _read(given, kept)
    except ZooError as error:
        st.error(str(error), icon=":material/error:")
        if kept.shown:
            st.caption("Below are the masks of the picture before this one.")
        return kept.shown
    line = st.empty()
    outcomes, used = [], set()
    for variant in variants:
        outcome, key = _outcome(variant, size, given.sha256, picture, kept, line)
        outcomes.append(outcome)
        used.add(key)
    line.empty()
    kept.results = {key: result for key, result in kept.results.items() if key in used}
    kept.shown = tuple(outcomes)
    return kept.shown


def kept_picture() -> Picture | None:
    """Return the picture that the masks on the screen are of, or None while there is none."""
    kept: Kept | None = st.session_state.get("compare_kept")
    return None if kept is None or kept.picture is None else kept.picture[1]


def _read(given: Given, kept: Kept) -> Picture:
    if kept.picture is None or kept.picture[0] != given.sha256:
        kept.picture = given.sha256, read_image(given.data, given.name)
    return kept.picture[1]


def _outcome(
    variant: Variant, size: Size | None, sha256: str, picture: Picture, kept: Kept, line: DeltaGenerator
) -> tuple[Outcome, tuple[Job, str] | None]:
    def tell(words: str) -> None:
        line.info(f"{escaped(variant.title)}: {words}", icon=":material/hourglass_top:")

    try:
        job, checkpoint = prepare(
            variant.row, weights=variant.weights, size=size, precision=variant.precision
        )
    except ZooError as error:
        return Outcome(variant, None, variant.told(error), isinstance(error, WeightsMissingError)), None
    key = (job, sha256)
    if key not in kept.results:
        try:
            with queue().turn(lambda place: tell(f"waiting, place {place} in the queue")):
                kept.results[key] = carry_out(job, checkpoint, picture, progress=tell)
        except NotNowError as error:  # it may pass by itself
            return Outcome(variant, None, str(error)), None
        except ZooError as error:
            kept.results[key] = variant.told(error)
    found = kept.results[key]
    return (Outcome(variant, None, found) if isinstance(found, str) else Outcome(variant, found)), key


def draw_masks(outcomes: Sequence[Outcome], strength: float, *, outlines: bool) -> None:
    """Draw the masks next to each other, where they disagree, and the share of each class."""
    made = [outcome for outcome in outcomes if outcome.prediction is not None]
    maps = [outcome.prediction.label_map for outcome in made if outcome.prediction is not None]
    differ: Disagreement | None = None
    refused = ""
    if len(maps) >= LEAST:
        try:
            differ = disagreement(maps)
        except ZooError as error:
            refused = str(error)
    with st.grid(2, min_column_width=340, key="compare_masks"):
        for outcome in outcomes:
            _draw_one(outcome, differ, strength, outlines)
        if differ is not None and made[0].prediction is not None:
            with st.container():
                st.markdown("**Where they disagree**, in magenta")
                st.image(
                    reduced(marked(made[0].prediction.rgb, differ.mask)),
                    width="stretch",
                    alt=f"The picture with the pixels marked where the masks disagree: {differ.words}",
                )
                st.markdown(f":small[{differ.words}]")
    if refused:
        st.info(refused, icon=":material/rule:")
    if differ is not None:
        _draw_shares(made, maps, differ)
    for notice in dict.fromkeys(each.prediction.weights.notice for each in made if each.prediction):
        st.caption(notice)


def _draw_one(outcome: Outcome, differ: Disagreement | None, strength: float, outlines: bool) -> None:
    with st.container():
        st.markdown(f"**{escaped(outcome.variant.title)}**")
        found = outcome.prediction
        if found is None:
            if outcome.missing:
                st.info(outcome.variant.missing, icon=":material/visibility_off:")
                download_button(outcome.variant.row, key=f"compare_download_{outcome.variant.title}")
            else:
                st.error(escaped(outcome.words), icon=":material/error:")
            return
        label_map = found.label_map if differ is None else differ.shared.in_colours(found.label_map)
        st.image(
            masked(found.rgb, label_map, strength, outlines=outlines),
            width="stretch",
            alt=f"The picture with the mask of {outcome.variant.title}",
        )
        told = [
            f"Input {found.size}, {found.seconds * 1000:.0f} ms in {found.runtime}.",
            f"{outcome.variant.named(found.weights.label)}.",
            *found.notes,
        ]
        st.markdown(f":small[{escaped(' '.join(told))}]")


def _draw_shares(made: Sequence[Outcome], maps: Sequence[LabelMap], differ: Disagreement) -> None:
    """Draw the share of each class by each mask, with its colour: the legend of the masks."""
    shares = compare_shares(maps)
    shares = shares.assign(colour=[swatch(colour) for colour in differ.shared.classes.palette])
    shares = shares[shares["spread"].gt(0) | shares[0].gt(0)].sort_values(0, ascending=False).reset_index()
    bars = {
        str(place): st.column_config.ProgressColumn(
            f"{each.variant.title} (%)", format="%.2f", min_value=0, max_value=100
        )
        for place, each in enumerate(made)
    }
    st.markdown("**Share of the picture by class**, which is the legend too")
    table = shares.rename(columns=str)
    st.dataframe(
        table[["colour", "class", *bars, "spread"]],
        hide_index=True,
        column_config={
            "colour": st.column_config.ImageColumn("", width=40),
            "class": st.column_config.TextColumn("Class"),
            **bars,
            "spread": st.column_config.NumberColumn("Largest difference (points)", format="%.2f"),
        },
        alt="Share of the picture by class and network, with the largest difference.",
    )
