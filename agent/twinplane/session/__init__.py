"""Who works on the configuration: sessions, the locks they hold and the candidates they edit.

Everything here is in memory and ends with the agent, as RFC 6241 has it. Knows no wire, schema or host;
what is committed is the transaction's business.
"""
