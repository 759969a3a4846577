"""What an operator may choose. Only the entry points import it, once, and hand its groups down."""

from pathlib import Path

DETECTORS = Path(__file__).parent / "detectors"  # the training configs that are shipped, as NAME.yaml
