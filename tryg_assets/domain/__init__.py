"""What the project knows, without Dagster."""
