"""torchvision's own segmentation networks, without the auxiliary head that only training uses."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import segmentation

from zoo.models.blocks import choose
from zoo.models.family import Family

CONSTRUCTORS = {
    name: getattr(segmentation, name)
    for name in (
        "lraspp_mobilenet_v3_large",
        "deeplabv3_mobilenet_v3_large",
        "deeplabv3_resnet50",
        "fcn_resnet50",
    )
}


class Logits(nn.Module):
    """A torchvision network that returns its logits instead of a dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)["out"]


def build(encoder: str, decoder: str, num_classes: int, *, constructor: str) -> nn.Module:
    """Return what a constructor of torchvision makes; it decides encoder and decoder."""
    make = choose(CONSTRUCTORS, constructor, "constructor")
    # Without weights_backbone=None torchvision would download an ImageNet encoder.
    return Logits(make(weights=None, weights_backbone=None, num_classes=num_classes))


FAMILY = Family(
    build,
    class_tensors=("network.classifier.4.bias", "network.classifier.high_classifier.bias"),
    renames=((r"^(backbone|classifier)\.", r"network.\1."),),
    dropped="aux_classifier.",
)
