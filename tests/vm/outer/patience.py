# SPDX-License-Identifier: GPL-2.0-only
"""How long to wait: on a debug kernel all is slow."""
import os

FACTOR = 6 if os.path.exists('/sys/kernel/debug/kmemleak') else 1
