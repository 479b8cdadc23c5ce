"""Catalogs: rows with their notes, references and audit; those that ship are folders in data/catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zoo import schemas
from zoo.classes import dataset_classes
from zoo.datasets import load_datasets
from zoo.errors import TableError, ZooError, shown_name
from zoo.families import families
from zoo.limits import SIZE_MAX_SIDE, SIZE_MIN_SIDE
from zoo.rows import OWN, Network, Row
from zoo.sizes import Size, parse_size
from zoo.tables import DATA, LINE, load_table, parse_table
from zoo.words import MAX_SHOWN, unknown_name

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

PUBLISHED, RECENT = "published", "recent"
CATALOGS = DATA / "catalogs"
COLUMNS = ["section", "group", "dataset", "model", "published_name", "family", "encoder", "decoder"]
COLUMNS += [
    "input_width",
    "input_height",
    "gmacs",
    "miou",
    "available",
    "qat",
    "references",
    "options",
    "notes",
]
"""The columns of a catalog file behind `id`."""
SOURCES = ["cost_as_printed", "source", "miou_source"]
"""Columns that a catalog file may have behind these: where its figures were read."""
PRINTED = ["gmacs", "miou"]


@dataclass(frozen=True, eq=False)
class Catalog:
    """Rows with what is said of them. Compared by identity, so that what is computed of it can be kept."""

    name: str
    title: str
    rows: tuple[Row, ...]
    notes: pd.DataFrame
    """What terms and footnotes mean, in our words, indexed by `term`."""
    references: pd.DataFrame
    """authors, title, venue, year, address; indexed by `number`."""
    audit: pd.DataFrame
    """Of each published GigaMACs value: status, explanation, published_at; indexed by row id."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows as a table indexed by `id`; do not change it.

        The columns of a catalog file with its sources, and `catalog`, `name`, `title`, `num_classes`,
        `published_at` ("WxH"), and `gmacs_printed` and `miou_printed` as text. Sizes are int64 pixels;
        `gmacs` (10^9 multiply-accumulates) and `miou` (percent) float64.
        """
        text = "section group dataset model published_name family encoder decoder references options notes"
        text += " catalog name title published_at gmacs_printed miou_printed"
        types = dict.fromkeys([*text.split(), *SOURCES], "str") | {"gmacs": "float64", "miou": "float64"}
        types |= {"available": "bool", "qat": "bool", "input_width": "int64", "input_height": "int64"}
        table = pd.DataFrame([_line(row) for row in self.rows]).set_index("id")
        return table.astype(types | {"num_classes": "Int64"})

    @property
    def as_published(self) -> pd.DataFrame:
        """The rows with the columns of their catalog file alone, indexed by `id`: a copy."""
        sources = [name for name in SOURCES if self.table[name].notna().any()]
        return self.table[[*COLUMNS, *sources]].copy()

    @cached_property
    def datasets(self) -> pd.DataFrame:
        """What is known of the data sets of these rows, by name."""
        known = load_datasets()
        return known.loc[known.index.isin([row.dataset for row in self.rows])]

    @cached_property
    def _by_id(self) -> dict[str, Row]:
        return {row.id: row for row in self.rows}

    def has(self, row_id: str) -> bool:
        """Return whether there is a row of that id."""
        return row_id in self._by_id

    def row(self, row_id: object) -> Row:
        """Return the row of an id, or raise UnknownIdError."""
        if not isinstance(row_id, str) or row_id not in self._by_id:
            raise unknown_name("row", row_id, self._by_id, "See all with: python -m zoo list")
        return self._by_id[row_id]

    def joined(self, other: Catalog) -> Catalog:
        """Return the rows of both, in order. Raises TableError for an id that both have."""
        for row in other.rows:
            if row.id in self._by_id:
                raise TableError(f"id {row.id} is a row of {self.title} already; give your row another.")
        return Catalog(
            name=f"{self.name}+{other.name}",
            title=f"{self.title} and {other.title}",
            rows=(*self.rows, *other.rows),
            notes=_stacked(self.notes, other.notes),
            references=_stacked(self.references, other.references),
            audit=_stacked(self.audit, other.audit),
        )

    def with_own(self, source: Path | str | bytes, name: str = "own.csv") -> Catalog:
        """Return the catalog with a user's own rows behind it, from a CSV's path or bytes (called `name`).

        Only id, dataset, model, input_width, input_height, gmacs and miou must be there, and the data set may
        be the user's own. A row that names family, encoder and decoder is a network of ours; on a data set of
        the user's own it also needs num_classes. Raises TableError with one line.
        """
        own = read_own_rows(source, name)
        return self.joined(own)

    def with_rows(self, rows: Iterable[Row]) -> Catalog:
        """Return the catalog with rows of a user's own behind it, such as own networks'.

        Raises TableError for an id that is taken.
        """
        return self.joined(own_catalog(rows))


def load_catalog() -> pd.DataFrame:
    """Return the 35 published rows in the table's order, indexed by `id`.

    Sizes are int64 pixels; `gmacs` (billions of multiply-accumulates at the row's size) and `miou` (percent)
    are float64, missing where the page prints nothing; `available` and `qat` are bool. The frame is a copy.
    """
    return catalog_named(PUBLISHED).as_published


def catalog_names() -> list[str]:
    """Return the names of the catalogs that ship, the published table first."""
    return list(_listed().index)


@cache
def catalog_named(name: str) -> Catalog:
    """Return a catalog that ships; names joined by "+" give all their rows. Raises UnknownIdError."""
    first, _, others = name.partition("+")
    if first not in _listed().index:
        raise unknown_name("catalog", first, _listed().index, f"There are {', '.join(_listed().index)}.")
    found = _load(first)
    return found.joined(catalog_named(others)) if others else found


@cache
def all_shipped() -> Catalog:
    """Return every row that ships."""
    return catalog_named("+".join(catalog_names()))


def find_row(row: str | Row) -> Row:
    """Return a row as it is, or the one of an id from any catalog that ships. Raises UnknownIdError."""
    return row if isinstance(row, Row) else all_shipped().row(row)


def check_row_size(row: str | Row, width: object, height: object) -> Size:
    """Return the size if the row's network takes it, or raise SizeError that names the nearest it does.

    Raises NotOursError for a row that no family of ours builds.
    """
    found = find_row(row)
    if found.own is not None:
        return found.own.check_size(width, height)
    return families()[found.built.family].check_size(width, height, found.model)


@cache
def _listed() -> pd.DataFrame:
    schema = schemas.schema(
        catalog=schemas.text(r"[a-z]+", "lower-case letters", unique=True),
        title=schemas.text(),
        description=schemas.text(length=1000),
    )
    return load_table(CATALOGS / "catalogs.csv", schema).set_index("catalog")


def _load(name: str) -> Catalog:
    folder = CATALOGS / name
    audit = _load_audit(folder / "audit.csv")
    table = load_table(folder / "catalog.csv", catalog_schema(), printed=PRINTED)
    return Catalog(
        name=name,
        title=str(_listed().at[name, "title"]),
        rows=tuple(_row(line, name, audit) for line in table.to_dict("records")),
        notes=_load_notes(folder / "notes.csv"),
        references=_load_references(folder / "references.csv"),
        audit=audit,
    )


def read_own_rows(
    source: Path | str | bytes, name: str = "own.csv", check: Callable[[Row], None] = lambda row: None
) -> Catalog:
    """Return a user's own rows; see `Catalog.with_own`.

    `check` may refuse a row with a ZooError that begins with the column; it is told with the row's line.
    """
    schema = catalog_schema(own=True)
    if isinstance(source, bytes):
        table = parse_table(source, schema, name, printed=PRINTED, lines=True)
    else:
        name, table = shown_name(source), load_table(source, schema, printed=PRINTED, lines=True)
    cells = ["id", *COLUMNS, *SOURCES, "num_classes", *(f"{cell}_printed" for cell in PRINTED), LINE]
    rows = []
    for line in table.reindex(columns=cells).to_dict("records"):
        row = _row(line, OWN, catalog_named(PUBLISHED).audit.iloc[:0])
        try:
            _check_own(row)
            check(row)
        except ZooError as error:
            raise TableError(f"{shown_name(name)}, line {line[LINE]}, {error}") from error
        rows.append(row)
    return own_catalog(rows)


def own_catalog(rows: Iterable[Row]) -> Catalog:
    """Return rows of a user's own as a catalog, such as own networks'."""
    first = catalog_named(PUBLISHED)
    said = (table.iloc[:0] for table in (first.notes, first.references, first.audit))
    return Catalog(OWN, "your own rows", tuple(rows), *said)


def _check_own(row: Row) -> None:
    """Refuse an own row with a shipped one's id, or that names a network which its family does not have."""
    shipped = all_shipped()
    if shipped.has(row.id):
        title = catalog_named(shipped.row(row.id).catalog).title
        raise TableError(f"column id: {row.id} is a row of {title} already; give your row another.")
    if row.network is None:
        return
    facts = families()[row.network.family]
    for part, value, known in (
        ("encoder", row.network.encoder, facts.encoders),
        ("decoder", row.network.decoder, facts.decoders),
    ):
        if value not in known:
            raise TableError(
                f"column {part}: {value[:MAX_SHOWN]!r} is not known to the family {facts.key}; "
                f"it has {', '.join(known)}."
            )
    if row.num_classes is None:
        raise TableError(
            f"column num_classes: a network of ours on the data set {row.dataset[:MAX_SHOWN]!r}, "
            "which is not one of ours: say how many classes it has in a column num_classes, 1 to 255."
        )


def _row(line: dict[Any, Any], catalog: str, audit: pd.DataFrame) -> Row:
    """Return one line of a catalog file as a row."""
    published_at = audit["published_at"].get(line["id"])
    parts = [_text(line[part]) for part in ("family", "encoder", "decoder")]
    family, encoder, decoder = parts
    network = (
        Network(family, encoder, decoder, _text(line["options"]) or "")
        if family and encoder and decoder
        else None
    )
    dataset, own_count = line["dataset"], line.get("num_classes")
    classes = len(dataset_classes(dataset)) if dataset in load_datasets().index else None
    references = _text(line["references"])
    return Row(
        id=line["id"],
        dataset=dataset,
        model=line["model"],
        size=Size(int(line["input_width"]), int(line["input_height"])),
        gmacs=_number(line["gmacs"]),
        miou=_number(line["miou"]),
        network=network,
        num_classes=classes if own_count is None or pd.isna(own_count) else int(own_count),
        catalog=catalog,
        section=_text(line["section"]) or "Own rows",
        group=_text(line["group"]),
        published_name=_text(line["published_name"]) or line["model"],
        available=line["available"] is True,
        qat=line["qat"] is True,
        references=tuple(map(int, references.split(","))) if references else (),
        notes=_text(line["notes"]),
        cost_as_printed=_text(line.get("cost_as_printed")),
        source=_text(line.get("source")),
        miou_source=_text(line.get("miou_source")),
        gmacs_printed=_text(line["gmacs_printed"]),
        miou_printed=_text(line["miou_printed"]),
        published_at=parse_size(published_at) if isinstance(published_at, str) else None,
    )


def _line(row: Row) -> dict[str, object]:
    """Return a row as a line of `Catalog.table`."""
    family, encoder, decoder, options = row.network or (None, None, None, None)
    return {
        "id": row.id,
        **{name: getattr(row, name) for name in ("section", "group", "dataset", "model", "published_name")},
        "family": family,
        "encoder": encoder,
        "decoder": decoder,
        "input_width": row.size.width,
        "input_height": row.size.height,
        **{name: getattr(row, name) for name in ("gmacs", "miou", "available", "qat")},
        "references": ",".join(map(str, row.references)) or None,
        "options": options or None,
        "notes": row.notes,
        **{name: getattr(row, name) for name in SOURCES},
        **{name: getattr(row, name) for name in ("catalog", "name", "title", "num_classes")},
        "published_at": None if row.published_at is None else str(row.published_at),
        "gmacs_printed": row.gmacs_printed,
        "miou_printed": row.miou_printed,
    }


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) and cell else None


def _number(cell: float) -> float | None:
    return None if pd.isna(cell) else float(cell)


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    both = pd.concat([first, second])
    return both[~both.index.duplicated()]


def catalog_schema(*, own: bool = False) -> DataFrameSchema:
    """Return the schema of a catalog.csv, or with `own` of a user's rows, which may leave columns out."""
    import pandera.pandas as pa

    optional: dict[str, Any] = {"required": not own}
    columns = {
        "id": schemas.text(
            r"[a-z0-9]+(-[a-z0-9]+)*",
            "lower-case letters, digits and single hyphens",
            MAX_SHOWN,
            unique=True,
        ),
        "section": schemas.text(nullable=own, **optional),
        "group": schemas.text(nullable=True, **optional),
        "dataset": schemas.text() if own else schemas.one_of(load_datasets().index),
        "model": schemas.text(),
        "published_name": schemas.text(nullable=own, **optional),
        "family": schemas.one_of(families(), nullable=own, **optional),
        "encoder": schemas.text(nullable=own, **optional),
        "decoder": schemas.text(nullable=own, **optional),
        "input_width": schemas.whole_number(SIZE_MIN_SIDE, SIZE_MAX_SIDE),
        "input_height": schemas.whole_number(SIZE_MIN_SIDE, SIZE_MAX_SIDE),
        "gmacs": schemas.number(1e-6, 1e6),
        "miou": schemas.number(0, 100),
        "available": schemas.truth(**optional),
        "qat": schemas.truth(**optional),
        "references": schemas.text(
            r"\d+(,\d+)*", "numbers of references, such as 3,11", nullable=True, **optional
        ),
        "options": schemas.json_object(**optional),
        "notes": schemas.text(length=1000, nullable=True, **optional),
        **{name: schemas.text(nullable=True, required=False) for name in SOURCES},
    }
    if own:
        count = pa.Check.in_range(1, 255, error="1 to 255, or nothing")
        columns["num_classes"] = pa.Column("Int64", count, nullable=True, required=False)
    return schemas.schema(**columns)


def _load_notes(path: Path) -> pd.DataFrame:
    schema = schemas.schema(term=schemas.text(unique=True), note=schemas.text(length=1000))
    return load_table(path, schema).set_index("term")


def _load_references(path: Path) -> pd.DataFrame:
    schema = schemas.schema(
        number=schemas.whole_number(1, 99, unique=True),
        authors=schemas.text(),
        title=schemas.text(),
        venue=schemas.text(),
        year=schemas.whole_number(1900, 2100),
        address=schemas.text(nullable=True, required=False),
    )
    return load_table(path, schema).set_index("number")


def _load_audit(path: Path) -> pd.DataFrame:
    schema = schemas.schema(
        id=schemas.text(unique=True),
        status=schemas.one_of(["explained", "unexplained"], nullable=True),
        explanation=schemas.text(length=1000, nullable=True),
        published_at=schemas.size(nullable=True),
    )
    return load_table(path, schema).set_index("id")
