"""What is kept, for how long, and what is tried again."""

from __future__ import annotations

import gc
import weakref

import pytest

from zoo.errors import BusyError, InferenceError, ModelFileError, NotNowError, ZooError
from zoo.keeping import Kept


class Maker:
    """Counts how often it was asked."""

    def __init__(self, *results: object) -> None:
        self.results, self.calls = list(results), 0

    def __call__(self) -> object:
        self.calls += 1
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result


def test_a_result_is_made_once_and_those_used_last_are_kept() -> None:
    kept: Kept[str, object] = Kept(2)
    makers = {key: Maker(key.upper()) for key in "abc"}
    for key in "abacba":  # c pushes b out, b then a's neighbour c... the order of use decides
        assert kept.get(key, makers[key]) == key.upper()
        assert len(kept) <= 2
    assert [makers[key].calls for key in "abc"] == [2, 2, 1]
    assert [key in kept for key in "abc"] == [True, True, False]
    kept.clear()
    assert len(kept) == 0


def test_what_failed_is_not_tried_again_and_says_the_same() -> None:
    kept: Kept[str, object] = Kept(2)
    for error in (ModelFileError("the file is bad"), InferenceError("it took too long")):
        make = Maker(error)
        for _ in range(3):
            with pytest.raises(type(error), match=str(error)):
                kept.get(str(error), make)
        assert make.calls == 1


@pytest.mark.parametrize("passing", [NotNowError("no room"), BusyError("later"), ValueError("a bug")])
def test_what_may_pass_is_tried_again(passing: Exception) -> None:
    kept: Kept[str, object] = Kept(2)
    make = Maker(passing, "made")
    with pytest.raises(type(passing)):
        kept.get("a", make)
    assert kept.get("a", make) == "made"


def test_failures_are_kept_only_where_asked() -> None:
    kept: Kept[str, object] = Kept(2, failures=False)
    make = Maker(ModelFileError("bad"), "made")
    with pytest.raises(ZooError):
        kept.get("a", make)
    assert kept.get("a", make) == "made"


def test_a_bound_on_bytes_and_the_last_one_however_large() -> None:
    kept: Kept[str, bytes] = Kept(9, 100)
    for key, size in (("a", 60), ("b", 40), ("c", 30)):
        kept.get(key, lambda size=size: bytes(size), len)
    assert [key in kept for key in "abc"] == [False, True, True]
    assert kept.get("d", lambda: bytes(500), len) == bytes(500)
    assert [key in kept for key in "abcd"] == [False, False, False, True]


def test_a_kept_failure_holds_on_to_nothing() -> None:
    class Large:
        pass

    kept: Kept[str, object] = Kept(2)
    seen: list[weakref.ref[Large]] = []

    def fail() -> object:
        large = Large()
        seen.append(weakref.ref(large))
        raise ModelFileError("bad")

    with pytest.raises(ModelFileError):
        kept.get("a", fail)
    gc.collect()
    assert seen[0]() is None
