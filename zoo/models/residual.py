"""Residual blocks of two forms, and stages of them.

Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, figure 5.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import conv_norm_act


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return conv_norm_act(in_channels, out_channels, stride=stride, activation=None)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; with `last_relu`, the sum is activated."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, *, last_relu: bool = True
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_act(in_channels, out_channels, 3, stride=stride),
            conv_norm_act(out_channels, out_channels, 3, activation=None),
        )
        self.shortcut = _shortcut(in_channels, out_channels, stride)
        self.last_relu = last_relu

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x) + self.shortcut(x)
        return functional.relu(y) if self.last_relu else y


class Bottleneck(nn.Module):
    """A 1x1 to `width`, a 3x3, a 1x1 to twice the width, and a shortcut; the sum is not activated."""

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_norm_act(in_channels, width),
            conv_norm_act(width, width, 3, stride=stride),
            conv_norm_act(width, 2 * width, activation=None),
        )
        self.shortcut = _shortcut(in_channels, 2 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


def stage(
    in_channels: int, out_channels: int, depth: int, stride: int = 1, *, last_relu: bool = True
) -> nn.Sequential:
    """Return `depth` basic blocks, the first with the stride; `last_relu` is about the last one alone."""
    blocks = [
        BasicBlock(
            out_channels if number else in_channels,
            out_channels,
            1 if number else stride,
            last_relu=last_relu or number < depth - 1,
        )
        for number in range(depth)
    ]
    return nn.Sequential(*blocks)
