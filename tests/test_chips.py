"""Latencies measured on chips: typed numbers, no mix of setups, the command."""

from __future__ import annotations

import csv
import json

import pytest

from zoo.catalog import all_shipped
from zoo.chips import (
    Setup,
    float_against_8_bits,
    latencies,
    load_chips,
    milliseconds,
    over_devices,
    setups,
    timings,
)
from zoo.errors import UnknownIdError
from zoo.latency import with_milliseconds
from zoo.selection import answer, excluded
from zoo.tables import DATA

S25 = "Samsung Galaxy S25"
DDRNET = "cityscapes-ddrnet-23-slim-2048x1024"
PIDNET = "cityscapes-pidnet-s-2048x1024"
SEGFORMER = "ade20k-segformer-b0-512x512"


def test_every_line_arrives_as_it_stands_in_the_files() -> None:
    lines = []
    for name in ("chips.csv", "chips_other.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as file:
            lines += list(csv.DictReader(file))
    table = load_chips()
    assert len(table) == len(lines) == 1371 + 50
    for line, found in zip(lines, table.to_dict("records"), strict=True):
        assert found["milliseconds"] == float(line["milliseconds"])
        assert (found["device"], found["network"]) == (line["device"], line["network"])
        assert found["precision"] == (line["precision"] or "not stated")
    keys = ["network", "input_width", "input_height", "classes", *Setup._fields]
    assert not table.duplicated(keys).any()


def test_rows_on_a_setup() -> None:
    found = milliseconds(Setup(S25, "float", "onnx"))
    assert found.where == "Samsung Galaxy S25 (float, onnx)"
    # As told of that phone: 14.7 and 17.7 ms; SegFormer-B0 at 512x512 takes about what DDRNet does.
    assert found.table.loc[DDRNET, "milliseconds"] == pytest.approx(14.7, abs=0.1)
    assert found.table.loc[PIDNET, "milliseconds"] == pytest.approx(17.7, abs=0.1)
    assert found.table.loc[SEGFORMER, "milliseconds"] == pytest.approx(14.8, abs=0.1)
    assert found.table.loc[DDRNET, ["width", "height"]].tolist() == [2048, 1024]
    assert found.table.index.is_unique


def test_eight_bits_can_be_slower() -> None:
    table = float_against_8_bits(S25, "onnx").set_index("network")
    assert table.loc["ddrnet23_slim", "w8a8_ms"] == pytest.approx(37.4, abs=0.1)
    assert table.loc["ddrnet23_slim", "gain"] < 0.5
    assert table.loc["pidnet", "gain"] < 0.5
    assert 3 < table.loc["ffnet_40s", "gain"] < 4
    assert table["gain"].is_monotonic_decreasing
    # Only pairs of the same device and runtime: each number is a line of the file.
    both = latencies(S25, None, "onnx")
    for network, line in table.iterrows():
        own = both[both["network"] == network].set_index("precision")["milliseconds"]
        assert (own["float"], own["w8a8"]) == (line["float_ms"], line["w8a8_ms"])


def test_one_network_on_every_device() -> None:
    table = over_devices("pidnet", "float", "onnx")
    assert table["device"].is_unique
    assert table["milliseconds"].is_monotonic_increasing
    assert set(table["precision"]) == {"float"}
    with pytest.raises(UnknownIdError, match="pidnet"):
        over_devices("pidnett", "float", "onnx")


@pytest.mark.parametrize(
    "asked", [("Samsung Galaxy S2", None, None), (S25, "fp16", None), ("NVIDIA T4", "fp16", "onnx")]
)
def test_unknown_setups_name_what_there_is(asked: tuple[str, str | None, str | None]) -> None:
    with pytest.raises(UnknownIdError, match="There is"):
        latencies(*asked)


def test_setups_count_networks_and_rows() -> None:
    table = setups().set_index(list(Setup._fields))
    assert table.loc[(S25, "float", "onnx"), ["networks", "rows"]].tolist() == [15, 6]
    assert table["networks"].sum() == 1421
    assert table.loc[("NVIDIA Jetson Xavier NX", "not stated", "not stated"), "networks"] == 12


def test_rank_correlation_of_macs_and_milliseconds() -> None:
    table = setups(4).set_index(list(Setup._fields))
    assert table["rho"].between(-1, 1).all()
    # Jetson AGX Orin: EfficientViT alone, where more MACs always take longer.
    assert table.loc[("NVIDIA Jetson AGX Orin", "fp16", "TensorRT"), "rho"] == pytest.approx(1, abs=0.1)
    assert table.loc[(S25, "float", "onnx"), "rho"] < 0.95


def test_a_budget_of_milliseconds_on_a_phone() -> None:
    measured = milliseconds(Setup(S25, "float", "onnx"))
    table = with_milliseconds(all_shipped().table, measured)
    best = answer(table, "Cityscapes", max_cost=16.0, cost=measured.cost)
    assert best.chosen == DDRNET
    assert "ms, measured on Samsung Galaxy S25 (float, onnx)" in best.text
    reasons = excluded(table, measured.cost)
    assert reasons["cityscapes-erfnet-1024x512"] == "nobody measured it on Samsung Galaxy S25 (float, onnx)"


def test_every_latency_of_a_row_as_a_timing() -> None:
    found = timings()
    assert len(found) == load_chips()["row_id"].notna().sum()
    here = found[(found["id"] == DDRNET) & (found["where"] == f"{S25} (w8a8, onnx)")]
    assert here[["width", "height"]].to_numpy().tolist() == [[2048, 1024]]
    assert here["milliseconds"].tolist() == [pytest.approx(37.4, abs=0.1)]


def test_the_licence_stands_beside_the_data() -> None:
    notice = (DATA / "chips.NOTICE").read_text(encoding="utf-8")
    assert "Copyright 2025 Qualcomm Technologies, Inc. and/or its subsidiaries" in notice
    assert "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS" in notice
    assert load_chips()["tool_versions"].notna().sum() == 1371 - 11


def test_the_command_prints_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.cli import main

    assert main(["chips", "--device", S25, "--precision", "w8a8", "--runtime", "onnx", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {line["device"] for line in printed} == {S25}
    assert {line["precision"] for line in printed} == {"w8a8"}
    ddrnet = next(line for line in printed if line["row_id"] == DDRNET)
    assert ddrnet["milliseconds"] == pytest.approx(37.4, abs=0.1)
    assert any(line["row_id"] is None for line in printed)
    assert main(["chips", "--device", "Samsung Galaxy S2"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Did you mean Samsung Galaxy S2" in error
    assert main(["chips"]) == 0
    assert "Samsung Galaxy S25" in capsys.readouterr().out
