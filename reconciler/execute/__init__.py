"""From a plan to outcomes, through the `Cloud` protocol alone: it knows no SDK."""
