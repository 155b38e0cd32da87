"""Runs a command that ends when its starter ends, however that happens.

    python attached.py COMMAND [ARGUMENT…]     with a pipe as standard input

The starter holds the other end of the pipe. When it closes, even because the starter was killed, the whole process group gets a
SIGTERM: the command and whatever it started, such as the functions that the local stack runs. The starter puts this program into a
process group of its own.
"""

import os
import signal
import subprocess
import sys
import threading


def end_with_starter() -> None:
    """Waits for the pipe to close, then ends the group."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)


def main() -> int:
    # The command decides when it has finished; this program only follows it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=end_with_starter, daemon=True).start()
    return command.wait()


if __name__ == "__main__":
    # The watching thread still reads standard input, so the interpreter must not try to close it.
    status = main()
    os._exit(status if status >= 0 else 128 - status)
