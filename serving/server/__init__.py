"""A local server for machines without TensorFlow Serving, with its protocol: REST and gRPC."""

from serving.server.server import LocalServer

__all__ = ["LocalServer"]
