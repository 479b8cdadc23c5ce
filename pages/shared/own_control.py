"""Where a visitor brings own rows and networks, and says of them what the files do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared.modelfile import shown_three, three_of
from pages.shared.own import Own, escaped, own
from zoo import limits
from zoo.datasets import load_datasets
from zoo.errors import ZooError
from zoo.limits import MEGABYTE
from zoo.own import own_template
from zoo.rows import NO_DATASET, Row
from zoo.sizes import parse_size
from zoo.words import format_gmacs


def own_control() -> None:
    """Draw the button behind which own rows and networks are brought, described and removed."""
    mine = own()
    count = len(mine.networks) + (len(mine.table.rows) if mine.table else 0)
    menu = st.popover(
        f"Own ({count})" if count else "Own",
        icon=":material/upload_file:",
        key="own_menu",
        help="Bring own rows and networks",
        on_change="rerun",
        width="content",
    )
    if not menu.open:
        return
    with menu:
        st.caption(
            "They join the table on Explore, Catalog, Complexity and Compare, for you alone: nothing is "
            "stored beyond your session, and no link carries them."
        )
        rows, networks = st.tabs(["Rows (CSV)", "Networks (.onnx)"])
        with rows:
            _rows(mine)
        with networks:
            _networks(mine)
        if mine.refused:
            st.error(escaped(mine.refused), icon=":material/error:")


def _rows(mine: Own) -> None:
    """Draw what gives own rows."""
    if mine.table is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(mine.table.rows)} rows** of {escaped(mine.file)}", width="content")
            st.button("Remove", key="own_drop_rows", on_click=mine.drop_rows, icon=":material/delete:")
    most = f"at most {limits.TABLE_BYTES // MEGABYTE} MB and {limits.TABLE_ROWS:,} rows"
    sent = st.file_uploader(
        f"A CSV with the catalog's columns, {most}",
        ["csv"],
        key=f"own_csv_{mine.uploads}",
        max_upload_size=limits.TABLE_BYTES // MEGABYTE,
    )
    st.download_button(
        "Template",
        own_template(),
        "own-rows.csv",
        "text/csv",
        icon=":material/download:",
        key="own_template",
        on_click="ignore",
    )
    st.caption(
        "Needed: id, dataset, model, input_width, input_height, gmacs, miou (the last two may be empty). "
        "With family, encoder and decoder a row is a network of ours, and is counted at any size."
    )
    if sent is not None:
        with st.spinner("Reading the rows, and counting the networks that are new"):
            _try(mine, lambda: mine.take_rows(sent.getvalue(), sent.name))


def _networks(mine: Own) -> None:
    """Draw what gives own networks, and each that is there."""
    for row in mine.networks.values():
        _network(mine, row)
    if len(mine.networks) < limits.OWN_NETWORKS:
        sent = st.file_uploader(
            f"An .onnx with a picture as input, up to {limits.MODEL_BYTES // MEGABYTE} MB; "
            f"{limits.OWN_NETWORKS} at most",
            ["onnx"],
            key=f"own_onnx_{mine.uploads}",
            max_upload_size=limits.MODEL_BYTES // MEGABYTE,
        )
        st.caption("It is read and counted in a process of its own, from its graph.")
        if sent is not None:
            with st.spinner("Reading and counting the network"):
                _try(mine, lambda: mine.take_network(sent.getbuffer(), sent.name))


def _network(mine: Own, row: Row) -> None:
    """Draw an own network: what was counted, and what its owner says of it."""
    network = mine.file_of(row.id)
    with st.form(f"own_form_{row.id}"):
        st.markdown(
            f"**{escaped(network.name)}**: {format_gmacs(network.macs / 1e9)} GigaMACs at {network.size}, "
            f"{network.params / 1e6:.2f} M parameters, counted from its graph."
        )
        if network.missed:
            st.caption(f"It multiplies in {', '.join(network.missed)} too, which is not counted.")
        left, middle, right = st.columns(3)
        datasets = [NO_DATASET, *load_datasets().index]
        if row.dataset not in datasets:
            datasets.append(row.dataset)
        said: dict[str, Any] = {
            "dataset": left.selectbox(
                "Data set",
                datasets,
                index=datasets.index(row.dataset),
                accept_new_options=True,
                key=f"own_dataset_{row.id}",
            ),
            "miou": middle.number_input(
                "mIoU (%)", 0.0, 100.0, row.miou, placeholder="none", key=f"own_miou_{row.id}"
            ),
        }
        size = right.text_input(
            "Measured at", str(network.size), disabled=network.only_size, key=f"own_size_{row.id}"
        )
        known = ", ".join(network.facts.classes.names) if network.facts.classes else ""
        count = f" ({network.num_classes})" if network.num_classes else ""
        names = st.text_input(
            f"Class names, in the order of their ids{count}",
            known,
            placeholder="road, sidewalk, building",
            key=f"own_classes_{row.id}",
        )
        one, two = st.columns(2)
        prepared = shown_three(network.facts.mean), shown_three(network.facts.std)
        mean = one.text_input("Mean, RGB of 0 to 255", prepared[0], key=f"own_mean_{row.id}")
        std = two.text_input("Deviation", prepared[1], key=f"own_std_{row.id}")
        st.caption(f"Prepared as (x - mean) / deviation: {network.facts.prepared}.")
        with st.container(horizontal=True):
            use = st.form_submit_button("Use this", type="primary")
            gone = st.form_submit_button("Remove", icon=":material/delete:")
    if gone:
        _try(mine, lambda: mine.drop_network(row.id))
    if use:
        given = [name.strip() for name in names.split(",")] if names.strip() and names != known else None
        changed = (mean, std) != prepared

        def describe() -> None:
            mine.describe_network(
                row.id,
                dataset=None
                if said["dataset"] in (None, NO_DATASET)
                else " ".join(said["dataset"].split())[:60],
                miou=said["miou"],
                size=parse_size(size),
                classes=given,
                mean=three_of(mean, "mean") if changed else None,
                std=three_of(std, "deviation") if changed else None,
            )

        with st.spinner("Counting"):
            _try(mine, describe)


def _try(mine: Own, change: Callable[[], object]) -> None:
    """Carry out a change and draw the page anew with it, or with why it was refused."""
    try:
        change()
        mine.refused = ""
    except ZooError as error:
        mine.refused = str(error)
    mine.uploads += 1
    st.rerun()
