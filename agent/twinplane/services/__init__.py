"""The wire: gRPC listeners, who calls, messages to and from edits and trees, errors to status codes.

The only room that imports grpc and generated modules. It decides nothing about configuration: it submits to
the transactor and reads the operational tree, and must not know drivers, plans or the host.
"""
