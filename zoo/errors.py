"""Every error that SegSelect raises on purpose.

    ZooError
    ├── InputError            what was asked is wrong; the command line exits with 2
    │   ├── UnknownIdError    no such row, data set or command; names near matches
    │   ├── NotOursError      a row that no family of ours builds, where a network is needed
    │   ├── BudgetError       a budget or accuracy that is not a usable number
    │   ├── SizeError         an input size that nobody, or this network, can take
    │   ├── ImageError        a picture that is refused
    │   │   └── LabelError    a label file that is refused; names file, value and place
    │   ├── CheckpointError   a file of weights that is refused
    │   ├── ModelFileError    an .onnx or .tflite that is refused
    │   ├── TableError        a CSV that breaks its schema; names file, line, column, value
    │   ├── MeasurementError  a file of measurements that is refused
    │   └── ArchiveError      a zip that is refused
    └── FailedError           asked rightly, and it failed; the command line exits with 1
        ├── CountError        a network could not be counted
        ├── WeightsMissingError   no weights for this row; names the ways to get some
        ├── DownloadError     a download failed or did not match its hash
        └── InferenceError    a runtime failed, ran out of memory or of time
            └── NotNowError   the machine lacks room for it now, and may have it later
                └── BusyError the queue is full

A message is one line: the value, what is allowed, and the next step.
"""


class ZooError(Exception):
    """Base of every expected error; its text is one line for a person."""


class InputError(ZooError):
    """What was asked is wrong."""


class UnknownIdError(InputError):
    """A name that is not in the catalog."""


class NotOursError(InputError):
    """A row that no family of ours builds, where a network is needed."""


class BudgetError(InputError):
    """A budget or an accuracy that is not a usable number."""


class SizeError(InputError):
    """An input size that is out of range, or that a network cannot take."""


class ImageError(InputError):
    """A picture or label file that is refused."""


class LabelError(ImageError):
    """A label file that is refused."""


class CheckpointError(InputError):
    """A file of weights that is refused."""


class ModelFileError(InputError):
    """An .onnx or .tflite file that is refused."""


class TableError(InputError):
    """A CSV that breaks its schema."""


class MeasurementError(InputError):
    """A file of measurements that is refused."""


class ArchiveError(InputError):
    """A zip that is refused."""


class FailedError(ZooError):
    """Asked rightly, and it failed."""


class CountError(FailedError):
    """A network could not be counted."""


class WeightsMissingError(FailedError):
    """There are no weights for this row here."""


class DownloadError(FailedError):
    """A download failed or did not match its hash."""


class InferenceError(FailedError):
    """A runtime failed, or ran out of memory or time."""


class NotNowError(InferenceError):
    """The machine lacks memory or room for it now, and may have it later."""


class BusyError(NotNowError):
    """Too many visitors are waiting."""


def shown_name(name: object, length: int = 60) -> str:
    """Return a file name as a message may show it: no folders or control characters, at most `length` long.

    The name of an upload is text from outside: it may hold line breaks, or ten thousand letters.
    """
    base = str(name).replace("\\", "/").rstrip("/").rpartition("/")[2] or "the file"
    escaped = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in base)
    if len(escaped) > length:
        return f"{escaped[: length - 16]}…{escaped[-15:]}"
    return escaped
