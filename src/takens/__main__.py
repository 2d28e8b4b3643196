"""`python -m takens` is the same as `takens`."""

import sys

from .cli import main

sys.exit(main())
