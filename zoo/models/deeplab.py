"""TensorFlow's DeepLab: MobileNetV2, Xception65 and MobileNetV3 with the heads of its model zoo.

Sources: Chen et al., Encoder-Decoder with Atrous Separable Convolution, ECCV 2018 (DeepLabV3+); Howard et
al., Searching for MobileNetV3, ICCV 2019, figure 10 (LR-ASPP). Input x / 127.5 - 1; resizes align corners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo.models.blocks import choose, conv_norm_act, global_mean, resize, separable_conv
from zoo.models.encoders import Encoder, MobileNetV2Encoder, TimmEncoder
from zoo.models.family import Family

EPS = 1e-3
"""Of every batch norm of this family."""


class ASPP(nn.Module):
    """Image pooling, a 1x1, and one separable convolution for each rate, joined by a 1x1 to 256 channels."""

    def __init__(self, in_channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.pooling = conv_norm_act(in_channels, 256, eps=EPS)
        self.conv1x1 = conv_norm_act(in_channels, 256, eps=EPS)
        self.atrous = nn.ModuleList(
            separable_conv(in_channels, 256, dilation=rate, eps=EPS) for rate in rates
        )
        self.project = conv_norm_act(256 * (2 + len(rates)), 256, eps=EPS)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pooling(global_mean(x))
        branches = [resize(pooled, x, align_corners=True), self.conv1x1(x)]
        branches += [branch(x) for branch in self.atrous]
        return self.dropout(self.project(torch.cat(branches, dim=1)))


class DeepLabV3(nn.Module):
    """ASPP on the last feature, and a 1x1 to the classes."""

    def __init__(self, encoder_channels: list[int], num_classes: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.aspp = ASPP(encoder_channels[-1], rates)
        self.logits = nn.Conv2d(256, num_classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.logits(self.aspp(features[-1]))


class DeepLabV3Plus(nn.Module):
    """ASPP on the last feature, refined at stride 4 with the first one."""

    def __init__(self, encoder_channels: list[int], num_classes: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.aspp = ASPP(encoder_channels[-1], rates)
        self.shortcut = conv_norm_act(encoder_channels[0], 48, eps=EPS)
        self.refine = nn.Sequential(separable_conv(256 + 48, 256, eps=EPS), separable_conv(256, 256, eps=EPS))
        self.logits = nn.Conv2d(256, num_classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        context, detail = self.aspp(features[-1]), self.shortcut(features[0])
        merged = torch.cat([resize(context, detail, align_corners=True), detail], dim=1)
        return self.logits(self.refine(merged))


class LRASPP(nn.Module):
    """The last feature at 128 channels, gated by its mean; its logits and those of stride 8 are summed."""

    def __init__(self, encoder_channels: list[int], num_classes: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.conv1x1 = conv_norm_act(encoder_channels[-1], 128, eps=EPS)
        self.gate = nn.Conv2d(encoder_channels[-1], 128, 1, bias=False)
        self.logits = nn.Conv2d(128, num_classes, 1)
        self.detail_logits = nn.Conv2d(encoder_channels[2], num_classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        last, detail = features[-1], features[2]
        gate = torch.sigmoid(self.gate(global_mean(last)))
        context = resize(self.conv1x1(last) * gate, detail, align_corners=True)
        return self.logits(context) + self.detail_logits(detail)


DECODERS = {"DeepLabV3": DeepLabV3, "DeepLabV3+": DeepLabV3Plus, "LR-ASPP": LRASPP}


class Xception65(Encoder):
    """Aligned Xception: 256 channels from inside the second entry block, and the last 2048."""

    def __init__(self, output_stride: int) -> None:
        super().__init__()
        import timm  # as in TimmEncoder

        self.channels = [256, 2048]
        self.network: Any = timm.create_model(
            "xception65", num_classes=0, global_pool="", output_stride=output_stride
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.network.forward_intermediates(x, indices=[1, 4], intermediates_only=True)


def mobilenetv2(output_stride: int) -> Encoder:
    return MobileNetV2Encoder(output_stride=output_stride, eps=EPS)


def mobilenetv2_half(output_stride: int) -> Encoder:
    # Rounded to multiples of 4: the second stage has 12 channels, where timm's mobilenetv2_050 has 16.
    return MobileNetV2Encoder(width=0.5, round_to=4, output_stride=output_stride, eps=EPS)


def mobilenetv3_large(output_stride: int) -> Encoder:
    return TimmEncoder("mobilenetv3_large_100", output_stride=output_stride, bn_eps=EPS)


ENCODERS: dict[str, Callable[[int], Encoder]] = {
    "MobileNetV2": mobilenetv2,
    "MobileNetV2-0.5": mobilenetv2_half,
    "MobileNetV3-Large": mobilenetv3_large,
    "Xception65": Xception65,
}


class DeepLab(nn.Module):
    """Encoder, decoder, and a bilinear resize with aligned corners to the input's size."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.decoder(self.encoder(x)), x, align_corners=True)


def build(
    encoder: str, decoder: str, num_classes: int, *, output_stride: int, aspp_rates: Sequence[int] = ()
) -> nn.Module:
    """Return the network; `output_stride` (8, 16 or 32) is where the encoder stops to shrink."""
    network = choose(ENCODERS, encoder, "encoder")(output_stride)
    head = choose(DECODERS, decoder, "decoder")
    return DeepLab(network, head(network.channels, num_classes, aspp_rates))


FAMILY = Family(build, class_tensors=("decoder.logits.bias",))
