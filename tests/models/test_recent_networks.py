"""The recent networks: what they cost against numbers measured elsewhere, and the contract of each family.

Parameters and GigaMACs are typed from counts of the public definitions, with 19 classes where nothing else is
said, at the size beside them. That the live count is torch's own is tested in tests/complexity.
"""

from itertools import groupby
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.models.networks import picture
from zoo.complexity import count_network
from zoo.errors import InputError
from zoo.families import families
from zoo.models import build_network, family
from zoo.models.blocks import average_cells
from zoo.rows import Network
from zoo.sizes import Size


class Case(NamedTuple):
    family: str
    encoder: str
    decoder: str
    params: int
    size: tuple[int, int]
    gmacs: str
    """As counted of the public definition, or as published (fewer digits)."""
    num_classes: int = 19
    options: str = ""

    def build(self, num_classes: int | None = None, device: str = "cpu") -> nn.Module:
        return build_network(self.network(), num_classes or self.num_classes, device)

    def network(self) -> Network:
        return Network(self.family, self.encoder, self.decoder, self.options)


WHOLE, HALF, THREE_QUARTERS, SQUARE = (2048, 1024), (1024, 512), (1536, 768), (512, 512)


def efficientvit(size: str, params: int, gmacs: str) -> Case:
    """EfficientViT for Cityscapes, whose last layers are wider than for ADE20K."""
    name = f"EfficientViT-{size}"
    return Case("efficientvit", name, "EfficientViT-Seg", params, WHOLE, gmacs, 19, '{"wide_end": true}')


CASES = [
    Case("ddrnet", "DDRNet-23-slim", "DAPPM", 5695987, WHOLE, "36.2813"),
    Case("ddrnet", "DDRNet-23", "DAPPM", 20148947, WHOLE, "143"),
    Case("pidnet", "PIDNet-S", "PAPPM", 7625715, WHOLE, "47.1942"),
    Case("pidnet", "PIDNet-M", "PAPPM", 28538515, WHOLE, "177"),
    Case("pidnet", "PIDNet-L", "DAPPM", 36939571, WHOLE, "274.9335"),
    Case("bisenet", "ResNet18", "BiSeNetV1", 13275539, WHOLE, "118"),
    Case("bisenet", "BiSeNetV2", "BGA", 3358627, WHOLE, "98.4132"),
    Case("stdc", "STDC1", "BiSeNetV1", 8275104, HALF, "16.8631"),
    Case("stdc", "STDC1", "BiSeNetV1", 8275104, (1920, 1024), "63.2362"),
    Case("stdc", "STDC2", "BiSeNetV1", 12305568, THREE_QUARTERS, "52.7771"),
    Case("ppliteseg", "STDC1", "FLD", 8028323, HALF, "11.4211"),
    Case("ffnet", "ResNet40S", "FFNet-B", 13911283, WHOLE, "62.3672"),
    Case("segformer", "MiT-B0", "All-MLP", 3719027, WHOLE, "120.9574"),
    Case("segformer", "MiT-B0", "All-MLP", 3752694, SQUARE, "8.3878", 150),
    Case("segformer", "MiT-B1", "All-MLP", 13715798, SQUARE, "15.9", 150),
    Case("segformer", "MiT-B2", "All-MLP", 27461974, SQUARE, "62.3378", 150),
    Case("segformer", "MiT-B3", "All-MLP", 47337814, SQUARE, "79.0", 150),
    efficientvit("B0", 706691, "4.3914"),
    efficientvit("B1", 4803443, "25.1050"),
    efficientvit("B2", 15323779, "74"),
    efficientvit("B3", 39603155, "179"),
    Case("efficientvit", "EfficientViT-B1", "EfficientViT-Seg", 4791414, SQUARE, "3.0904", 150),
    Case("efficientvit", "EfficientViT-B2", "EfficientViT-Seg", 15293382, SQUARE, "9.1", 150),
    Case("efficientvit", "EfficientViT-B3", "EfficientViT-Seg", 39546198, SQUARE, "22", 150),
    # Published numbers of SegNeXt add norms, multiplications and resizes: only counts are typed here.
    Case("segnext", "MSCAN-T", "Hamburger", 4229747, WHOLE, "50.1289"),
    Case("segnext", "MSCAN-T", "Hamburger", 4263414, SQUARE, "6.4043", 150),
    Case("segnext", "MSCAN-B", "Hamburger", 27636310, SQUARE, "34.6626", 150),
]
PARAMS_ONLY = [
    Case("ppliteseg", "STDC2", "FLD", 12234755, HALF, ""),
    Case("ffnet", "ResNet54S", "FFNet-B", 18044659, HALF, ""),
    Case("ffnet", "ResNet78S", "FFNet-B", 27491059, HALF, ""),
    Case("segformer", "MiT-B1", "All-MLP", 13682131, HALF, ""),
    Case("segformer", "MiT-B2", "All-MLP", 27361235, HALF, ""),
    Case("segformer", "MiT-B3", "All-MLP", 47237075, HALF, ""),
    Case("segnext", "MSCAN-S", "Hamburger", 13899219, HALF, ""),
    Case("segnext", "MSCAN-S", "Hamburger", 13932886, HALF, "", 150),
    Case("segnext", "MSCAN-B", "Hamburger", 27569107, HALF, ""),
]
SMALLEST = {f"{case.family}-{case.decoder}": case for case in reversed(CASES)}
"""One network of each family and decoder."""


def named(case: Case) -> str:
    return f"{case.family}-{case.encoder}-{case.size[0]}x{case.size[1]}-{case.num_classes}"


@pytest.fixture(scope="module", params=SMALLEST.values(), ids=SMALLEST)
def case(request) -> Case:
    return request.param


@pytest.fixture(scope="module")
def network(case) -> nn.Module:
    torch.manual_seed(0)
    return case.build()


@pytest.mark.parametrize("case", [*CASES, *PARAMS_ONLY], ids=named)
def test_parameters(case):
    assert sum(value.numel() for value in case.build(device="meta").parameters()) == case.params


@pytest.mark.parametrize("case", CASES, ids=named)
def test_gmacs(case):
    counted = count_network(case.network(), case.num_classes, Size(*case.size), name=named(case))
    digits = len(case.gmacs.partition(".")[2])
    assert f"{counted.macs / 1e9:.{digits}f}" == case.gmacs


@torch.no_grad()
def test_real_logits_at_every_size(case, network):
    for width, height in ((64, 64), (97, 65), (32, 33)):
        logits = network(picture(width, height))
        assert logits.shape == (1, case.num_classes, height, width)
        assert logits.isfinite().all()
        assert logits.std() > 0


@pytest.mark.parametrize("classes", [1, 150])
def test_other_class_counts(case, classes):
    network = case.build(classes, "meta")
    tensors = network.state_dict()
    assert [tensors[name].shape[0] for name in family(case.family).class_tensors if name in tensors] == [
        classes
    ]


@torch.no_grad()
def test_state_dict_round_trip(case, network):
    other = case.build(device="meta")
    other.load_state_dict(network.state_dict(), assign=True)
    assert torch.equal(other(picture(64, 64)), network(picture(64, 64)))


def test_gradients_reach_every_parameter(network):
    network(picture(32, 32)).square().mean().backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())
    network.zero_grad()


def test_unknown_parts_are_named(case):
    build = family(case.family).build
    with pytest.raises(InputError, match=rf"encoder 'VGG' .*{case.encoder}"):
        build("VGG", case.decoder, 2)
    with pytest.raises(InputError, match=rf"decoder 'PSP' .*{case.decoder}"):
        build(case.encoder, "PSP", 2)


def test_families_name_their_parts():
    for key, cases in groupby(sorted([*CASES, *PARAMS_ONLY]), lambda case: case.family):
        found = [(case.encoder, case.decoder) for case in cases]
        facts = families()[key]
        assert {encoder for encoder, _ in found} == set(facts.encoders)
        assert {decoder for _, decoder in found} == set(facts.decoders)


@pytest.mark.parametrize(("width", "height"), [(64, 32), (25, 25), (1, 1), (3, 7), (60, 34)])
@pytest.mark.parametrize("cells", [1, 2, 4])
def test_pooled_cells_are_adaptive_average_pooling(width, height, cells):
    x = torch.rand(2, 3, height, width)
    expected = functional.adaptive_avg_pool2d(x, cells)
    torch.testing.assert_close(average_cells(x, cells, cells), expected)
