"""A server that takes every campaign and answers at once.

    python benchmarks/send_server.py

Prints its port, answers until its standard input ends, and then prints how many campaigns it took.
"""

from typing import Final

from server import Requests, answer, serve

BODY: Final = b'{"trackingId": "0123456789abcdef", "type": "Voice", "state": "Queued", "campaignName": "Bench", "statuses": {"Queued": 1}}'
ANSWER: Final = answer(BODY, more=b"Connection: close\r\n")


class Campaigns(Requests):
    """Takes one campaign a connection: paid sends use each of theirs once."""

    taken = 0

    def attend(self, _head: bytes) -> None:
        Campaigns.taken += 1
        self.transport.write(ANSWER)
        self.transport.close()


if __name__ == "__main__":
    serve(Campaigns)
    print(Campaigns.taken, flush=True)
