"""What all tests stand on."""

from __future__ import annotations

import signal

# A shell that runs us in the background has us ignore these two, and ignored is what children inherit: then
# main could not be stopped by them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
