"""What the card beside a point says: every published value of its row, made once per table."""

from __future__ import annotations

import math
import textwrap

import pandas as pd

from zoo.charts.style import plain
from zoo.rows import OWN
from zoo.selection import COUNTED, published_pairs
from zoo.words import format_gmacs


def cards(table: pd.DataFrame) -> pd.Series:
    """Return the text of each row's card; `table` has `twins` and what was counted."""
    texts = {row_id: _card(row, table) for row_id, row in table.iterrows()}
    for pair in published_pairs(table):
        both = (
            f"<br>float {_printed(table.loc[pair.in_float], 'miou')} %, "
            f"8 bits {_printed(table.loc[pair.in_8_bits], 'miou')} %: {pair.lost:.2f} points less"
        )
        texts[pair.in_float] += both
        texts[pair.in_8_bits] += both
    return pd.Series(texts, index=table.index, dtype=object)


def _card(row: pd.Series, every: pd.DataFrame) -> str:
    lines = [
        f"<b>{plain(row['name'])}</b>",
        f"{plain(row['dataset'])}, {row['input_width']}x{row['input_height']}",
        f"mIoU {_printed(row, 'miou')} %, published",
    ]
    lines += [
        f"mIoU {_or_none(twin['miou'])} %, published at {twin['input_width']}x{twin['input_height']}"
        for _, twin in every.loc[list(row["twins"][1:])].iterrows()
    ]
    lines += [
        f"{_printed(row, 'gmacs')} GigaMACs, published",
        f"{_or_none(row[COUNTED.column])} GigaMACs, counted",
        f"printed as {plain(row['published_name'])}",
        f"from {'your own rows' if row['catalog'] == OWN else 'the catalog ' + row['catalog']}",
        f"model published: {'yes' if row['available'] else 'no'}",
    ]
    if row["qat"]:
        lines.append("quantization-aware training")
    if isinstance(row["references"], str):
        lines.append(f"references {row['references']}")
    if isinstance(row["notes"], str):
        lines += [plain(line) for line in textwrap.wrap(row["notes"], 60)]
    return "<br>".join(lines)


def _printed(row: pd.Series, cell: str) -> str:
    printed = row.get(f"{cell}_printed")
    return printed if isinstance(printed, str) else _or_none(row[cell])


def _or_none(number: float) -> str:
    return format_gmacs(number) if math.isfinite(number) else "no"
