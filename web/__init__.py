"""The supervised, unprivileged process that answers HTTP: it may die at any time, PID 1 starts it again."""
