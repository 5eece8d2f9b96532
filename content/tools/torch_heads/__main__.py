"""``python -m torch_heads PATH...``"""

import sys

from .scan.command import main

if __name__ == "__main__":
    sys.exit(main())
