"""The pure core: values in, values out.

No files, network, clock, threads or logging; what talks to the world implements `core.cloud`.
"""
