"""SwiftNet on MobileNetV2: an ImageNet encoder, pooled context, and a light ladder of three steps.

Source: Orsic et al., In Defense of Pre-trained ImageNet Architectures for Real-time Semantic Segmentation,
CVPR 2019, figures 2 and 3 (single scale). Input normalised with ImageNet's mean and deviation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.models.blocks import average_cells, choose, norm_act_conv, resize
from zoo.models.encoders import MobileNetV2Encoder
from zoo.models.family import Family

WIDTH = 128
GRID_ROWS = (8, 4, 2)
ENCODERS = {"MobileNetV2": MobileNetV2Encoder}


def average_grid(x: Tensor, rows: int) -> Tensor:
    """Return x averaged over a grid of that many rows and as many columns as keep its cells nearly square."""
    height, width = int(x.shape[-2]), int(x.shape[-1])
    columns = max(1, round(rows * width / height))
    return average_cells(x, rows, columns)


class SpatialPyramidPooling(nn.Module):
    """The last feature at 128 channels, joined with its means over three grids."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        level_width = WIDTH // len(GRID_ROWS)
        self.reduce = norm_act_conv(in_channels, WIDTH)
        self.levels = nn.ModuleList(norm_act_conv(WIDTH, level_width) for _ in GRID_ROWS)
        self.fuse = norm_act_conv(WIDTH + len(GRID_ROWS) * level_width, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce(x)
        pooled = [
            resize(level(average_grid(x, rows)), x)
            for level, rows in zip(self.levels, GRID_ROWS, strict=True)
        ]
        return self.fuse(torch.cat([x, *pooled], dim=1))


class Upsample(nn.Module):
    """One step of the ladder: resize, add a 1x1 of the encoder feature, blend with a 3x3."""

    def __init__(self, skip_channels: int) -> None:
        super().__init__()
        self.skip = norm_act_conv(skip_channels, WIDTH)
        self.blend = norm_act_conv(WIDTH, WIDTH, 3)

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        skip = self.skip(feature)
        return self.blend(resize(x, skip) + skip)


class SwiftNet(nn.Module):
    """Encoder, pooled context, three steps up to stride 4, logits, and a resize to the input's size."""

    def __init__(self, encoder: MobileNetV2Encoder, num_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.context = SpatialPyramidPooling(encoder.channels[-1])
        self.ladder = nn.ModuleList(Upsample(channels) for channels in reversed(encoder.channels[1:-1]))
        self.logits = norm_act_conv(WIDTH, num_classes, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        features = self.encoder(x)
        y = self.context(features[-1])
        for step, feature in zip(self.ladder, reversed(features[1:-1]), strict=True):
            y = step(y, feature)
        return resize(self.logits(y), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return SwiftNet on one of ENCODERS; it has but one decoder."""
    return SwiftNet(choose(ENCODERS, encoder, "encoder")(), num_classes)


FAMILY = Family(build, class_tensors=("logits.2.bias",))
