"""BiSeNet: one path for detail and one for context. V1 on ResNet18, V2 with branches of its own.

Sources: Yu et al., BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation, ECCV 2018,
figure 2; Yu et al., BiSeNet V2, IJCV 2021. The inference networks: no heads beside the last. Input
normalised with ImageNet's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet18

from zoo.models.blocks import (
    choose,
    conv_norm_act,
    depthwise_conv_norm,
    global_mean,
    resize,
    resize_nearest,
)
from zoo.models.context_path import FUSED_WIDTH, ChannelAttention, ContextPath, Fusion, head
from zoo.models.encoders import Encoder
from zoo.models.family import Family

DETAIL_WIDTH = 128
HEAD_WIDTH = 1024
"""Of V2."""


class ResNet18(Encoder):
    """torchvision's resnet18: maps of 256 at stride 16 and 512 at stride 32."""

    def __init__(self) -> None:
        super().__init__()
        network = resnet18(weights=None)
        self.channels = [256, 512]
        self.stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        self.fine = nn.Sequential(network.layer1, network.layer2)
        self.layer16, self.layer32 = network.layer3, network.layer4

    def forward(self, x: Tensor) -> list[Tensor]:
        x16 = self.layer16(self.fine(self.stem(x)))
        return [x16, self.layer32(x16)]


class BiSeNetV1(nn.Module):
    """A shallow spatial path and the context path, fused at stride 8; logits at the input's size."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.spatial = nn.Sequential(
            conv_norm_act(3, 64, 7, stride=2),
            conv_norm_act(64, 64, 3, stride=2),
            conv_norm_act(64, 64, 3, stride=2),
            conv_norm_act(64, DETAIL_WIDTH),
        )
        self.encoder = ResNet18()
        self.context = ContextPath(*self.encoder.channels)
        attention = ChannelAttention(conv_norm_act(FUSED_WIDTH, FUSED_WIDTH, activation=None))
        self.fusion = Fusion(DETAIL_WIDTH, attention)
        self.head = head(FUSED_WIDTH, FUSED_WIDTH, num_classes, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        detail = self.spatial(x)
        context = self.context(*self.encoder(x), detail)
        return resize(self.head(self.fusion(detail, context)), x)


class SemanticStem(nn.Module):
    """An image -> 16 channels at stride 4: strided convolutions beside a max pool."""

    def __init__(self) -> None:
        super().__init__()
        self.first = conv_norm_act(3, 16, 3, stride=2)
        self.convs = nn.Sequential(conv_norm_act(16, 8), conv_norm_act(8, 16, 3, stride=2))
        self.fuse = conv_norm_act(32, 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        pooled = functional.max_pool2d(x, 3, stride=2, padding=1)
        return self.fuse(torch.cat([self.convs(x), pooled], dim=1))


class GatherExpand(nn.Module):
    """A 3x3, a depthwise expansion to six times the channels, a 1x1 back, and a residual connection.

    With stride 2 the depthwise part has a second layer, and the shortcut convolutions of its own.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        wide = 6 * in_channels
        self.gather = conv_norm_act(in_channels, in_channels, 3)
        self.expand: nn.Module
        self.shortcut: nn.Module
        if stride == 1:
            self.expand = nn.Sequential(depthwise_conv_norm(in_channels, wide), nn.ReLU(inplace=True))
            self.shortcut = nn.Identity()
        else:
            self.expand = nn.Sequential(
                depthwise_conv_norm(in_channels, wide, stride=stride),
                depthwise_conv_norm(wide),
                nn.ReLU(inplace=True),
            )
            self.shortcut = nn.Sequential(
                depthwise_conv_norm(in_channels, stride=stride),
                conv_norm_act(in_channels, out_channels, activation=None),
            )
        self.project = conv_norm_act(wide, out_channels, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.project(self.expand(self.gather(x))) + self.shortcut(x))


class ContextEmbedding(nn.Module):
    """The map with its normed mean added, through a 3x3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.Sequential(nn.BatchNorm2d(channels), conv_norm_act(channels, channels))
        self.conv = conv_norm_act(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x + self.mean(global_mean(x)))


class BilateralGuidedAggregation(nn.Module):
    """Each branch weighs the other, at the detail's stride and at its own; the two are summed at stride 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()

        def kept() -> nn.Sequential:
            return nn.Sequential(depthwise_conv_norm(channels), nn.Conv2d(channels, channels, 1, bias=False))

        self.detail, self.semantic = kept(), kept()
        self.detail_down = nn.Sequential(
            conv_norm_act(channels, channels, 3, stride=2, activation=None), nn.AvgPool2d(3, 2, 1)
        )
        self.semantic_up = conv_norm_act(channels, channels, 3, activation=None)
        self.fuse = conv_norm_act(channels, channels, 3)

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        # Of nearest values: a sigmoid before the resize is one after it, at a sixteenth of the work.
        fine = self.detail(detail) * resize_nearest(torch.sigmoid(self.semantic_up(semantic)), detail)
        coarse = self.detail_down(detail) * torch.sigmoid(self.semantic(semantic))
        return self.fuse(fine + resize_nearest(coarse, detail))


def detail_branch() -> nn.Sequential:
    """Return an image -> 128 channels at stride 8."""
    layers: list[nn.Module] = []
    channels = 3
    for out_channels, depth in ((64, 2), (64, 3), (DETAIL_WIDTH, 3)):
        for number in range(depth):
            layers.append(conv_norm_act(channels, out_channels, 3, stride=1 if number else 2))
            channels = out_channels
    return nn.Sequential(*layers)


def semantic_branch() -> nn.Sequential:
    """Return an image -> 128 channels at stride 32."""
    layers: list[nn.Module] = [SemanticStem()]
    channels = 16
    for out_channels, depth in ((32, 2), (64, 2), (DETAIL_WIDTH, 4)):
        for number in range(depth):
            layers.append(GatherExpand(channels, out_channels, 1 if number else 2))
            channels = out_channels
    return nn.Sequential(*layers, ContextEmbedding(channels))


class BiSeNetV2(nn.Module):
    """A detail and a semantic branch, each guiding the other; logits at the input's size."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.detail, self.semantic = detail_branch(), semantic_branch()
        self.aggregation = BilateralGuidedAggregation(DETAIL_WIDTH)
        self.head = head(DETAIL_WIDTH, HEAD_WIDTH, num_classes, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.head(self.aggregation(self.detail(x), self.semantic(x))), x)


NETWORKS: dict[str, dict[str, Callable[[int], nn.Module]]] = {
    "ResNet18": {"BiSeNetV1": BiSeNetV1},
    "BiSeNetV2": {"BGA": BiSeNetV2},
}
"""Encoder -> decoder -> network: each version has one of either."""


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the version of NETWORKS with that encoder and decoder."""
    return choose(choose(NETWORKS, encoder, "encoder"), decoder, "decoder")(num_classes)


FAMILY = Family(build, class_tensors=("head.1.bias",))
