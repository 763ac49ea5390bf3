"""Both services and the token endpoint on loopback, for trying things out and for tests. No telephone rings.

```python
async with Sandbox(messages=1_000, seed=7) as sandbox:
    ...  # sandbox.routee_url, sandbox.auth_url, sandbox.spacivox_url
```
"""

from ._campaigns import AcceptedCampaign
from ._log import PostedCallback, ReceivedRequest
from ._recorder import Recorder
from ._server import Sandbox
from ._thread import in_thread

__all__ = ["AcceptedCampaign", "PostedCallback", "ReceivedRequest", "Recorder", "Sandbox", "in_thread"]
