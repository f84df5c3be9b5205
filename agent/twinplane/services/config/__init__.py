"""twinplane.config.v1.Config: what NETCONF offers, over gRPC (proto/twinplane_wire/v1/config.proto).

Each file holds one group of methods. They turn messages into sessions, candidates and requests, and answers
into messages; what a commit does is the transaction's business, what a configuration means the models'.
"""
