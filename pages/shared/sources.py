"""What a catalog says of its words, data sets and references, as Markdown, made once per catalog."""

from functools import lru_cache

from zoo.catalog import Catalog


@lru_cache(maxsize=16)
def glossary(catalog: Catalog) -> str:
    """Return what words and footnotes mean."""
    return "\n".join(f"- **{term}**: {note}" for term, note in catalog.notes["note"].items())


@lru_cache(maxsize=16)
def described(catalog: Catalog) -> str:
    """Return the data sets with their classes and sources."""
    return "\n".join(
        f"- **{name}** ({entry['num_classes']} classes): {entry['description']} {entry['source']}"
        for name, entry in catalog.datasets.iterrows()
    )


@lru_cache(maxsize=16)
def bibliography(catalog: Catalog) -> str:
    """Return the references by their numbers, with what was read where that is known."""
    lines = []
    for number, entry in catalog.references.iterrows():
        address = entry.get("address")
        read = f". [What was read]({address})" if isinstance(address, str) else "."
        source = f"{entry['authors']}: *{entry['title']}*. {entry['venue']}, {entry['year']}{read}"
        lines.append(f"- [{number}] {source}")
    return "\n".join(lines)
