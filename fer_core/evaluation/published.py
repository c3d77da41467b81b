"""Published accuracies on FER-2013, each with the protocol that it was reached by.

A figure without its protocol cannot be compared: several of these were read off the split that
chose the weights, or averaged over ten crops.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One published figure.

    Attributes:
        name: who, and what network.
        accuracy: 0 to 1.
        split: what it was measured on.
        protocol: how, in words.
        comparable: whether it is one network trained on FER-2013 alone that never saw the split it is
            measured on.
    """

    name: str
    accuracy: float
    split: str
    protocol: str
    comparable: bool


PUBLISHED: tuple[Published, ...] = (
    Published(
        "People (Goodfellow et al., 2013)", 0.65, "a sample", "65 ± 5 %: how often people agree with the labels", False
    ),
    Published(
        "The original 4-layer network",
        0.632,
        "PublicTest + PrivateTest",
        "claimed by its script; validated on the same images, no epoch picked",
        False,
    ),
    Published(
        "mini-XCEPTION (Arriaga et al., 2017)",
        0.655,
        "PrivateTest",
        "measured here from the published weights, whose epoch was picked on these images",
        False,
    ),
    Published("Tang, winner of the competition, 2013", 0.712, "PrivateTest", "one network, from scratch", True),
    Published("Pramerdorfer and Kampel, VGG, 2016", 0.727, "PrivateTest", "one network, from scratch", True),
    Published("Pramerdorfer and Kampel, eight networks, 2016", 0.752, "PrivateTest", "mean of eight networks", False),
    Published(
        "Shao and Chen, VGG19, 2019", 0.728, "PrivateTest", "one network, from scratch, chosen on PublicTest", True
    ),
    Published(
        "Khaireddin and Chen, VGG, 2021",
        0.733,
        "PublicTest",
        "ten crops; the split is PublicTest, though often cited as the test set",
        False,
    ),
    Published("LetheSec, ResNet18, 2021", 0.737, "PrivateTest", "weights picked on PrivateTest itself", False),
    Published(
        "Residual Masking Network, 2020", 0.741, "PrivateTest", "pretrained on ImageNet, 224 px, ten views", False
    ),
    Published("ResEmoteNet, 2024", 0.798, "PrivateTest", "claimed; its authors' weights give 71.6 %", False),
)
