"""What several families are made of: convolutions with norm and activation, and a resize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import InputError

Activation = Callable[..., nn.Module]
Choice = TypeVar("Choice")


def choose(table: Mapping[str, Choice], name: str, what: str) -> Choice:
    """Return the entry, or raise InputError that lists what there is."""
    if name not in table:
        raise InputError(f"{what} {name!r} is not known to this family: use one of {', '.join(table)}.")
    return table[name]


def resize(x: Tensor, like: Tensor, *, align_corners: bool = False) -> Tensor:
    """Return x brought bilinearly to the height and width of another tensor.

    The size is read from a tensor each time, so that an ONNX export keeps height and width free.
    """
    return functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=align_corners)


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    *,
    dilation: int = 1,
    groups: int = 1,
    eps: float = 1e-5,
    activation: Activation | None = nn.ReLU,
) -> nn.Sequential:
    """Return convolution (no bias, stride 1, same size), batch norm, and the activation unless it is None."""
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(
            in_channels, out_channels, kernel, padding=padding, dilation=dilation, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels, eps=eps),
    ]
    if activation is not None:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


def separable_conv(
    in_channels: int,
    out_channels: int,
    *,
    dilation: int = 1,
    group_width: int = 1,
    eps: float = 1e-5,
    activation: Activation = nn.ReLU,
) -> nn.Sequential:
    """Return a 3x3 in groups of `group_width` channels, then a 1x1, each with norm and activation."""
    return nn.Sequential(
        conv_norm_act(
            in_channels,
            in_channels,
            3,
            dilation=dilation,
            groups=in_channels // group_width,
            eps=eps,
            activation=activation,
        ),
        conv_norm_act(in_channels, out_channels, eps=eps, activation=activation),
    )
