"""The bundle, made once, and run as PID 1 where there is no Python, another libc, or nothing at all."""
