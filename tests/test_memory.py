"""What a process keeps of the memory that it has freed."""

import subprocess
import sys

KEPT_AFTER = """
from sharing_service.memory import give_back

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

b"x" * 30_000_000  # freed at once: from here on glibc keeps everything that is smaller
before = resident()
pieces = [(b"x" * 4_000_000, b"x" * 1_000) for _ in range(25)]
small = [small for _, small in pieces]  # between the large ones, so that these leave holes
del pieces
give_back()
print(resident() - before)
"""


def test_large_pieces_go_back() -> None:
    """Of a hundred megabytes that were used and freed in pieces of four a process keeps next to nothing.

    Catches a call that the C library does not know, without which it keeps all of them.
    """
    command = [sys.executable, "-c", KEPT_AFTER]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert int(told) < 20_000
