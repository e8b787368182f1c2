"""The Dagster face of each stage: thin functions that call the domain."""
