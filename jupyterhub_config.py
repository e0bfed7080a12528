"""Configure the hub: settings decide, `jupyterhub_config.d/*.py` is the escape hatch.

Run through `bioskills run`; nothing is decided in this file.
"""

import os
from pathlib import Path

from bioskills.base.settings import load_settings
from bioskills.hub.apply import apply_all

c = get_config()

settings = load_settings()
apply_all(c, settings)

# This is our escape hatch: site files come last and win.
site = Path(os.environ.get("BIOSKILLS_HUB_CONFIG_D", Path(__file__).parent / "jupyterhub_config.d"))
for extra in sorted(site.glob("*.py")):
    load_subconfig(str(extra))
