"""What a visitor says of a whole model of their own: its classes, and how its input is prepared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.shared.kinds import Choice, Text
from zoo.classes import dataset_classes
from zoo.datasets import load_datasets
from zoo.errors import InputError
from zoo.onnx_metadata import FileFacts, Three
from zoo.own import described, read_facts
from zoo.weights.checkpoints import FORMATS, MODEL_FORMATS

FROM_FILE, UNNAMED, TYPED = "As the file says", "Without names", "Typed below"
CLASSES = Choice(
    "demo_classes",
    lambda: [FROM_FILE, UNNAMED, *load_datasets().index, TYPED],
    FROM_FILE,
    "a data set, or how classes are named",
)
NAMES, MEAN, STD = Text("demo_names", 4000), Text("demo_mean", 40), Text("demo_std", 40)


def is_model(path: str) -> bool:
    """Return whether a file is a whole model, and no weights for a network of ours."""
    return FORMATS.get(Path(path).suffix) in MODEL_FORMATS


def said_of(path: str) -> FileFacts:
    """Draw what there is to say of a whole model, and return what the file and the visitor say.

    Raises ModelFileError for a file that says what cannot be used, InputError for what was typed.
    """
    facts = read_facts(Path(path))
    named = facts.classes.words if facts.classes else "it names none"
    chosen = CLASSES.draw(
        st.selectbox,
        "Its classes",
        format_func=lambda name: f"{name}: {named}" if name == FROM_FILE else name,
    )
    if chosen == TYPED:
        NAMES.draw(st.text_area, "Class names", help="In the order of their ids, one a line or with commas.")
    left, right = st.columns(2)
    MEAN.draw(left.text_input, "Mean", placeholder=shown_three(facts.mean))
    STD.draw(right.text_input, "Deviation", placeholder=shown_three(facts.std))
    st.caption(
        f"Its input is (pixel - mean) / deviation for R, G, B from 0 to 255, {facts.prepared}; a model that "
        "takes bytes gets pixels as they are."
    )
    if chosen == UNNAMED:
        facts = replace(facts, classes=None)
    elif chosen != FROM_FILE:
        classes = _typed_names() if chosen == TYPED else dataset_classes(chosen)
        facts = described(facts, classes=classes) if classes else replace(facts, classes=None)
    return described(facts, mean=three_of(MEAN.value, "mean"), std=three_of(STD.value, "deviation"))


def _typed_names() -> list[str]:
    return [name for line in NAMES.value.splitlines() for name in map(str.strip, line.split(",")) if name]


def three_of(text: str, what: str) -> Three | None:
    """Return the three numbers that were typed, None for nothing. Raises InputError for anything else."""
    if not text.strip():
        return None
    try:
        red, green, blue = map(float, text.replace(",", " ").split())
    except ValueError as error:
        raise InputError(
            f"{what} {text[:40]!r} cannot be used: give three numbers, R G B from 0 to 255."
        ) from error
    return red, green, blue


def shown_three(three: Three | None) -> str:
    """Return three numbers as they are typed."""
    return " ".join(f"{number:g}" for number in three or ())
