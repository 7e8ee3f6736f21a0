"""One client that asks at a steady rate, whatever becomes of its answers.

    python -m bench.reading.steady PORT PER_SECOND SECONDS REQUESTS

Prints a line when it begins. Each of a few connections waits for its own answers, so that a server that is late has as
many of these requests in hand as there are connections.
"""

import socket
import sys
import threading
import time
from pathlib import Path

from bench.reading.load import read_requests, whole

CONNECTIONS = 8


def send(port: int, per_second: float, seconds: float, requests: list[bytes], number: int) -> None:
    """Send one connection's share of the requests."""
    start = time.monotonic() + number / per_second
    with socket.create_connection(("127.0.0.1", port)) as opened:
        for turn in range(int(seconds * per_second / CONNECTIONS)):
            time.sleep(max(0.0, start + turn * CONNECTIONS / per_second - time.monotonic()))
            opened.sendall(requests[turn % len(requests)])
            answer = b""
            while not whole(answer):
                piece = opened.recv(1 << 18)
                if not piece:
                    raise SystemExit("steady: the server closed a connection")
                answer += piece
            if answer[9:12] != b"200":
                raise SystemExit(f"steady: {answer[:300]!r}")


def main() -> None:
    """Send from all connections."""
    port, per_second, seconds, file = sys.argv[1:]
    requests = read_requests(Path(file))
    threads = [
        threading.Thread(target=send, args=(int(port), float(per_second), float(seconds), requests, n), daemon=True)
        for n in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    print("begins", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
