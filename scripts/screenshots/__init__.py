"""Pictures of the page, from a real scene: ``python -m scripts.screenshots`` writes docs/images/."""
