"""GigaMACs measured on the public definitions of the networks, to their last printed digit."""

# In the table's order, at the rows' own sizes, each with what the audit says of the published number.
_AUDIT = """
3.2162 explained, 2.3491 explained, 3.4032 explained, 6.5358 explained, 3.0765 explained, 7.9105 explained,
3.1614 equal, 2.0092 equal, 3.3571 equal, 7.8643 equal,
3.5454 equal, 2.2043 equal, 3.7673 explained, 15.0692 equal, 3.5454 equal, 2.2043 equal, 3.7673 explained,
8.8379 equal, 26.3667 unexplained, 111.1573 equal, 6.0917 equal, 24.3668 equal,
2.735 unexplained, 8.565 equal, 171.594 equal, 6.062 explained, 4.597 explained, 119.476 explained,
2.0862 not published, 10.4364 not published, 168.7312 not published, 285.443 equal, 337.458 equal,
26.604 unexplained, 38.154 unexplained
"""
_ENTRIES = [entry.strip().partition(" ") for entry in _AUDIT.split(",")]
COUNTED = [number for number, _, _ in _ENTRIES]
VERDICTS = [verdict for _, _, verdict in _ENTRIES]

# Whole Cityscapes images, for which the 769x769 rows' numbers were published.
AT_2049x1025 = {
    "cityscapes-mobilenetv2-deeplab-769x769": "21.233",
    "cityscapes-xception65-deeplab-769x769": "418.376",
    "cityscapes-mobilenetv3-deeplab-769x769": "16.09",
}


def printed(value: float, like: str) -> str:
    return f"{value:.{len(like.partition('.')[2])}f}"
