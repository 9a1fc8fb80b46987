"""Bytes that are no protobuf: the client's error, which gRPC would report as the server's own."""

from functools import partial

import grpc
from google.protobuf.message import DecodeError, Message


class MalformedRequests(grpc.ServerInterceptor):
    """Answers them with INVALID_ARGUMENT, where gRPC has INTERNAL and a traceback in the log."""

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if handler is None:  # no such method
            return None
        return grpc.unary_unary_rpc_method_handler(
            partial(_parse_and_handle, handler), response_serializer=handler.response_serializer
        )


def _parse_and_handle(
    handler: grpc.RpcMethodHandler, data: bytes, context: grpc.ServicerContext
) -> Message:
    try:
        request = handler.request_deserializer(data)
    except DecodeError as error:
        return context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    return handler.unary_unary(request, context)
