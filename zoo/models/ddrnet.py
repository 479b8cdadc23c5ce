"""DDRNet: a detailed and a deep branch that exchange what they know twice, and pooled context.

Source: Hong et al., Deep Dual-resolution Networks for Real-time and Accurate Semantic Segmentation of Road
Scenes, arXiv:2101.06085. The inference network: no auxiliary head. Input normalised
with ImageNet's mean and deviation.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from zoo.models.blocks import choose, conv_norm_act, resize
from zoo.models.dual_resolution import DAPPM, head, stem
from zoo.models.family import Family
from zoo.models.residual import Bottleneck, stage

CONTEXT_WIDTH = 128
DEPTH = 2
"""Basic blocks in every stage."""


class Variant(NamedTuple):
    """The two widths in which the variants differ."""

    width: int
    head_width: int


ENCODERS = {"DDRNet-23-slim": Variant(32, 64), "DDRNet-23": Variant(64, 128)}
DECODERS = {"DAPPM": DAPPM}


class Exchange(nn.Module):
    """Each branch gets the other's activated map added: the context strided down, the detail resized up."""

    def __init__(self, detail_channels: int, context_channels: int) -> None:
        super().__init__()
        self.to_detail = conv_norm_act(context_channels, detail_channels, activation=None)
        steps: list[nn.Module] = []
        channels = detail_channels
        while channels < context_channels:
            last = 2 * channels == context_channels
            activation = None if last else nn.ReLU
            steps.append(conv_norm_act(channels, 2 * channels, 3, stride=2, activation=activation))
            channels *= 2
        self.to_context = nn.Sequential(*steps)

    def forward(self, detail: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        up = resize(self.to_detail(functional.relu(context)), detail)
        down = self.to_context(functional.relu(detail))
        return functional.relu(detail + up), functional.relu(context + down)


class DDRNet(nn.Module):
    """Stem, two branches from stride 8 on, pooled context, logits, and a resize to the input's size."""

    def __init__(self, variant: Variant, context: type[DAPPM], num_classes: int) -> None:
        super().__init__()
        p = variant.width

        def plain_stage(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
            return stage(in_channels, out_channels, DEPTH, stride, last_relu=False)

        self.stem = stem(p)
        self.stage4 = plain_stage(p, p)
        self.stage8 = plain_stage(p, 2 * p, 2)
        self.context16 = plain_stage(2 * p, 4 * p, 2)
        self.context32 = plain_stage(4 * p, 8 * p, 2)
        self.context64 = Bottleneck(8 * p, 8 * p, 2)
        self.detail = nn.ModuleList(
            [plain_stage(2 * p, 2 * p), plain_stage(2 * p, 2 * p), Bottleneck(2 * p, 2 * p)]
        )
        self.exchange16 = Exchange(2 * p, 4 * p)
        self.exchange32 = Exchange(2 * p, 8 * p)
        self.pooling = context(16 * p, CONTEXT_WIDTH, 4 * p)
        self.head = head(4 * p, variant.head_width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        shared = functional.relu(self.stage8(functional.relu(self.stage4(self.stem(x)))))
        detail, context = self.exchange16(self.detail[0](shared), self.context16(shared))
        detail, context = self.exchange32(self.detail[1](detail), self.context32(context))
        detail = self.detail[2](detail)
        context = self.pooling(self.context64(context))
        return resize(self.head(resize(context, detail) + detail), x)


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network of an encoder in ENCODERS; its one decoder is DAPPM."""
    variant, context = choose(ENCODERS, encoder, "encoder"), choose(DECODERS, decoder, "decoder")
    return DDRNet(variant, context, num_classes)


FAMILY = Family(build, class_tensors=("head.1.2.bias",))
