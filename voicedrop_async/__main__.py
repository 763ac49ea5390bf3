"""``python -m voicedrop_async``: the same program as ``voicedrop``."""

import sys

from voicedrop_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
