"""The door: find our own package, and go in.

Run as ``python -I -S …/initd/__main__.py`` by the script, because ``site`` and ``runpy`` cost more
than everything that is done before main runs; then the package's folder is not on the path yet.
"""

import sys

if not __package__:
    sys.path.insert(0, __file__.rpartition("/")[0].rpartition("/")[0] or "/")

from initd.boot import main

main(sys.argv[1:])
