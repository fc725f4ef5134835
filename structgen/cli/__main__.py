"""`python -m structgen.cli`: the command line without its script."""

import sys

from structgen.cli import main

sys.exit(main())
