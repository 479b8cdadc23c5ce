"""Edge AI Lite: MobileNetV2 or RegNetX with three light decoders (DeepLabV3Lite, UNetLite, FPNLite).

Source: Texas Instruments' edgeai-torchvision, "edgeailite" models. Modules carry the names of its public
checkpoints, so that those fit by name. Input (x - 128) / 64.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo.models.blocks import Activation, choose, conv_norm_act, resize, separable_conv
from zoo.models.encoders import Encoder, MobileNetV2Encoder, TimmEncoder
from zoo.models.family import Family


class Variant(NamedTuple):
    """What an encoder brings with it for the whole network."""

    timm_name: str = ""
    """RegNetX by timm's name; MobileNetV2 where empty."""
    width: float = 1.0
    output_stride: int = 32
    channels: int = 256
    """Width of the receptive-field block and of FPNLite."""
    group_width: int = 1
    """Channels in a group of every 3x3 convolution of the decoder: as in the encoder."""
    activation: Activation = nn.ReLU


VARIANTS = {
    "MobileNetV2": Variant(),
    "MobileNetV2S16": Variant(output_stride=16),
    "MobileNetV2-1.4": Variant(width=1.4, channels=360, activation=nn.ReLU6),
    "RegNetX400MF": Variant("regnetx_004", group_width=16),
    "RegNetX800MF": Variant("regnetx_008", group_width=16),
    "RegNetX1.6GF": Variant("regnetx_016", channels=264, group_width=24),
    "RegNetX3.2GF": Variant("regnetx_032", channels=288, group_width=48),
}


class ReceptiveFieldBlock(nn.Module):
    """A light ASPP without image pooling: a 1x1 and three dilated separable convolutions, joined by a 1x1."""

    def __init__(self, in_channels: int, variant: Variant) -> None:
        super().__init__()
        channels, activation = variant.channels, variant.activation

        def branch(dilation: int) -> nn.Sequential:
            return separable_conv(
                in_channels,
                channels,
                dilation=dilation,
                group_width=variant.group_width,
                activation=activation,
            )

        self.conv1x1 = conv_norm_act(in_channels, channels, activation=activation)
        self.aspp_bra1 = branch(6)
        self.aspp_bra2 = branch(12)
        self.aspp_bra3 = branch(18)
        self.dropout = nn.Dropout2d(0.2)
        self.aspp_out = conv_norm_act(4 * channels, channels, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.conv1x1(x), self.aspp_bra1(x), self.aspp_bra2(x), self.aspp_bra3(x)]
        return self.aspp_out(self.dropout(torch.cat(branches, dim=1)))


def prediction(in_channels: int, num_classes: int, variant: Variant) -> nn.Sequential:
    """Return the last layer: a 3x3 with norm and no activation, and a bare 1x1 to the classes."""
    groups = in_channels // variant.group_width
    return nn.Sequential(
        conv_norm_act(in_channels, in_channels, 3, groups=groups, activation=None),
        nn.Sequential(nn.Conv2d(in_channels, num_classes, 1, bias=False)),
    )


class DeepLabV3Lite(nn.Module):
    """The receptive-field block, joined at stride 4 with the encoder's feature."""

    def __init__(self, encoder_channels: list[int], num_classes: int, variant: Variant) -> None:
        super().__init__()
        self.aspp = ReceptiveFieldBlock(encoder_channels[-1], variant)
        self.shortcut = conv_norm_act(encoder_channels[1], 48, activation=variant.activation)
        self.pred = prediction(variant.channels + 48, num_classes, variant)

    def forward(self, features: list[Tensor]) -> Tensor:
        context, detail = self.aspp(features[-1]), self.shortcut(features[1])
        return self.pred(torch.cat([resize(context, detail), detail], dim=1))


class UNetLadder(nn.Module):
    """At each finer stride: resize, concatenate the raw encoder feature, one separable convolution."""

    def __init__(self, encoder_channels: list[int], num_classes: int, variant: Variant) -> None:
        super().__init__()
        self.smooth_convs = nn.ModuleDict()
        self.out_channels = variant.channels
        for level, skip in enumerate(reversed(encoder_channels[:-1]), start=1):
            width = max(32, 2 * num_classes, skip)
            self.smooth_convs[str(level)] = separable_conv(
                self.out_channels + skip,
                width,
                group_width=variant.group_width,
                activation=variant.activation,
            )
            self.out_channels = width

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        for smooth, skip in zip(self.smooth_convs.values(), reversed(features[:-1]), strict=True):
            x = smooth(torch.cat([resize(x, skip), skip], dim=1))
        return x


class UNetLite(nn.Module):
    """The receptive-field block, then a U-Net ladder down to stride 2."""

    def __init__(self, encoder_channels: list[int], num_classes: int, variant: Variant) -> None:
        super().__init__()
        self.rfblock = ReceptiveFieldBlock(encoder_channels[-1], variant)
        self.unet = UNetLadder(encoder_channels, num_classes, variant)
        self.pred = prediction(self.unet.out_channels, num_classes, variant)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.pred(self.unet(self.rfblock(features[-1]), features))


class FeaturePyramid(nn.Module):
    """At each finer stride: resize, add a 1x1 of the encoder feature, one separable convolution."""

    def __init__(self, encoder_channels: list[int], variant: Variant) -> None:
        super().__init__()
        channels = variant.channels
        self.smooth_convs = nn.ModuleDict()
        self.shortcuts = nn.ModuleDict()
        for level, skip in enumerate(reversed(encoder_channels[1:-1]), start=1):
            self.shortcuts[str(level)] = conv_norm_act(skip, channels, activation=variant.activation)
            self.smooth_convs[str(level)] = separable_conv(
                channels, channels, group_width=variant.group_width, activation=variant.activation
            )

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        levels = zip(
            self.shortcuts.values(), self.smooth_convs.values(), reversed(features[1:-1]), strict=True
        )
        for shortcut, smooth, feature in levels:
            skip = shortcut(feature)
            x = smooth(resize(x, skip) + skip)
        return x


class FPNLite(nn.Module):
    """The receptive-field block, then a feature pyramid down to stride 4."""

    def __init__(self, encoder_channels: list[int], num_classes: int, variant: Variant) -> None:
        super().__init__()
        self.rfblock = ReceptiveFieldBlock(encoder_channels[-1], variant)
        self.fpn = FeaturePyramid(encoder_channels, variant)
        self.pred = prediction(variant.channels, num_classes, variant)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.pred(self.fpn(self.rfblock(features[-1]), features))


DECODERS = {"DeepLabV3Lite": DeepLabV3Lite, "UNetLite": UNetLite, "FPNLite": FPNLite}


class EdgeAILite(nn.Module):
    """Encoder, decoder, and a bilinear resize to the input's size."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.decoder(self.encoder(x)), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network of an encoder in VARIANTS and a decoder in DECODERS."""
    variant = choose(VARIANTS, encoder, "encoder")
    make_decoder = choose(DECODERS, decoder, "decoder")
    network: Encoder
    if variant.timm_name:
        network = TimmEncoder(variant.timm_name)
    else:
        network = MobileNetV2Encoder(
            width=variant.width,
            output_stride=variant.output_stride,
            dilate=False,
            activation=variant.activation,
        )
    return EdgeAILite(network, make_decoder(network.channels, num_classes, variant))


_BLOCK = r"^(encoder\.features\.s\d\.b\d+)\."
RENAMES = (
    # One decoder in a list of them, and RegNetX under its first names.
    (r"^decoders\.0\.", "decoder."),
    (_BLOCK + r"f\.a\.", r"\1.conv1.conv."),
    (_BLOCK + r"f\.a_bn\.", r"\1.conv1.bn."),
    (_BLOCK + r"f\.b\.", r"\1.conv2.conv."),
    (_BLOCK + r"f\.b_bn\.", r"\1.conv2.bn."),
    (_BLOCK + r"f\.c\.", r"\1.conv3.conv."),
    (_BLOCK + r"f\.c_bn\.", r"\1.conv3.bn."),
    (_BLOCK + r"proj\.", r"\1.downsample.conv."),
    (_BLOCK + r"bn\.", r"\1.downsample.bn."),
)

FAMILY = Family(build, class_tensors=("decoder.pred.1.0.weight",), renames=RENAMES)
