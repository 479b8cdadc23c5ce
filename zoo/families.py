"""What is known of each family of networks without building one: preprocessing, sizes, parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from zoo import schemas
from zoo.errors import SizeError
from zoo.limits import SIZE_MIN_SIDE
from zoo.sizes import Size, check_size
from zoo.tables import DATA, load_table

Three = tuple[float, float, float]
LAST_RESIZES = ("bilinear", "corners", "bicubic", "none")
"""Bilinear with pixel centres at halves, which zoo.labelling does too, with corners aligned, bicubic, or none
where the last layer gives the input's size itself."""


@dataclass(frozen=True)
class FamilyFacts:
    """One line of data/families.csv."""

    key: str
    label: str
    description: str
    mean: Three
    std: Three
    """A float input is (x - mean) / std, RGB, in units of 0..255."""
    size_multiple: int
    """Both sides of an input must be multiples of it."""
    fixed_size: bool
    """Whether the graph depends on the input size, so that an export serves one size only."""
    last_resize: str
    """How logits are brought to the input's size at the end, one of LAST_RESIZES."""
    encoders: tuple[str, ...]
    decoders: tuple[str, ...]

    def check_size(self, width: object, height: object, name: str) -> Size:
        """Return the size if networks of the family take it, or raise SizeError with the nearest they do."""
        size = check_size(width, height)
        multiple = self.size_multiple
        smaller = Size(*(max(SIZE_MIN_SIDE, side // multiple * multiple) for side in size))
        larger = Size(*(-(-side // multiple) * multiple for side in size))
        if smaller != larger:
            raise SizeError(
                f"size {size} cannot be used by {name}: both sides must be multiples of {multiple}, "
                f"such as {smaller} or {larger}."
            )
        return size


@cache
def families() -> dict[str, FamilyFacts]:
    """Return the families by key, in the file's order."""
    import pandera.pandas as pa

    schema = schemas.schema(
        family=schemas.text(unique=True),
        label=schemas.text(),
        mean=schemas.three_numbers(),
        std=schemas.three_numbers(),
        # Powers of two, so that the limits of a side are multiples too.
        size_multiple=pa.Column("int64", pa.Check.isin([1, 2, 4, 8, 16, 32], error="1, 2, 4, 8, 16 or 32")),
        fixed_size=schemas.truth(),
        last_resize=schemas.one_of(LAST_RESIZES),
        encoders=schemas.text(),
        decoders=schemas.text(),
        description=schemas.text(length=1000),
    )
    table = load_table(DATA / "families.csv", schema)
    return {line["family"]: _facts(line) for line in table.to_dict("records")}


def three(text: str) -> Three:
    """Return three numbers separated by blanks."""
    red, green, blue = map(float, text.split(" "))
    return red, green, blue


def _facts(line: dict[Any, Any]) -> FamilyFacts:
    return FamilyFacts(
        key=line["family"],
        label=line["label"],
        description=line["description"],
        mean=three(line["mean"]),
        std=three(line["std"]),
        size_multiple=int(line["size_multiple"]),
        fixed_size=bool(line["fixed_size"]),
        last_resize=line["last_resize"],
        encoders=tuple(line["encoders"].split("; ")),
        decoders=tuple(line["decoders"].split("; ")),
    )
