"""The commands of ``tryg``, one module per kind of work; ``tryg_assets.cli`` puts them together."""
