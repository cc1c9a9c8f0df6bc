"""Bodies of others, live or written, as manifests: pure, apart from the schema it reads."""
