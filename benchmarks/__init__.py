"""What Pathscope's speed is measured with; `make bench`."""

import os

# As the supervisor starts trainers; read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
