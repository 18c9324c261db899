"""The fixtures of the river's tests."""

from support.river_site import site

__all__ = ["site"]
