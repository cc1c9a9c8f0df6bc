"""Azure over ARM: the only room that knows the SDK; it implements `core.cloud.Cloud`."""
