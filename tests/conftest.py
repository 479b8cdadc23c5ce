"""Settings that all tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from zoo.cache import CACHE_VARIABLE
from zoo.runtimes import export, export_task
from zoo.tables import DATA

# Examples share a busy machine with everything else: how long one takes says nothing about the code.
settings.register_profile("segselect", deadline=None)
settings.load_profile("segselect")

# A worker a core: threads of their own would only wait for one another. Subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class ByFile(LoadFileScheduling):
    """A file a worker, and all of the browser's files in one: what they set up is set up once."""

    def _split_scope(self, nodeid: str) -> str:
        browser = "tests/browser/"
        return browser if nodeid.startswith(browser) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files so that workers end together: the browser's, the longest, first, and small ones last."""
    items.sort(key=lambda item: item.path, reverse=True)
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="module", autouse=True)
def imports_are_no_garbage() -> None:
    """Leave what lives already out of collections: Streamlit makes a whole one after each run of a page."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache folder for all tests of all workers: a network is exported once, and nobody's own is used."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def exports_here() -> Iterator[None]:
    """Export in the tests' own process, which has torch: one of its own imports it anew each time.

    What is bundled stays as it is while tests run: it is exported once, and a copy serves from then on.
    """
    exported: dict[str, bytes] = {}

    def carry_out(order: dict[str, Any]) -> None:
        out, asked = Path(order["out"]), str({**order, "out": None})
        if asked in exported:
            out.write_bytes(exported[asked])
            return
        export_task.carry_out(order)
        if order["weights"] is not None and Path(order["weights"]).is_relative_to(DATA):
            exported[asked] = out.read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "carry_out_elsewhere", carry_out)
        yield
