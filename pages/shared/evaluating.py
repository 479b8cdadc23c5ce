"""Evaluations for a visitor: their labelled pictures, the run with its progress, what the session keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import RLock

import streamlit as st

from pages.shared.errors import shown_errors
from pages.shared.fetching import download_button
from pages.shared.masks import IMAGE_TYPES, queue
from pages.shared.own import escaped
from pages.shared.variants import Variant
from zoo import limits
from zoo.class_mapping import ClassMapping, read_mapping
from zoo.errors import WeightsMissingError, ZooError
from zoo.evaluation import Candidate, Evaluation, EvaluationProgress, Items, evaluate_all, items_from
from zoo.evaluation.looks import Look, look
from zoo.evaluation.summary import Summary, summarise
from zoo.pairs import pair_uploads
from zoo.prediction import carry_out, prepare
from zoo.sizes import Size


@dataclass
class Kept:
    """What a visitor's session keeps: the pictures that were given last, and the last run with its result."""

    given: tuple[tuple[str, ...], Items] | None = None
    work: Items | None = None
    variants: tuple[Variant, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    summaries: tuple[Summary, ...] = ()
    refused: str = ""
    """Why the last run gave nothing."""
    looked: dict[tuple[int, int], Look] = field(default_factory=dict)
    running: RLock = field(default_factory=RLock)
    """Held while pictures are evaluated: a click starts the page anew before the run that it stops ends."""

    def wait(self) -> None:
        """Wait until a run that was stopped has kept what it has."""
        with self.running:
            pass


def kept() -> Kept:
    """Return what this visitor's session keeps."""
    found: Kept = st.session_state.setdefault("evaluate_kept", Kept())
    return found


def uploads_control() -> Items | None:
    """Draw what takes labelled pictures and return them matched, or None while there are none."""
    left, right = st.columns(2)
    most = limits.ZIP_BYTES // limits.MEGABYTE
    images = left.file_uploader(
        f"Pictures, or a zip that may hold the labels too (up to {most} MB)",
        [*IMAGE_TYPES, "zip"],
        accept_multiple_files=True,
        key="evaluate_images",
        max_upload_size=most,
    )
    labels = right.file_uploader(
        "Label files of the same names, or a zip: class ids, label ids or colours",
        ["png", "bmp", "tif", "tiff", "zip"],
        accept_multiple_files=True,
        key="evaluate_labels",
        max_upload_size=most,
    )
    st.caption("They stay in the memory of this server and are not stored.")
    held = kept()
    if not images:
        return held.given[1] if held.given is not None and not labels else None
    key = tuple(file.file_id for file in [*images, *labels])
    if held.given is None or held.given[0] != key:
        pairing = pair_uploads([(file.name, file) for file in images], [(file.name, file) for file in labels])
        held.given = key, items_from(pairing)
    return held.given[1]


def mapping_control() -> ClassMapping | None:
    """Draw what takes a mapping of labels to classes and return it, or None."""
    sent = st.file_uploader(
        "Mapping (CSV with the columns label and class)",
        "csv",
        key="evaluate_mapping",
        max_upload_size=limits.TABLE_BYTES // limits.MEGABYTE,
        help="Where your labels are not the classes of the weights: what each label (a class, an id or a "
        "colour such as #804080) means in them. An empty class leaves the label out.",
    )
    return None if sent is None else read_mapping(sent.getvalue(), sent.name)


def runnable(variants: Sequence[Variant], size: Size | None) -> list[Variant]:
    """Return those that have weights here, and tell of the others."""
    found = []
    for variant in variants:
        try:
            prepare(variant.row, weights=variant.weights, size=size, precision=variant.precision)
            found.append(variant)
        except WeightsMissingError:
            st.info(f"{escaped(variant.title)}: {variant.missing}", icon=":material/visibility_off:")
            download_button(variant.row, key=f"evaluate_download_{variant.title}")
        except ZooError as error:
            st.error(escaped(variant.told(error)), icon=":material/error:")
    return found


def evaluate_now(
    variants: Sequence[Variant],
    work: Items,
    size: Size | None,
    mapping: ClassMapping | None,
    labels_of: str | None,
) -> None:
    """Evaluate with progress; when it is stopped, by its button or any other, the result so far is kept."""
    held, line = kept(), queue()
    bar = st.progress(0.0, "Starting")
    st.button("Stop", key="evaluate_stop", icon=":material/stop:", help="The result so far is kept.")
    latest: list[EvaluationProgress] = []

    def tell(progress: EvaluationProgress) -> None:
        latest[:] = [progress]
        bar.progress(progress.done / progress.total, f"{progress.done} of {progress.total} pictures")

    def wait(place: int) -> None:
        done = latest[-1].done if latest else 0
        bar.progress(done / len(work.items), f"{done} of {len(work.items)} pictures; waiting, place {place}")

    held.refused = ""
    with held.running:
        try:
            evaluate_all(
                [Candidate(each.row, each.weights, size, precision=each.precision) for each in variants],
                work,
                mapping=mapping,
                labels_of=labels_of,
                progress=tell,
                turn=lambda: line.patient_turn(wait),
            )
        except ZooError as error:
            held.refused = next(iter(variants)).told(error)
        finally:  # a stop is no error of ours: it goes on from here
            if latest and (found := latest[-1].results()):
                held.work, held.variants, held.evaluations, held.looked = work, tuple(variants), found, {}
                held.summaries = tuple(
                    replace(summary, weights=variant.named(summary.weights))
                    for variant, summary in zip(variants, map(summarise, found), strict=True)
                )
    st.rerun()


def look_at(number: int, place: int) -> Look | None:
    """Return one picture of a result with its labels and its mask, made now or kept; None with a line."""
    held = kept()
    if (number, place) not in held.looked and held.work is not None:
        evaluation, variant = held.evaluations[number], held.variants[number]
        item = held.work.items[evaluation.scores[place].number]
        with shown_errors(), st.spinner("Making the mask"):
            asked = prepare(
                variant.row, weights=variant.weights, size=evaluation.size, precision=variant.precision
            )
            picture = item.read_picture()
            with queue().turn():
                found = carry_out(*asked, picture)
            held.looked = {(number, place): look(evaluation, item.read_labels(), found)}
    return held.looked.get((number, place))
