"""SegFormer: a transformer whose keys and values see a reduced map, and a head of linear layers.

Source: Xie et al., SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers,
NeurIPS 2021; the network is the transformers library's own. Input normalised with ImageNet's mean and
deviation. The logits of stride 4 are resized to the input's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from zoo.models.blocks import choose, resize
from zoo.models.family import Family


class Variant(NamedTuple):
    """What tells the encoders apart, and the width of the head that was published with each."""

    widths: Sequence[int]
    depths: Sequence[int]
    head_width: int


WIDE = (64, 128, 320, 512)
ENCODERS = {
    "MiT-B0": Variant((32, 64, 160, 256), (2, 2, 2, 2), 256),
    "MiT-B1": Variant(WIDE, (2, 2, 2, 2), 256),
    "MiT-B2": Variant(WIDE, (3, 4, 6, 3), 768),
    "MiT-B3": Variant(WIDE, (3, 4, 18, 3), 768),
}


class SegFormer(nn.Module):
    """transformers' network by a configuration, which downloads nothing, and a resize to the input's size."""

    def __init__(self, variant: Variant, num_classes: int) -> None:
        super().__init__()
        from transformers import SegformerConfig, SegformerForSemanticSegmentation  # seconds: only here

        settings: dict[str, Any] = {
            "hidden_sizes": list(variant.widths),
            "depths": list(variant.depths),
            "decoder_hidden_size": variant.head_width,
            "num_labels": num_classes,
            # Attention in plain matrix products: each is counted, and exported to ONNX as it is.
            "attn_implementation": "eager",
        }
        self.network: Any = SegformerForSemanticSegmentation(SegformerConfig(**settings))

    def forward(self, x: Tensor) -> Tensor:
        return resize(self.network(pixel_values=x).logits, x)


DECODERS = {"All-MLP": SegFormer}


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return the network on an encoder in ENCODERS; its one decoder is All-MLP."""
    return choose(DECODERS, decoder, "decoder")(choose(ENCODERS, encoder, "encoder"), num_classes)


FAMILY = Family(
    build,
    class_tensors=("network.decode_head.classifier.bias",),
    # The public checkpoints have the names of the library's earlier versions.
    renames=(
        (r"^(segformer|decode_head)\.", r"network.\1."),
        (r"\.encoder\.block\.(\d)\.", r".stages.\1.blocks."),
        (r"\.encoder\.(patch_embeddings|layer_norm)\.(\d)\.", r".stages.\2.\1."),
        (r"\.self\.(q|k|v)(uery|ey|alue)\.", r".\1_proj."),
        (r"\.self\.sr\.", ".sequence_reduction.sequence_reduction."),
        (r"\.self\.layer_norm\.", ".sequence_reduction.layer_norm."),
        (r"\.output\.dense\.", ".o_proj."),
        (r"\.dense(\d)\.", r".fc\1."),
        (r"\.layer_norm_1\.", ".layernorm_before."),
        (r"\.layer_norm_2\.", ".layernorm_after."),
        (r"\.linear_c\.", ".linear_projections."),
    ),
)
