"""Who wants what: subscriptions matched against changes, one coalescing queue per stream.

Knows nothing of gRPC and nothing of messages: a stream yields notices that hold bytes made by the encoder
that services hand in, and services put prefix, timestamp and target around them.
"""
