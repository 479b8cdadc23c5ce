"""Weights of every layout go into the right network and compute what the public networks compute."""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import segmentation

import zoo
from zoo.catalog import find_row, load_catalog
from zoo.errors import CheckpointError
from zoo.models import build_model, family
from zoo.models.family import Family
from zoo.weights.layouts import build_for, class_count, load_weights, to_our_names

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog()
# Tensor names and shapes of the public checkpoints, and what three of the public networks compute.
LAYOUTS = json.loads(gzip.decompress((ROOT / "tests/data/layouts.json.gz").read_bytes()))
REFERENCE = np.load(ROOT / "tests/data/reference_outputs.npz")
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
DISTINCT = list(CATALOG.drop_duplicates(["family", "encoder", "decoder", "options"]).index)
ONE_OF_EACH_FAMILY = [
    UNET,
    "cityscapes-regnetx400mf-fpnlite-768x384",
    "voc2012-deeplabv3-mnv2-dm05-512x512",
    "cocoseg21-lr-aspp-mobilenetv3-large-520x520",
    "cityscapes-erfnet-1024x512",
    "cityscapes-mobilenetv2-swiftnet-2048x1024",
]


def row_of(layout: str) -> tuple[str, int]:
    model, _, classes = layout.partition("|")
    return CATALOG.index[CATALOG["model"] == model][0], int(classes)


def family_of(row_id: str) -> Family:
    return family(find_row(row_id).built.family)


def seeded(name: str, shape: list[int]) -> torch.Tensor:
    """The recipe by which the reference outputs were made."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        values = np.zeros(shape)
    elif name.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(("running_mean", "bias")):
        values = rng.normal(0, 0.1, shape)
    elif len(shape) == 1:
        values = rng.uniform(0.5, 1.5, shape)
    else:
        values = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    return torch.from_numpy(np.asarray(values, np.float32))


def seeded_file(layout: str, path: Path) -> Path:
    state = {f"module.{name}": seeded(name, shape) for name, shape in LAYOUTS[layout].items()}
    torch.save({"state_dict": state}, path)
    return path


def shapes(state: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_public_layouts_are_ours_under_other_names(layout):
    row_id, classes = row_of(layout)
    public = {name: torch.empty(shape, device="meta") for name, shape in LAYOUTS[layout].items()}
    ours = build_model(row_id, num_classes=classes, device="meta").state_dict()
    assert shapes(to_our_names(public, family_of(row_id))) == shapes(ours)


def test_renaming_of_a_regnet_block():
    # Typed pairs, where shapes alone would not tell a mistake.
    block = "encoder.features.s1.b1."
    for public, ours in {
        "decoders.0.pred.0.0.weight": "decoder.pred.0.0.weight",
        block + "f.a.weight": block + "conv1.conv.weight",
        block + "f.b_bn.running_var": block + "conv2.bn.running_var",
        block + "f.c_bn.bias": block + "conv3.bn.bias",
        block + "proj.weight": block + "downsample.conv.weight",
        block + "bn.weight": block + "downsample.bn.weight",
    }.items():
        assert list(to_our_names({public: torch.zeros(1)}, family("edgeailite"))) == [ours]
        assert list(to_our_names({ours: torch.zeros(1)}, family("edgeailite"))) == [ours]
    public, ours = "backbone.0.0.weight", "network.backbone.0.0.weight"
    assert list(to_our_names({public: torch.zeros(1)}, family("torchvision"))) == [ours]
    assert list(to_our_names({ours: torch.zeros(1)}, family("torchvision"))) == [ours]


@pytest.mark.parametrize("layout", REFERENCE.files)
@torch.no_grad()
def test_outputs_of_the_public_networks(tmp_path, layout):
    row_id, classes = row_of(layout)
    model = build_model(row_id, num_classes=classes)
    load_weights(model, seeded_file(layout, tmp_path / "x.pth"))
    x = np.random.default_rng(7).normal(0, 1, (1, 3, 96, 160)).astype(np.float32)
    found = model(torch.from_numpy(x))[0, :, ::4, ::4].numpy()
    expected = REFERENCE[layout]
    assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-4


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - set(REFERENCE.files)))
@torch.no_grad()
def test_every_other_layout_loads(tmp_path, layout):
    row_id, classes = row_of(layout)
    model = build_for(row_id, seeded_file(layout, tmp_path / "x.pth"))
    # Networks keep their tensors in the order of the public checkpoints' layers: the first convolution and
    # the last layer are where a swapped name would show.
    names = list(LAYOUTS[layout])
    for name, value in (
        (names[0], next(iter(model.parameters()))),
        (names[-1], list(model.parameters())[-1]),
    ):
        assert torch.equal(value, seeded(name, LAYOUTS[layout][name]))
    logits = model(picture())
    assert logits.shape == (1, classes, 64, 64)
    assert logits.isfinite().all()


@pytest.mark.parametrize("row_id", ONE_OF_EACH_FAMILY)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@torch.no_grad()
def test_our_own_layout(tmp_path, row_id, suffix):
    model = build_model(row_id, num_classes=4)
    path = tmp_path / f"x{suffix}"
    torch.save(model.state_dict(), path) if suffix == ".pth" else save_file(model.state_dict(), path)
    other = build_for(row_id, path)
    assert not other.training
    assert torch.equal(other(picture()), model(picture()))


@pytest.mark.parametrize("row_id", DISTINCT)
def test_class_count_is_read_off_every_network(row_id):
    state = build_model(row_id, num_classes=7, device="meta").state_dict()
    assert class_count(state, family_of(row_id)) == 7


def test_class_count_of_strangers():
    for stranger in (
        {"weight": torch.zeros(3)},
        {"decoder.logits.bias": torch.tensor(1.0)},
        {"decoder.logits.bias": torch.zeros(1000)},
    ):
        assert class_count(stranger, family("deeplab")) is None


@pytest.mark.parametrize("row_id", CATALOG.index[CATALOG["family"] == "torchvision"].drop_duplicates())
def test_torchvision_names_fit(row_id):
    constructor = json.loads(CATALOG.at[row_id, "options"])["constructor"]
    auxiliary = {} if constructor.startswith("lraspp") else {"aux_loss": True}
    with torch.device("meta"):
        network = getattr(segmentation, constructor)(
            weights=None, weights_backbone=None, num_classes=9, **auxiliary
        )
    ours = build_model(row_id, num_classes=9, device="meta").state_dict()
    assert shapes(to_our_names(network.state_dict(), family("torchvision"))) == shapes(ours)


@torch.no_grad()
def test_torchvision_file_with_its_auxiliary_head(tmp_path):
    network = segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True
    ).eval()
    torch.save(network.state_dict(), tmp_path / "x.pth")
    model = build_model("cocoseg21-deeplabv3-mobilenetv3-large-520x520")
    load_weights(model, tmp_path / "x.pth")
    assert torch.equal(model(picture()), network(picture())["out"])


@torch.no_grad()
def test_half_precision_without_training_counters(tmp_path):
    model = build_model(UNET)
    state = {k: v.half() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "x.safetensors")
    other = build_model(UNET)
    load_weights(other, tmp_path / "x.safetensors")
    torch.testing.assert_close(other(picture()), model(picture()), rtol=0.05, atol=0.05)
    assert {value.dtype for value in other.parameters()} == {torch.float32}


@pytest.mark.parametrize("path", sorted((ROOT / "data/weights").glob("*.safetensors")), ids=lambda p: p.stem)
@torch.no_grad()
def test_bundled_weights(path):
    model = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["model"]
    network = build_for(CATALOG.index[CATALOG["model"] == model][0], path)
    assert network(picture()).shape == (1, 11, 64, 64)


def changed(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """The state of UNetLite with some tensors replaced, or left out where None; "__" stands for a dot."""
    state = build_model(UNET).state_dict() | {key.replace("__", "."): v for key, v in changes.items()}
    return {key: value for key, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            {"encoder__features__0__0__weight": torch.zeros(16, 3, 3, 3)},
            ["encoder.features.0.0.weight is (16, 3, 3, 3) in the file, (32, 3, 3, 3) here"],
        ),
        (
            {"decoder__pred__1__0__weight": None},
            ["decoder.pred.1.0.weight (19, 38, 1, 1) is not in the file"],
        ),
        ({"aux_classifier__0": torch.zeros(2)}, ["aux_classifier.0 (2,) is only in the file"]),
        (
            {"decoder__pred__0__1__bias": None, **{f"x{n}": torch.zeros(2) for n in range(7)}},
            ["decoder.pred.0.1.bias (38,) is not in the file", "x1 (2,)", "and 5 more"],
        ),
        ({"decoder__pred__0__1__bias": torch.full((38,), torch.nan)}, ["decoder.pred.0.1.bias has NaN"]),
    ],
    ids=["shape", "missing", "extra", "many", "NaN"],
)
def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path, state, words):
    torch.save(changed(**state), tmp_path / "x.pth")
    model = build_model(UNET)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        zoo.load_weights(model, tmp_path / "x.pth")
    message = str(caught.value)
    assert all(word in message for word in ["x.pth", *words])
    assert "\n" not in message
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_another_architecture_is_refused(tmp_path):
    path = seeded_file("MobileNetV2+UNetLite|19", tmp_path / "unet.pth")
    for row_id in ("cityscapes-mobilenetv2-fpnlite-768x384", "cityscapes-erfnet-1024x512"):
        with pytest.raises(CheckpointError, match=r"unet\.pth does not fit this network: .* more\. Choose"):
            build_for(row_id, path)


def test_a_network_on_meta_becomes_real(tmp_path):
    model = build_model(UNET, num_classes=19, device="meta")
    load_weights(model, seeded_file("MobileNetV2+UNetLite|19", tmp_path / "x.pth"))
    assert isinstance(model, nn.Module)
    assert not any(value.is_meta for value in model.state_dict().values())
    assert model(picture()).isfinite().all()
