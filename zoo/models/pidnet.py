"""PIDNet: branches for detail (P), context (I) and boundaries (D), fused where the third says so.

Source: Xu et al., PIDNet: A Real-time Semantic Segmentation Network Inspired by PID Controllers, CVPR 2023.
The inference network: no heads on the P and D branches. Input normalised with ImageNet's mean and deviation;
logits are resized with aligned corners.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import choose, conv_norm_act, norm_act_conv, resize
from zoo.models.dual_resolution import DAPPM, PAPPM, PyramidPooling, head, stem
from zoo.models.family import Family
from zoo.models.residual import BasicBlock, Bottleneck, stage


class Variant(NamedTuple):
    """Depths and widths; `light` forms of the D branch and of the fusion in all but the largest."""

    depth: int
    deep_depth: int
    """Of the context's stages at strides 16 and 32."""
    width: int
    context_width: int
    head_width: int
    light: bool = True


ENCODERS = {
    "PIDNet-S": Variant(2, 3, 32, 96, 128),
    "PIDNet-M": Variant(2, 3, 64, 96, 128),
    "PIDNet-L": Variant(3, 4, 64, 112, 256, light=False),
}
DECODERS: dict[str, type[PyramidPooling]] = {"PAPPM": PAPPM, "DAPPM": DAPPM}


class PixelAttention(nn.Module):
    """At each position the detail or the context, as far as the two agree there (Pag)."""

    def __init__(self, channels: int, context_channels: int) -> None:
        super().__init__()
        self.compress = conv_norm_act(context_channels, channels, activation=None)
        self.of_detail = conv_norm_act(channels, channels // 2, activation=None)
        self.of_context = conv_norm_act(channels, channels // 2, activation=None)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        context = self.compress(context)
        agreement = self.of_detail(detail) * resize(self.of_context(context), detail)
        weight = torch.sigmoid(agreement.sum(dim=1, keepdim=True))
        return (1 - weight) * detail + weight * resize(context, detail)


class BoundaryBranch(nn.Module):
    """Two residual blocks at stride 8, each joined by a map of the context, and a bottleneck."""

    def __init__(self, width: int, *, light: bool) -> None:
        super().__init__()
        first, second = (width, 2 * width) if light else (2 * width, 2 * width)
        self.blocks = nn.ModuleList(
            [
                BasicBlock(2 * width, first, last_relu=False),
                Bottleneck(first, width) if light else BasicBlock(first, second, last_relu=False),
                Bottleneck(second, 2 * width),
            ]
        )
        self.from16 = conv_norm_act(4 * width, first, 3, activation=None)
        self.from32 = conv_norm_act(8 * width, second, 3, activation=None)

    def forward(self, x8: Tensor, x16: Tensor, x32: Tensor) -> Tensor:
        d = self.blocks[0](x8)
        d = self.blocks[1](functional.relu(d + resize(self.from16(x16), d)))
        return self.blocks[2](functional.relu(d + resize(self.from32(x32), d)))


class Fusion(nn.Module):
    """Detail where the boundary branch sees a boundary, context elsewhere, and one 3x3 over the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = norm_act_conv(channels, channels, 3)

    def forward(self, detail: Tensor, context: Tensor, boundary: Tensor) -> Tensor:
        weight = torch.sigmoid(boundary)
        return self.conv(weight * detail + (1 - weight) * context)


class LightFusion(nn.Module):
    """The same choice with the detail and the context at full weight, and a 1x1 for each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_detail = conv_norm_act(channels, channels, activation=None)
        self.of_context = conv_norm_act(channels, channels, activation=None)

    def forward(self, detail: Tensor, context: Tensor, boundary: Tensor) -> Tensor:
        weight = torch.sigmoid(boundary)
        return self.of_detail((1 - weight) * context + detail) + self.of_context(context + weight * detail)


class PIDNet(nn.Module):
    """Stem, three branches from stride 8 on, their fusion, logits, and a resize to the input's size."""

    def __init__(self, variant: Variant, context: type[PyramidPooling], num_classes: int) -> None:
        super().__init__()
        p, depth, deep = variant.width, variant.depth, variant.deep_depth
        self.stem = stem(p)
        self.stage4 = stage(p, p, depth, last_relu=False)
        self.stage8 = stage(p, 2 * p, depth, 2, last_relu=False)
        self.stage16 = stage(2 * p, 4 * p, deep, 2, last_relu=False)
        self.stage32 = stage(4 * p, 8 * p, deep, 2, last_relu=False)
        self.stage64 = nn.Sequential(Bottleneck(8 * p, 8 * p, 2), Bottleneck(16 * p, 8 * p))
        self.detail = nn.ModuleList(
            [
                stage(2 * p, 2 * p, depth, last_relu=False),
                stage(2 * p, 2 * p, depth, last_relu=False),
                Bottleneck(2 * p, 2 * p),
            ]
        )
        self.attention16 = PixelAttention(2 * p, 4 * p)
        self.attention32 = PixelAttention(2 * p, 8 * p)
        self.boundary = BoundaryBranch(p, light=variant.light)
        self.pooling = context(16 * p, variant.context_width, 4 * p)
        self.fusion = LightFusion(4 * p) if variant.light else Fusion(4 * p)
        self.head = head(4 * p, variant.head_width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        relu = functional.relu
        x8 = relu(self.stage8(relu(self.stage4(self.stem(x)))))
        x16 = relu(self.stage16(x8))
        x32 = relu(self.stage32(x16))
        detail = self.attention16(self.detail[0](x8), x16)
        detail = self.attention32(self.detail[1](relu(detail)), x32)
        detail = self.detail[2](relu(detail))
        context = resize(self.pooling(self.stage64(x32)), detail)
        fused = self.fusion(detail, context, self.boundary(x8, x16, x32))
        return resize(self.head(fused), x, align_corners=True)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network of an encoder in ENCODERS with the context module of DECODERS."""
    variant, context = choose(ENCODERS, encoder, "encoder"), choose(DECODERS, decoder, "decoder")
    return PIDNet(variant, context, num_classes)


FAMILY = Family(build, class_tensors=("head.1.2.bias",))
