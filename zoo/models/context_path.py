"""What BiSeNetV1 and STDC share: deep maps refined and brought to stride 8, fusion with detail, the head.

Source: Yu et al., BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation, ECCV 2018,
figure 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.models.blocks import conv_norm_act, global_mean, resize_nearest

WIDTH = 128
FUSED_WIDTH = 256


class ChannelAttention(nn.Module):
    """A weight for each channel, of the map's mean: (N, C, 1, 1)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.layers(global_mean(x)))


class Refinement(nn.Module):
    """A 3x3 to 128 channels, times their attention."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = conv_norm_act(in_channels, WIDTH, 3)
        self.attention = ChannelAttention(conv_norm_act(WIDTH, WIDTH, activation=None))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.attention(x)


class ContextPath(nn.Module):
    """The maps at strides 16 and 32, refined and summed from the mean up: 128 channels at stride 8."""

    def __init__(self, channels16: int, channels32: int) -> None:
        super().__init__()
        self.mean = conv_norm_act(channels32, WIDTH)
        self.refine32, self.refine16 = Refinement(channels32), Refinement(channels16)
        self.head32, self.head16 = conv_norm_act(WIDTH, WIDTH, 3), conv_norm_act(WIDTH, WIDTH, 3)

    def forward(self, x16: Tensor, x32: Tensor, like8: Tensor) -> Tensor:
        context32 = self.refine32(x32) + self.mean(global_mean(x32))
        context16 = self.refine16(x16) + self.head32(resize_nearest(context32, x16))
        return self.head16(resize_nearest(context16, like8))


class Fusion(nn.Module):
    """Detail and context side by side, a 1x1 to 256 channels, and these once more times their attention."""

    def __init__(self, detail_channels: int, attention: nn.Module) -> None:
        super().__init__()
        self.conv = conv_norm_act(detail_channels + WIDTH, FUSED_WIDTH)
        self.attention = attention

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        fused = self.conv(torch.cat([detail, context], dim=1))
        return fused + fused * self.attention(fused)


def head(in_channels: int, width: int, num_classes: int, *, bias: bool) -> nn.Sequential:
    """Return a 3x3 to `width` and a bare 1x1 to the classes."""
    return nn.Sequential(conv_norm_act(in_channels, width, 3), nn.Conv2d(width, num_classes, 1, bias=bias))
