"""Clients for a server that speaks TensorFlow Serving's protocol, over REST or gRPC.

Both have the same methods and give the same answers:

>>> client = RestClient()
>>> client.translate("dates", ["9 February 2013"])
{'text': array(['2013-02-09'], dtype=object), 'score': array([-0.01])}

A server with TLS is asked with it: `RestClient("translations.org", tls=Tls())`.
"""

from serving.client.answers import ServerError
from serving.client.grpc_client import GrpcClient
from serving.client.rest_client import RestClient
from serving.client.tls import Tls

__all__ = ["GrpcClient", "RestClient", "ServerError", "Tls"]
