"""The engine that asks a language model: prices, ledger, privacy, and what is asked."""
