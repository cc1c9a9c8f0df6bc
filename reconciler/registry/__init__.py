"""Registries of images, by the OCI distribution API over HTTP; knows nothing of Azure."""
