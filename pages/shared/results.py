"""An evaluation on the screen: means, classes, confusion, worst pictures, rules, downloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from pages.shared.evaluating import Kept, look_at
from pages.shared.loaders import chosen_catalog
from pages.shared.views import masked, reduced
from zoo.charts import confusion_heatmap, measured_scatter
from zoo.evaluation.looks import worst_images
from zoo.evaluation.summary import Summary, classes_csv, images_csv, lost_in_8_bits, to_json
from zoo.overlay import marked

WORST = 5
MEANS = {
    "title": st.column_config.TextColumn("Network, input"),
    "miou": st.column_config.NumberColumn("mIoU (%), measured", format="%.2f"),
    "lost": st.column_config.NumberColumn(
        "Against float (points)", format="%+.2f", help="mIoU in 8 bits less that of the network in float"
    ),
    "interval": st.column_config.TextColumn("95 % interval"),
    "gmacs": st.column_config.NumberColumn("GigaMACs, counted", format="%.4f", help="Of what ran"),
    "num_classes": st.column_config.NumberColumn("Its classes"),
    "accuracy": st.column_config.NumberColumn("Accuracy (%)", format="%.2f"),
    "mean_accuracy": st.column_config.NumberColumn("Mean accuracy (%)", format="%.2f"),
    "miou_per_image": st.column_config.NumberColumn("mIoU per picture (%)", format="%.2f"),
    "images": st.column_config.NumberColumn("Pictures"),
}


def row_models() -> tuple[dict[str, str], dict[str, str]]:
    """Return each row's name and its model, by id."""
    rows = chosen_catalog().rows
    return {row.id: row.name for row in rows}, {row.id: row.model for row in rows}


def show_means(summaries: Sequence[Summary], names: Mapping[str, str], networks: Mapping[str, str]) -> None:
    """Show the means of what was measured, and mIoU against the GigaMACs of what ran."""
    lines = [
        {
            "title": each.title(names),
            "miou": each.miou,
            "lost": lost,
            "interval": each.interval and " to ".join(f"{bound:.2f}" for bound in each.interval),
            "gmacs": each.counted_gmacs,
            "num_classes": each.num_classes,
            "accuracy": each.accuracy,
            "mean_accuracy": each.mean_accuracy,
            "miou_per_image": each.miou_per_image,
            "images": each.images,
        }
        for each, lost in zip(summaries, lost_in_8_bits(summaries, networks), strict=True)
    ]
    table = pd.DataFrame(lines).dropna(axis="columns", how="all")
    known = {name: column for name, column in MEANS.items() if name in table}
    st.dataframe(
        table, column_config=known, hide_index=True, placeholder="–", alt="What each network reached."
    )
    st.plotly_chart(
        measured_scatter(summaries, names),
        alt="Counted GigaMACs against measured mIoU, with 95 % intervals and their own frontier.",
    )


def show_result(held: Kept) -> None:
    """Show everything that was measured."""
    names, networks = row_models()
    first = held.evaluations[0]
    if not first.complete:
        st.warning(f"Stopped: the result so far, of {first.images} of {first.total} pictures.")
    for rule in ("labels", "classes", "unmatched"):
        if rule in first.rules:
            st.text(f"{rule.capitalize()}: {first.rules[rule].removesuffix('.')}.")
    show_means(held.summaries, names, networks)
    titles = [each.title(names) for each in held.summaries]
    number = 0
    if len(titles) > 1:
        number = st.selectbox(
            "Looked at closely", range(len(titles)), format_func=titles.__getitem__, key="evaluate_number"
        )
    alone = len(titles) == 1  # a bar for each of several needs the whole width
    left, right = st.columns(2, gap="large") if alone else (st.container(), st.container())
    with left:
        st.subheader("By class", anchor=False)
        _classes(held.summaries, titles)
    with right:
        st.subheader(f"Confusion of {titles[number]}", anchor=False)
        shown = held.summaries[number]
        st.plotly_chart(
            confusion_heatmap(shown.confusion, [line.name for line in shown.classes]),
            key="evaluate_confusion",
            alt="Confusion matrix: labelled classes in rows, as shares of their pixels.",
        )
    _worst(held, number)
    with st.expander(f"Rules, and what was left out ({len(first.refused)})", icon=":material/gavel:"):
        rules = [("weights", held.summaries[number].weights), *held.summaries[number].rules.items()]
        st.dataframe(
            pd.DataFrame(rules, columns=["rule", "what it means"]),
            hide_index=True,
            row_height=60,
            alt="The rules of this evaluation.",
        )
        for refusal in first.refused[:20]:
            st.text(f"Left out: {refusal.reason}")
    with st.container(horizontal=True):
        for name, data, file, kind in (
            ("JSON", to_json(held.summaries), "evaluation.json", "application/json"),
            ("Classes", classes_csv(held.summaries), "classes.csv", "text/csv"),
            ("Pictures", images_csv(held.evaluations), "pictures.csv", "text/csv"),
        ):
            st.download_button(name, data, file, kind, icon=":material/download:", on_click="ignore")


def _classes(summaries: Sequence[Summary], titles: Sequence[str]) -> None:
    """Show a table with one line a class, the IoU of each result as a bar."""
    table: dict[str, dict[str, object]] = {}
    for place, each in enumerate(summaries):
        for line in each.classes:
            found = table.setdefault(line.name, {"class": line.name})
            found[str(place)] = line.iou
            found["pixels"] = line.pixels
    bars = {
        str(place): st.column_config.ProgressColumn(
            f"IoU (%), {title}", format="%.2f", min_value=0, max_value=100
        )
        for place, title in enumerate(titles)
    }
    st.dataframe(
        pd.DataFrame(list(table.values())).reindex(columns=["class", *bars, "pixels"]),
        hide_index=True,
        placeholder="–",
        height="content",
        column_config={
            "class": st.column_config.TextColumn("Class"),
            **bars,
            "pixels": st.column_config.NumberColumn("Labelled pixels", format="localized"),
        },
        alt="IoU of each class and result.",
    )
    absent = summaries[0].rules.get("absent", "none")
    st.caption(f"Neither labelled nor predicted, and so in no mean: {absent}.")


def _worst(held: Kept, number: int) -> None:
    """Show the worst pictures of a result one at a time: picture, labels, mask, and where they differ."""
    evaluation = held.evaluations[number]
    places = worst_images(evaluation, WORST)
    if not places:
        return
    st.subheader("Worst pictures", anchor=False)
    scores = evaluation.scores
    place = st.segmented_control(
        "By their own mIoU",
        places,
        default=places[0],
        format_func=lambda at: f"{places.index(at) + 1}: {scores[at].miou:.1f} %" if at in places else "",
        key=f"evaluate_worst_{number}",
        required=True,
    )
    place = places[0] if place not in places else place
    st.text(f"{scores[place].name}: mIoU {scores[place].miou:.2f} %, accuracy {scores[place].accuracy:.2f} %")
    found = look_at(number, place)
    if found is None:
        return
    tiles = {
        "The picture": reduced(Image.fromarray(found.rgb)),
        "Labels": masked(found.rgb, found.labels, 0.7),
        "Mask": masked(found.rgb, found.found, 0.7),
        f"Where they differ: {found.words}": reduced(marked(found.rgb, np.asarray(found.differ))),
    }
    with st.grid(2, min_column_width=300, key="evaluate_tiles"):
        for words, image in tiles.items():
            with st.container():
                st.markdown(f"**{words}**")
                st.image(image, width="stretch", alt=words)
