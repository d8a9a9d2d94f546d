"""What a claimer of the torture runs under its lease: writes behind its fence, as fast as it can, until one is refused or it is done.

    python -m tests.claimant SECONDS      below `prontodb claim … --`

It does not let itself be ended by SIGTERM: an orphan, or one whose lease is lost, goes on writing. Status 9 where a write was refused.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from prontodb.dispatch import dispatch
from prontodb.session import Input, Output, Session


def call(*argv: str) -> int:
    """A command, in this process."""
    streams = (Input(0), Output(1, "standard output"), Output(2, "standard error"))
    return dispatch(argv, Session(os.environ, os.getcwd(), time.time, streams))


def main(seconds: float) -> int:
    """Each write says whose it is: the token and the process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    token = os.environ["PRONTO_TOKEN"]
    over = time.monotonic() + seconds
    while True:
        status = call("append", "p.n.log", f"{token} {os.getpid()}\n", "--fence", token)
        if status != 0:
            return 9 if status == 3 else status
        if time.monotonic() > over:
            return 0
        time.sleep(0.03)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
