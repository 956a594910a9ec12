"""The image, built and run for real: buildah, podman and runc, in a storage of their own."""
