"""Encoders that several families use: MobileNetV2 from torchvision's blocks, STDC, and what timm has.

Source of MobileNetV2: Sandler et al., Inverted Residuals and Linear Bottlenecks, CVPR 2018, table 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import MobileNetV2

from zoo.models.blocks import Activation, conv_norm_act, depthwise_conv_norm

FEATURE_BLOCKS = (1, 3, 6, 13, 17)
"""The last block of each stride: 2, 4, 8, 16, 32."""


class Encoder(nn.Module):
    """An image (N, 3, H, W) -> a list of features, finest first, and their channels."""

    channels: list[int]


class TimmEncoder(Encoder):
    """timm's network of that name: five features, at strides 2, 4, 8, 16 and 32 (or an `output_stride`)."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        import timm  # half a second that networks on MobileNetV2 need not pay

        network: Any = timm.create_model(name, features_only=True, **options)
        self.features = network
        self.channels = network.feature_info.channels()

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.features(x)


class MobileNetV2Encoder(Encoder):
    """MobileNetV2 up to its 320 channels: five features, at strides 2 to 32 (or `output_stride` at most)."""

    def __init__(
        self,
        *,
        width: float = 1.0,
        round_to: int = 8,
        output_stride: int = 32,
        dilate: bool = True,
        eps: float = 1e-5,
        activation: Activation = nn.ReLU6,
    ) -> None:
        super().__init__()
        network = MobileNetV2(
            width_mult=width, round_nearest=round_to, norm_layer=partial(nn.BatchNorm2d, eps=eps)
        )
        self.features = network.features[:-1]  # without the 1280-channel convolution of the classifier
        self.channels = [self.features[block].out_channels for block in FEATURE_BLOCKS]
        limit_stride(self.features[1:], output_stride, dilate=dilate)
        replace_relu6(self.features, activation)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in FEATURE_BLOCKS:
                features.append(x)
        return features


def limit_stride(blocks: nn.Sequential, output_stride: int, *, dilate: bool) -> None:
    """Take out the strides beyond `output_stride`; with `dilate`, the blocks after each see as far as before.

    As in TensorFlow's DeepLab, the block that lost its stride keeps the dilation of the blocks before it.
    """
    stride, dilation = 2, 1  # after the stem
    for block in blocks:
        depthwise = next(m for m in block.modules() if isinstance(m, nn.Conv2d) and m.groups > 1)
        depthwise.dilation = depthwise.padding = (dilation, dilation)
        if depthwise.stride == (1, 1):
            continue
        if stride < output_stride:
            stride *= 2
        else:
            depthwise.stride = (1, 1)
            dilation *= 2 if dilate else 1


def replace_relu6(module: nn.Module, activation: Activation) -> None:
    """Put another activation wherever torchvision has ReLU6."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU6):
            setattr(module, name, activation(inplace=True))
        else:
            replace_relu6(child, activation)


class ShortTermDenseBlock(nn.Module):
    """Four ever narrower convolutions one after another, side by side in the output; no residual.

    With stride 2 the second one strides through a depthwise convolution, and the first is averaged.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half, quarter, eighth = out_channels // 2, out_channels // 4, out_channels // 8
        self.first = conv_norm_act(in_channels, half)
        self.down = nn.Identity() if stride == 1 else depthwise_conv_norm(half, stride=stride)
        self.pool = nn.Identity() if stride == 1 else nn.AvgPool2d(3, stride, 1)  # zeros count
        self.rest = nn.ModuleList(
            [
                conv_norm_act(half, quarter, 3),
                conv_norm_act(quarter, eighth, 3),
                conv_norm_act(eighth, eighth, 3),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        y, parts = self.down(first), [self.pool(first)]
        for layer in self.rest:
            y = layer(y)
            parts.append(y)
        return torch.cat(parts, dim=1)


class STDCEncoder(Encoder):
    """Short-term dense concatenate network: features of 256, 512 and 1024 at strides 8, 16 and 32.

    Source: Fan et al., Rethinking BiSeNet For Real-time Semantic Segmentation, CVPR 2021.
    """

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        self.channels = [256, 512, 1024]
        self.stem = nn.Sequential(conv_norm_act(3, 32, 3, stride=2), conv_norm_act(32, 64, 3, stride=2))
        self.stages = nn.ModuleList()
        channels = 64
        for out_channels, depth in zip(self.channels, depths, strict=True):
            blocks = [ShortTermDenseBlock(channels, out_channels, 2)]
            blocks += [ShortTermDenseBlock(out_channels, out_channels, 1) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))
            channels = out_channels

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [self.stem(x)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features[1:]


STDC_DEPTHS = {"STDC1": (2, 2, 2), "STDC2": (4, 5, 3)}
"""Blocks in each stage."""
