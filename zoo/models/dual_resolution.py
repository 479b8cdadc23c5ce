"""What DDRNet and PIDNet share: their stem, the pyramid pooling of their deepest map, and their head.

Sources: Hong et al., Deep Dual-resolution Networks, arXiv:2101.06085 (DAPPM); Xu et al., PIDNet, CVPR 2023
(PAPPM).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import conv_norm_act, global_mean, norm_act_conv, resize

POOLED_STRIDES = (2, 4, 8)
"""Of the average pools (2 s + 1 cells a side) that stand beside the mean."""


def stem(channels: int) -> nn.Sequential:
    """Return an image -> `channels` at stride 4."""
    return nn.Sequential(
        conv_norm_act(3, channels, 3, stride=2, bias=True),
        conv_norm_act(channels, channels, 3, stride=2, bias=True),
    )


def head(in_channels: int, width: int, num_classes: int) -> nn.Sequential:
    """Return a 3x3 to `width` and a 1x1 to the classes, norm and ReLU before each."""
    return nn.Sequential(norm_act_conv(in_channels, width, 3), norm_act_conv(width, num_classes, bias=True))


class PyramidPooling(nn.Module):
    """The map at `width` channels, and the same of its three average pools and its mean, brought back."""

    def __init__(self, in_channels: int, width: int, out_channels: int) -> None:
        super().__init__()
        self.entry = norm_act_conv(in_channels, width)
        self.levels = nn.ModuleList(norm_act_conv(in_channels, width) for _ in (*POOLED_STRIDES, "mean"))
        self.project = norm_act_conv(5 * width, out_channels)
        self.shortcut = norm_act_conv(in_channels, out_channels)

    def pyramid(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the map at `width` channels, and the four pooled ones at its size."""
        # Zeros of the padding count in the averages.
        pooled = [functional.avg_pool2d(x, 2 * s + 1, stride=s, padding=s) for s in POOLED_STRIDES]
        pooled.append(global_mean(x))
        levels = zip(self.levels, pooled, strict=True)
        return self.entry(x), [resize(level(values), x) for level, values in levels]


class DAPPM(PyramidPooling):
    """Deep aggregation: a 3x3 over each pooled map and what came of the one before it."""

    def __init__(self, in_channels: int, width: int, out_channels: int) -> None:
        super().__init__(in_channels, width, out_channels)
        self.steps = nn.ModuleList(norm_act_conv(width, width, 3) for _ in self.levels)

    def forward(self, x: Tensor) -> Tensor:
        y, pooled = self.pyramid(x)
        joined = [y]
        for step, level in zip(self.steps, pooled, strict=True):
            y = step(level + y)
            joined.append(y)
        return self.project(torch.cat(joined, dim=1)) + self.shortcut(x)


class PAPPM(PyramidPooling):
    """Parallel aggregation: one 3x3 in four groups over all pooled maps at once."""

    def __init__(self, in_channels: int, width: int, out_channels: int) -> None:
        super().__init__(in_channels, width, out_channels)
        count = len(self.levels)
        self.step = norm_act_conv(count * width, count * width, 3, groups=count)

    def forward(self, x: Tensor) -> Tensor:
        y, pooled = self.pyramid(x)
        together = self.step(torch.cat([level + y for level in pooled], dim=1))
        return self.project(torch.cat([y, together], dim=1)) + self.shortcut(x)
