"""FFNet: a residual encoder down to stride 64, a simple ladder up, and one head over all its steps.

Source: Mehta et al., Simple and Efficient Architectures for Semantic Segmentation, CVPR workshops 2022:
the networks called dBBB mobile. Input normalised with ImageNet's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.models.blocks import choose, conv_norm_act, resize, resize_nearest
from zoo.models.encoders import Encoder
from zoo.models.family import Family
from zoo.models.residual import stage

DEPTHS = {"ResNet40S": (4, 5, 6, 4), "ResNet54S": (5, 8, 8, 5), "ResNet78S": (6, 12, 12, 8)}
"""Basic blocks in each stage."""
HEAD_WIDTH = 256


class SlimResNet(Encoder):
    """Four stages of basic blocks, each beginning with a stride: features at strides 8 to 64."""

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        self.channels = [64, 128, 192, 320]
        self.stem = nn.Sequential(conv_norm_act(3, 32, 3, stride=2), conv_norm_act(32, 64, 3, stride=2))
        before = [64, *self.channels]
        self.stages = nn.ModuleList(
            stage(before[level], channels, depth, 2)
            for level, (channels, depth) in enumerate(zip(self.channels, depths, strict=True))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [self.stem(x)]
        for layer in self.stages:
            features.append(layer(features[-1]))
        return features[1:]


class Ladder(nn.Module):
    """Adapted features summed from coarse to fine; a 3x3 beside each step, all brought to stride 8."""

    ADAPTED = (64, 128, 128, 256)
    SIDES = (96, 96, 64, 32)

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        adapted, sides = self.ADAPTED, self.SIDES
        self.out_channels = sum(sides)
        self.adapters = nn.ModuleList(map(conv_norm_act, channels, adapted))
        self.ups = nn.ModuleList(map(conv_norm_act, adapted[1:], adapted[:-1]))
        self.sides = nn.ModuleList(
            conv_norm_act(width, side, 3) for width, side in zip(adapted, sides, strict=True)
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        steps = [adapter(feature) for adapter, feature in zip(self.adapters, features, strict=True)]
        for level in reversed(range(len(self.ups))):
            steps[level] = steps[level] + resize_nearest(self.ups[level](steps[level + 1]), steps[level])
        sides = [side(step) for side, step in zip(self.sides, steps, strict=True)]
        return torch.cat([sides[0], *(resize_nearest(side, sides[0]) for side in sides[1:])], dim=1)


DECODERS = {"FFNet-B": Ladder}


class FFNet(nn.Module):
    """Encoder, ladder, logits at stride 8, and a resize to the input's size."""

    def __init__(self, encoder: SlimResNet, ladder: type[Ladder], num_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = ladder(encoder.channels)
        self.head = nn.Sequential(
            conv_norm_act(self.decoder.out_channels, HEAD_WIDTH, 3, bias=True),
            nn.Conv2d(HEAD_WIDTH, num_classes, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.head(self.decoder(self.encoder(x))), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network on an encoder in DEPTHS; its one decoder is FFNet-B."""
    depths = choose(DEPTHS, encoder, "encoder")
    return FFNet(SlimResNet(depths), choose(DECODERS, decoder, "decoder"), num_classes)


FAMILY = Family(build, class_tensors=("head.1.bias",))
