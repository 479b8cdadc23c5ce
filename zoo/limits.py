"""Every limit on what comes from outside, in one place: pages, command line and library share them."""

MEGABYTE = 1_000_000

IMAGE_BYTES = 20 * MEGABYTE
IMAGE_PIXELS = 40_000_000
IMAGE_MIN_SIDE = 16
IMAGE_MAX_SIDE = 16_384
IMAGE_MAX_ASPECT = 20
# Named to Pillow one by one: a format that is not here is never even tried.
# A phone's MPO is opened as a JPEG: Pillow knows no format of that name to open.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")

MODEL_BYTES = 500 * MEGABYTE
MODEL_TENSORS = 20_000
MODEL_NODES = 100_000
"""In a model's graph, its sub-graphs and functions."""
MODEL_FUNCTIONS = 500
METADATA_BYTES = 200_000
METADATA_FIELDS = 20_000
"""What is read of the properties of a model, and of its parts on the way there."""
MODEL_VALUES = MODEL_BYTES // 4
"""What a model's graph may make of constants, in values: as much as a file may hold."""

TABLE_BYTES = 2 * MEGABYTE
TABLE_ROWS = 2_000

OWN_NETWORKS = 4
"""A visitor's own, at a time; together they may have MODEL_BYTES."""
OWN_COUNTED = 8
"""Networks that an own table may name which have to be counted first, seconds for each."""

MEASUREMENTS_BYTES = 2 * MEGABYTE
MEASUREMENTS = 2_000

REPORT_BYTES = 6 * MEGABYTE
"""The largest page that is made to be sent."""

ZIP_BYTES = 500 * MEGABYTE
ZIP_UNPACKED_BYTES = 2_000 * MEGABYTE
ZIP_ENTRIES = 20_000
ZIP_DIRECTORY_BYTES = 20 * MEGABYTE
"""A zip's own list of its entries, read before anything else: a thousand bytes for each."""

SIZE_MIN_SIDE = 32
SIZE_MAX_SIDE = 4096

MAX_CLASSES = 255
"""Class ids are stored as bytes, and 255 is void."""

CALIBRATION_PICTURES = 8
"""The fewest pictures that 8-bit ranges are found on."""
CALIBRATION_MOST = 32
"""The most of a visitor's pictures that they are found on: others wait for a mask meanwhile."""

QUEUE_WAITING = 8
"""Visitors who may wait for a mask while one is being made."""

SANDBOX_BYTES = 4_000 * MEGABYTE
SANDBOX_SECONDS = 60
"""What the process that runs a visitor's own model may take: memory in all, time for each request."""
SANDBOX_TEXT_BYTES = 20 * MEGABYTE
"""What it may answer in words and tables."""
SANDBOX_KEPT = 2
SANDBOX_IDLE_SECONDS = 120
SANDBOX_KEPT_SECONDS = 1800
"""How many such processes wait for the next picture, how long for each, and how old they become."""

SESSION_MEMORY_BYTES = 150 * MEGABYTE
"""A network that needs more for a run gives it back after each; below, holding on to it is faster."""
KEPT_NETWORKS = 6
KEPT_NETWORKS_BYTES = 300 * MEGABYTE
"""How many networks stay loaded, and what they may hold together."""

COUNT_SECONDS = 120
"""How long counting a network of a visitor's own row may take."""
