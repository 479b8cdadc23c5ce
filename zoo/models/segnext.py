"""SegNeXt: attention by large depthwise convolutions, and a head that factorises its map into few patterns.

Sources: Guo et al., SegNeXt: Rethinking Convolutional Attention Design for Semantic Segmentation, NeurIPS
2022; Geng et al., Is Attention Better Than Matrix Decomposition?, ICLR 2021 (the head). Input normalised with
ImageNet's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import choose, resize
from zoo.models.family import Family

STRIP_LENGTHS = (7, 11, 21)
MLP_RATIOS = (8, 8, 4, 4)
START_SCALE = 0.01
GROUPS = 32
STEPS = 7
"""Updates of the factorisation at inference; training takes one less."""
EPS = 1e-6
SEED = 0


class Variant(NamedTuple):
    """An encoder, and the width and number of patterns of the head that was published with it."""

    widths: Sequence[int]
    depths: Sequence[int]
    head_width: int
    rank: int


WIDE = (64, 128, 320, 512)
ENCODERS = {
    "MSCAN-T": Variant((32, 64, 160, 256), (3, 3, 5, 2), 256, 16),
    "MSCAN-S": Variant(WIDE, (2, 2, 4, 2), 256, 16),
    "MSCAN-B": Variant(WIDE, (3, 3, 12, 3), 512, 64),
}


def depthwise(channels: int, kernel: tuple[int, int]) -> nn.Conv2d:
    """Return a depthwise convolution (rows, columns) that keeps the size."""
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Conv2d(channels, channels, kernel, padding=padding, groups=channels)


def halving(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 3x3 convolution of stride 2 and batch norm."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


class ConvolutionalAttention(nn.Module):
    """Weighs a map by what 5x5, 7, 11 and 21 pixels around each position hold, between two 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 1)
        self.near = depthwise(channels, (5, 5))
        self.strips = nn.ModuleList(
            nn.Sequential(depthwise(channels, (1, length)), depthwise(channels, (length, 1)))
            for length in STRIP_LENGTHS
        )
        self.mix = nn.Conv2d(channels, channels, 1)
        self.leave = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.gelu(self.enter(x))
        near = self.near(y)
        weight = self.mix(sum((strip(near) for strip in self.strips), near))
        return self.leave(y * weight) + x


class Mlp(nn.Sequential):
    """A 1x1 that widens, a depthwise 3x3, GELU, and a 1x1 back."""

    def __init__(self, channels: int, ratio: int) -> None:
        inside = ratio * channels
        super().__init__(
            nn.Conv2d(channels, inside, 1),
            depthwise(inside, (3, 3)),
            nn.GELU(),
            nn.Conv2d(inside, channels, 1),
        )


class Block(nn.Module):
    """Attention and an MLP, each of a normed map, scaled by channel and added to it."""

    def __init__(self, channels: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.attention = ConvolutionalAttention(channels)
        self.scale1 = nn.Parameter(torch.full((channels, 1, 1), START_SCALE))
        self.norm2 = nn.BatchNorm2d(channels)
        self.mlp = Mlp(channels, mlp_ratio)
        self.scale2 = nn.Parameter(torch.full((channels, 1, 1), START_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale1 * self.attention(self.norm1(x))
        return x + self.scale2 * self.mlp(self.norm2(x))


class Stage(nn.Module):
    """A halving (the first stage: two), blocks, and a layer norm over the channels."""

    def __init__(self, halve: nn.Module, channels: int, depth: int, mlp_ratio: int) -> None:
        super().__init__()
        self.halve = halve
        self.blocks = nn.Sequential(*(Block(channels, mlp_ratio) for _ in range(depth)))
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.halve(x))
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Encoder(nn.Module):
    """An image -> four maps, at strides 4, 8, 16 and 32."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        first, *_ = widths = variant.widths
        stem = nn.Sequential(halving(3, first // 2), nn.GELU(), halving(first // 2, first))
        halves = [stem, *(halving(*pair) for pair in pairwise(widths))]
        parts = zip(halves, widths, variant.depths, MLP_RATIOS, strict=True)
        self.stages = nn.ModuleList(Stage(*part) for part in parts)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Factorisation(nn.Module):
    """A non-negative map (N, channels, positions) as a product of few patterns and their presence."""

    patterns: Tensor

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        # The published network draws these anew for each picture; drawn once, a picture has one answer and an
        # export holds it. In no checkpoint, so they are real even where the network is built on meta.
        generator = torch.Generator().manual_seed(SEED)
        drawn = functional.normalize(torch.rand(channels, rank, generator=generator, device="cpu"), dim=0)
        self.register_buffer("patterns", drawn, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        patterns = self.patterns.to(x.device).expand(x.shape[0], -1, -1)
        presence = functional.softmax(torch.bmm(x.transpose(1, 2), patterns), dim=-1)
        for _ in range(STEPS):
            presence = update(presence, x.transpose(1, 2), patterns)
            patterns = update(patterns, x, presence)
        presence = update(presence, x.transpose(1, 2), patterns)
        return torch.bmm(patterns, presence.transpose(1, 2))


def update(factor: Tensor, x: Tensor, other: Tensor) -> Tensor:
    """Return one factor of x = factor other' brought nearer, by the multiplicative rule that keeps its sign.

    The bracket of the denominator comes first: a product of the two small sides, not of the map's size.
    """
    gram = torch.bmm(other.transpose(1, 2), other)
    return factor * torch.bmm(x, other) / (torch.bmm(factor, gram) + EPS)


class Hamburger(nn.Module):
    """The factorised map between two 1x1, added to the map."""

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 1)
        self.ham = Factorisation(channels, rank)
        self.leave = conv_group_norm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.enter(x))
        y = self.ham(y.flatten(2)).reshape(x.shape)
        return functional.relu(x + self.leave(y))


def conv_group_norm(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 1x1 without bias, and group norm."""
    conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return nn.Sequential(conv, nn.GroupNorm(GROUPS, out_channels))


class Head(nn.Module):
    """The maps of strides 8, 16 and 32 at stride 8, joined, factorised, and the classes."""

    def __init__(self, variant: Variant, num_classes: int) -> None:
        super().__init__()
        width = variant.head_width
        self.squeeze = conv_group_norm(sum(variant.widths[1:]), width)
        self.hamburger = Hamburger(width, variant.rank)
        self.align = conv_group_norm(width, width)
        self.logits = nn.Conv2d(width, num_classes, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        finest, *coarser = maps[1:]
        joined = torch.cat([finest, *(resize(x, finest) for x in coarser)], dim=1)
        x = self.hamburger(functional.relu(self.squeeze(joined)))
        return self.logits(functional.relu(self.align(x)))


DECODERS = {"Hamburger": Head}


class SegNeXt(nn.Module):
    """Encoder, head, and a bilinear resize to the input's size."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.head(self.encoder(x)), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network on an encoder in ENCODERS; its one decoder is Hamburger."""
    variant = choose(ENCODERS, encoder, "encoder")
    return SegNeXt(Encoder(variant), choose(DECODERS, decoder, "decoder")(variant, num_classes))


FAMILY = Family(build, class_tensors=("head.logits.bias",))
