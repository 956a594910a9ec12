"""A real kubelet and our manifests on it: ``python -m scripts.kubelet``, as root on a Debian."""
