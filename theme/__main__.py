"""MyST starts the template in its folder, by `python . build` or `python . start`.

The folder may have any name: it is imported as a package from the one around it, which comes last
on the path, so that nothing there can stand for a library.
"""

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path[:] = [*sys.path[1:], str(FOLDER.parent)]
    render = import_module(f"{FOLDER.name}.render")
    sys.exit({"build": render.build, "start": render.start}[sys.argv[1]]())
