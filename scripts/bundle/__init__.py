"""The bundle: initd with an interpreter, loader and libraries of its own, for images that have none."""
