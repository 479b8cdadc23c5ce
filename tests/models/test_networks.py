"""The contract of every row's network, and what the blocks that families share must do."""

import socket

import pytest
import torch
from torch import nn
from torch.nn import functional

import zoo
from tests.models.networks import picture
from zoo.catalog import all_shipped, check_row_size, load_catalog
from zoo.errors import InputError, SizeError, UnknownIdError
from zoo.families import families
from zoo.models import FAMILIES, build_model, edgeailite, family
from zoo.models.encoders import MobileNetV2Encoder
from zoo.models.swiftnet import average_grid

CATALOG = load_catalog()
NETWORKS = {row.network: row.id for row in reversed(all_shipped().rows)}
DISTINCT = sorted(NETWORKS.values())
"""One row for each network that differs in more than its classes."""
PUBLISHED = [row_id for row_id in DISTINCT if row_id in CATALOG.index]
ONE_OF_EACH_DECODER = CATALOG.loc[PUBLISHED].drop_duplicates(["family", "decoder"]).index
CLASSES = {"ADE20K32": 32, "COCOSeg21": 21, "Cityscapes": 19, "VOC2012": 21, "ADE20K": 150}
NEVER_USED = {"encoder.output_conv.weight", "encoder.output_conv.bias"}  # of ERFNet, kept for its checkpoint


@pytest.fixture(scope="module", params=PUBLISHED)
def row_id(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(row_id) -> nn.Module:
    torch.manual_seed(0)
    return build_model(row_id)


def test_rows_have_the_classes_of_their_data_set():
    assert {row.id: row.num_classes for row in all_shipped().rows} == {
        row.id: CLASSES[row.dataset] for row in all_shipped().rows
    }


@torch.no_grad()
def test_real_logits_at_small_size(row_id, network):
    logits = network(picture(64, 64))
    assert logits.shape == (1, CLASSES[CATALOG.at[row_id, "dataset"]], 64, 64)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()
    assert logits.std() > 0


@torch.no_grad()
def test_odd_sizes_are_taken_or_refused(row_id, network):
    if CATALOG.at[row_id, "family"] == "erfnet":
        with pytest.raises(SizeError, match="multiples of 8, such as 96x64 or 104x72"):
            check_row_size(row_id, 97, 65)
        return
    assert check_row_size(row_id, 97, 65) == (97, 65)
    assert network(picture(97, 65)).shape[-2:] == (65, 97)
    assert network(picture(32, 33)).shape[-2:] == (33, 32)


@pytest.mark.parametrize("row_id", ONE_OF_EACH_DECODER)
def test_other_class_counts(row_id):
    for classes in (1, 60):
        network = build_model(row_id, num_classes=classes, device="meta")
        assert network(torch.empty(2, 3, 64, 96, device="meta")).shape == (2, classes, 64, 96)


@torch.no_grad()
def test_state_dict_round_trip(row_id, network):
    other = build_model(row_id, device="meta")
    other.load_state_dict(network.state_dict(), assign=True)
    assert torch.equal(other(picture(64, 64)), network(picture(64, 64)))


def test_gradients_reach_every_parameter(row_id, network):
    network(picture(32, 32)).square().mean().backward()
    without = {name for name, value in network.named_parameters() if value.grad is None}
    assert without == (NEVER_USED if CATALOG.at[row_id, "family"] == "erfnet" else set())
    assert all(value.grad.isfinite().all() for value in network.parameters() if value.grad is not None)
    network.zero_grad()


def test_qat_rows_are_the_float_networks():
    for row_id in CATALOG.index[CATALOG["qat"]]:
        quantized, plain = (build_model(i, device="meta") for i in (row_id, row_id.replace("-qat", "")))
        shapes = [{k: v.shape for k, v in net.state_dict().items()} for net in (quantized, plain)]
        assert shapes[0] == shapes[1]


def test_every_family_is_registered():
    assert set(FAMILIES) == set(families())
    for key, facts in families().items():
        built = [row.network for row in all_shipped().rows if row.network and row.network.family == key]
        assert {network.encoder for network in built} == set(facts.encoders), key
        assert {network.decoder for network in built} == set(facts.decoders), key
        assert family(key).class_tensors, key


def test_nothing_is_downloaded_or_takes_memory_on_meta(monkeypatch):
    def refuse(*_):
        raise AssertionError("a network was built through the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for row_id in DISTINCT:
        assert all(value.is_meta for value in build_model(row_id, device="meta").state_dict().values())


def test_unknown_id_names_near_matches():
    with pytest.raises(UnknownIdError, match=r"Did you mean .*cityscapes-erfnet-1024x512"):
        zoo.build_model("cityscapes-erfnet-1024x521")


@pytest.mark.parametrize("classes", [0, -1, 256, 2.0, True, "19"])
def test_class_counts_that_cannot_be(classes):
    with pytest.raises(InputError, match="num_classes"):
        build_model("cityscapes-erfnet-1024x512", num_classes=classes)


def test_unknown_parts_are_named():
    with pytest.raises(InputError, match=r"encoder 'VGG' .* MobileNetV2"):
        edgeailite.build("VGG", "UNetLite", 2)
    with pytest.raises(InputError, match=r"decoder 'PSP' .* FPNLite"):
        edgeailite.build("MobileNetV2", "PSP", 2)


def depthwise(encoder: MobileNetV2Encoder) -> list[nn.Conv2d]:
    return [m for m in encoder.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]


def test_stride_8_dilates_what_follows_a_lost_stride():
    layers = depthwise(MobileNetV2Encoder(output_stride=8))
    # 17 blocks: 4 up to stride 8 keep theirs; the 7th and the 14th lose it.
    assert [layer.dilation[0] for layer in layers] == [1] * 7 + [2] * 7 + [4] * 3
    assert [number for number, layer in enumerate(layers, 1) if layer.stride == (2, 2)] == [2, 4]


def test_stride_16_without_dilation():
    encoder = MobileNetV2Encoder(output_stride=16, dilate=False)
    assert {layer.dilation for layer in depthwise(encoder)} == {(1, 1)}
    sizes = [feature.shape[-1] for feature in encoder(picture(64, 64))]
    assert sizes == [32, 16, 8, 4, 4]


@pytest.mark.parametrize(("width", "height"), [(64, 32), (25, 25), (1, 1), (3, 7), (60, 34)])
@pytest.mark.parametrize("rows", [8, 4, 2])
def test_pooled_grid_is_adaptive_average_pooling(width, height, rows):
    x = torch.rand(2, 3, height, width)
    expected = functional.adaptive_avg_pool2d(x, (rows, max(1, round(rows * width / height))))
    torch.testing.assert_close(average_grid(x, rows), expected)
