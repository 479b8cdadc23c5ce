"""ERFNet: a residual network of factorized convolutions with its own encoder.

Source: Romera et al., ERFNet: Efficient Residual Factorized ConvNet for Real-Time Semantic Segmentation,
IEEE T-ITS 2018, table I. Modules carry the names of the public checkpoint. Input x / 255. Sides must be
multiples of 8: a halving rounds up in its convolution, down in its pooling, and the two are concatenated.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.models.family import Family

EPS = 1e-3


class Downsampler(nn.Module):
    """Half the size: a 3x3 convolution of stride 2 beside a 2x2 max pool of the same input."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(out_channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.conv(x), functional.max_pool2d(x, 2)], dim=1)
        return functional.relu(self.bn(x))


class NonBottleneck1D(nn.Module):
    """Two pairs of a 3x1 and a 1x3 convolution, the second pair dilated, with a residual connection."""

    def __init__(self, channels: int, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        d = dilation
        self.conv3x1_1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.conv1x3_1 = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1))
        self.bn1 = nn.BatchNorm2d(channels, eps=EPS)
        self.conv3x1_2 = nn.Conv2d(channels, channels, (3, 1), padding=(d, 0), dilation=(d, 1))
        self.conv1x3_2 = nn.Conv2d(channels, channels, (1, 3), padding=(0, d), dilation=(1, d))
        self.bn2 = nn.BatchNorm2d(channels, eps=EPS)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv3x1_1(x))
        y = functional.relu(self.bn1(self.conv1x3_1(y)))
        y = functional.relu(self.conv3x1_2(y))
        y = self.dropout(self.bn2(self.conv1x3_2(y)))
        return functional.relu(y + x)


class Upsampler(nn.Module):
    """Twice the size: a transposed 3x3 convolution of stride 2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
        self.bn = nn.BatchNorm2d(out_channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class Encoder(nn.Module):
    """An image -> 128 channels at stride 8."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.initial_block = Downsampler(3, 16)
        self.layers = nn.ModuleList(
            [
                Downsampler(16, 64),
                *(NonBottleneck1D(64, dropout=0.03) for _ in range(5)),
                Downsampler(64, 128),
                *(NonBottleneck1D(128, dilation, dropout=0.3) for dilation in 2 * (2, 4, 8, 16)),
            ]
        )
        # For training the encoder alone. Never used here, but the checkpoint has it and its parameters count.
        self.output_conv = nn.Conv2d(128, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.initial_block(x)
        for layer in self.layers:
            x = layer(x)
        return x


class Decoder(nn.Module):
    """128 channels at stride 8 -> logits at the image's size."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                Upsampler(128, 64),
                NonBottleneck1D(64),
                NonBottleneck1D(64),
                Upsampler(64, 16),
                NonBottleneck1D(16),
                NonBottleneck1D(16),
            ]
        )
        self.output_conv = nn.ConvTranspose2d(16, num_classes, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.output_conv(x)


class ERFNet(nn.Module):
    """Encoder and decoder."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = Encoder(num_classes)
        self.decoder = Decoder(num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def build(encoder: str, decoder: str, num_classes: int) -> nn.Module:
    """Return ERFNet, which has but one encoder and decoder."""
    return ERFNet(num_classes)


FAMILY = Family(build, class_tensors=("decoder.output_conv.bias",))
