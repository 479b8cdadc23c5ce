"""What several families are made of: convolutions with norm and activation, and a resize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
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


def resize_nearest(x: Tensor, like: Tensor) -> Tensor:
    """Return x brought to the height and width of another tensor, each value the nearest one.

    Where a position falls on a whole number, torch and a runtime may round apart: at 19 of the 1529 pairs of
    map sizes that inputs up to 4096 pixels give, such as 16 -> 122, one row or column is its neighbour's.
    """
    return functional.interpolate(x, size=like.shape[-2:], mode="nearest")


def global_mean(x: Tensor) -> Tensor:
    """Return the mean over height and width: (N, C, 1, 1)."""
    return functional.adaptive_avg_pool2d(x, 1)


def average_cells(x: Tensor, rows: int, columns: int) -> Tensor:
    """Return adaptive average pooling to that many cells, for exports whose height and width stay free.

    Written out because the pooling operator exports to ONNX only where the cells divide without a remainder.
    """
    return _average_rows(_average_rows(x, rows).transpose(-1, -2), columns).transpose(-1, -2)


def _average_rows(x: Tensor, count: int) -> Tensor:
    rows = x.shape[-2]
    shares = [x[..., i * rows // count : ((i + 1) * rows + count - 1) // count, :] for i in range(count)]
    return torch.cat([share.mean(dim=-2, keepdim=True) for share in shares], dim=-2)


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = False,
    eps: float = 1e-5,
    activation: Activation | None = nn.ReLU,
) -> nn.Sequential:
    """Return convolution (padded: n becomes ceil(n / stride)), batch norm, and the activation if any."""
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        ),
        nn.BatchNorm2d(out_channels, eps=eps),
    ]
    if activation is not None:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


def norm_act_conv(
    in_channels: int, out_channels: int, kernel: int = 1, *, groups: int = 1, bias: bool = False
) -> nn.Sequential:
    """Return batch norm, ReLU and a convolution of the same size."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=bias),
    )


def depthwise_conv_norm(in_channels: int, out_channels: int | None = None, *, stride: int = 1) -> nn.Module:
    """Return a 3x3 of one input channel for each output channel, with norm and no activation."""
    out_channels = out_channels or in_channels
    return conv_norm_act(in_channels, out_channels, 3, stride=stride, groups=in_channels, activation=None)


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
