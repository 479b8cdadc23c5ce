"""STDC: BiSeNet's context path on the STDC encoder, whose map at stride 8 stands in for a spatial path.

Source: Fan et al., Rethinking BiSeNet For Real-time Semantic Segmentation, CVPR 2021. The
inference network: no heads for detail or at strides 16 and 32. Input normalised with ImageNet's mean and
deviation; logits are resized with aligned corners.
"""

from __future__ import annotations

from torch import Tensor, nn

from zoo.models.blocks import choose, resize
from zoo.models.context_path import FUSED_WIDTH, ChannelAttention, ContextPath, Fusion, head
from zoo.models.encoders import STDC_DEPTHS, STDCEncoder
from zoo.models.family import Family


class STDC(nn.Module):
    """Encoder, context path, fusion at stride 8, logits, and a resize to the input's size."""

    def __init__(self, encoder: STDCEncoder, num_classes: int) -> None:
        super().__init__()
        detail, channels16, channels32 = encoder.channels
        self.encoder = encoder
        self.context = ContextPath(channels16, channels32)
        attention = ChannelAttention(
            nn.Conv2d(FUSED_WIDTH, FUSED_WIDTH // 4, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(FUSED_WIDTH // 4, FUSED_WIDTH, 1, bias=False),
        )
        self.fusion = Fusion(detail, attention)
        self.head = head(FUSED_WIDTH, FUSED_WIDTH, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        detail, x16, x32 = self.encoder(x)
        fused = self.fusion(detail, self.context(x16, x32, detail))
        return resize(self.head(fused), x, align_corners=True)


DECODERS = {"BiSeNetV1": STDC}


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network on an encoder in STDC_DEPTHS; its one decoder is BiSeNetV1's."""
    depths = choose(STDC_DEPTHS, encoder, "encoder")
    return choose(DECODERS, decoder, "decoder")(STDCEncoder(depths), num_classes)


FAMILY = Family(build, class_tensors=("head.1.weight",))
