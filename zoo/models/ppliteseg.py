"""PP-LiteSeg: the STDC encoder, pooled context, and a light decoder that fuses by attention.

Source: Peng et al., PP-LiteSeg: A Superior Real-Time Semantic Segmentation Model, arXiv:2204.02681. The
inference network: no heads at strides 16 and 32. Input (x / 255 - 0.5) / 0.5.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo.models.blocks import average_cells, choose, conv_norm_act, resize
from zoo.models.context_path import head
from zoo.models.encoders import STDC_DEPTHS, STDCEncoder
from zoo.models.family import Family

CONTEXT_WIDTH = 128
POOLED_CELLS = (1, 2, 4)
"""A side, of the three pooled maps."""


class Variant(NamedTuple):
    """The decoder's widths, coarsest first, and the head's."""

    widths: tuple[int, int, int]
    head_width: int


VARIANTS = {"STDC1": Variant((128, 64, 32), 32), "STDC2": Variant((128, 96, 64), 64)}


class PooledContext(nn.Module):
    """The sum of the map's means over three grids, each through a 1x1, and a 3x3 (SPPM)."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(conv_norm_act(in_channels, width, bias=True) for _ in POOLED_CELLS)
        self.conv = conv_norm_act(width, width, 3, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        levels = zip(self.levels, POOLED_CELLS, strict=True)
        pooled = [resize(level(average_cells(x, cells, cells)), x) for level, cells in levels]
        return self.conv(torch.stack(pooled).sum(dim=0))


class AttentionFusion(nn.Module):
    """A finer feature and the decoder's map, each weighed at each position by what both are like (UAFM)."""

    def __init__(self, feature_channels: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.feature = conv_norm_act(feature_channels, in_channels, 3)
        self.attention = nn.Sequential(conv_norm_act(4, 2, 3), conv_norm_act(2, 1, 3, activation=None))
        self.conv = conv_norm_act(in_channels, out_channels, 3)
        # What the weight is taken from. The public definition keeps it among its parameters.
        self.one = nn.Parameter(torch.ones(1))

    def forward(self, feature: Tensor, high: Tensor) -> Tensor:
        x = self.feature(feature)
        y = resize(high, x)
        seen = [part for z in (x, y) for part in (z.mean(dim=1, keepdim=True), z.amax(dim=1, keepdim=True))]
        weight = torch.sigmoid(self.attention(torch.cat(seen, dim=1)))
        return self.conv(x * weight + y * (self.one - weight))


class FlexibleLightDecoder(nn.Module):
    """Pooled context of the coarsest feature, and three fusions from coarse to fine: a map at stride 8."""

    def __init__(self, channels: list[int], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.context = PooledContext(channels[-1], CONTEXT_WIDTH)
        self.fusions = nn.ModuleList()
        width = CONTEXT_WIDTH
        for feature_channels, out_channels in zip(reversed(channels), widths, strict=True):
            self.fusions.append(AttentionFusion(feature_channels, width, out_channels))
            width = out_channels

    def forward(self, features: list[Tensor]) -> Tensor:
        x = self.context(features[-1])
        for fusion, feature in zip(self.fusions, reversed(features), strict=True):
            x = fusion(feature, x)
        return x


DECODERS = {"FLD": FlexibleLightDecoder}


class PPLiteSeg(nn.Module):
    """Encoder, decoder, logits at stride 8, and a resize to the input's size."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, logits: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder, self.head = encoder, decoder, logits

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.head(self.decoder(self.encoder(x))), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return PP-LiteSeg-T (on STDC1) or -B (on STDC2); its one decoder is FLD."""
    variant = choose(VARIANTS, encoder, "encoder")
    network = STDCEncoder(STDC_DEPTHS[encoder])
    made = choose(DECODERS, decoder, "decoder")(network.channels, variant.widths)
    return PPLiteSeg(network, made, head(variant.widths[-1], variant.head_width, num_classes, bias=False))


FAMILY = Family(build, class_tensors=("head.1.weight",))
