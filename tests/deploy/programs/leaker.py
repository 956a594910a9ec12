"""leaker.py: leaks as long as it lives, ten times a second and at most 300 times: a zombie of its own, and an
orphan; every second orphan lives on, the others end at once. Says ``ready`` first. Takes no notice of WINCH.
"""

import os
import time


def orphan(lives: bool) -> None:
    """Two forks; the one between is the zombie."""
    if os.fork() == 0:
        if os.fork() == 0 and lives:
            time.sleep(1000)
        os._exit(0)


os.write(1, b"ready\n")
for number in range(300):
    orphan(lives=number % 2 == 0)
    time.sleep(0.1)
time.sleep(1000)
