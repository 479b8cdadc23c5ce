"""EfficientViT-Seg: convolutions and linear attention, and a head that sums three maps at stride 8.

Source: Cai et al., EfficientViT: Lightweight Multi-Scale Attention for High-Resolution Dense Prediction, ICCV
2023; the encoder is timm's. Input normalised with ImageNet's mean and deviation. Every resize is bicubic.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import choose, conv_norm_act
from zoo.models.encoders import TimmEncoder
from zoo.models.family import Family

EXPANSION = 4
"""How much wider the inside of a block and of the last layers is."""


class Variant(NamedTuple):
    """An encoder by timm's name, and how many blocks the head on it has."""

    timm_name: str
    head_blocks: int


ENCODERS = {
    "EfficientViT-B0": Variant("efficientvit_b0", 1),
    "EfficientViT-B1": Variant("efficientvit_b1", 3),
    "EfficientViT-B2": Variant("efficientvit_b2", 3),
    "EfficientViT-B3": Variant("efficientvit_b3", 3),
}


def resize_bicubic(x: Tensor, like: Tensor) -> Tensor:
    """Return x brought bicubically to the height and width of another tensor."""
    return functional.interpolate(x, size=like.shape[-2:], mode="bicubic", align_corners=False)


class InvertedResidual(nn.Module):
    """A 1x1 that widens, a depthwise 3x3, a 1x1 back without activation, and the input added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = EXPANSION * channels
        self.expand = conv_norm_act(channels, inside, activation=nn.Hardswish)
        self.depthwise = conv_norm_act(inside, inside, 3, groups=inside, activation=nn.Hardswish)
        self.project = conv_norm_act(inside, channels, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.depthwise(self.expand(x))) + x


class Head(nn.Module):
    """Three maps at the finest one's width and size, summed; blocks; and the classes."""

    def __init__(self, encoder_channels: list[int], num_classes: int, blocks: int, *, wide_end: bool) -> None:
        super().__init__()
        width = encoder_channels[0]
        self.reduce = nn.ModuleList(
            conv_norm_act(channels, width, activation=None) for channels in encoder_channels
        )
        self.blocks = nn.Sequential(*(InvertedResidual(width) for _ in range(blocks)))
        end = EXPANSION * width if wide_end else width
        self.widen = conv_norm_act(width, end, activation=nn.Hardswish) if wide_end else nn.Identity()
        self.logits = nn.Conv2d(end, num_classes, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        finest, *coarser = (reduce(x) for reduce, x in zip(self.reduce, features, strict=True))
        x = sum((resize_bicubic(other, finest) for other in coarser), finest)
        return self.logits(self.widen(self.blocks(x)))


DECODERS = {"EfficientViT-Seg": Head}


class EfficientViT(nn.Module):
    """Encoder, head, and a resize to the input's size."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return resize_bicubic(self.head(self.encoder(x)), x)


def build(encoder: str, decoder: str, num_classes: int, *, wide_end: bool = False) -> nn.Module:
    """Return the network; with `wide_end`, as published for Cityscapes, a wider 1x1 before the classes."""
    variant = choose(ENCODERS, encoder, "encoder")
    make_head = choose(DECODERS, decoder, "decoder")
    network = TimmEncoder(variant.timm_name, out_indices=(1, 2, 3))
    return EfficientViT(
        network, make_head(network.channels, num_classes, variant.head_blocks, wide_end=wide_end)
    )


FAMILY = Family(build, class_tensors=("head.logits.bias",))
