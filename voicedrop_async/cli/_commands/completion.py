"""``voicedrop completion``."""

import sys
from typing import Literal

from voicedrop_async.cli._app import APP


def completion(shell: Literal["bash", "fish", "zsh"], /) -> int:
    """Write what completes commands and options in your shell.

    Nothing is installed: put it where your shell looks, once.

        bash: d=~/.local/share/bash-completion/completions; mkdir -p $d
              voicedrop completion bash > $d/voicedrop
        fish: d=~/.config/fish/completions; mkdir -p $d
              voicedrop completion fish > $d/voicedrop.fish
        zsh:  voicedrop completion zsh > "${fpath[1]}/_voicedrop"

    Args:
        shell: Yours.
    """
    sys.stdout.write(APP.generate_completion(shell=shell))
    return 0
