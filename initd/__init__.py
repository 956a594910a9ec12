"""A container's PID 1 that you can ask questions: the core, standard library only."""

__version__ = "0.1.0"
