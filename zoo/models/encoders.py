"""Encoders that several families use: MobileNetV2 from torchvision's blocks, and what timm has as it is.

Source of MobileNetV2: Sandler et al., Inverted Residuals and Linear Bottlenecks, CVPR 2018, table 2.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn
from torchvision.models.mobilenetv2 import MobileNetV2

from zoo.models.blocks import Activation

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
