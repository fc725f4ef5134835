"""`python -m outside.toy PORT`: a server around a toy model, which answers in milliseconds and knows nothing."""

from __future__ import annotations

import sys

import torch
import uvicorn

from minis import hasty
from structgen.server import ServerSettings, create_app

if __name__ == "__main__":
    torch.set_num_threads(1)
    app = create_app(hasty(), ServerSettings(names=("toy",)))
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=60)
