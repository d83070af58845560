"""The guided case of `make run` and `make demo`."""

from devstack.walk.sign_in import access_token
from devstack.walk.story import walk
from devstack.walk.walker import WalkFailed

__all__ = ["WalkFailed", "access_token", "walk"]
