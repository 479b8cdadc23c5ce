"""Settings that all tests share."""

from hypothesis import settings

# Examples share a busy machine with everything else: how long one takes says nothing about the code.
settings.register_profile("segselect", deadline=None)
settings.load_profile("segselect")
