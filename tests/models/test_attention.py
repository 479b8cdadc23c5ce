"""What attends to all positions: SegNeXt's factorisation and SegFormer's smallest sizes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from zoo.complexity import count_model
from zoo.models import build_model, segformer, segnext
from zoo.models.segnext import Factorisation
from zoo.rows import Network, Row
from zoo.sizes import Size
from zoo.weights.layouts import build_for


def test_a_factorisation_by_the_multiplicative_rules() -> None:
    x = torch.rand(1, 12, 35)
    ham = Factorisation(12, 4)
    map_, patterns = x[0].double().numpy(), ham.patterns.double().numpy()
    assert np.linalg.norm(patterns, axis=0) == pytest.approx(np.ones(4))
    assert (patterns >= 0).all()
    exponents = np.exp(map_.T @ patterns)
    presence = exponents / exponents.sum(axis=1, keepdims=True)
    for step in range(8):
        presence = presence * (map_.T @ patterns) / (presence @ patterns.T @ patterns + 1e-6)
        if step < 7:
            patterns = patterns * (map_ @ presence) / (patterns @ presence.T @ presence + 1e-6)
    np.testing.assert_allclose(ham(x)[0].numpy(), patterns @ presence.T, rtol=1e-4)


def test_a_picture_has_one_answer_in_any_company() -> None:
    pictures = torch.rand(2, 12, 35)
    together = Factorisation(12, 4)(pictures)
    torch.testing.assert_close(together[1:], Factorisation(12, 4)(pictures[1:]))


@pytest.mark.parametrize(("encoder", "width", "rank"), [("MSCAN-T", 256, 16), ("MSCAN-B", 512, 64)])
def test_what_a_factorisation_costs(encoder: str, width: int, rank: int) -> None:
    with torch.device("meta"):
        network = segnext.build(encoder, "Hamburger", 19)
    layers = count_model(network, 333, 222).layers
    positions = 42 * 28  # at stride 8
    products = layers["macs"][layers["kind"] == "matrix product"].sum()
    assert products == 17 * positions * width * rank + 15 * (positions + width) * rank**2
    assert set(layers["name"][layers["kind"] == "matrix product"]) == {"head.hamburger.ham"}


def test_what_attention_costs() -> None:
    with torch.device("meta"):
        network = segformer.build("MiT-B0", "All-MLP", 19)
    layers = count_model(network, 340, 250).layers
    # 85 x 63 positions at stride 4, 43 x 32, 22 x 16 and 11 x 8; the reduced grids are rounded down.
    pairs = [85 * 63 * 10 * 7, 43 * 32 * 10 * 8, 22 * 16 * 11 * 8, 11 * 8 * 11 * 8]
    expected = sum(2 * 2 * pair * width for pair, width in zip(pairs, (32, 64, 160, 256), strict=True))
    assert layers["macs"][layers["kind"] == "matrix product"].sum() == expected


@torch.no_grad()
def test_segformers_smallest_picture() -> None:
    network = segformer.build("MiT-B0", "All-MLP", 3).eval()
    assert network(torch.rand(1, 3, 29, 29)).shape == (1, 3, 29, 29)
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        network(torch.rand(1, 3, 28, 64))


def row_of(*network: str) -> Row:
    return Row("own", "Own", "own", Size(64, 64), network=Network(*network), num_classes=3)


@pytest.mark.parametrize(
    "network",
    [
        ("segnext", "MSCAN-T", "Hamburger"),
        ("efficientvit", "EfficientViT-B0", "EfficientViT-Seg"),
        ("efficientvit", "EfficientViT-B0", "EfficientViT-Seg", '{"wide_end": true}'),
        ("segformer", "MiT-B0", "All-MLP"),
    ],
    ids=str,
)
@torch.no_grad()
def test_weights_from_a_file_are_all_that_a_network_needs(network: tuple[str, ...], tmp_path: Path) -> None:
    row, x = row_of(*network), torch.rand(1, 3, 64, 96)
    one = build_model(row)
    save_file(one.state_dict(), tmp_path / "one.safetensors")
    assert torch.equal(build_for(row, tmp_path / "one.safetensors")(x), one(x))


@torch.no_grad()
def test_segformers_public_names(tmp_path: Path) -> None:
    row, x = row_of("segformer", "MiT-B0", "All-MLP"), torch.rand(1, 3, 64, 96)
    one = build_model(row)
    one.network.save_pretrained(tmp_path)
    public = tmp_path / "model.safetensors"
    with safe_open(public, "pt") as file:
        assert "segformer.encoder.block.0.0.attention.self.sr.weight" in set(file.keys())
    assert torch.equal(build_for(row, public)(x), one(x))
