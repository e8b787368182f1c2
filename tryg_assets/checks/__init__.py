"""The checks of each stage: pure rules, made into Dagster checks by one factory."""
