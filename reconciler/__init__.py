"""aci-reconcile: make Azure Container Instances equal to the manifests in git."""

__version__ = "0.1.0"
